"""Who may do what: people and their roles, passwords, sign-in, sessions, and the tokens of programs.

Every function takes a transaction of the ledger and raises, with words for the person, before it has changed anything.
"""

from bellwire.access.passwords import fits, hashed, nobodys, too_weak
from bellwire.access.people import add_person, change_person, close_account, open_account, set_password
from bellwire.access.rights import Right, Role
from bellwire.access.sessions import LONGEST, Session, begin_session, end_session, find_session, key_of, note_session
from bellwire.access.setup import is_setup_code, setup_code
from bellwire.access.sign_in import failed, may_try, succeeded
from bellwire.access.tokens import issue_token, revoke_token, token_rights

__all__ = [
    "LONGEST",
    "Right",
    "Role",
    "Session",
    "add_person",
    "begin_session",
    "change_person",
    "close_account",
    "end_session",
    "failed",
    "find_session",
    "fits",
    "hashed",
    "is_setup_code",
    "issue_token",
    "key_of",
    "may_try",
    "nobodys",
    "note_session",
    "open_account",
    "revoke_token",
    "set_password",
    "setup_code",
    "succeeded",
    "token_rights",
    "too_weak",
]

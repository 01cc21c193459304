"""Who may do what: people and their roles, passwords and one-time codes, sign-in, sessions, and the
tokens of programs.

Every function takes a transaction of the ledger and raises, with words for the person, before it has changed anything.
"""

from bellwire.access.codes import CodeSecrets, address_of, step_of, switch_codes_off, switch_codes_on, use_code
from bellwire.access.passwords import fits, hashed, made_up, nobodys, too_weak
from bellwire.access.people import add_person, change_person, close_account, open_account, set_password
from bellwire.access.rights import Right, Role
from bellwire.access.sessions import (
    LONGEST,
    Session,
    begin_half,
    begin_session,
    end_session,
    find_half,
    find_session,
    key_of,
    note_session,
    sign_out,
)
from bellwire.access.setup import is_setup_code, keep_setup_code, setup_code
from bellwire.access.sign_in import Try, failed, may_try, succeeded, take_back
from bellwire.access.tokens import issue_token, revoke_token, token_rights

__all__ = [
    "LONGEST",
    "CodeSecrets",
    "Right",
    "Role",
    "Session",
    "Try",
    "add_person",
    "address_of",
    "begin_half",
    "begin_session",
    "change_person",
    "close_account",
    "end_session",
    "failed",
    "find_half",
    "find_session",
    "fits",
    "hashed",
    "is_setup_code",
    "issue_token",
    "keep_setup_code",
    "key_of",
    "made_up",
    "may_try",
    "nobodys",
    "note_session",
    "open_account",
    "revoke_token",
    "set_password",
    "setup_code",
    "sign_out",
    "step_of",
    "succeeded",
    "switch_codes_off",
    "switch_codes_on",
    "take_back",
    "token_rights",
    "too_weak",
    "use_code",
]

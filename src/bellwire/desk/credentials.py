"""New credentials of a connection, from a page or by the API: tried before they are kept, bought with the owner's
consent, or a webhook secret that is replaced while both are accepted."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial

from bellwire.connectors.kit import OVERLAP, Asked, Connection, ask_consent, redeem_consent, rotated, settled
from bellwire.connectors.trying import on_trial
from bellwire.desk.accounts import Accounts, without
from bellwire.desk.connections import Checked, secrets_of
from bellwire.desk.site import Site
from bellwire.errors import BellwireError, MissingCredential
from bellwire.ledger import signings
from bellwire.watch.accounts import sign_in
from bellwire.watch.finding import Finding, Level

UNSEEN = "No webhook that is signed with the new secret has come."
LONGEST = 20_000
"""Characters of a credential."""
_SECRET = re.compile("token|secret|code|hmac|sign", re.IGNORECASE)
"""What vendors add to their answer and isn't shown."""


@dataclass(frozen=True)
class Tried:
    """What the vendor said to new credentials, without them; whether they are `good`, and kept."""

    good: bool
    findings: Sequence[Finding]


class CredentialChanges:
    def __init__(self, site: Site, accounts: Accounts) -> None:
        self._site = site
        self._accounts = accounts

    async def try_and_keep(self, connection: Connection, given: Mapping[str, str], who: str) -> Tried:
        """Ask the vendor with them, and keep them if they are good; else nothing is changed. Raises BellwireError."""
        clock = self._site.clock
        unknown = sorted(given.keys() - {secret.field for secret in secrets_of(connection, clock())})
        if unknown:
            raise BellwireError(f"{connection.manifest.title} has no credential '{unknown[0]}'.")
        tried, trial = on_trial(connection, given, clock)
        try:
            findings = await sign_in(tried, clock)
        finally:
            await tried.api.close()
        if wrong := [finding for finding in findings if finding.level is Level.ERROR]:
            return Tried(False, without(given, wrong))
        field = connection.manifest.webhook_credential
        before = connection.credentials.find(field)
        signs = bool(field in given and before and given[field] != before)
        if signs and before:
            # What is on its way, signed with the one before, is still to be taken in.
            trial.store(rotated(field, given[field], before, clock() + OVERLAP))
        await self._accounts.keep(connection, "set", list(given), who, trial.keep, signs=signs)
        findings = without(given, findings)
        await self._accounts.remember(connection, findings)
        return Tried(True, findings)

    def ask_consent(self, connection: Connection) -> Asked:
        """What the owner opens in the browser. Raises BellwireError."""
        try:
            return ask_consent(connection, self._site.reach.callback)
        except MissingCredential as error:
            remedy = "Fill in what the vendor calls the id and the secret of your app first, under Credentials."
            raise BellwireError(error.sentence, remedy=remedy) from error

    async def redeem(self, connection: Connection, asked: Asked, answer: str, who: str) -> tuple[Checked, list[str]]:
        """Buy what the vendor gives for the owner's consent, and ask it who we are there; `answer` is the address that
        the browser was sent to. Gives that, and what else it said."""
        told = await redeem_consent(connection, asked, answer)
        await self._accounts.note(connection, "sign in", who)
        title = connection.manifest.title
        extras = [f"{title} says: {what} = {value[:100]}." for what, value in told.items() if not _SECRET.search(what)]
        return await self._accounts.check(connection), extras

    async def rotate(self, connection: Connection, new: str, who: str, overlap: timedelta = OVERLAP) -> datetime:
        """Have webhooks signed with another secret accepted, too, and with the one before until the moment that this
        gives. Raises BellwireError."""
        field = self._field(connection)
        before = connection.credentials.get(field)
        if not new or new in before.split():
            wrong = "That is the secret from before." if new else "Fill in the new secret."
            raise BellwireError(f"{wrong} Nothing was changed.")
        until = self._site.clock() + overlap
        await self._keep(connection, "rotate", rotated(field, new, before, until), who)
        return until

    async def end_rotation(self, connection: Connection, who: str, *, keep_old: bool, unseen: bool) -> bool:
        """Accept one secret alone from now on: the new one, or the one before. False, and nothing
        is changed, when nothing has come that is signed with the new one; unless `unseen` says that this is known.
        Raises BellwireError."""
        field = self._field(connection)
        old, new = " ".join(connection.earlier_secrets(self._site.clock())), connection.credentials.get(field)
        if not old:
            raise BellwireError("There is only one secret; nothing was changed.")
        if keep_old:
            await self._keep(connection, "keep the earlier", settled(field, old), who)
            return True
        seen = await self._site.ledger.read(lambda rows: signings.find(rows, connection.name))
        if seen.newest_at is None and not unseen:
            return False
        await self._keep(connection, "drop the earlier", settled(field, new), who)
        return True

    async def _keep(self, connection: Connection, what: str, values: Mapping[str, str], who: str) -> None:
        field, store = connection.manifest.webhook_credential, partial(connection.credentials.store, values)
        await self._accounts.keep(connection, what, [field], who, store, signs=True)

    @staticmethod
    def _field(connection: Connection) -> str:
        """Raises BellwireError when its webhooks aren't signed with a secret."""
        field = connection.manifest.webhook_credential
        takes = connection.webhook is not None and connection.connector.triggers is not None
        if not takes or connection.credentials.find(field) is None:
            raise BellwireError(f"'{connection.name}' has no secret for webhooks that could be replaced.")
        return field

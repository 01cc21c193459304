"""What is done with a connection from the desk, by a page or by the API."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import partial

from bellwire.connectors.kit import Connection
from bellwire.connectors.kit import Standing as Subscribed
from bellwire.desk.connections import Checked, Known, Standing, known, standing
from bellwire.desk.site import Site
from bellwire.errors import BellwireError, ConfigurationError
from bellwire.events import Environment
from bellwire.ledger import Rows, audit, checks, polls, signings
from bellwire.watch import accounts
from bellwire.watch.finding import Finding, Level


class Accounts:
    def __init__(self, site: Site) -> None:
        self._site = site

    async def standing(self, connection: Connection) -> Standing:
        """How it is. Raises ConfigurationError when the vault can't be read."""
        name = connection.name
        found = await self._site.ledger.read(partial(known, connections={name: connection}))
        return self._of(connection, found[name])

    async def all_standings(self) -> list[Standing]:
        connections = self._site.connections
        found = await self._site.ledger.read(partial(known, connections=connections))
        return [self._of(connections[name], each) for name, each in found.items()]

    def _of(self, connection: Connection, found: Known) -> Standing:
        site = self._site
        return standing(connection, found, site.clock(), site.flows.values())

    async def check(self, connection: Connection) -> Checked:
        """Ask its vendor who we are there, what we may do, and whether it sends its webhooks here."""
        findings = await accounts.sign_in(connection, self._site.clock)
        if not any(finding.level is Level.ERROR for finding in findings):
            findings += await self.webhooks(connection)
        return await self.remember(connection, findings)

    async def webhooks(self, connection: Connection) -> list[Finding]:
        return await accounts.webhooks(connection, self._site.reach.hook(connection.name), self._site.clock)

    async def remember(self, connection: Connection, findings: Sequence[Finding]) -> Checked:
        checked = Checked(self._site.clock(), findings)
        await self._site.ledger.write(lambda rows: checks.put(rows, checked.row(connection.name)))
        return checked

    async def subscribe(self, connection: Connection, who: str) -> Subscribed:
        """Have its webhooks sent here. Gives how it was before. Raises VendorError, BellwireError."""

        async def keep(made: Mapping[str, str]) -> None:
            store = partial(connection.credentials.store, made)
            await self.keep(connection, "set", list(made), who, store)

        before = await accounts.subscribe(connection, self._site.reach.hook(connection.name), self._site.clock, keep)
        if not before.well:
            await self.note(connection, "subscribe", who)
        await self.remember(connection, await self.webhooks(connection))
        return before

    async def keep(
        self,
        connection: Connection,
        what: str,
        fields: Sequence[str],
        who: str,
        store: Callable[[], None],
        *,
        signs: bool = False,
    ) -> None:
        """Keep credentials, and who did. If the ledger can't be written, nothing is changed. `signs`: they change what
        webhooks are signed with."""
        target, now = " ".join([connection.name, *fields]), self._site.clock()

        def write(rows: Rows) -> None:
            if signs:
                signings.begin(rows, connection.name)
            audit.record(rows, who, what, target, now)
            store()

        await self._site.ledger.write(write)

    async def note(self, connection: Connection, what: str, who: str) -> None:
        now = self._site.clock()
        await self._site.ledger.write(lambda rows: audit.record(rows, who, what, connection.name, now))

    def read_now(self, rows: Rows, connection: Connection, who: str) -> list[str]:
        """Have its lists read for what no webhook brought, by whichever process reads them. Gives their names. Raises
        BellwireError when it has none."""
        now = self._site.clock()
        triggers = connection.connector.triggers
        names = [poll.name for poll in triggers.polls] if triggers else []
        if not names:
            title = connection.manifest.title
            raise BellwireError(f"{title} doesn't list what happened.", remedy="Its webhooks are all there is.")
        polls.wake(rows, connection.name, names, now)
        audit.record(rows, who, "reconcile", connection.name, now)
        return names

    async def send_sample(self, connection: Connection) -> int:
        """Send a made-up webhook through the whole intake. Gives the delivery's number. Raises BellwireError when it
        isn't taken, and for a production account."""
        # Only for who tries something: the simulators aren't loaded otherwise.
        from bellwire.practice.driving import sample_type, send_sample

        name, site = connection.name, self._site
        if connection.environment is Environment.PRODUCTION:
            raise ConfigurationError(
                f"'{name}' is a production account: a made-up order could be booked and sent as if it were a"
                " customer's.",
                remedy="Wait for a real one, or try it on a sandbox account.",
            )
        waited_for = [flow.event_type for flow in site.flows.values() if flow.connection == name]
        event_type = sample_type(connection, waited_for)
        _, answer = await send_sample(connection, event_type, site.reach.hook(name), site.reach.hook_from_here(name))
        if not answer.taken:
            raise BellwireError(f"Bellwire refused it ({answer.status}): {answer.message or 'it gave no reason'}")
        return answer.delivery


def without(values: Mapping[str, str], findings: Sequence[Finding]) -> list[Finding]:
    """The findings without what was typed in, should a vendor repeat it."""
    return [
        replace(finding, sentence=_hidden(finding.sentence, values), remedy=_hidden(finding.remedy, values))
        for finding in findings
    ]


def _hidden(text: str, values: Mapping[str, str]) -> str:
    for value in values.values():
        text = text.replace(value, "…")
    return text

"""`bellwire send-test`: a signed sample webhook to the running intake, followed to its end."""

import asyncio
import os
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Annotated, Any

import typer

from bellwire.cli.base import FAILED, HERE, Json, Project, print_json, read_project, say
from bellwire.errors import BellwireError, ConfigurationError

if TYPE_CHECKING:
    from bellwire.connectors.kit import Connection
    from bellwire.ledger import AttemptRow, Database, DeliveryRow, EventRow, ExceptionRow, Rows, RunRow
    from bellwire.practice.driving import Answer
    from bellwire.settings import Settings

_LOOK_EVERY = 0.1


def register(app: typer.Typer) -> None:
    app.command("send-test")(send_test)


def send_test(
    connection: Annotated[str, typer.Argument(metavar="CONNECTION", help="Whose webhook, e.g. shop.")],
    type_: Annotated[
        str | None,
        typer.Argument(metavar="TYPE", help="What happened, e.g. order.paid.", show_default="what a flow waits for"),
    ] = None,
    seconds: Annotated[float, typer.Option(min=0.1, max=3600, help="How long to follow it.")] = 30.0,
    really: Annotated[bool, typer.Option("--really", help="Even to a production account.")] = False,
    project: Project = HERE,
    as_json: Json = False,
) -> None:
    """Send a signed sample webhook to the running intake, and follow it to its end.

    Example: bellwire send-test shop order.paid

    `bellwire up` has to be running. Ends with exit code 1 if the delivery is refused or needs a person.
    """
    settings = read_project(project)
    opened = _open(settings, connection, really=really)
    event_type = _event_type(settings, opened, type_)
    followed = asyncio.run(_send(settings, opened, event_type, seconds, quiet=as_json))
    if as_json:
        print_json(followed.as_json())
    if not followed.well:
        raise typer.Exit(FAILED)


def _open(settings: "Settings", name: str, *, really: bool) -> "Connection":
    """Raises ConfigurationError when it isn't there, or is a production account."""
    from bellwire.connectors.opening import open_connection
    from bellwire.settings import suggestion
    from bellwire.vault import Vault

    if name not in settings.connections:
        known = list(settings.connections)
        remedy = suggestion(name, known) if known else "Write one into connections.toml."
        raise ConfigurationError(f"There is no connection '{name}'.", remedy=remedy)
    if settings.connections[name].environment == "production" and not really:
        raise ConfigurationError(
            f"'{name}' is a production account: a made-up order could be booked and sent as if it were a customer's.",
            remedy="Try it on a sandbox account, or add --really.",
        )
    if settings.port == 0:
        raise ConfigurationError(
            "With port 0, `bellwire up` takes any free port, and this command can't know which.",
            remedy="Set BELLWIRE_PORT to the one that `bellwire up` names.",
        )
    return open_connection(settings.connections[name], Vault.open(settings.data, os.environ), os.environ)


def _event_type(settings: "Settings", connection: "Connection", wanted: str | None) -> str:
    """Raises ConfigurationError."""
    from bellwire.flows import load_flows
    from bellwire.practice.driving import sample_type

    sample_type(connection, (), wanted or "")
    flows = [] if wanted else load_flows(settings.flows)
    waited_for = [flow.event_type for flow in flows if flow.connection == connection.name]
    return sample_type(connection, waited_for, wanted or "")


async def _send(
    settings: "Settings", connection: "Connection", event_type: str, seconds: float, *, quiet: bool
) -> "_Followed":
    from bellwire.ledger import open_ledger
    from bellwire.practice.driving import send_sample

    address = _address(settings, connection.name)
    delivery_id, answer = await send_sample(connection, event_type, settings.hook_url(connection.name), address)
    followed = _Followed(connection.name, event_type, answer.delivery, quiet=quiet)
    followed.tell(f"Sent a made-up {event_type} to {address}")
    if not answer.taken:
        raise _explained(answer, connection)
    followed.tell(f"answered 200: delivery {answer.delivery}")
    async with open_ledger(settings.ledger_url) as ledger:
        await followed.to_the_end(ledger, delivery_id, seconds)
    return followed


def _address(settings: "Settings", connection: str) -> str:
    """Where the intake is, from this machine."""
    host = "127.0.0.1" if settings.host in ("0.0.0.0", "::") else settings.host  # noqa: S104 - only compared
    host = f"[{host}]" if ":" in host else host
    return f"http://{host}:{settings.port}/hooks/{connection}"


def _explained(answer: "Answer", connection: "Connection") -> BellwireError:
    """Why the intake refused the delivery, and what to look at."""
    from bellwire.vault import variable_name

    name, field_ = connection.name, connection.manifest.webhook_credential
    secret = f"{field_} of '{name}'"
    remedies = {
        401: f"The running Bellwire has another {secret} than this command: look at `bellwire secrets list` and"
        f" {variable_name(name, field_)}, and start `bellwire up` again.",
        404: f"The Bellwire that runs there has no connection '{name}': is it another project, or was it started"
        " before the connection was there?",
        503: f"Set the {secret} with `bellwire secrets set {name} {field_}`, and start `bellwire up` again."
        if answer.reason == "no-secret"
        else "Wait a little and send it again.",
    }
    if answer.reason == "other-account":
        remedies[401] = f"Compare [{name}.settings] in connections.toml with what `bellwire up` was started with."
    told = answer.message or "Something else than Bellwire seems to answer there."
    return BellwireError(f"Answered {answer.status}: {told}", remedy=remedies.get(answer.status, ""))


@dataclass(frozen=True)
class _Look:
    """What the ledger knows about the delivery now."""

    delivery: "DeliveryRow"
    events: "list[EventRow]"
    runs: "list[tuple[RunRow, list[AttemptRow]]]"
    exceptions: "list[ExceptionRow]"

    @property
    def ended(self) -> bool:
        from bellwire.ledger import DeliveryState, RunState

        final = (RunState.DONE, RunState.SKIPPED, RunState.DEAD)
        return self.delivery.state is not DeliveryState.RECEIVED and all(run.state in final for run, _ in self.runs)


@dataclass
class _Followed:
    """A delivery on its way through the ledger. Tells each step once."""

    connection: str
    event_type: str
    delivery: int
    quiet: bool
    last: _Look | None = None
    _told: set[Any] = field(default_factory=set)

    @property
    def well(self) -> bool:
        """Whether it came to an end, and nobody is asked."""
        return self.last is not None and self.last.ended and not self.last.exceptions

    def tell(self, text: str) -> None:
        if not self.quiet:
            say(text)

    async def to_the_end(self, ledger: "Database", delivery_id: str, seconds: float) -> None:
        """Raises BellwireError when the delivery isn't in this ledger."""
        give_up = time.monotonic() + seconds
        while True:
            look = self.last = await ledger.read(self._look)
            if look is None or look.delivery.delivery_id != delivery_id:
                raise BellwireError(
                    "It was taken in by another Bellwire: this project's ledger doesn't have it.",
                    remedy="Start `bellwire up` for this project on a port of its own.",
                )
            for key, step in self._steps(look):
                if key not in self._told:
                    self._told.add(key)
                    self.tell(step)
            if look.ended:
                break
            if time.monotonic() >= give_up:
                self.tell(f"→ not at its end after {seconds:g} s; `bellwire run list` shows how it goes on")
                break
            await asyncio.sleep(_LOOK_EVERY)

    def _look(self, rows: "Rows") -> _Look | None:
        from bellwire.ledger import deliveries, events, exceptions, runs

        delivery = deliveries.find(rows, self.delivery)
        if delivery is None:
            return None
        heard = events.of_delivery(rows, delivery.id)
        started = [run for event in heard for run in runs.of_event(rows, event.id)]
        stuck = [each for run in started for each in exceptions.open_ones(rows, run=run.id)]
        stuck += [each for each in exceptions.open_ones(rows) if each.delivery == delivery.id]
        return _Look(delivery, heard, [(run, runs.attempts(rows, run.id)) for run in started], stuck)

    def _steps(self, look: _Look) -> Iterator[tuple[Any, str]]:
        """All that has happened so far, each with a key of its own."""
        from bellwire.clock import duration
        from bellwire.ledger import DeliveryState, RunState

        if look.delivery.state is DeliveryState.SKIPPED:
            yield "skipped", f"→ nothing to do: {look.delivery.reason}"
        for event in look.events:
            reason = f": {event.reason}" if event.reason else ""
            yield ("event", event.id), f"→ event {event.type} of {event.subject}{reason}"
        for run, attempts in look.runs:
            yield ("run", run.id), f"→ run {run.id} of flow {run.flow}"
            for attempt in attempts:
                if attempt.finished_at is not None:
                    key = ("attempt", run.id, attempt.action, attempt.item, attempt.number)
                    yield key, f"    {_attempt(attempt)}"
            if run.state in (RunState.DONE, RunState.SKIPPED) and run.finished_at is not None:
                took = duration(run.finished_at - run.received_at)
                yield ("end", run.id), f"→ {run.state.value} in {took}"
        if look.ended:
            for each in look.exceptions:
                yield ("exception", each.id), f"→ exception {each.id}: {each.sentence}"
                if each.remedy:
                    yield ("remedy", each.id), f"  what to do: {each.remedy}"
                if each.connection == self.connection and each.run is not None:
                    hint = f"bellwire exception dismiss {each.id} --reason 'a test'"
                    yield ("hint", each.id), f"  If '{self.connection}' doesn't know what was made up here: {hint}"

    def as_json(self) -> dict[str, Any]:
        """Everything, as it was at the last look."""
        from dataclasses import asdict

        assert self.last is not None
        events = [{k: v for k, v in asdict(event).items() if k != "data"} for event in self.last.events]
        return {
            "connection": self.connection,
            "type": self.event_type,
            "delivery": asdict(self.last.delivery),
            "ended": self.last.ended,
            "well": self.well,
            "events": events,
            "runs": [asdict(run) | {"attempts": [asdict(each) for each in made]} for run, made in self.last.runs],
            "exceptions": [asdict(each) for each in self.last.exceptions],
        }


def _attempt(attempt: "AttemptRow") -> str:
    """`invoice done (number 1001, id 130)`."""
    from bellwire.engine import in_short
    from bellwire.ledger import Outcome

    item = f" {attempt.item + 1}" if attempt.item else ""
    if attempt.outcome in (Outcome.DONE, Outcome.BY_HAND):
        told = in_short(attempt.result)
        return f"{attempt.action}{item} done" + (f" ({told})" if told else "")
    if attempt.outcome is Outcome.SKIPPED:
        return f"{attempt.action}{item} left out: {attempt.sentence}"
    if attempt.outcome is Outcome.NOTED:
        return f"{attempt.action}{item} noted: the flow is in shadow, so nothing was sent"
    again = " It is tried again." if attempt.next_at is not None else ""
    return f"{attempt.action}{item} failed: {attempt.sentence}{again}"

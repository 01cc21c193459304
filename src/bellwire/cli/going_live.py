"""How it stands with the flows of a project, in words: which wait for somebody to say that they may act."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bellwire.cli.base import say
from bellwire.cli.lasting import person, with_ledger
from bellwire.engine import Standing, environment_of, standings
from bellwire.events import Environment
from bellwire.flows import Flow
from bellwire.ledger import Database, FlowMode, PilotRow, Rows, is_there, open_ledger, pilots
from bellwire.settings import Settings
from bellwire.watch.finding import Finding, Level

if TYPE_CHECKING:
    from bellwire.practice.pilot import Report

_EACH_BY_ITSELF = 2
"""So many flows that wait are told one by one; of more, their names are enough."""


def environments(settings: Settings) -> Mapping[str, Environment]:
    """Of each connection."""
    return {name: Environment(each.environment) for name, each in settings.connections.items()}


def standings_of(rows: Rows, settings: Settings, flows: Iterable[Flow]) -> list[Standing]:
    return standings(rows, flows, environments(settings))


async def standings_now(settings: Settings, flows: Iterable[Flow]) -> list[Standing]:
    """The same, if the project has a ledger. If it has none yet, nothing is decided, and none is made for that. Raises
    ConfigurationError, LedgerBusy."""
    if not is_there(settings.ledger_url):
        accounts = environments(settings)
        return [Standing(flow, environment_of(flow, accounts), None, None) for flow in flows]
    async with open_ledger(settings.ledger_url) as ledger:
        return await ledger.read(lambda rows: standings_of(rows, settings, flows))


def in_json(found: Standing) -> dict[str, Any]:
    """For programs. `decided` is false while nobody has switched the flow; `pilot` is the last one of its text."""
    pilot = asdict(found.pilot) if found.pilot else None
    return {"mode": found.mode, "decided": found.decided is not None, "waits": found.waits, "pilot": pilot}


def say_what_waits(found: Iterable[Standing]) -> None:
    """Which flows note what they would do until somebody says that they may, and how to say it."""
    waiting = [each for each in found if each.waits]
    if len(waiting) <= _EACH_BY_ITSELF:
        for each in waiting:
            say(f"{each.told} {each.next_step}")
        return
    names = ", ".join(each.flow.id for each in waiting)
    say(f"{len(waiting)} flows aren't live yet; what they would do is noted, and nothing is sent: {names}.")
    say("`bellwire check` says of each what to type for it to go live.")


def doubts(found: Iterable[Standing]) -> Iterator[Finding]:
    """What `bellwire check` says about them."""
    for each in found:
        if each.waits:
            yield Finding(Level.WARNING, each.flow.id, each.told, each.next_step, each.flow.path)
        elif each.environment is Environment.PRODUCTION and each.mode is FlowMode.LIVE and each.triable and each.doubt:
            sentence = f"It is live, and stays so. {each.doubt}"
            yield Finding(
                Level.WARNING, each.flow.id, sentence, f"`bellwire pilot {each.flow.id}` tries it.", each.flow.path
            )


def keep(report: "Report", project: Path, who: str = "") -> Sequence[Standing]:
    """Put a pilot that was brought to its end on record, as wanted by `who` (else by who gives the command); gives how
    it stands with its flow now. Raises ConfigurationError, LedgerBusy."""
    pilot = PilotRow(
        report.flow.id,
        report.flow.hash,
        "practice" if report.simulated else "sandbox",
        report.ready,
        report.as_expected,
        len(report.tried),
        report.began,
        who or person(),
    )

    async def write(ledger: Database, settings: Settings) -> Sequence[Standing]:
        await ledger.write(lambda rows: pilots.record(rows, pilot))
        return await ledger.read(lambda rows: standings_of(rows, settings, [report.flow]))

    return with_ledger(project, write)

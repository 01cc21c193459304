"""What every story tells in the same way: what was tried again, who was asked, what the systems hold, the balance."""

from collections.abc import AsyncIterator, Mapping
from datetime import timedelta

from bellwire.connectors.kit import ByKey, LookUp
from bellwire.flows import operation_for
from bellwire.ledger import AttemptRow, Outcome, Rows, events, exceptions, figures, runs
from bellwire.practice.stage import Stage
from bellwire.practice.stories.telling import Act, Told, Verdict


async def retries_told(stage: Stage, names: Mapping[str, str]) -> AsyncIterator[Told]:
    """What was tried again by itself, and why. `names` has what people call a subject (`order/17` → `order 1001`)."""

    def query(rows: Rows) -> list[tuple[str, str, AttemptRow]]:
        return [
            (event.subject, run.flow, attempt)
            for run in reversed(runs.newest(rows, limit=100))
            if (event := events.find(rows, run.event))
            for attempt in runs.attempts(rows, run.id)
            if attempt.next_at is not None
            and attempt.outcome in (Outcome.FAILED, Outcome.UNKNOWN)
            and attempt.sentence not in {each.sentence for each in exceptions.of_run(rows, run.id)}
        ]

    yield Act("What was tried again, and why")
    for subject, flow, attempt in await stage.ledger.read(query):
        unknown = attempt.outcome is Outcome.UNKNOWN
        after = _how_repeated(stage, flow, attempt.action) if unknown else "Waited as asked, then sent it again."
        yield f"{names.get(subject, subject)}  {attempt.action:<9} {attempt.sentence} {after}"


def _how_repeated(stage: Stage, flow: str, name: str) -> str:
    action = stage.flows[flow].actions[name]
    connector = stage.connections[action.connection].connector
    match connector.actions[str(operation_for(action, connector))].repeat:
        case ByKey():
            return "Sent it again with the same key, so that it can't be done twice."
        case LookUp():
            return "Looked first whether it was there, so that it can't be done twice."
        case _:
            return "Sent it again: a repeat does no harm."


async def exceptions_told(stage: Stage, title: str = "What needs a person") -> AsyncIterator[Told]:
    yield Act(title)
    for exception in await stage.ledger.read(lambda rows: exceptions.open_ones(rows)):
        yield f"exception {exception.id}: {exception.sentence}"
        yield f"what to do:  {exception.remedy}"


async def exceptions_are(stage: Stage, promise: str, count: int, word: str = "") -> Verdict:
    """So many exceptions are open, and each names `word`."""
    found = await stage.ledger.read(lambda rows: exceptions.open_ones(rows))
    held = len(found) == count and all(word in each.sentence for each in found)
    return Verdict(promise, held, f"{len(found)} open")


async def holdings_told(stage: Stage, held: Mapping[str, str]) -> AsyncIterator[Told]:
    """`held` says in words what there is behind each connection."""
    yield Act("What each system holds")
    for name, words in held.items():
        yield f"{stage.connections[name].manifest.title:<20} {words}"


async def balance(stage: Stage) -> list[Verdict]:
    """For each flow: what was received is done, waits, is left out, or needs a person; and nothing waits or needs
    somebody any more."""
    now = stage.clock()
    since, until = now - timedelta(days=400), now + timedelta(minutes=1)
    arrived = await stage.ledger.read(lambda rows: figures.delivery_counts(rows, since, until))
    balances = await stage.ledger.read(lambda rows: figures.balances(rows, since, until))
    repeats = f"{arrived.copies} repeat{'' if arrived.copies == 1 else 's'} of {arrived.received} deliveries recognised"
    verdicts = [
        Verdict(
            f"The books balance: {stage.flows[flow.flow].name}",
            flow.balanced and not flow.waiting and not flow.dead,
            f"{flow.received} events = {flow.done} done + {flow.waiting} waiting + {flow.dead} exceptions"
            f" + {flow.skipped} skipped",
        )
        for flow in balances
        if flow.flow
    ]
    balanced = arrived.balanced and all(each.balanced for each in balances)
    return [*verdicts, Verdict("Every delivery is accounted for", balanced, repeats)]

"""What has to be true once all is done, however often the process died on the way."""

from collections import Counter
from collections.abc import Collection, Iterator, Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from bellwire.clock import system_clock
from bellwire.ledger import (
    AskRow,
    DeliveryState,
    EventRow,
    ExceptionRow,
    ExceptionState,
    Outcome,
    Rows,
    RunRow,
    RunState,
    asks,
    audit,
    deliveries,
    edits,
    events,
    exceptions,
    figures,
    runs,
)
from tests.running import FLOW, Town

_ALL = 1_000_000
_DATA = {"ledger.db", "ledger.db-wal", "ledger.db-shm", "engine.lock", "vault.json", "vault.json.lock", "vault.key"}
"""What may be in the project's data folder."""
_ENDED = (RunState.DONE, RunState.SKIPPED)
_BRING = (Outcome.DONE, Outcome.BY_HAND)
"""Outcomes of attempts that have a result."""
_PURGED = "purged"
_CLOSED_BY = {
    ExceptionState.RETRIED: ("retry",),
    ExceptionState.RESOLVED: ("resolve",),
    ExceptionState.DISMISSED: ("dismiss", "cancel"),
}
"""What the audit calls the acts that leave an exception so."""


def broken(place: Town, acknowledged: Collection[int], given_up: Collection[str] = ()) -> list[str]:
    """Each promise that doesn't hold, in words. `acknowledged` are the numbers that senders were given for their
    deliveries, `given_up` those of orders whose invoice somebody decided not to have."""
    found = [f"{verdict.promise}: {verdict.found}" for verdict in place.verdicts({*given_up}) if not verdict.held]
    sent = Counter(place.holdings.shop.fulfilled())
    if sent != Counter(place.placed.values()):
        found.append(f"The shop shows each order as sent, once: {sent}")
    found += place.look(lambda rows: broken_in_ledger(rows, acknowledged))
    found += place.look(lambda rows: _not_done(rows, len(place.placed) - len(given_up)))
    return found + left_over(place)


def broken_in_ledger(rows: Rows, acknowledged: Collection[int]) -> list[str]:
    """What no ledger may show once all is done."""
    kept = {row.id: row.state for row in deliveries.newest(rows, limit=_ALL)}
    ended = (DeliveryState.DONE, DeliveryState.SKIPPED)
    found = [f"Delivery {number} was acknowledged and is lost." for number in acknowledged if number not in kept]
    found += [f"Delivery {number} is {state}." for number, state in kept.items() if state not in ended]
    for run in runs.newest(rows, limit=_ALL):
        # Nobody carries it: the process is over.
        found += [f"Run {run.id} is {run.state}."] if run.state not in _ENDED else []
        if run.state is RunState.DONE:
            begun = [each for each in runs.attempts(rows, run.id) if each.outcome is Outcome.STARTED]
            found += [f"Attempt {each.number} of {each.action} in run {run.id} never ended." for each in begun]
    found += [f"Exception {each.id} is open: {each.sentence}" for each in exceptions.open_ones(rows)]
    found += _out_of_turn(rows)
    since, until = _today()
    if not figures.delivery_counts(rows, since, until).balanced:
        found.append("The deliveries don't balance.")
    return found + [
        f"The books don't balance: {each}" for each in figures.balances(rows, since, until) if not each.balanced
    ]


def _out_of_turn(rows: Rows) -> list[str]:
    """Runs that began before what came earlier about the same was at its end."""
    found = []
    before: dict[str, RunRow] = {}
    for run in sorted(runs.newest(rows, limit=_ALL), key=lambda run: run.event):
        began = [each.started_at for each in runs.attempts(rows, run.id)]
        earlier = before.get(run.subject)
        if (
            earlier
            and earlier.event != run.event
            and earlier.finished_at
            and began
            and min(began) < earlier.finished_at
        ):
            found.append(f"Run {run.id} didn't wait for run {earlier.id}, which came earlier about the same.")
        before[run.subject] = run
    return found


def never(rows: Rows) -> list[str]:
    """What no ledger may show at any moment, be it right after a death: one half of what belongs together."""
    found = [f"Row {row[1]} of {row[0]} refers to nothing." for row in rows.all("PRAGMA foreign_key_check")]
    for event in events.newest(rows, limit=_ALL):
        found += _half_purged(rows, event)
    acts = {(act.what, act.target) for act in audit.newest(rows, limit=_ALL)}
    for row in _exceptions(rows):
        targets = {f"run {row.run}", *(f"exception {each.id}" for each in _together(rows, row))}
        if row.state in _CLOSED_BY and acts.isdisjoint((what, it) for what in _CLOSED_BY[row.state] for it in targets):
            found.append(f"Nobody is on record for exception {row.id}, which is {row.state}.")
    return found


def _half_purged(rows: Rows, event: EventRow) -> list[str]:
    of_event = [run.id for run in runs.of_event(rows, event.id)]
    told = [each.result for run in of_event for each in runs.attempts(rows, run) if each.outcome in _BRING]
    told += [edit.given for run in of_event for edit in edits.of_run(rows, run)]
    details = [each.detail for run in of_event for each in runs.attempts(rows, run)]
    details += [each.detail for run in of_event for each in exceptions.of_run(rows, run)]
    if event.purged and any([*told, *details]):
        return [f"Event {event.id} is purged, and not all that its actions brought."]
    if not event.purged and not all(told):
        return [f"Event {event.id} isn't purged, and what its actions brought is."]
    return []


def _exceptions(rows: Rows) -> list[ExceptionRow]:
    found = (exceptions.find(rows, row[0]) for row in rows.all("SELECT id FROM exceptions ORDER BY id"))
    return [row for row in found if row is not None]


def _asks(rows: Rows) -> list[AskRow]:
    return [ask for run in runs.newest(rows, limit=_ALL) for ask in asks.of_run(rows, run.id)]


def _together(rows: Rows, row: ExceptionRow) -> list[ExceptionRow]:
    """Those that one act closes with it."""
    return [row] if row.run is None else exceptions.of_run(rows, row.run)


def ending(place: Town) -> Sequence[str]:
    """What came of a story: the same in each telling, however often the process died on the way."""
    return sorted(place.look(_ending))


def _ending(rows: Rows) -> list[str]:
    return [
        *(f"delivery {row.id}: {row.state}, {row.reason}" for row in deliveries.newest(rows, limit=_ALL)),
        *(f"payload of delivery {row[0]}" for row in rows.all("SELECT delivery FROM payloads")),
        *(
            f"event {row.id}: {row.type}, {row.reason}{', purged' if row.purged else ''}"
            for row in events.newest(rows, limit=_ALL)
        ),
        *(f"run of event {row.event}: {row.flow}, {row.state}, {row.reason}" for row in runs.newest(rows, limit=_ALL)),
        *(
            f"in the run of event {run.event}: {each.action}, item {each.item}, {each.outcome}"
            for run in runs.newest(rows, limit=_ALL)
            for each in runs.attempts(rows, run.id)
            if each.outcome.settled
        ),
        *(f"exception {row.id}: {row.cause}, {row.state}, {row.reason}" for row in _exceptions(rows)),
        *(f"to-do about {row.action}: {row.state}, {row.who}" for row in _asks(rows)),
        *(f"act: {act.what}, {act.target}, {act.detail}" for act in audit.newest(rows, limit=_ALL)),
    ]


def _not_done(rows: Rows, orders: int) -> list[str]:
    done = sum(each.done for each in figures.balances(rows, *_today()) if each.flow == FLOW)
    return [f"{done} runs are done for {orders} orders."] if done != orders else []


def _today() -> tuple[datetime, datetime]:
    now = system_clock()
    return now - timedelta(days=1), now + timedelta(hours=1)


def left_over(place: Town) -> list[str]:
    """Files that nobody needs any more."""
    # What a crash left of a credential that was being stored: one file, which the next that is stored takes over.
    here = {path.name for path in (place.folder / "data").iterdir()} - _DATA - {".vault.json.new"}
    here -= {f"vault.json.{connection}.lock" for connection in place.roles}  # Of sign-ins that were renewed.
    return [f"A file is left over: {name}" for name in sorted(here)]


def finals(place: Town) -> dict[object, object]:
    """All that is final by now: it has to be so for ever, until it is purged. A dead run isn't, for a person may open
    it again."""
    return dict(place.look(lambda rows: [*_finals(rows)]))


def _finals(rows: Rows) -> Iterator[tuple[object, object]]:
    purged = set()
    for event in events.newest(rows, limit=_ALL):
        yield ("event", event.id), (event.business_key, event.subject, event.time, event.reason)
        yield ("data", event.id), event.data or _PURGED
        purged |= {event.id} if event.purged else set()
    for run in runs.newest(rows, limit=_ALL):
        if run.state in _ENDED:
            yield ("run", run.id), run
        for each in runs.attempts(rows, run.id):
            if each.outcome.settled:
                name = (run.id, each.action, each.item, each.number)
                yield ("attempt", *name), replace(each, result=None, detail="")
                yield ("result", *name), _PURGED if run.event in purged else (each.result, each.detail)
    for row in deliveries.newest(rows, limit=_ALL):
        if row.state in (DeliveryState.DONE, DeliveryState.SKIPPED):
            yield ("delivery", row.id), (row.connection, row.delivery_id, row.state)
    for closed in _exceptions(rows):
        if closed.state is not ExceptionState.OPEN:
            yield ("exception", closed.id), replace(closed, detail="")
    for act in audit.newest(rows, limit=_ALL):
        yield ("act", act.id), act


def changed(before: dict[object, object], after: dict[object, object]) -> list[str]:
    """What was final and isn't the same any more."""
    return [
        f"{key} was final: {value}; it is {after.get(key)}."
        for key, value in before.items()
        if after.get(key) not in (value, _PURGED)
    ]

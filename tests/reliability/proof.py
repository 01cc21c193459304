"""What has to be true once all is done, however often the process died on the way."""

from collections import Counter
from collections.abc import Collection
from datetime import datetime, timedelta

from bellwire.clock import system_clock
from bellwire.ledger import DeliveryState, Outcome, Rows, RunState, deliveries, exceptions, figures, runs
from tests.running import Town

_ALL = 1_000_000
_DATA = {"ledger.db", "ledger.db-wal", "ledger.db-shm", "engine.lock", "vault.json", "vault.json.lock", "vault.key"}
"""What may be in the project's data folder."""
_ENDED = (RunState.DONE, RunState.SKIPPED)


def broken(place: Town, acknowledged: Collection[int]) -> list[str]:
    """Each promise that doesn't hold, in words. `acknowledged` are the numbers that senders were given for their
    deliveries."""
    found = [f"{verdict.promise}: {verdict.found}" for verdict in place.verdicts() if not verdict.held]
    sent = Counter(place.holdings.shop.fulfilled())
    if sent != Counter(place.placed.values()):
        found.append(f"The shop shows each order as sent, once: {sent}")
    found += place.look(lambda rows: broken_in_ledger(rows, acknowledged))
    found += place.look(lambda rows: _not_done(rows, len(place.placed)))
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
    since, until = _today()
    if not figures.delivery_counts(rows, since, until).balanced:
        found.append("The deliveries don't balance.")
    return found + [
        f"The books don't balance: {each}" for each in figures.balances(rows, since, until) if not each.balanced
    ]


def _not_done(rows: Rows, orders: int) -> list[str]:
    done = sum(each.done for each in figures.balances(rows, *_today()))
    return [f"{done} runs are done for {orders} orders."] if done != orders else []


def _today() -> tuple[datetime, datetime]:
    now = system_clock()
    return now - timedelta(days=1), now + timedelta(hours=1)


def left_over(place: Town) -> list[str]:
    """Files that nobody needs any more."""
    # What a crash left of a credential that was being stored: one file, which the next that is stored takes over.
    here = {path.name for path in (place.folder / "data").iterdir()} - _DATA - {".vault.json.new"}
    return [f"A file is left over: {name}" for name in sorted(here)]


def finals(place: Town) -> dict[object, object]:
    """All that is final by now: it has to be so for ever. A dead run isn't, for a person may open it again."""
    return place.look(_finals)


def _finals(rows: Rows) -> dict[object, object]:
    every = runs.newest(rows, limit=_ALL)
    settled = [attempt for run in every for attempt in runs.attempts(rows, run.id) if attempt.outcome.settled]
    read = [row for row in deliveries.newest(rows, limit=_ALL) if row.state is not DeliveryState.RECEIVED]
    return {
        **{("run", run.id): run for run in every if run.state in _ENDED},
        **{("attempt", each.run, each.action, each.item, each.number): each for each in settled},
        **{("delivery", row.id): row.state for row in read},
    }


def changed(before: dict[object, object], after: dict[object, object]) -> list[str]:
    """What was final and isn't the same any more."""
    return [
        f"{key} was final: {value}; it is {after.get(key)}." for key, value in before.items() if after.get(key) != value
    ]

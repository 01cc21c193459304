"""What has to be true once all is done, however often the process died on the way."""

from collections import Counter
from collections.abc import Collection
from datetime import timedelta

from bellwire.clock import system_clock
from bellwire.ledger import DeliveryState, Rows, RunState, deliveries, exceptions, figures, runs
from tests.running import Town

_ALL = 1_000_000


def broken(place: Town, acknowledged: Collection[int]) -> list[str]:
    """Each promise that doesn't hold, in words. `acknowledged` are the numbers that senders were given for their
    deliveries."""
    found = [f"{verdict.promise}: {verdict.found}" for verdict in place.verdicts() if not verdict.held]
    sent = Counter(place.holdings.shop.fulfilled())
    if sent != Counter(place.placed.values()):
        found.append(f"The shop shows each order as sent, once: {sent}")
    return found + place.look(lambda rows: _broken_in_ledger(rows, len(place.placed), acknowledged))


def _broken_in_ledger(rows: Rows, orders: int, acknowledged: Collection[int]) -> list[str]:
    found = []
    kept = {row.id: row.state for row in deliveries.newest(rows, limit=_ALL)}
    ended = (DeliveryState.DONE, DeliveryState.SKIPPED)
    found += [f"Delivery {number} was acknowledged and is lost." for number in acknowledged if number not in kept]
    found += [f"Delivery {number} is {state}." for number, state in kept.items() if state not in ended]
    every = runs.newest(rows, limit=_ALL)
    found += [f"Run {run.id} is {run.state}." for run in every if run.state is not RunState.DONE]
    found += [f"Exception {each.id} is open: {each.sentence}" for each in exceptions.open_ones(rows)]
    now = system_clock()
    since, until = now - timedelta(days=1), now + timedelta(hours=1)
    if not figures.delivery_counts(rows, since, until).balanced:
        found.append("The deliveries don't balance.")
    balances = figures.balances(rows, since, until)
    found += [f"The books don't balance: {each}" for each in balances if not each.balanced]
    done = sum(each.done for each in balances)
    if done != orders:
        found.append(f"{done} runs are done for {orders} orders.")
    return found


def finals(place: Town) -> dict[object, object]:
    """All that is final by now: it has to be so for ever. A dead run isn't, for a person may open it again."""
    return place.look(_finals)


def _finals(rows: Rows) -> dict[object, object]:
    ended = [run for run in runs.newest(rows, limit=_ALL) if run.state in (RunState.DONE, RunState.SKIPPED)]
    settled = [
        attempt
        for run in runs.newest(rows, limit=_ALL)
        for attempt in runs.attempts(rows, run.id)
        if attempt.outcome.settled
    ]
    read = [row for row in deliveries.newest(rows, limit=_ALL) if row.state is not DeliveryState.RECEIVED]
    return {
        **{("run", run.id): run for run in ended},
        **{("attempt", each.run, each.action, each.item, each.number): each for each in settled},
        **{("delivery", row.id): row.state for row in read},
    }


def changed(before: dict[object, object], after: dict[object, object]) -> list[str]:
    """What was final and isn't the same any more."""
    return [
        f"{key} was final: {value}; it is {after.get(key)}." for key, value in before.items() if after.get(key) != value
    ]

"""Eight workers on one queue; `make torture ARGS="--workers 8 --runs 10000"` gives them more."""

from tests.ledgers import Ledgers
from tests.torture.many import many

RUNS = 400


async def test_eight_workers_do_each_action_once(ledgers: Ledgers) -> None:
    found = await many(ledgers.postgres(), 8, RUNS, lambda _: None, 120)
    assert (found.missing, found.doubled) == (0, 0)
    assert len([each for each in found.by_worker if each]) > 1

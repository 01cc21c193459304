"""Who did what."""

from datetime import timedelta

from bellwire.ledger import Database, audit
from tests.samples import NOW


async def test_the_newest_come_first_and_can_be_narrowed(ledger: Database) -> None:
    for number, target in enumerate(["run 1", "run 2", "run 1", "the vault"]):
        now = NOW + timedelta(hours=number)
        await ledger.write(lambda rows, t=target, now=now: audit.record(rows, "Dana", "retry", t, now, "why"))  # type: ignore[misc]

    async def found(limit: int = 9, target: str = "", hours: int | None = None) -> list[tuple[int, str]]:
        since = None if hours is None else NOW + timedelta(hours=hours)
        acts = await ledger.read(lambda rows: audit.newest(rows, limit=limit, target=target, since=since))
        return [(act.id, act.target) for act in acts]

    assert await found() == [(4, "the vault"), (3, "run 1"), (2, "run 2"), (1, "run 1")]
    assert await found(limit=1) == [(4, "the vault")]
    assert await found(target="run 1") == [(3, "run 1"), (1, "run 1")]
    assert await found(hours=2) == [(4, "the vault"), (3, "run 1")]
    assert await found(target="run 1", hours=1) == [(3, "run 1")]
    (act,) = await ledger.read(lambda rows: audit.newest(rows, limit=1))
    assert (act.at, act.who, act.what, act.detail) == (NOW + timedelta(hours=3), "Dana", "retry", "why")

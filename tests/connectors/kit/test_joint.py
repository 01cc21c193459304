"""Looking together."""

import asyncio
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta

import pytest

from bellwire.connectors.kit import JointLookUp
from bellwire.errors import Transient

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)


class Vendor:
    """Its list, and what was asked of it. A reading ends when it is told to."""

    def __init__(self, **listed: str) -> None:
        self.listed = listed
        self.asked: list[tuple[datetime, set[str]]] = []
        self.begun = asyncio.Queue[None]()
        self.error: Exception | None = None
        self.answers = asyncio.Event()

    async def read(self, since: datetime, keys: set[str]) -> Mapping[str, str]:
        self.asked.append((since, keys))
        self.begun.put_nowait(None)
        await self.answers.wait()
        if self.error:
            raise self.error
        return {key: self.listed[key] for key in keys if key in self.listed}


async def begun(vendor: Vendor) -> None:
    """Once for each reading."""
    await asyncio.wait_for(vendor.begun.get(), 30)


async def test_those_who_come_while_it_is_read_share_the_next_reading() -> None:
    vendor, together = Vendor(a="1", c="3"), JointLookUp[str]()
    first = asyncio.create_task(together.find("a", NOON, vendor.read))
    await begun(vendor)
    others = [
        asyncio.create_task(together.find(key, NOON - timedelta(minutes=minutes), vendor.read))
        for minutes, key in enumerate("bc", 1)
    ]
    await asyncio.sleep(0)
    vendor.answers.set()
    assert [await each for each in (first, *others)] == ["1", None, "3"]
    assert vendor.asked == [(NOON, {"a"}), (NOON - timedelta(minutes=2), {"b", "c"})]


async def test_who_comes_later_has_it_read_again() -> None:
    vendor, together = Vendor(), JointLookUp[str]()
    vendor.answers.set()
    assert await together.find("a", NOON, vendor.read) is None
    vendor.listed["a"] = "1"
    assert await together.find("a", NOON, vendor.read) == "1"


async def test_a_failure_is_told_to_all_who_share_it_and_to_nobody_else() -> None:
    vendor, together = Vendor(a="1"), JointLookUp[str]()
    vendor.error = Transient("Slack failed.", cause="vendor-failed")
    asking = [asyncio.create_task(together.find(key, NOON, vendor.read)) for key in "abc"]
    await begun(vendor)
    vendor.answers.set()
    assert [type(each) for each in await asyncio.gather(*asking, return_exceptions=True)] == [Transient] * 3
    assert len(vendor.asked) == 2
    vendor.error = None
    assert await together.find("a", NOON, vendor.read) == "1"


async def test_when_who_reads_is_cancelled_another_goes_on() -> None:
    vendor, together = Vendor(a="1", b="2", c="3"), JointLookUp[str]()
    asking = [asyncio.create_task(together.find(key, NOON, vendor.read)) for key in "abc"]
    await begun(vendor)
    asking[0].cancel()
    await begun(vendor)
    asking[1].cancel()
    vendor.answers.set()
    assert await asking[2] == "3"
    assert [keys for _, keys in vendor.asked] == [{"a"}, {"b", "c"}, {"b", "c"}]
    with pytest.raises(asyncio.CancelledError):
        await asking[0]

"""The dispatch's story: its promises hold, and each can be broken."""

from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

import pytest
import pytest_asyncio

from bellwire.practice.roles import Sent
from bellwire.practice.stories import Promises
from bellwire.practice.stories.dispatch import Dispatch
from bellwire.practice.stories.dispatch.chapters import chapters
from bellwire.practice.stories.dispatch.diary import Diary
from bellwire.practice.stories.dispatch.holdings import Holdings
from bellwire.practice.stories.dispatch.promises import TECHNICIAN, of_bookings, of_work
from tests.practice.stories.playing import stage_for
from tests.samples import usd

pytestmark = pytest.mark.asyncio(loop_scope="module")


@dataclass(frozen=True)
class Played:
    """The story at its end."""

    holdings: Holdings
    diary: Diary
    promised: list[Promises]

    def broken(self, **altered: Any) -> list[str]:
        """The promises that don't hold if these vendors hold something else."""
        holdings = replace(self.holdings, **altered)
        verdicts = [*of_bookings(chapters(), holdings, self.diary), *of_work(chapters(), holdings, self.diary)]
        return [verdict.promise for verdict in verdicts if not verdict.held]


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def played(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Played]:
    diaries: list[Diary] = []

    def kept(begin: datetime) -> Diary:
        diaries.append(Diary(begin))
        return diaries[-1]

    story = Dispatch()
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr("bellwire.practice.stories.dispatch.story.Diary", kept)
        async with stage_for(story, tmp_path_factory.mktemp("dispatch")) as stage:
            promised = [told async for told in story.tell(stage) if isinstance(told, Promises)]
            yield Played(Holdings.of(stage), diaries[0], promised)


class Altered:
    """A vendor that says something else than it holds."""

    def __init__(self, vendor: Any, name: str, alter: Callable[[list[Any]], list[Any]]) -> None:
        self._vendor = vendor
        setattr(self, name, lambda: alter(getattr(vendor, name)()))

    def __getattr__(self, name: str) -> Any:
        return getattr(self._vendor, name)


async def test_every_promise_holds(played: Played) -> None:
    assert len(played.promised) == 2 and played.broken() == []
    assert [verdict for promises in played.promised for verdict in promises.verdicts if not verdict.held] == []


def twice(found: list[Any]) -> list[Any]:
    return [*found, found[-1]]


def twice_theirs(found: list[Any]) -> list[Any]:
    return [*found, next(each for each in found if each.person == TECHNICIAN)]


def first(**changes: Any) -> Callable[[list[Any]], list[Any]]:
    return lambda found: [replace(found[0], **changes), *found[1:]]


def later(found: list[Any]) -> list[Any]:
    return [replace(found[0], start=found[0].start + timedelta(hours=1)), *found[1:]]


def a_cent_more(found: list[Any]) -> list[Any]:
    return [replace(found[0], total=found[0].total + usd("0.01")), *found[1:]]


MESSAGES, APPOINTMENTS, AT = "Every message", "One appointment", "Every appointment is at"
ORDERS, NOTES, CLOSED = "One work order", "Every work order says", "Every work order on which"
CLOCKS = "The technician's clock"
INVOICES, MAILED, CHAT = "One invoice", "Every invoice is mailed", "The dispatcher hears"


@pytest.mark.parametrize(
    ("vendor", "holds", "alter", "broken"),
    [
        ("texts", "texts", twice, [MESSAGES]),
        ("texts", "texts", first(reference="+15125550199"), [MESSAGES]),
        ("texts", "texts", first(text="Boiler service is booked for tomorrow."), [MESSAGES]),
        ("texts", "texts", lambda found: found[1:], [MESSAGES]),
        ("calendar", "appointments", twice, [APPOINTMENTS]),
        ("calendar", "appointments", first(reference="one that was called off"), [APPOINTMENTS]),
        ("calendar", "appointments", lambda found: found[1:], [APPOINTMENTS]),
        ("calendar", "appointments", later, [AT]),
        (
            "field",
            "work_orders",
            lambda found: [*found, replace(found[-1], id="x", reference="x", notes=[], closed=False)],
            [ORDERS],
        ),
        ("field", "clocked", twice_theirs, [CLOCKS]),
        ("field", "clocked", later, [CLOCKS]),
        ("field", "clocked", lambda found: found[1:], [CLOCKS]),
        ("field", "work_orders", first(closed=False), [CLOSED]),
        ("field", "work_orders", first(notes=[]), [NOTES]),
        ("books", "booked", twice, [INVOICES]),
        ("books", "booked", a_cent_more, [INVOICES]),
        ("books", "mailed", twice, [MAILED]),
        ("books", "mailed", first(text="else@example.com"), [MAILED]),
        ("chat", "messages", lambda found: [*found, Sent("x", "", "Hi")], [CHAT]),
        ("chat", "messages", lambda found: found[1:], [CHAT]),
    ],
)
async def test_what_a_vendor_holds_too_often_or_wrongly_breaks_a_promise(
    played: Played, vendor: str, holds: str, alter: Callable[[list[Any]], list[Any]], broken: list[str]
) -> None:
    found = played.broken(**{vendor: Altered(getattr(played.holdings, vendor), holds, alter)})
    assert [promise for promise in found if not promise.startswith(tuple(broken))] == []
    assert len(found) == len(broken)


@pytest.mark.parametrize("found", ["before its time", None, "Sunday, 29 November, 03:00"])
async def test_a_reminder_that_comes_at_another_time_or_never_breaks_a_promise(
    played: Played, found: str | None
) -> None:
    reminded = {name: at for name, at in played.diary.reminded.items() if name != "Ada Moss"}
    reminded |= {"Ada Moss": found} if found else {}
    altered = replace(played, diary=replace(played.diary, reminded=reminded))
    assert [promise.partition(" comes")[0] for promise in altered.broken()] == ["Every reminder"]

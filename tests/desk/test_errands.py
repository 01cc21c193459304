"""Long work in the background: one at a time, bounded, to its end."""

import asyncio

import pytest

from bellwire.desk import errands
from bellwire.desk.errands import Errand, Errands
from bellwire.errors import BellwireError, NotFound
from tests.samples import NOW


async def over(errand: Errand) -> None:
    assert await Errands.wait(errand, 10)


async def test_one_begins_when_the_one_before_is_over() -> None:
    all_errands, told = Errands(lambda: NOW), list[str]()
    first, second = (all_errands.plan(what, "Dana", [1]) for what in ("first", "second"))

    async def work(errand: Errand) -> None:
        told.append(f"{errand.what} begins")
        await asyncio.sleep(0)
        told.append(f"{errand.what} ends")

    all_errands.begin(first, work)
    all_errands.begin(second, work)
    assert (first.state, second.state) == ("going on", "going on")
    await over(second)
    assert told == ["first begins", "first ends", "second begins", "second ends"]
    assert all_errands.find(first.key) is first and first.state == "done"


@pytest.mark.parametrize(
    ("error", "said"),
    [(BellwireError("The ledger is busy."), "The ledger is busy."), (RuntimeError("oh"), "a fault in Bellwire")],
)
async def test_one_that_fails_says_why_and_the_next_goes_on(error: Exception, said: str) -> None:
    all_errands = Errands(lambda: NOW)
    first, second = (all_errands.plan("x", "Dana", [1]) for _ in range(2))

    async def fail(_: Errand) -> None:
        raise error

    async def succeed(_: Errand) -> None: ...

    all_errands.begin(first, fail)
    all_errands.begin(second, succeed)
    await over(second)
    assert (first.state, second.state) == ("stopped", "done")
    assert said in first.stopped


async def test_too_many_at_once_are_refused_and_what_goes_on_ends_with_the_desk() -> None:
    all_errands = Errands(lambda: NOW)
    begun = []

    async def forever(_: Errand) -> None:
        await asyncio.Event().wait()

    for _ in range(20):
        begun.append(all_errands.plan("x", "Dana", [1]))
        all_errands.begin(begun[-1], forever)
    with pytest.raises(BellwireError, match="Too much is being worked on already"):
        all_errands.plan("x", "Dana", [1])
    await asyncio.sleep(0)
    all_errands.close()
    await over(begun[0])
    assert begun[0].stopped == "Bellwire was stopped."


async def test_old_ones_are_forgotten_and_those_that_go_on_are_not(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(errands, "_KEPT", 2)
    all_errands = Errands(lambda: NOW)

    async def succeed(_: Errand) -> None: ...

    begun = []
    for _ in range(4):
        begun.append(all_errands.plan("x", "Dana", [1]))
        all_errands.begin(begun[-1], succeed)
        await over(begun[-1])
    with pytest.raises(NotFound, match="started anew"):
        all_errands.find(begun[0].key)
    assert all_errands.find(begun[2].key) is begun[2]


def test_it_counts_all_that_failed_and_keeps_the_first_reasons(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(errands, "_MOST_REFUSED", 3)
    errand = Errands(lambda: NOW).plan("x", "Dana", range(10))
    errand.forward(5, [(1, BellwireError("a")), (2, BellwireError("b"))])
    errand.forward(5, [(6, BellwireError("c")), (7, BellwireError("d"))])
    assert (errand.done, errand.failed, errand.total) == (6, 4, 10)
    assert [number for number, _ in errand.refused] == [1, 2, 6]

"""Drafts of flows: every change can be taken back, and done again, until something else is changed."""

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bellwire.ledger import Database, Rows, drafts
from tests.samples import NOW


def put(rows: Rows, source: str, flow: str = "a") -> int:
    return drafts.put(rows, flow, source, "v1", who="Dana", now=NOW)


async def test_a_draft_is_what_was_put_last_and_each_flow_has_its_own(ledger: Database) -> None:
    assert await ledger.read(lambda rows: drafts.find(rows, "a")) is None
    await ledger.write(lambda rows: [put(rows, "one"), put(rows, "two"), put(rows, "other", "b")])
    found = await ledger.read(lambda rows: drafts.find(rows, "a"))

    assert found is not None
    assert (found.now.source, found.now.base, found.now.who, found.now.at) == ("two", "v1", "Dana", NOW)
    assert (found.undoable, found.redoable) == (True, False)
    assert await ledger.read(drafts.flows) == ["a", "b"]

    await ledger.write(lambda rows: drafts.drop(rows, "a"))
    assert await ledger.read(drafts.flows) == ["b"]


@settings(max_examples=20, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(steps=st.lists(st.sampled_from(["put", "undo", "redo"]), max_size=20))
async def test_undo_and_redo_step_through_all_that_was(ledger: Database, steps: list[str]) -> None:
    def walk(rows: Rows) -> None:
        drafts.drop(rows, "a")
        put(rows, "begin")
        states, at = ["begin"], 0
        for number, step in enumerate(steps):
            if step == "put":
                put(rows, str(number))
                states, at = [*states[: at + 1], str(number)], at + 1
            elif step == "undo":
                assert drafts.undo(rows, "a") == (at > 0)
                at = max(0, at - 1)
            else:
                assert drafts.redo(rows, "a") == (at + 1 < len(states))
                at = min(len(states) - 1, at + 1)
            found = drafts.find(rows, "a")
            assert found is not None
            assert found.now.source == states[at]
            assert (found.undoable, found.redoable) == (at > 0, at + 1 < len(states))

    await ledger.write(walk)


async def test_a_long_session_keeps_its_newest_states(ledger: Database) -> None:
    await ledger.write(lambda rows: [put(rows, str(number)) for number in range(drafts.MOST + 5)])
    steps = await ledger.write(lambda rows: sum(iter(lambda: drafts.undo(rows, "a"), False)))
    assert steps == drafts.MOST - 1

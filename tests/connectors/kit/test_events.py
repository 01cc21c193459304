from datetime import timedelta

from bellwire.connectors.kit import event_of, state_key
from bellwire.events import Environment, FreeForm, Task
from tests.connectors.kit.acme import Acme
from tests.samples import NOW

TASK = Task(id="1", name="Pack", completed=False, updated_at=NOW)


async def test_an_event_is_of_its_connection_and_its_key_begins_with_that_ones_name() -> None:
    async with Acme() as acme:
        connection = acme.connection()
    event = event_of(connection, "task.updated", "task/1/updated", "task/1", NOW, TASK)
    assert (event.connection, event.environment) == (connection.name, Environment.SANDBOX)
    assert event.business_key == f"{connection.name}/task/1/updated"
    assert (event.type, event.subject, event.time, event.data) == ("task.updated", "task/1", NOW, TASK)
    assert event.version is None
    later = NOW + timedelta(seconds=1)
    assert event_of(connection, "task.updated", "task/1", "task/1", NOW, TASK, version=later).version == later


def test_two_states_of_one_second_have_two_keys_and_one_state_has_one() -> None:
    assert state_key(NOW, TASK) == state_key(NOW, TASK.model_copy())
    assert state_key(NOW, TASK) != state_key(NOW, TASK.model_copy(update={"completed": True}))
    assert state_key(NOW, TASK) != state_key(NOW + timedelta(seconds=1), TASK)


def test_what_is_excluded_makes_no_other_state() -> None:
    renamed = TASK.model_copy(update={"name": "Send"})
    assert state_key(NOW, TASK, exclude={"name"}) == state_key(NOW, renamed, exclude={"name"})
    assert state_key(NOW, TASK, exclude={"name"}) != state_key(NOW, renamed)


def test_a_key_that_ledgers_hold_stays_as_it_is() -> None:
    """Another one would make what is known a new fact."""
    assert state_key(NOW, FreeForm.model_validate({"id": "1"})) == "2026-11-24T09:30:00+00:00/5811967f540d"

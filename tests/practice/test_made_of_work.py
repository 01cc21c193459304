"""What simulated calendars, books, field services and senders of text messages say was made there is what the
operations' results name."""

import pytest

from bellwire.capabilities import CAPABILITIES
from bellwire.practice import find_simulator, simulator_names
from tests.connectors.test_unknown_outcomes import desk, prepared

_WORK = ("accounting.", "calendar.", "field_service.", "sms.")
MADE = [
    pytest.param(name, operation, id=f"{name}-{operation}")
    for name in simulator_names()
    for operation in find_simulator(name)().made()
    if operation.startswith(_WORK)
]


@pytest.mark.parametrize(("name", "operation"), MADE)
async def test_what_an_operation_makes_is_what_its_result_names(name: str, operation: str) -> None:
    capability, _, asked = operation.partition(".")
    async with desk(name) as at:
        given = await prepared(at, CAPABILITIES[capability][asked])
        before = {made: set(ids) for made, ids in at.simulator.made().items()}
        result = await at.call.connection.connector.actions[operation](at.call, given)
        after = {made: set(ids) for made, ids in at.simulator.made().items()}
    new = {made: ids - before[made] for made, ids in after.items() if ids - before[made]}
    # The books find or add the customer of an invoice by themselves.
    who = {made: ids for made, ids in new.items() if ".find_or_create_" in made and made != operation}
    assert new == {operation: {result.model_dump()["id"]}} | who

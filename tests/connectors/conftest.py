"""What the tests of all connectors share."""

from collections.abc import Iterator

import pytest

from bellwire.practice import Received
from tests import describing, shared

describing.watch()


@pytest.fixture(autouse=True)
def asked() -> Iterator[list[tuple[str, Received]]]:
    """Whatever a connector asks of its vendor, and what it is told, is as the vendor describes it."""
    with describing.noted() as noted:
        yield noted
    if shared.HERE:
        assert describing.problems(noted) == []

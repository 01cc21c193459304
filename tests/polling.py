"""What comes of a poll."""

from bellwire.connectors.kit import Connection
from bellwire.events import Delivery, Event
from tests.connecting import call
from tests.samples import NOW


async def events(account: Connection, cursor: str = "") -> tuple[list[Event], list[str]]:
    """What comes of all pages of a vendor's one poll, and the cursors between them."""
    triggers = account.connector.triggers
    assert triggers is not None
    (poll,) = triggers.polls
    found: list[Event] = []
    cursors: list[str] = []
    while True:
        page = await poll.page(call(account), NOW, cursor)
        for record in page.records:
            found += triggers.normalise(Delivery(account.name, {}, record.body, NOW), account).events
        if not page.next_cursor:
            return found, cursors
        cursor = page.next_cursor
        cursors.append(cursor)
        assert len(cursors) < 20, "it doesn't get on"

"""Sign-ins that are under way at a vendor, in the ledger: each is good once, for whom it is, and not for long."""

from datetime import timedelta

from bellwire.ledger import ConsentRow, Database, Rows, consents
from tests.samples import NOW

ROW = ConsentRow("state", "books", "session", "sealed")
SOON, LATE = NOW + timedelta(minutes=9), NOW + timedelta(minutes=10)


async def test_it_is_used_up_by_whom_it_is_for(ledger: Database) -> None:
    await ledger.write(lambda rows: consents.ask(rows, ROW, NOW))

    def take(rows: Rows, state: str = "state", session: str = "session") -> ConsentRow | None:
        return consents.take(rows, state, session, SOON)

    assert await ledger.write(lambda rows: take(rows, session="another")) is None
    assert await ledger.write(lambda rows: take(rows, state="another")) is None
    assert await ledger.write(take) == ROW
    assert await ledger.write(take) is None


async def test_after_a_while_it_is_no_good_and_forgotten(ledger: Database) -> None:
    def write(rows: Rows) -> None:
        consents.ask(rows, ROW, NOW)
        assert consents.find(rows, "books", "session", SOON) == ROW
        assert consents.find(rows, "books", "session", LATE) is None
        assert consents.take(rows, "state", "session", LATE) is None
        consents.forget(rows, SOON)
        assert consents.find(rows, "books", "session", SOON) == ROW
        consents.forget(rows, LATE)
        assert rows.all("SELECT 1 FROM consents") == []

    await ledger.write(write)


async def test_a_newer_one_takes_its_place_for_that_session_and_connection_alone(ledger: Database) -> None:
    def write(rows: Rows) -> set[str]:
        for state, connection, session in (("a", "x", "1"), ("b", "x", "2"), ("c", "y", "1"), ("d", "x", "1")):
            consents.ask(rows, ConsentRow(state, connection, session, ""), NOW)
        return {row[0] for row in rows.all("SELECT state FROM consents")}

    assert await ledger.write(write) == {"b", "c", "d"}

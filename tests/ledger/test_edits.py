"""What people put in place of what a flow says."""

from datetime import timedelta

from bellwire.ledger import Database, Rows, edits
from tests.ledger.stuck import begin
from tests.samples import NOW

LATER = NOW + timedelta(minutes=1)


async def test_a_later_edit_takes_the_place_of_an_earlier_one_and_says_who_made_it(ledger: Database) -> None:
    def edit(rows: Rows) -> int:
        run = begin(rows, "1001")
        edits.put(rows, run, "label", 0, "{}", fields=["order.id"], who="Dana", now=NOW)
        edits.put(rows, run, "label", 2, "[]", fields=["a", "b[0].c"], who="Dana", now=NOW)
        edits.put(rows, run, "label", 0, '{"new": 1}', fields=["new"], who="Robin", now=LATER)
        return run

    run = await ledger.write(edit)
    found = await ledger.read(lambda rows: edits.of_run(rows, run))
    assert [(each.item, each.given, each.who, each.fields, each.set_at) for each in found] == [
        (0, '{"new": 1}', "Robin", ("new",), LATER),
        (2, "[]", "Dana", ("a", "b[0].c"), NOW),
    ]
    assert await ledger.read(lambda rows: edits.of_run(rows, run + 1)) == []

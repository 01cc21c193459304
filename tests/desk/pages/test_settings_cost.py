"""Looking through who did what finds its rows by an index, however much there is."""

from datetime import timedelta
from pathlib import Path

import pytest

from bellwire.ledger import Rows, audit, open_ledger, people
from bellwire.ledger.audit import Wanted
from tests.desk.story import NOW
from tests.desk.test_cost import Watched

PAST = NOW - timedelta(days=3)


@pytest.mark.parametrize(
    "wanted",
    [Wanted(), Wanted(who="Ada"), Wanted(what="retry"), Wanted(target="run 1"), Wanted(since=PAST, until=NOW)],
    ids=["all", "who", "what", "target", "time"],
)
async def test_no_query_reads_the_whole_record_or_sorts_it(tmp_path: Path, wanted: Wanted) -> None:
    async with open_ledger(f"sqlite:///{tmp_path / 'ledger.db'}") as ledger:

        def plans(rows: Rows) -> list[tuple[str, str]]:
            watched = Watched(rows)
            audit.page(watched, wanted, limit=50, before=7)
            audit.page(watched, wanted, limit=50)
            audit.everybody(watched)
            audit.kinds(watched)
            people.sessions_of(watched, 1)
            return watched.plans

        found = [(sql, step) for sql, step in await ledger.read(plans) if "found" not in step]
    whole = [
        step for sql, step in found if step.startswith("SCAN audit") and wanted != Wanted() and "INDEX" not in step
    ]
    assert whole == []
    assert not [step for sql, step in found if "TEMP B-TREE" in step and "FROM audit" in sql]

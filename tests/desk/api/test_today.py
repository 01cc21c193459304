"""Today, for programs."""

from pathlib import Path

from bellwire.access import Right
from tests.desk.api.calling import program
from tests.desk.story import a_day, open_desk


async def test_the_figures_of_the_day_are_those_of_the_desk_and_balance(tmp_path: Path) -> None:
    async with open_desk(tmp_path) as place, program(place, {Right.SEE}) as call:
        await place.ledger.write(a_day)
        status, today = await call("GET", "/today")

    assert status == 200
    for each in (today["total"], *today["lines"]):
        assert each["received"] == each["done"] + each["waiting"] + each["dead"] + each["skipped"]
    assert today["total"]["received"] == sum(line["received"] for line in today["lines"]) == 45
    assert (today["open_exceptions"], today["needs_a_person"], today["running"]) == (2, 2, 1)
    assert today["refused"] == [{"reason": "bad-signature", "count": 3}]
    assert len(today["hours"]) == 24 and sum(hour["done"] for hour in today["hours"]) == today["total"]["done"]
    assert [each["kind"] for each in today["money"]] == ["sold"] and today["money"][0]["total"]["currency"] == "USD"
    assert len(today["days"]) == 14 and today["days"][-1]["received"] == 45
    assert today["processes"] is None and not today["nobody_runs_flows"]

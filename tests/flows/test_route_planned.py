"""The route of the day: planned in the morning, and told with all that couldn't be planned."""

from datetime import UTC, date, datetime, timedelta
from typing import Any

from bellwire.business import BusinessCalendar
from bellwire.capabilities.field_service import ListVisits, PlannedVisit, PlannedVisits
from bellwire.capabilities.routing import PlanRoute, Position, RoutePlan
from bellwire.connectors.bellwire.routes import route_plan
from bellwire.connectors.opening import own_connector
from bellwire.events import OWN, Address, Due, Environment, Event
from bellwire.flows import SKIPPED, Scope, bundled, check_flow, parse_flow, scope_for
from bellwire.ledger import RunState
from tests.engine.conftest import House
from tests.engine.office import Office
from tests.engine.test_timetable import Clock, set_clock
from tests.flows.templates import usual
from tests.flows.writing import PATH

FLOW = parse_flow(bundled("route_planned"), PATH.with_stem("route_planned"))
SIX = datetime(2026, 12, 1, 12, tzinfo=UTC)
"""In the morning of a Tuesday in Chicago."""
BUSINESS = BusinessCalendar(zone="America/Chicago")


def visit(name: str, north: float | None, hour: int | None = None) -> PlannedVisit:
    """So many degrees north of the middle of Austin, at an hour (UTC) or at any time."""
    timed: dict[str, Any] = {}
    if hour is not None:
        start = SIX.replace(hour=hour)
        timed = {"earliest": start, "latest": start, "minutes": 45}
    return PlannedVisit(
        id=name.lower(),
        job_id="j1",
        job_number="7",
        name=name,
        address=Address(line1="1 Main St"),
        position=None if north is None else Position(latitude=30.2672 + north, longitude=-97.7431),
        starts=SIX,
        **timed,
    )


VISITS = (visit("Robin", 0.3), visit("Kim", 0.1, 15), visit("Nobody", None), visit("Late", 0.2, 13))


def told(visits: tuple[PlannedVisit, ...]) -> Scope:
    due = Event(
        type=FLOW.event_type,
        connection=OWN,
        environment=Environment.SANDBOX,
        business_key="bellwire/schedule/route_planned/1",
        subject="schedule/route_planned",
        time=SIX,
        data=Due(at=SIX, day=date(2026, 12, 1)),
    )
    names = scope_for(due, {"visits": PlannedVisits(visits=visits), "route": SKIPPED}, business=BUSINESS)
    if visits:
        names = names | {"route": route_plan(planned(names))}
    return names


def planned(names: Scope) -> PlanRoute:
    return PlanRoute.model_validate(FLOW.actions["route"].inputs(names), from_attributes=True)


def test_it_checks_clean_and_says_why_something_is_left_out() -> None:
    assert check_flow(FLOW, {**usual("dispatch"), **own_connector()}) == []
    for action in FLOW.actions.values():
        assert action.condition is True or action.otherwise == "There are no visits on this day."


def test_it_asks_for_the_visits_of_the_businesss_day() -> None:
    asked = ListVisits.model_validate(FLOW.actions["visits"].inputs(told(())))
    assert asked.start == datetime(2026, 12, 1, 6, tzinfo=UTC)
    assert timedelta(hours=23) < asked.end - asked.start < timedelta(hours=24)


def test_the_visits_are_the_stops_as_they_are() -> None:
    plan = planned(told(VISITS))
    assert [stop.name for stop in plan.stops] == ["Robin", "Kim", "Nobody", "Late"]
    assert (plan.begins, plan.ends) == (SIX.replace(hour=14), datetime(2026, 12, 2, tzinfo=UTC))
    assert [stop.minutes for stop in plan.stops] == [None, 45, None, 45]


def test_the_chat_has_the_order_and_the_times_on_the_businesss_clock_and_what_isnt_planned() -> None:
    assert FLOW.actions["dispatcher"].inputs(told(VISITS))["text"].splitlines() == [
        "Tuesday, 1 December: leave at 08:38",
        "09:00 Kim",
        "10:28 Robin",
        "Back at 12:33; 130 minutes on the road.",
        "Not planned: Nobody. It isn't known where it is.",
        "Not planned: Late. Even as the first visit it would begin 74 minutes too late.",
    ]


def test_who_waits_is_told_until_when() -> None:
    text = FLOW.actions["dispatcher"].inputs(told((visit("Robin", 0.1, 16), visit("Kim", 0.11, 18))))["text"]
    assert text.splitlines()[1:3] == ["10:00 Robin", "10:47 Kim, begins 12:00"]
    assert "less than" not in text


def test_what_is_saved_is_said() -> None:
    to_and_fro = told((visit("A", 0.1), visit("C", 0.3), visit("B", 0.11), visit("D", 0.29)))
    text = FLOW.actions["dispatcher"].inputs(to_and_fro)["text"]
    assert "; 130 minutes on the road, 78 less than in the order of the visits." in text


def test_on_a_day_without_visits_nobody_is_bothered() -> None:
    assert [action.name for action in FLOW.actions.values() if action.wanted(told(()))] == ["visits"]


async def test_in_the_morning_the_route_is_in_the_chat(ledger_url: str) -> None:
    field, chat = Office("field"), Office("chat")
    field.visits = (visit("Robin", 0.2), visit("Kim", 0.1))
    early = House(
        ledger_url, flow=bundled("route_planned"), clock=Clock(SIX - timedelta(hours=1)), others=(field, chat)
    )
    async with early.open() as place:
        set_clock(place, SIX)
        await place.until(lambda: chat.posts, 30)
        await place.settled()
        (run,) = await place.runs()
        assert run.state is RunState.DONE
    (text,) = chat.posts
    assert text.startswith("Tuesday, 1 December: leave at 08:00") and "Robin" in text and "Kim" in text
    assert [asked.assigned_to for asked in field.asked] == ["kim@example.com"]


def test_what_is_planned_is_kept_as_it_is() -> None:
    plan = told(VISITS)["route"]
    assert isinstance(plan, RoutePlan) and RoutePlan.model_validate_json(plan.model_dump_json()) == plan

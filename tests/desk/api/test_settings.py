"""People, tokens, who did what, alerts, dictionary and runbooks, for programs."""

from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from bellwire.access import Right, Role
from bellwire.ledger import alerts, audit, people
from bellwire.settings import load_settings
from tests.desk.api.calling import Program, program
from tests.desk.story import NOW, Place, open_desk, settings_in
from tests.desk.visiting import PASSWORD, give_account, visit
from tests.watch.conftest import SECRET, Receiver, environ, receivers

__all__ = ["receivers"]


@pytest.fixture
async def place(tmp_path: Path) -> AsyncIterator[Place]:
    async with open_desk(tmp_path) as place:
        yield place


@pytest.fixture
async def call(place: Place) -> AsyncIterator[Program]:
    async with program(place) as opened:
        yield opened


NEW = {"name": "Dana", "email": "dana@example.com", "role": "owner", "password": PASSWORD}
MANAGED = [
    ("GET", "/people", None),
    ("POST", "/people", NEW),
    ("PATCH", "/people/1", {"role": "viewer"}),
    ("PUT", "/people/1/password", {"password": PASSWORD}),
    ("POST", "/people/1/close", None),
    ("POST", "/people/1/open", None),
    ("GET", "/people/1", None),
    ("GET", "/people/1/sessions", None),
    ("POST", "/people/1/sessions/end", {}),
    ("POST", "/people/1/codes-off", None),
    ("GET", "/tokens", None),
    ("POST", "/tokens", {"name": "x", "rights": ["see"]}),
    ("POST", "/tokens/1/revoke", None),
    ("POST", "/alerts/test", None),
    ("POST", "/alerts/channels", {"address": "ntfys://x"}),
    ("DELETE", "/alerts/channels/json", None),
    ("PATCH", "/settings/keep", {}),
    ("PATCH", "/settings/alerts", {}),
]


@pytest.mark.parametrize("rights", [{Right.SEE}, {Right.SEE, Right.WORK}])
async def test_only_who_may_manage_does(place: Place, rights: set[Right]) -> None:
    async with program(place, rights) as call:
        for method, path, given in MANAGED:
            assert (await call(method, path, given))[0] == 403, path
        for path in ("/audit", "/alerts", "/dictionary", "/flows/order_to_cash/runbook"):
            assert (await call("GET", path))[0] == 200, path


async def test_people_are_added_changed_closed_and_opened(place: Place, call: Program) -> None:
    status, made = await call("POST", "/people", NEW)
    assert (status, made["role"], made["closed_at"], made["one_time_codes"]) == (201, "owner", None, False)
    assert "password" not in made
    status, problem = await call("POST", "/people", NEW)
    assert status == 409 and "is there already" in problem["title"]
    assert (await call("POST", "/people", NEW | {"password": "dana@example.com"}))[0] == 409
    await call("POST", "/people", NEW | {"name": "Ada", "email": "ada@example.com", "role": "operator"})
    status, changed = await call("PATCH", "/people/2", {"name": "Ada Hill"})
    assert (status, changed["name"], changed["role"]) == (200, "Ada Hill", "operator")
    for method, path, given in (("POST", "/people/1/close", None), ("PATCH", "/people/1", {"role": "viewer"})):
        status, problem = await call(method, path, given)
        assert status == 409 and problem["detail"] == "Make somebody else an owner first."
    assert (await call("POST", "/people/2/close"))[1]["closed_at"]
    assert (await call("POST", "/people/2/open"))[1]["closed_at"] is None
    assert [each["name"] for each in (await call("GET", "/people"))[1]["items"]] == ["Dana", "Ada Hill"]
    for path in ("/people/9/close", "/people/9/open"):
        assert (await call("POST", path))[0] == 404
    assert (await call("PATCH", "/people/9", {}))[0] == 404
    assert (await call("PUT", "/people/1/password", {"password": "some other words here"}))[0] == 200
    async with visit(place) as opened:
        assert (await opened.sign_in("dana@example.com", "some other words here")).status == 303
    kept = await place.ledger.read(lambda rows: rows.all("SELECT body FROM answers"))
    assert kept == [], "nothing is kept of what holds a password"


async def test_people_are_looked_at_signed_out_and_no_longer_asked_for_codes(place: Place, call: Program) -> None:
    dana = await give_account(place.ledger, "Dana")
    async with visit(place) as here, visit(place) as there:
        for opened in (here, there):
            assert (await opened.sign_in("dana@example.com")).status == 303
        sessions = (await call("GET", f"/people/{dana.id}/sessions"))[1]["items"]
        assert len(sessions) == 2 and "Firefox" in sessions[0]["agent"]
        assert (await call("POST", f"/people/{dana.id}/sessions/end", {"session": "no such"}))[0] == 404
        one = {"session": sessions[0]["id"]}
        assert (await call("POST", f"/people/{dana.id}/sessions/end", one))[0] == 200
        assert sorted([(await opened.get("/")).status for opened in (here, there)]) == [200, 303]
        assert (await call("POST", f"/people/{dana.id}/sessions/end", {}))[0] == 200
        assert [(await opened.get("/")).status for opened in (here, there)] == [303, 303]
    await place.ledger.write(lambda rows: people.want_codes(rows, dana.id, NOW))
    assert (await call("GET", f"/people/{dana.id}"))[1]["one_time_codes"] is True
    assert (await call("POST", f"/people/{dana.id}/codes-off"))[1]["one_time_codes"] is False
    acts = await place.ledger.read(lambda rows: audit.newest(rows, limit=3, target=f"person {dana.id}"))
    assert [act.what for act in acts] == ["switch off one-time codes", "sign out", "sign out"]
    assert (await call("GET", "/people/9"))[0] == (await call("GET", "/people/9/sessions"))[0] == 404


async def test_people_and_tokens_come_in_pages(place: Place, call: Program) -> None:
    for name in ("Dana", "Ada", "Kim"):
        await give_account(place.ledger, name)
        await call("POST", "/tokens", {"name": name, "rights": ["see"]})
    for path, wanted in (("/people", ["Dana", "Ada", "Kim"]), ("/tokens", ["Kim", "Ada", "Dana", "the till"])):
        first = (await call("GET", f"{path}?limit=2"))[1]
        rest = (await call("GET", f"{path}?limit=2&after={first['next']}"))[1]
        assert [each["name"] for each in first["items"] + rest["items"]] == wanted and rest["next"] is None


async def test_a_write_with_a_key_is_done_once(place: Place, call: Program) -> None:
    await give_account(place.ledger, "Dana")
    await give_account(place.ledger, "Ada")
    for _ in range(2):
        assert (await call("POST", "/people/2/close", **{"Idempotency-Key": "k"}))[0] == 200
    acts = await place.ledger.read(lambda rows: audit.newest(rows, limit=9, target="person 2"))
    assert [act.what for act in acts] == ["close the account of", "add"]


async def test_a_token_is_told_once_and_gives_no_more_than_its_maker_has(place: Place, call: Program) -> None:
    status, made = await call("POST", "/tokens", {"name": "shed", "rights": ["work", "see"], "days": 10})
    assert status == 201 and made["rights"] == ["see", "work"]
    assert made["expires_at"] == (NOW + timedelta(days=10)).isoformat().replace("+00:00", "Z")
    listed = (await call("GET", "/tokens"))[1]["items"]
    assert [each["name"] for each in listed] == ["shed", "the till"] and made["token"] not in str(listed)
    assert made["token"] not in str(await place.ledger.read(lambda rows: rows.all("SELECT body FROM answers")))
    dana = await give_account(place.ledger, "Dana")
    async with program(place, {Right.MANAGE}, dana.id) as other:
        status, problem = await other("POST", "/tokens", {"name": "x", "rights": ["work"]})
        assert status == 409 and "can't give it" in problem["title"]
        status, theirs = await other("POST", "/tokens", {"name": "x", "rights": ["manage"], "days": 0})
        assert (theirs["person"], theirs["expires_at"]) == (dana.id, None)
    assert (await call("POST", f"/tokens/{made['id']}/revoke"))[1]["revoked_at"]
    assert (await call("POST", "/tokens/99/revoke"))[0] == 404
    assert (await call("POST", "/tokens/1/revoke"))[0] == 200
    assert (await call("GET", "/tokens"))[0] == 401, "its own was revoked"


async def test_who_did_what_comes_in_pages(place: Place, call: Program) -> None:
    for number in range(5):
        at = NOW + timedelta(hours=number)
        await place.ledger.write(lambda rows, at=at, n=number: audit.record(rows, "Ada", "retry", f"run {n}", at))  # type: ignore[misc]
    first = (await call("GET", "/audit?who=Ada&limit=3"))[1]
    assert [act["target"] for act in first["items"]] == ["run 4", "run 3", "run 2"]
    rest = (await call("GET", f"/audit?who=Ada&limit=3&after={first['next']}"))[1]
    assert [act["target"] for act in rest["items"]] == ["run 1", "run 0"] and rest["next"] is None
    since, until = "2026-11-24T21:41:00Z", "2026-11-24T23:41:00Z"
    some = (await call("GET", f"/audit?what=retry&since={since}&until={until}"))[1]
    assert [act["target"] for act in some["items"]] == ["run 2", "run 1"]
    assert (await call("GET", "/audit?since=yesterday"))[0] == 422


async def test_alerts_are_listed_and_tried(tmp_path: Path, receivers: list[Receiver]) -> None:
    async with open_desk(tmp_path, environ=environ(receivers[0].url)) as place, program(place) as call:
        await place.ledger.write(lambda rows: alerts.open_one(rows, "t", "Disk", "Full.", opened_at=NOW, next_at=NOW))
        found = (await call("GET", "/alerts"))[1]
        assert found["channels"] == ["json"] and found["items"][0]["title"] == "Disk"
        status, tried = await call("POST", "/alerts/test")
        assert status == 200 and tried["items"] == [{"channel": "json", "went_through": True, "error": ""}]
        assert receivers[0].titles == ["Bellwire: a test"]
    async with open_desk(tmp_path) as place, program(place) as call:
        status, problem = await call("POST", "/alerts/test")
        assert status == 409 and "bellwire secrets set alerts urls" in problem["detail"]


async def test_where_alerts_go_is_changed_and_never_told(tmp_path: Path, receivers: list[Receiver]) -> None:
    async with open_desk(tmp_path) as place, program(place) as call:
        for receiver, name in zip(receivers, ("json", "json 2"), strict=True):
            assert await call("POST", "/alerts/channels", {"address": receiver.url}) == (201, {"channel": name})
        status, problem = await call("POST", "/alerts/channels", {"address": receivers[0].url})
        assert (status, problem["title"]) == (409, "Alerts go there already.")
        status, problem = await call("POST", "/alerts/channels", {"address": "nonsense"})
        assert status == 409 and problem["detail"] == "Look whether all of it was copied."
        for _ in range(2):
            gone = await call("DELETE", "/alerts/channels/json", **{"Idempotency-Key": "k"})
            assert gone == (200, {"channel": "json"})
        assert (await call("GET", "/alerts"))[1]["channels"] == ["json"]
        assert (await call("DELETE", "/alerts/channels/json%202"))[0] == 404
        kept = str(await place.ledger.read(lambda rows: rows.all("SELECT what, detail, body FROM audit, answers")))
        assert SECRET not in kept and "remove a channel from" in kept


async def test_settings_are_told_and_changed_and_stand_in_the_file(tmp_path: Path) -> None:
    file = tmp_path / "bellwire.toml"
    settings = settings_in(tmp_path, "# Ours.\n[keep]\npayloads = 7 # days\n")
    async with open_desk(tmp_path, settings=settings) as place, program(place) as call:
        status, told = await call("GET", "/settings")
        first = told.pop("version")
        keep = {"payloads": 7, "details": 90, "requests": True}
        sent: dict[str, Any] = {"reminders": ["1h", "4h", "1d"], "quiet_hours": None}
        assert (status, told) == (200, {"keep": keep, "alerts": sent})
        for _ in range(2):
            given = {"payloads": 14, "version": first}
            status, told = await call("PATCH", "/settings/keep", given, **{"Idempotency-Key": "k"})
            assert status == 200 and told["keep"] == keep | {"payloads": 14} and told["version"] != first
        assert file.read_text() == "# Ours.\n[keep]\npayloads = 14 # days\n"
        sent = {"reminders": ["90m"], "quiet_hours": "22:00-07:00"}
        told = (await call("PATCH", "/settings/alerts", sent | {"quiet_hours": "22:00-7:00"}))[1]
        assert told["alerts"] == sent
        assert (await call("PATCH", "/settings/alerts", {"quiet_hours": None}))[1]["alerts"]["quiet_hours"] is None
        for path, wrong, expected in (
            ("keep", {"payloads": 15, "version": first}, 409),
            ("alerts", {"quiet_hours": "25:00-07:00"}, 409),
            ("keep", {"payloads": 0}, 422),
            ("keep", {"payload": 3}, 422),
            ("alerts", {"reminders": ["soon"]}, 422),
        ):
            assert (await call("PATCH", f"/settings/{path}", wrong))[0] == expected, wrong
        acts = await place.ledger.read(lambda rows: audit.newest(rows, limit=9))
        assert [(act.target, act.detail) for act in acts if act.what == "change"] == [
            ("the alerts", "quiet_hours: 22:00-07:00 → none"),
            ("the alerts", "reminders: 1 h, 4 h, 1 day → 1 h 30 min; quiet_hours: none → 22:00-07:00"),
            ("what is kept", "payloads: 7 → 14"),
        ]
        assert load_settings(tmp_path, {}).keep.payloads == 14


async def test_without_a_project_there_are_no_settings_to_change(call: Program) -> None:
    for method, path in (("GET", ""), ("PATCH", "/keep"), ("PATCH", "/alerts")):
        assert (await call(method, f"/settings{path}", {} if path else None))[0] == 404


async def test_the_dictionary_and_the_runbooks(call: Program) -> None:
    found = (await call("GET", "/dictionary"))[1]
    order = next(entry for entry in found["data"] if entry["name"] == "Order")
    email = next(field for field in order["fields"] if field["name"] == "email")
    assert email["is"] == "text" and email["meaning"].startswith("Where to write")
    assert {"name": "order.paid", "data": "Order"}.items() <= next(
        each for each in found["events"] if each["name"] == "order.paid"
    ).items()
    status, book = await call("GET", "/flows/order_to_cash/runbook")
    assert status == 200 and book["text"].startswith("# Runbook: Order to cash")
    assert (await call("GET", "/flows/nope/runbook"))[0] == 404


async def test_roles_of_the_api_are_those_of_the_desk(place: Place, call: Program) -> None:
    assert (await call("POST", "/people", NEW | {"role": "king"}))[0] == 422
    status, problem = await call("POST", "/people", NEW | {"role": Role.VIEWER})
    assert status == 409 and "first account" in problem["title"]

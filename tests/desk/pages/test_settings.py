"""The settings: people, my account, tokens, alerts, what is kept, who did what."""

import csv
import json
import re
from collections.abc import AsyncIterator
from datetime import timedelta
from io import StringIO
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from pyotp import TOTP

from bellwire.access import Right, Role, token_rights
from bellwire.desk.pages.settings.audit import harmless
from bellwire.desk.pages.settings.me import agent_of
from bellwire.ledger import Housekeeping, Keep, Rows, alerts, audit, people
from bellwire.settings import KeepSettings, load_settings
from bellwire.vault import Vault
from bellwire.watch import read_channels
from tests.desk.story import NOW, Place, Story, open_desk, settings_in
from tests.desk.visiting import PASSWORD, Shown, Visitor, give_account, signed_in, visit, words
from tests.watch.conftest import Receiver, environ, receivers

__all__ = ["receivers"]

NEW = "another few words here"


@pytest.fixture
async def place(tmp_path: Path) -> AsyncIterator[Place]:
    async with open_desk(tmp_path) as place:
        yield place


@pytest.fixture
async def dana(place: Place) -> AsyncIterator[Visitor]:
    """The owner's browser."""
    async with signed_in(place) as opened:
        yield opened


async def person(place: Place, number: int) -> people.PersonRow:
    found = await place.ledger.read(lambda rows: people.find(rows, number))
    assert found is not None
    return found


MANAGED = ["/settings/people", "/settings/people/1", "/settings/tokens"]


@pytest.mark.parametrize("role", [Role.OPERATOR, Role.VIEWER])
async def test_only_owners_manage_people_and_tokens(place: Place, dana: Visitor, role: Role) -> None:
    async with signed_in(place, "Vic", role) as vic:
        text = (await vic.get("/settings")).page
        assert "/settings/me" in text and "/settings/people" not in text and "/settings/tokens" not in text
        for path in MANAGED:
            assert (await vic.get(path)).status == 403
            assert (await dana.get(path)).status == 200
        form = {"name": "Eve", "email": "eve@example.com", "role": "owner", "password": PASSWORD}
        refused = [("/settings/people", form), ("/settings/people/2", {"name": "Vic", "role": "owner"})]
        refused += [(f"/settings/people/1/{what}", {}) for what in ("password", "close", "open", "codes-off")]
        refused += [("/settings/tokens", {"name": "x", "right": "manage"}), ("/settings/retention", {"payloads": "1"})]
        alerts_too = ("", "/test", "/channels", "/channels/remove")
        refused += [(f"/settings/alerts{what}", {"address": "ntfys://x"}) for what in alerts_too]
        for path, fields in refused:
            assert (await vic.send(path, at="/settings/me", **fields)).status == 403, path
    assert [each.role for each in await place.ledger.read(people.everybody)] == ["owner", role.value]


async def test_somebody_new_gets_a_password_that_is_shown_once(place: Place, dana: Visitor) -> None:
    seen = await dana.send("/settings/people", name="Vic", email="vic@example.com", role="viewer", password="")
    found = re.search(r'<code class="command">([a-z0-9-]{19})</code>', seen.page)
    assert seen.status == 200 and found
    assert found[1] not in (await dana.get("/settings/people")).page
    async with visit(place) as vic:
        assert (await vic.sign_in("vic@example.com", found[1])).status == 303
        assert "Vic" in (await vic.get("/settings/me")).page
    typed = await dana.send("/settings/people", name="Ada", email="ada@example.com", role="owner", password=NEW)
    assert typed.to == "/settings/people" and NEW not in typed.page
    kept = str(await place.ledger.read(lambda rows: rows.all("SELECT * FROM people")))
    assert NEW not in kept and found[1] not in kept


async def test_a_form_with_mistakes_comes_back_with_what_was_filled_in(dana: Visitor) -> None:
    seen = await dana.send("/settings/people", name="Vic", email="dana@example.com", role="viewer", password=NEW)
    assert seen.status == 400 and "is there already" in seen.page
    assert 'value="Vic"' in seen.page and NEW not in seen.page
    weak = await dana.send("/settings/people", name="Vic", email="vic@example.com", role="viewer", password="short")
    assert weak.status == 400 and "at least 12" in weak.page
    odd = await dana.send("/settings/people", name="Vic", email="vic@example.com", role="king", password="")
    assert odd.status == 400 and "no such role" in odd.page


async def test_roles_change_accounts_close_and_open_and_an_owner_stays(place: Place, dana: Visitor) -> None:
    ada = await give_account(place.ledger, "Ada", Role.OPERATOR)
    path = f"/settings/people/{ada.id}"
    assert (await dana.send(path, name="Ada Hill", role="owner")).to == "/settings/people"
    assert (await person(place, ada.id)).role == Role.OWNER
    async with visit(place) as hers:
        await hers.sign_in("ada@example.com")
        await dana.send(f"{path}/close", at=path)
        assert (await hers.get("/")).to == "/sign-in"
        assert (await hers.sign_in("ada@example.com")).status == 403
        await dana.send(f"{path}/open", at=path)
        assert (await hers.sign_in("ada@example.com")).status == 303
        await dana.send(path, name="Ada Hill", role="viewer")
        for what, fields in (("", {"name": "Dana", "role": "viewer"}), ("/close", {})):
            seen = await dana.send(f"/settings/people/1{what}", at="/settings/people/1", **fields)
            assert seen.status == 400 and "only owner" in seen.page
        reset = await dana.send(f"{path}/password", at=path, password=NEW)
        assert reset.to == "/settings/people"
        assert (await hers.get("/")).to == "/sign-in"
        assert (await hers.sign_in("ada@example.com", NEW)).status == 303
    for gone in ("/settings/people/99", "/settings/people/99999999999999999999"):
        assert (await dana.get(gone)).status == 404


async def test_a_new_password_takes_the_present_one_and_signs_out_everywhere_else(place: Place, dana: Visitor) -> None:
    async with visit(place) as phone:
        await phone.sign_in("dana@example.com")
        wrong = await dana.send("/settings/me/password", at="/settings/me", password="x", new=NEW)
        assert wrong.status == 400 and "That isn’t your present password." in wrong.page
        weak = await dana.send("/settings/me/password", at="/settings/me", password=PASSWORD, new="short")
        assert weak.status == 400 and (await phone.get("/")).status == 200
        before = dana.secret
        done = await dana.send("/settings/me/password", at="/settings/me", password=PASSWORD, new=NEW)
        assert done.to == "/settings/me" and dana.secret != before
        assert (await dana.get("/")).status == 200
        assert (await phone.get("/")).to == "/sign-in"
        assert (await phone.get("/", Cookie=f"bellwire_session={before}")).to == "/sign-in"
        assert (await phone.sign_in("dana@example.com", PASSWORD)).status == 403
        assert (await phone.sign_in("dana@example.com", NEW)).status == 303


async def test_guessing_the_present_password_is_slowed_down(dana: Visitor) -> None:
    for _ in range(5):
        await dana.send("/settings/me/password", at="/settings/me", password="x", new=NEW)
    seen = await dana.send("/settings/me/password", at="/settings/me", password=PASSWORD, new=NEW)
    assert seen.status == 400 and "wrong too often" in seen.page


async def test_my_sessions_are_shown_and_can_be_ended_from_here(place: Place, dana: Visitor) -> None:
    async with visit(place) as phone, signed_in(place, "Ada") as ada:
        await phone.sign_in("dana@example.com")
        text = (await dana.get("/settings/me")).page
        assert words(text).count("Firefox on Linux") == 2 and "this one" in text
        (key,) = re.findall(r'name="session" value="([0-9a-f]{64})"', text)
        stranger = await ada.send("/settings/me/sessions/end", at="/settings/me", session=key)
        assert stranger.status == 404 and (await phone.get("/")).status == 200
        await dana.send("/settings/me/sessions/end", at="/settings/me", session=key)
        assert (await phone.get("/")).to == "/sign-in"
        assert (await dana.get("/")).status == 200


def test_browsers_are_told_in_two_words() -> None:
    safari = "Mozilla/5.0 (iPhone; CPU iPhone OS 18_1 like Mac OS X) AppleWebKit/605.1.15 Version/18.1 Safari/604.1"
    edge = "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 Chrome/130.0 Safari/537.36 Edg/130.0"
    assert [agent_of(safari), agent_of(edge)] == ["Safari on an iPhone", "Edge on Windows"]
    assert agent_of("curl/8.1") == "curl/8.1" and agent_of("") == "A program that doesn’t say"


async def test_one_time_codes_are_on_once_a_code_was_right(place: Place, dana: Visitor) -> None:
    assert (await dana.get("/settings/me/codes")).to == "/settings/me"
    assert (await dana.send("/settings/me/codes/begin", at="/settings/me")).to == "/settings/me/codes"
    page = (await dana.get("/settings/me/codes")).page
    assert 'src="data:image/svg+xml' in page
    secret = re.search(r'<code class="named">([A-Z2-7 ]+)</code>', page)
    assert secret
    phone = TOTP(secret[1].replace(" ", ""))
    on = "/settings/me/codes/on"
    for fields in ({"code": "000000", "password": PASSWORD}, {"code": phone.at(NOW), "password": "x"}):
        assert (await dana.send(on, at="/settings/me/codes", **fields)).status == 400
        assert (await person(place, 1)).codes_since is None
    done = await dana.send(on, at="/settings/me/codes", code=phone.at(NOW), password=PASSWORD)
    codes = re.findall(r'<code class="command">([a-z2-7-]{19})</code>', done.page)
    assert done.status == 200 and len(codes) == 10
    me = (await dana.get("/settings/me")).page
    assert "10 recovery codes are left" in me and not any(code in me for code in codes)
    # Somebody who has them on can't be given other ones by pressing the button again.
    await dana.send("/settings/me/codes/begin", at="/settings/me")
    assert (await dana.get("/settings/me/codes")).to == "/settings/me"
    ledger = str(await place.ledger.read(lambda rows: rows.all("SELECT * FROM people, recovery_codes")))
    assert phone.secret not in ledger
    assert (await dana.send("/settings/me/codes/off", at="/settings/me", password="x")).status == 400
    assert (await dana.send("/settings/me/codes/off", at="/settings/me", password=PASSWORD)).status == 303
    assert (await person(place, 1)).codes_since is None


async def test_an_owner_switches_off_the_codes_of_somebody_who_lost_the_phone(place: Place, dana: Visitor) -> None:
    ada = await give_account(place.ledger, "Ada")
    await place.ledger.write(lambda rows: people.want_codes(rows, ada.id, NOW, 1))
    path = f"/settings/people/{ada.id}"
    assert "has lost the phone" in (await dana.get(path)).page
    await dana.send(f"{path}/codes-off", at=path)
    assert (await person(place, ada.id)).codes_since is None


async def test_while_nobody_has_an_account_the_pages_say_how_to_make_the_first(place: Place) -> None:
    async with visit(place) as opened:
        for path in ("/settings/people", "/settings/me"):
            assert 'href="/setup"' in (await opened.get(path)).page
        refused = await opened.send("/settings/me/name", at="/settings/tokens", name="x")
        assert refused.status in (400, 403)
        form = {"name": "Vic", "email": "vic@example.com", "role": "viewer", "password": PASSWORD}
        seen = await opened.send("/settings/people", at="/settings/tokens", **form)
        assert seen.status == 400 and "first account" in seen.page


async def test_a_token_is_shown_once_does_what_it_may_and_is_revoked(place: Place, dana: Visitor) -> None:
    made = await dana.send("/settings/tokens", name="till", right=["see", "work"], days="30")
    found = re.search(r"bw_[\w-]{40,}", made.page)
    assert made.status == 200 and found
    known = await place.ledger.read(lambda rows: token_rights(rows, found[0], NOW))
    assert known is not None
    row, rights = known
    assert rights == {Right.SEE, Right.WORK} and row.person == 1
    assert row.expires_at == NOW + timedelta(days=30)
    listed = (await dana.get("/settings/tokens")).words
    assert "till No. 1, by Dana" in listed and "see, work" in listed and found[0] not in listed
    bearer = {"Authorization": f"Bearer {found[0]}"}
    async with aiohttp.ClientSession(headers=bearer) as program:
        async with program.get(place.url + "/api/v1/me") as answer:
            assert (await answer.json())["rights"] == ["see", "work"]
        await dana.send("/settings/tokens/1/revoke", at="/settings/tokens")
        async with program.get(place.url + "/api/v1/me") as answer:
            assert answer.status == 401
    assert "revoked" in (await dana.get("/settings/tokens")).page


async def test_a_token_without_a_name_or_a_right_is_refused(dana: Visitor) -> None:
    assert (await dana.send("/settings/tokens", name="", right="see")).status == 400
    assert (await dana.send("/settings/tokens", name="till")).status == 400
    assert (await dana.send("/settings/tokens/99/revoke", at="/settings/tokens")).status in (400, 404)


async def test_alerts_say_where_they_go_without_the_secret_and_a_test_is_sent(
    tmp_path: Path, receivers: list[Receiver]
) -> None:
    good, bad = receivers
    bad.status = 500
    urls = environ(good.url, bad.url)
    settings = settings_in(tmp_path, '[alerts]\nquiet_hours = "22:00-07:00"\n')
    async with open_desk(tmp_path, settings=settings, environ=urls) as place, signed_in(place) as dana:
        await place.ledger.write(lambda rows: alerts.open_one(rows, "t", "Disk", "Full.", opened_at=NOW, next_at=NOW))
        page = (await dana.get("/settings/alerts")).page
        text = words(page)
        assert (
            "json Remove json 2 Remove" in text and "22:00–07:00 bellwire.toml, line 2" in text and "Disk Full." in text
        )
        for url in urls["BELLWIRE_ALERTS_URLS"].split():
            assert url not in page
        seen = await dana.send("/settings/alerts/test", at="/settings/alerts")
        assert seen.to == "/settings/alerts"
        assert seen.said == "json: it went through. json 2: It answered with status 500."
        assert good.titles == ["Bellwire: a test"]


async def test_without_a_channel_the_page_says_what_to_do(dana: Visitor) -> None:
    text = (await dana.get("/settings/alerts")).words
    assert "Alerts reach nobody: no channel is set. Add one below." in text
    assert (await dana.send("/settings/alerts/test", at="/settings/me")).status == 400


async def test_what_is_kept_is_told_in_words_with_what_a_purge_would_take(tmp_path: Path) -> None:
    settings = settings_in(tmp_path, "[keep]\npayloads = 7\n")
    async with open_desk(tmp_path, settings=settings) as place, signed_in(place) as dana:

        def tell(story: Story) -> None:
            story.done(NOW - timedelta(days=8))
            story.done(NOW)

        await place.write(tell)
        text = (await dana.get("/settings/retention")).words
        assert "7 days (bellwire.toml, line 2)" in text and "90 days (as it is by itself)" in text
        assert "There was none yet." in text
        text = (await dana.send("/settings/retention/trial", at="/settings/retention")).words
        assert "A purge now would take out 1 webhook and the data of 0 events" in text
        await Housekeeping(place.ledger, lambda: Keep.days(7, 90), clock=lambda: NOW).purge()
        text = (await dana.get("/settings/retention")).words
        assert "The last one was 2:41 PM: 1 webhook and the data of 0 events" in text


async def test_an_owner_changes_what_is_kept_and_the_rest_of_the_file_stays(tmp_path: Path) -> None:
    settings = settings_in(tmp_path, "# Ours.\n[keep]\n# Not for long.\npayloads = 7 # days\n")
    async with open_desk(tmp_path, settings=settings) as place, signed_in(place) as dana:
        done = await change(dana, "/settings/retention", payloads="14", details="90", requests="yes")
        assert done.to == "/settings/retention"
        assert (tmp_path / "bellwire.toml").read_text() == "# Ours.\n[keep]\n# Not for long.\npayloads = 14 # days\n"
        text = done.words
        assert "It is saved, and holds at once." in text and "14 days (bellwire.toml, line 4)" in text
        assert await record(place) == [("Dana", "change", "what is kept", "payloads: 7 → 14")]
        again = await change(dana, "/settings/retention", payloads="14", details="90", requests="yes")
        assert "It was so already." in again.page
        await change(dana, "/settings/retention", payloads="", details="400")
        assert load_settings(tmp_path, {}).keep == KeepSettings(payloads=30, details=400, requests=False)
        assert [detail for *_, detail in await record(place)] == [
            "payloads: 14 → 30; details: 90 → 400; requests: yes → no",
            "payloads: 7 → 14",
        ]


async def test_days_that_cant_be_come_back_with_what_is_wrong(tmp_path: Path) -> None:
    settings = settings_in(tmp_path, "[keep]\npayloads = 7\n")
    async with open_desk(tmp_path, settings=settings) as place, signed_in(place) as dana:
        for wrong, says in (("0", "must be 1 or more"), ("a week", "must be a whole number"), ("9" * 12, "must be")):
            seen = await change(dana, "/settings/retention", payloads=wrong, details="90", requests="yes")
            assert seen.status == 400 and f"This {says}" in seen.words and f'value="{wrong}"' in seen.page
        assert (tmp_path / "bellwire.toml").read_text() == "[keep]\npayloads = 7\n"
        assert await record(place) == []


async def test_a_file_that_was_changed_by_hand_meanwhile_isnt_overwritten(tmp_path: Path) -> None:
    settings = settings_in(tmp_path, "[keep]\npayloads = 7\n")
    async with open_desk(tmp_path, settings=settings) as place, signed_in(place) as dana:
        file = tmp_path / "bellwire.toml"
        pages = {path: (await dana.get(path)).page for path in ("/settings/retention", "/settings/alerts")}
        file.write_text("[keep]\npayloads = 8\n")
        for path, page in pages.items():
            seen = await dana.send(path, version=version_in(page), payloads="9", details="90", count="5", unit="h")
            assert seen.status == 400 and "changed by somebody else since you began" in seen.page
            assert (await dana.send(path, payloads="9", details="90", count="5", unit="h")).status == 400
        assert file.read_text() == "[keep]\npayloads = 8\n" and await record(place) == []
        assert 'value="8"' in (await dana.get("/settings/retention")).page
        file.write_text("[keep]\npayloads = many\n")
        for path in pages:
            page = (await dana.get(path)).page
            assert "The settings file has a mistake" in page and "line 2" in page and 'name="version"' not in page
            assert (await change(dana, path, payloads="9", details="90")).status == 400


async def test_an_owner_changes_when_alerts_are_sent(tmp_path: Path) -> None:
    settings = settings_in(tmp_path, '[alerts]\nquiet_hours = "22:00-7:00" # the night\n')
    async with open_desk(tmp_path, settings=settings) as place, signed_in(place) as dana:
        page, path = (await dana.get("/settings/alerts")).page, "/settings/alerts"
        assert 'name="begin" type="time" value="22:00"' in page and 'name="end" type="time" value="07:00"' in page
        reminders = {"count": ["90", "", "2"], "unit": ["m", "h", "d"]}
        assert (await change(dana, path, begin="22:00", end="07:00", **reminders)).to == path
        assert (tmp_path / "bellwire.toml").read_text() == (
            '[alerts]\nreminders = ["90m", "2d"]\nquiet_hours = "22:00-7:00" # the night\n'
        )
        assert "1 h 30 min, 2 days bellwire.toml, line 2" in (await dana.get(path)).words
        assert (await record(place))[0][3] == "reminders: 1 h, 4 h, 1 day → 1 h 30 min, 2 days"
        for wrong, says in (
            ({"begin": "22:00", "end": "22:00"}, "Quiet hours begin at one time"),
            ({"begin": "22:00", "end": ""}, "Quiet hours begin at one time"),
            ({"begin": "", "end": "", "count": "400", "unit": "d"}, "a year at most"),
            ({"begin": "", "end": "", "count": "soon", "unit": "d"}, "a whole number"),
        ):
            seen = await change(dana, path, **wrong)
            assert seen.status == 400 and says in seen.page
        assert (await change(dana, path, begin="", end="", count="", unit="h")).to == path
        assert (tmp_path / "bellwire.toml").read_text() == "[alerts]\nreminders = []\n"


async def test_an_owner_says_where_alerts_go_and_no_address_comes_back(
    tmp_path: Path, receivers: list[Receiver]
) -> None:
    first, second = (receiver.url for receiver in receivers)
    path = "/settings/alerts/channels"
    async with open_desk(tmp_path) as place, signed_in(place) as dana:

        async def add(**fields: str) -> Shown:
            return await dana.send(path, at="/settings/alerts", **fields)

        added = await add(kind="address", address=first)
        assert added.to == "/settings/alerts" and "Alerts go to json, too." in added.page
        assert (await add(kind="address", address=first)).status == 400
        for nothing in ("nonsense", "https://example.com/x", "json://a b", ""):
            seen = await add(kind="address", address=nothing)
            assert seen.status == 400 and "isn&#39;t understood" in seen.page
        await add(kind="address", address=second)
        await dana.send("/settings/alerts/test", at="/settings/alerts")
        assert [receiver.titles for receiver in receivers] == [["Bellwire: a test"]] * 2
        page = (await dana.get("/settings/alerts")).page
        before = version_in(page, of="/channels/remove")
        assert (await dana.send(f"{path}/remove", at="/settings/alerts", name="json", version=before)).status == 303
        page = (await dana.get("/settings/alerts")).page
        assert "json" in words(page) and "json 2" not in words(page)
        assert [channel._url for channel in read_channels(Vault.open(tmp_path, {}), {})] == [second]
        # What was “json 2” is “json” now: a page from before doesn't take it away.
        late = await dana.send(f"{path}/remove", at="/settings/alerts", name="json", version=before)
        assert late.status == 400 and "changed by somebody else" in late.page
        mail = {"server": "mail.example.com", "user": "shop", "password": "p@ss/w:rd", "to": "dana@example.com"}
        assert (await add(kind="mailbox", **mail)).status == 303 and (
            await add(kind="phone", topic="t-1")
        ).status == 303
        bad = await add(kind="mailbox", **mail | {"server": "not a server"})
        assert bad.status == 400 and "mail.example.com" in bad.page and mail["password"] not in bad.page
        page = (await dana.get("/settings/alerts")).page
        assert "mailtos (a mailbox)" in words(page) and "ntfys (phones, by the app ntfy)" in words(page)
        kept = str(await place.ledger.read(lambda rows: rows.all("SELECT * FROM audit")))
        assert not any(secret in page + kept for secret in (first, second, mail["password"], "t-1"))
        assert await record(place) == [
            ("Dana", "add a channel to", "the alerts", "ntfys"),
            ("Dana", "add a channel to", "the alerts", "mailtos"),
            ("Dana", "remove a channel from", "the alerts", "json"),
            ("Dana", "test", "the alerts", ""),
            ("Dana", "add a channel to", "the alerts", "json 2"),
            ("Dana", "add a channel to", "the alerts", "json"),
        ]


async def record(place: Place) -> list[tuple[str, str, str, str]]:
    """Who did what to the settings, the newest first."""
    acts = await place.ledger.read(lambda rows: audit.newest(rows, limit=20))
    return [(act.who, act.what, act.target, act.detail) for act in acts if act.target in ("what is kept", "the alerts")]


def version_in(page: str, of: str = "") -> str:
    """What a form of the page carries: of the first one, or of the first that is sent to an address that ends so."""
    found = re.search(rf'action="[^"]*{of}"[^~]*?name="version" value="([^"]*)"', page)
    return found[1] if found else ""


async def change(opened: Visitor, path: str, **fields: Any) -> Shown:
    """Fill in the form at `path` and send it."""
    page = (await opened.get(path)).page
    found = re.search(rf'action="{path}">\s*<input [^>]*><input type="hidden" name="version" value="(\w+)"', page)
    return await opened.send(path, version=found[1] if found else "", **fields)


# Who did what


def acts(rows: Rows) -> None:
    for day in range(3):
        for number in range(40):
            who, what = ("Ada", "retry") if number % 4 else ("Dana", "dismiss")
            audit.record(rows, who, what, f"run {number}", NOW + timedelta(days=day, minutes=number), f"day {day}")
    audit.record(rows, "=HYPERLINK(1)", "@do", "run 1", NOW + timedelta(days=4), '-1+1, "quoted"')


async def test_the_audit_is_filtered_and_comes_in_pages(place: Place, dana: Visitor) -> None:
    await place.ledger.write(acts)
    place.now = NOW + timedelta(days=4)

    async def rows(path: str) -> list[str]:
        body = (await dana.get(path)).page.partition("<tbody>")[2].partition("</tbody>")[0]
        return [words(row) for row in body.split("</tr>")[:-1]]

    assert len(await rows("/settings/audit")) == 50
    found, path = [], "/settings/audit?who=Ada&what=retry"
    for _ in range(3):
        found += await rows(path)
        older = re.search(r'href="(/settings/audit\?[^"]*before=\d+)"', (await dana.get(path)).page)
        path = older[1].replace("&amp;", "&") if older else ""
    assert len(found) == 90 == len(set(found)) and path == ""
    assert all("Ada retry" in row for row in found)
    one_day = await rows("/settings/audit?from=2026-11-25&to=2026-11-25&who=Dana")
    assert len(one_day) == 10 and all("day 1" in row for row in one_day)
    assert len(await rows("/settings/audit?target=run%201")) == 4
    assert "Nothing fits." in (await dana.get("/settings/audit?who=Nobody")).page
    assert await rows("/settings/audit?from=2027-01-01") == []
    wrong = await dana.get("/settings/audit?from=tomorrow")
    assert wrong.status == 400 and "is no day" in wrong.page
    assert (await dana.get("/settings/audit?before=x&from=9999-12-31&to=9999-12-31")).status == 400


async def test_the_audit_can_be_taken_along_whole_and_no_cell_is_a_formula(place: Place, dana: Visitor) -> None:
    await place.ledger.write(acts)
    got = await dana.get("/settings/audit.csv?who=%3DHYPERLINK(1)")
    assert got.headers["Content-Type"].startswith("text/csv")
    assert "attachment" in got.headers["Content-Disposition"]
    header, row = list(csv.reader(StringIO(got.page)))
    assert header == ["number", "time", "who", "what", "target", "detail"]
    assert row[2:] == ["'=HYPERLINK(1)", "'@do", "run 1", '\'-1+1, "quoted"']
    lines = (await dana.get("/settings/audit.jsonl")).page.splitlines()
    assert len(lines) == 122
    numbers = [json.loads(line)["number"] for line in lines]
    assert numbers == sorted(numbers, reverse=True) and len(set(numbers)) == 122
    assert (await dana.get("/settings/audit.csv?from=x")).status == 400


@pytest.mark.parametrize("begin", ["=", "+", "-", "@", "\t", "\r"])
def test_what_a_spreadsheet_would_work_out_gets_an_apostrophe(begin: str) -> None:
    assert harmless(begin + "1") == f"'{begin}1"
    assert harmless("run 1=1") == "run 1=1" and harmless(7) == "7"

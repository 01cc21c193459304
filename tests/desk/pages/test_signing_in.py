"""Signing in over HTTP, as browsers do it and as those try it who shouldn't."""

from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path
from urllib.parse import quote

import pytest
from pyotp import TOTP

from bellwire.access import CodeSecrets, Role, close_account, passwords, setup_code, switch_codes_on
from bellwire.desk.pages import signing_in
from bellwire.ledger import asks, people
from bellwire.vault import Vault
from tests.desk.story import Place, open_desk
from tests.desk.visiting import PASSWORD, give_account, signed_in, visit

WRONG = "The address or the password is wrong."


@pytest.fixture
async def place(tmp_path: Path) -> AsyncIterator[Place]:
    """A desk that other machines could reach, as far as it knows."""
    async with open_desk(tmp_path, host="0.0.0.0") as place:  # noqa: S104 - it is bound to loopback all the same
        await place.ledger.write(lambda rows: asks.keep_link_key(rows, "a key"))
        yield place


async def test_the_first_account_takes_the_code_that_only_this_machine_shows(place: Place) -> None:
    code = await place.ledger.read(setup_code)
    filled_in = {"name": "Dana", "email": "Dana@example.com", "password": PASSWORD}
    far = {"X-Forwarded-For": "203.0.113.7"}
    async with visit(place) as opened:
        assert (await opened.get("/", **far)).to == "/setup"
        assert 'name="code"' in (await opened.get("/setup", **far)).page
        for wrong in ("", "0000-0000-0000"):
            seen = await opened.send("/setup", code=wrong, headers=far, **filled_in)
            assert seen.status == 403 and "That isn’t the code." in seen.page
        assert not await place.ledger.read(people.is_anybody)
        weak = await opened.send("/setup", code=code, headers=far, **(filled_in | {"password": "dana"}))
        assert weak.status == 400 and "at least 12" in weak.page
        before = opened.secret
        seen = await opened.send("/setup", code=code, headers=far, **filled_in)
        assert (seen.status, seen.to) == (303, "/")
        assert opened.secret != before
        assert "All is well" in (await opened.get("/")).words
        assert (await opened.get("/setup")).to == "/sign-in"
    (dana,) = await place.ledger.read(people.everybody)
    assert (dana.email, dana.role) == ("dana@example.com", Role.OWNER)


@pytest.mark.parametrize("host", ["0.0.0.0", "127.0.0.1"], ids=["bound_beyond", "with_a_public_address"])  # noqa: S104
async def test_where_others_may_reach_it_the_first_account_takes_the_code_at_this_machine_too(
    tmp_path: Path, host: str
) -> None:
    """A proxy on this machine that says nothing of where a request comes from makes it look like one from here."""
    public = "" if host == "0.0.0.0" else "https://hooks.example.com"  # noqa: S104
    async with open_desk(tmp_path, host=host, public_url=public) as place, visit(place) as opened:
        await place.ledger.write(lambda rows: asks.keep_link_key(rows, "a key"))
        assert (await opened.get("/")).to == "/setup"
        assert 'name="code"' in (await opened.get("/setup")).page
        filled_in = {"name": "Dana", "email": "dana@example.com", "password": PASSWORD}
        assert (await opened.send("/setup", **filled_in)).status == 403
        code = await place.ledger.read(setup_code)
        assert (await opened.send("/setup", code=code, **filled_in)).to == "/"


async def test_at_this_machine_alone_the_first_account_takes_no_code(tmp_path: Path) -> None:
    async with open_desk(tmp_path) as place, visit(place) as opened:
        assert 'name="code"' not in (await opened.get("/setup")).page
        filled_in = {"name": "Dana", "email": "dana@example.com", "password": PASSWORD}
        assert (await opened.send("/setup", **filled_in)).to == "/"


async def test_guessing_the_code_is_slowed_down(place: Place) -> None:
    far = {"X-Forwarded-For": "203.0.113.7"}
    async with visit(place) as opened:
        for _ in range(5):
            await opened.send("/setup", code="x", headers=far)
        code = await place.ledger.read(setup_code)
        form = {"name": "Dana", "email": "dana@example.com", "password": PASSWORD, "code": code}
        assert (await opened.send("/setup", headers=far, **form)).status == 429
        place.now += timedelta(seconds=30)
        assert (await opened.send("/setup", headers=far, **form)).status == 303


async def test_a_wrong_password_an_unknown_address_and_a_closed_account_look_the_same(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    tried: list[str] = []

    def fits(kept: str, password: str) -> bool:
        tried.append(kept)
        return passwords.fits(kept, password)

    monkeypatch.setattr(signing_in, "fits", fits)
    await give_account(place.ledger, "Dana")
    closed = await give_account(place.ledger, "Ada")
    await place.ledger.write(lambda rows: close_account(rows, closed.id, place.now, who="Dana"))
    answers = []
    for email, password in (("dana@example.com", "x"), ("nobody@example.com", "x"), ("ada@example.com", PASSWORD)):
        async with visit(place) as opened:
            seen = await opened.sign_in(email, password)
            assert seen.status == 403 and WRONG in seen.page
            answers.append(seen.words)
            assert (await opened.get("/settings")).to.startswith("/sign-in")
    assert len(set(answers)) == 1
    assert len(tried) == 3 and all(kept.startswith("$argon2id$") for kept in tried), "each takes as long"


async def test_after_five_failures_even_the_right_password_waits(place: Place) -> None:
    await give_account(place.ledger, "Dana")
    async with visit(place) as opened:
        for _ in range(5):
            assert (await opened.sign_in("dana@example.com", "x")).status == 403
        seen = await opened.sign_in("dana@example.com")
        assert seen.status == 429 and "Try again in 30 s" in seen.page
        place.now += timedelta(seconds=30)
        assert (await opened.sign_in("dana@example.com")).status == 303


@pytest.mark.parametrize(
    "to",
    [
        "https://evil.example/",
        "//evil.example/",
        "/\\evil.example",
        "\\\\evil.example",
        "javascript:alert(1)",
        "/a\r\nX: 1",
    ],
)
async def test_signing_in_leads_nowhere_else(place: Place, to: str) -> None:
    async with signed_in(place) as opened:
        assert (await opened.get(f"/sign-in?next={quote(to, safe='')}")).to == "/"
    async with visit(place) as opened:
        page = await opened.get(f"/sign-in?next={quote(to, safe='')}")
        assert '<input type="hidden" name="next" value="/">' in page.page
        assert (await opened.sign_in("dana@example.com", next=to)).to in ("/", "/a%20X:%201"), "a line break is a blank"


async def test_one_comes_back_to_where_one_wanted_to_go(place: Place) -> None:
    await give_account(place.ledger, "Dana")
    async with visit(place) as opened:
        asked = await opened.get("/settings/audit?who=Dana")
        assert asked.to == "/sign-in?next=%2Fsettings%2Faudit%3Fwho%3DDana"
        assert 'value="/settings/audit?who=Dana"' in (await opened.get(asked.to)).page
        assert (
            await opened.sign_in("dana@example.com", next="/settings/audit?who=Dana")
        ).to == "/settings/audit?who=Dana"


async def test_the_cookie_is_for_the_server_alone_and_changes_with_every_sign_in(place: Place) -> None:
    await give_account(place.ledger, "Dana")
    async with visit(place) as opened:
        planted = (await opened.get("/sign-in"), opened.secret)[1]
        seen = await opened.sign_in("dana@example.com")
        cookie = seen.headers["Set-Cookie"]
        assert "HttpOnly" in cookie and "SameSite=lax" in cookie and "Secure" not in cookie
        assert opened.secret not in ("", planted)
        assert (await opened.get("/")).status == 200
        stolen = opened.secret
        assert (await opened.send("/sign-out", at="/")).to == "/sign-in"
    async with visit(place) as other:
        assert (await other.get("/", Cookie=f"bellwire_session={stolen}")).to == "/sign-in"


async def test_behind_https_the_cookie_goes_no_other_way(tmp_path: Path) -> None:
    async with open_desk(tmp_path, public_url="https://desk.example.com") as place:
        await give_account(place.ledger, "Dana")
        async with visit(place) as opened:
            form = {"email": "dana@example.com", "password": PASSWORD}
            seen = await opened.send("/sign-in", headers={"X-Forwarded-Proto": "https"}, **form)
            assert "Secure" in seen.headers["Set-Cookie"]


async def test_a_form_from_elsewhere_signs_nobody_in(place: Place) -> None:
    await give_account(place.ledger, "Dana")
    form = {"email": "dana@example.com", "password": PASSWORD}
    async with visit(place) as opened:
        for headers in ({"Sec-Fetch-Site": "cross-site"}, {"Sec-Fetch-Site": "same-site"}):
            assert (await opened.send("/sign-in", headers=headers, **form)).status == 403
        async with opened.session.post(place.url + "/sign-in", data=form | {"form_token": "0" * 64}) as got:
            assert got.status == 403
        assert (await opened.get("/")).to == "/sign-in"


# One-time codes


async def with_codes(place: Place, folder: Path) -> tuple[TOTP, list[str]]:
    """Dana has them on; her authenticator and her recovery codes."""
    dana = await give_account(place.ledger, "Dana")
    secret = CodeSecrets(Vault.open(folder, {})).renew(dana.id)
    codes = await place.ledger.write(lambda rows: switch_codes_on(rows, dana.id, 1, place.now, who="Dana"))
    return TOTP(secret), list(codes)


async def test_with_one_time_codes_the_password_alone_lets_nobody_in(place: Place, tmp_path: Path) -> None:
    phone, _ = await with_codes(place, tmp_path)
    async with visit(place) as opened:
        seen = await opened.sign_in("dana@example.com", next="/settings/me")
        assert seen.to == "/sign-in/code?next=%2Fsettings%2Fme"
        assert (await opened.get("/settings/me")).to.startswith("/sign-in?")
        half = opened.secret
        page = await opened.get(seen.to)
        assert 'autocomplete="one-time-code"' in page.page
        wrong = await opened.send("/sign-in/code", code="000000", next="/settings/me")
        assert wrong.status == 403 and (await opened.get("/settings/me")).to.startswith("/sign-in?")
        code = phone.at(place.now)
        done = await opened.send("/sign-in/code", code=code, next="/settings/me")
        assert done.to == "/settings/me" and opened.secret != half
        assert (await opened.get("/settings/me")).status == 200
    async with visit(place) as other:
        await other.sign_in("dana@example.com")
        assert (await other.send("/sign-in/code", code=code)).status == 403, "a code is good once"
        place.now += timedelta(seconds=30)
        assert (await other.send("/sign-in/code", code=phone.at(place.now), next="//evil.example")).to == "/"


async def test_codes_cant_be_guessed_nor_waited_for(place: Place, tmp_path: Path) -> None:
    phone, recovery = await with_codes(place, tmp_path)
    async with visit(place) as opened:
        assert (await opened.get("/sign-in/code")).to == "/sign-in"
        await opened.sign_in("dana@example.com")
        for _ in range(5):
            assert (await opened.send("/sign-in/code", code="000000")).status == 403
        assert (await opened.send("/sign-in/code", code=phone.at(place.now))).status == 429
        assert (await opened.sign_in("dana@example.com")).status == 429, "the password doesn't begin the count anew"
        place.now += timedelta(seconds=30)
        await opened.sign_in("dana@example.com")
        assert (await opened.send("/sign-in/code", code="000000")).status == 403
        assert (await opened.send("/sign-in/code", code=recovery[0])).status == 429
        place.now += timedelta(minutes=10)
        late = await opened.send("/sign-in/code", at="/sign-in", code=phone.at(place.now))
        assert late.to == "/sign-in"


async def test_a_recovery_code_lets_in_once_even_when_the_vault_is_gone(place: Place, tmp_path: Path) -> None:
    _, recovery = await with_codes(place, tmp_path)
    (tmp_path / "vault.json").write_text("{")
    for status in (303, 403):
        async with visit(place) as opened:
            await opened.sign_in("dana@example.com")
            assert (await opened.send("/sign-in/code", code=recovery[0])).status == status

"""Whose company it is, what it answers to, and how the first tokens come about."""

from urllib.parse import parse_qsl, urlsplit

import aiohttp
import pytest

from bellwire.connectors.kit import OAuth2
from bellwire.connectors.quickbooks.actions import environment_of
from bellwire.connectors.quickbooks.manifest import HOSTS, MANIFEST
from bellwire.errors import SignedOut
from bellwire.events import Environment
from bellwire.practice import Practice
from bellwire.practice.quickbooks import QuickBooks
from tests.connecting import Secrets, call
from tests.connectors.quickbooks.conftest import Connect

pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest.mark.proves("access")
async def test_consent_in_the_browser_gives_the_first_tokens(
    practice: Practice, connect: Connect, company: QuickBooks
) -> None:
    """The company's id comes with the code."""
    auth, back = MANIFEST.auth, "http://localhost:8799/consent"
    assert isinstance(auth, OAuth2) and auth.consent is not None
    page = practice.base_url("quickbooks") + urlsplit(auth.consent.url).path
    asked = {"client_id": "practice-client", "response_type": "code", "redirect_uri": back, "state": "abc"}
    asked["scope"] = auth.consent.scope_separator.join(MANIFEST.scopes)
    async with aiohttp.ClientSession() as browser, browser.get(page, params=asked, allow_redirects=False) as answer:
        came = dict(parse_qsl(urlsplit(answer.headers["location"]).query))
    assert (came["state"], came["realmId"]) == ("abc", company.settings["realm_id"])
    keys = {name: company.credentials[name] for name in ("client_id", "client_secret")}
    books = connect(credentials=keys)
    await books.api.sign_in.redeem(came["code"], back, "")
    secrets = books.credentials
    assert isinstance(secrets, Secrets)
    assert secrets.values["refresh_token"] == company.tokens.refresh[-1]
    assert books.connector.sign_in is not None
    assert (await books.connector.sign_in(call(books))).name == "Practice Tea Company"
    with pytest.raises(SignedOut):
        await books.api.sign_in.redeem(came["code"], back, "")


@pytest.mark.proves("access")
async def test_it_asks_for_the_one_scope_that_there_is() -> None:
    assert MANIFEST.scopes == ("com.intuit.quickbooks.accounting",)


@pytest.mark.proves("environments")
async def test_the_host_tells_the_environment() -> None:
    for environment, host in HOSTS.items():
        assert MANIFEST.base_urls[environment] == host
        assert environment_of(host) is environment_of(host + "/") is environment
    assert set(HOSTS) == set(Environment)
    assert environment_of("http://127.0.0.1:9001/quickbooks") is None


@pytest.mark.proves("environments")
async def test_keys_of_the_other_environment_are_refused_in_words(connect: Connect, company: QuickBooks) -> None:
    """There, the company is one that the sign-in doesn't know."""
    books = connect(credentials=signed_in(company), realm_id="999")
    assert books.connector.sign_in is not None
    with pytest.raises(SignedOut, match="or to the other of sandbox and production"):
        await books.connector.sign_in(call(books))


@pytest.mark.proves("version")
async def test_every_call_names_the_pinned_version(connect: Connect, company: QuickBooks) -> None:
    company.received.clear()
    books = connect(credentials=signed_in(company))
    assert books.connector.sign_in is not None
    await books.connector.sign_in(call(books))
    await books.api.get("cdc", params={"entities": "Invoice", "changedSince": company.books.clock().isoformat()})
    assert [dict(received.query)["minorversion"] for received in company.received] == [MANIFEST.api_version] * 3


@pytest.mark.proves("version")
async def test_an_end_that_is_announced_is_noticed(connect: Connect, company: QuickBooks) -> None:
    company.announcements["Sunset"] = "Sat, 31 Jan 2032 23:59:59 GMT"
    books = connect(credentials=signed_in(company))
    assert books.connector.sign_in is not None
    await books.connector.sign_in(call(books))
    company.announcements.clear()
    assert books.api.notices == {"Sunset": "Sat, 31 Jan 2032 23:59:59 GMT"}


def signed_in(company: QuickBooks) -> dict[str, str]:
    """Credentials as they are by now: other tests renew them."""
    company.tokens.access.add("another")
    return {**company.credentials, "access_token": "another", "refresh_token": company.tokens.refresh[-1]}

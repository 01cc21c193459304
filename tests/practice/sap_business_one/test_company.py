"""The practice company refuses what SAP Business One refuses, with its codes."""

from collections.abc import AsyncIterator
from typing import Any

import aiohttp
import pytest
import pytest_asyncio

from bellwire.practice import Practice
from bellwire.practice.sap_business_one import SapBusinessOneSimulator

pytestmark = [pytest.mark.proves("practice"), pytest.mark.asyncio(loop_scope="module")]
LOGIN = {"CompanyDB": "SBODEMOUS", "UserName": "bellwire", "Password": "practice-password"}
LINE = {"ItemCode": "TEA-100", "Quantity": 2}
DRAFT = {
    "DocObjectCode": "oPurchaseOrders",
    "CardCode": "V10000",
    "DocDueDate": "2026-12-04",
    "DocumentLines": [LINE],
}


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def practice() -> AsyncIterator[Practice]:
    async with Practice(["sap_business_one"]) as running:
        yield running


@pytest_asyncio.fixture(loop_scope="module")
async def session(practice: Practice) -> AsyncIterator[aiohttp.ClientSession]:
    """Signed in, with a cookie jar as a browser has it."""
    base = practice.base_url("sap_business_one")
    async with aiohttp.ClientSession(base + "/b1s/v2/", cookie_jar=aiohttp.CookieJar(unsafe=True)) as opened:
        async with opened.post("Login", json=LOGIN) as answer:
            # The cookies are for https; practice is http.
            cookies = "; ".join(f"{name}={morsel.value}" for name, morsel in answer.cookies.items())
            assert (await answer.json())["SessionTimeout"] == 30
        opened.headers["Cookie"] = cookies
        yield opened


async def ask(session: aiohttp.ClientSession, method: str, path: str, **more: Any) -> tuple[int, Any]:
    async with session.request(method, path, **more) as answer:
        return answer.status, await answer.json()


async def test_pages_lead_to_the_next_one(session: aiohttp.ClientSession) -> None:
    query = {"$select": "ItemCode", "$orderby": "ItemCode"}
    _, first = await ask(session, "GET", "Items", params=query, headers={"Prefer": "odata.maxpagesize=5"})
    assert len(first["value"]) == 5
    _, second = await ask(
        session, "GET", first["@odata.nextLink"].replace("%24", "$"), headers={"Prefer": "odata.maxpagesize=5"}
    )
    codes = [item["ItemCode"] for item in first["value"] + second["value"]]
    assert codes == sorted(codes) and len(set(codes)) == len(codes) == 9
    assert "@odata.nextLink" not in second


@pytest.mark.parametrize(
    ("method", "path", "body", "status", "code"),
    [
        ("GET", "Items?$filter=Colour eq 'red'", None, 400, "201"),
        ("GET", "Items?$filter=ItemCode eq", None, 400, "201"),
        ("GET", "Items?$where=x", None, 400, "201"),
        ("GET", "Things", None, 400, "-1000"),
        ("GET", "Drafts(99)", None, 404, "-2028"),
        ("POST", "Things", {}, 400, "-1000"),
        ("POST", "Drafts", DRAFT | {"Colour": "red"}, 400, "-1000"),
        ("POST", "Drafts", DRAFT | {"CardCode": "V99999"}, 400, "-2028"),
        ("POST", "Drafts", DRAFT | {"DocDueDate": None}, 400, "-5002"),
        ("POST", "Drafts", DRAFT | {"DocObjectCode": "oInvoices"}, 400, "-5002"),
        ("POST", "Drafts", DRAFT | {"DocumentLines": [LINE | {"ItemCode": "NO"}]}, 400, "-2028"),
        ("POST", "Drafts", DRAFT | {"DocumentLines": [LINE | {"Quantity": 0}]}, 400, "-5002"),
        ("POST", "InventoryGenExits", {"DocumentLines": []}, 400, "-5002"),
        ("POST", "InventoryGenExits", {"DocumentLines": [LINE | {"WarehouseCode": "77"}]}, 400, "-2028"),
    ],
)
async def test_what_sap_refuses(
    session: aiohttp.ClientSession, practice: Practice, method: str, path: str, body: Any, status: int, code: str
) -> None:
    got, told = await ask(session, method, path, json=body)
    assert (got, told["error"]["code"]) == (status, code)
    assert set(practice.simulators["sap_business_one"].state()) == {"stock"}


async def test_a_session_is_found_by_both_of_its_cookies(session: aiohttp.ClientSession) -> None:
    both = session.headers["Cookie"]
    for cookies in ("", both.split("; ")[0], both.replace("node", "other")):
        status, told = await ask(session, "GET", "Warehouses", headers={"Cookie": cookies})
        assert (status, told["error"]["code"]) == (401, "301")
    assert (await ask(session, "GET", "Warehouses"))[0] == 200


@pytest.mark.parametrize(
    ("change", "code"),
    [({"Password": "no"}, "100000027"), ({"UserName": "no"}, "100000027"), ({"CompanyDB": "no"}, "-304")],
)
async def test_a_login_that_is_not_right_is_refused(
    session: aiohttp.ClientSession, change: dict[str, str], code: str
) -> None:
    status, told = await ask(session, "POST", "Login", json=LOGIN | change)
    assert (status, told["error"]["code"]) == (401, code)


async def test_what_the_user_may_not_do_is_refused(session: aiohttp.ClientSession, practice: Practice) -> None:
    company = practice.simulators["sap_business_one"]
    assert isinstance(company, SapBusinessOneSimulator)
    company.forbidden = {"Items"}
    assert (await ask(session, "GET", "Items"))[1]["error"]["code"] == "205"
    company.forbidden = set()

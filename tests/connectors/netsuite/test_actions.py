"""What is asked of NetSuite, and what comes of it."""

import dataclasses
from datetime import date
from typing import Any

import pytest

from bellwire.capabilities.purchasing import (
    CreatePurchaseOrder,
    FindSupplier,
    PurchasedLine,
    PurchaseLine,
    PurchaseOrder,
    PurchaseStatus,
    SupplyTerms,
)
from bellwire.connectors.netsuite.actions import (
    create_purchase_order,
    find_supplier,
    sign_in,
)
from bellwire.connectors.netsuite.api import select
from bellwire.connectors.netsuite.manifest import NetSuiteSettings
from bellwire.errors import OutcomeUnknown, Refused
from bellwire.events import Environment
from bellwire.money import Money
from bellwire.practice import Fault, FaultKind
from bellwire.practice.netsuite import NetSuite
from tests.connecting import call
from tests.connectors.netsuite.conftest import Connect
from tests.purchases import order, state
from tests.samples import usd

pytestmark = pytest.mark.asyncio(loop_scope="module")

LINES = (PurchaseLine(sku="TEA-100", quantity=12), PurchaseLine(sku="MUG-RED", quantity=6))


def reorder(**changes: Any) -> CreatePurchaseOrder:
    return CreatePurchaseOrder(**{"supplier_id": "9", "lines": LINES, "reference": "reorder 7", **changes})


async def test_the_preferred_supplier_of_an_item_is_found_with_its_terms(connect: Connect) -> None:
    assert await find_supplier(call(connect()), FindSupplier(sku="TEA-100")) == SupplyTerms(
        sku="TEA-100",
        supplier_id="9",
        supplier_name="Leaf & Sons",
        lead_days=14,
        pack_size=6,
        unit_price=usd("4.25"),
    )


async def test_a_price_is_in_what_the_supplier_is_paid_in(connect: Connect, netsuite: NetSuite) -> None:
    netsuite.change_item("TEA-100", preferred=10)
    terms = await find_supplier(call(connect(multicurrency=True)), FindSupplier(sku="TEA-100"))
    assert isinstance(terms, SupplyTerms)
    assert (terms.supplier_id, terms.unit_price) == ("10", Money.of("4.25", "EUR"))


@pytest.mark.parametrize(
    ("sku", "said"),
    [
        ("TEA'999", "no item named TEA'999"),
        ("CLASS-01", "no preferred supplier"),
        ("MUG-BLUE", "no preferred supplier"),
        ("POT-1L", "no item named POT-1L"),
    ],
)
async def test_an_item_without_a_supplier_is_refused(connect: Connect, netsuite: NetSuite, sku: str, said: str) -> None:
    netsuite.change_item("MUG-BLUE", preferred=None)
    netsuite.change_item("POT-1L", isinactive="T")
    with pytest.raises(Refused, match=said) as caught:
        await find_supplier(call(connect()), FindSupplier(sku=sku))
    assert caught.value.remedy


async def test_an_order_is_made_with_netsuites_prices(connect: Connect, netsuite: NetSuite) -> None:
    made = await order(connect(), reorder(note="by Friday", expected=date(2026, 12, 4)))
    (held,), lines = netsuite.state().values()
    assert made == PurchaseOrder(
        id=str(held["id"]),
        number="PO1",
        supplier_id="9",
        total=usd("89.85"),
        url=f"https://1234567-sb1.app.netsuite.com/app/accounting/transactions/purchord.nl?id={held['id']}",
    )
    assert (held["memo"], held["duedate"]) == ("reorder 7: by Friday", "2026-12-04")
    assert [(line["quantity"], line["rate"]) for line in lines] == [(12, "4.25"), (6, "6.475")]


async def test_prices_of_ones_own_are_taken_if_they_are_in_the_suppliers_currency(connect: Connect) -> None:
    priced = (PurchaseLine(sku="TEA-100", quantity=2, unit_price=usd("4.10")),)
    assert (await order(connect(), reorder(lines=priced))).total == usd("8.20")
    with pytest.raises(Refused, match="prices in USD, but the supplier is paid in EUR"):
        await order(connect(multicurrency=True), reorder(lines=priced, supplier_id="10"))
    with pytest.raises(Refused, match="no supplier 77"):
        await order(connect(multicurrency=True), reorder(lines=priced, supplier_id="77"))


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"lines": (*LINES, PurchaseLine(sku="NEW", quantity=1))}, "no item named NEW"),
        ({"supplier_id": "77"}, "Invalid entity reference key 77"),
        ({"supplier_id": "Leaf"}, "no supplier 'Leaf': its ids are numbers"),
    ],
)
async def test_an_order_that_cannot_be_is_refused_and_leaves_nothing(
    connect: Connect, netsuite: NetSuite, changes: dict[str, Any], said: str
) -> None:
    with pytest.raises(Refused, match=said):
        await order(connect(), reorder(**changes))
    assert netsuite.state() == {"transactions": [], "lines": []}


async def test_an_answer_that_is_lost_makes_no_second_order_and_no_second_lines(
    connect: Connect, netsuite: NetSuite
) -> None:
    at = call(connect())
    netsuite.faults.add(Fault(kind=FaultKind.LOST_ANSWER, match="PUT"))
    with pytest.raises(OutcomeUnknown):
        await create_purchase_order(at, reorder())
    netsuite.faults.clear()
    await create_purchase_order(dataclasses.replace(at, again=True), reorder())
    orders, lines = netsuite.state().values()
    assert (len(orders), len(lines)) == (1, 2)


async def test_an_order_is_followed_until_all_of_it_came(connect: Connect, netsuite: NetSuite) -> None:
    purchasing = connect()
    made = await order(purchasing, reorder())
    told = [await state(purchasing, made.id)]
    for quantity in (4, None):
        netsuite.receive(made.id, quantity)
        told.append(await state(purchasing, made.id))
    assert [(each.status.value, [line.received for line in each.lines]) for each in told] == [
        ("ordered", [0, 0]), ("ordered", [4, 4]), ("received", [12, 6]),
    ]  # fmt: skip
    assert told[0].lines[0] == PurchasedLine(sku="TEA-100", ordered=12, received=0)


@pytest.mark.parametrize(
    ("letter", "status"),
    [
        ("A", PurchaseStatus.DRAFT),
        ("PurchOrd:A", PurchaseStatus.DRAFT),
        ("E", PurchaseStatus.ORDERED),
        ("G", PurchaseStatus.RECEIVED),
        ("C", PurchaseStatus.CANCELLED),
        ("H", PurchaseStatus.CANCELLED),
    ],
)
async def test_each_status_has_its_meaning(
    connect: Connect, netsuite: NetSuite, letter: str, status: PurchaseStatus
) -> None:
    purchasing = connect()
    made = await order(purchasing, reorder())
    netsuite.set_status(made.id, letter)
    assert (await state(purchasing, made.id)).status is status


async def test_a_closed_order_of_which_all_came_is_received(connect: Connect, netsuite: NetSuite) -> None:
    purchasing = connect()
    made = await order(purchasing, reorder())
    netsuite.receive(made.id)
    netsuite.set_status(made.id, "H")
    assert (await state(purchasing, made.id)).status is PurchaseStatus.RECEIVED


@pytest.mark.parametrize("order_id", ["999", "1 OR 1=1"])
async def test_an_order_that_is_not_there_is_refused(connect: Connect, order_id: str) -> None:
    await order(connect(), reorder())
    with pytest.raises(Refused, match="NetSuite has no order"):
        await state(connect(), order_id)


@pytest.mark.proves("paging")
async def test_rows_are_read_to_the_last_page(connect: Connect, netsuite: NetSuite) -> None:
    statement = """
        WITH n(id) AS (SELECT 1 UNION ALL SELECT id + 1 FROM n WHERE id < 2300) SELECT id FROM n WHERE id > :least
        """
    rows = await select(call(connect()), statement, least=0)
    assert [row["id"] for row in rows] == [str(number) for number in range(1, 2301)]
    assert [each.query["offset"] for each in netsuite.received] == ["0", "1000", "2000"]


@pytest.mark.proves("environments")
@pytest.mark.parametrize(
    ("account", "host", "environment"),
    [
        ("1234567", "1234567", Environment.PRODUCTION),
        ("1234567_SB1", "1234567-sb1", Environment.SANDBOX),
        ("1234567_RP", "1234567-rp", Environment.SANDBOX),
        ("TSTDRV123", "tstdrv123", Environment.SANDBOX),
    ],
)
async def test_the_accounts_id_tells_its_address_and_its_environment(
    connect: Connect, account: str, host: str, environment: Environment
) -> None:
    settings = NetSuiteSettings(account=account, currency="USD")
    assert (settings.host, settings.environment) == (host, environment)
    found = await sign_in(call(connect(account=account)))
    assert (found.name, found.environment) == (f"NetSuite {account}", environment)


@pytest.mark.proves("version")
async def test_the_version_and_strict_names_are_on_every_call_and_its_end_would_be_told(
    connect: Connect, netsuite: NetSuite
) -> None:
    netsuite.announced["Sunset"] = "Wed, 30 Jun 2027 00:00:00 GMT"
    purchasing = connect()
    await order(purchasing, reorder())
    assert all("/v1/" in each.path for each in netsuite.received)
    assert purchasing.api.notices == netsuite.announced
    assert purchasing.manifest.headers == {"X-NetSuite-PropertyNameValidation": "Error"}

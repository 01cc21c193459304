"""What came in from suppliers: told by the script, found in the list."""

from datetime import timedelta
from pathlib import Path

import pytest

import bellwire.connectors.netsuite
from bellwire.capabilities.purchasing import CreatePurchaseOrder, PurchaseLine, PurchaseOrder
from bellwire.connectors.kit import POLLED, BadSignature, Connection, Page
from bellwire.connectors.netsuite.actions import create_purchase_order
from bellwire.connectors.netsuite.manifest import MANIFEST
from bellwire.connectors.netsuite.triggers import TRIGGERS
from bellwire.errors import CannotNormalise, Refused
from bellwire.events import Delivery, Event, PurchaseReceipt, ReceivedLine
from bellwire.practice import Webhook
from bellwire.practice.netsuite import NetSuite
from tests.connecting import call
from tests.connectors.netsuite.conftest import Connect
from tests.samples import NOW

pytestmark = pytest.mark.asyncio(loop_scope="module")

(POLL,) = TRIGGERS.polls
BODY = b'{"account":"1234567_SB1","recordType":"itemReceipt","id":"7","type":"create"}'
VECTOR = "e9a81a84c5a6e00b0088a45bc86903c72c30d51c98ca08319e9751f5031be62b"
"""Made by openssl with the key `secret`."""


def arrived(webhook: Webhook) -> Delivery:
    return Delivery("purchasing", {name.lower(): value for name, value in webhook.headers.items()}, webhook.body, NOW)


async def ordered(purchasing: Connection, name: str = "one") -> str:
    lines = (PurchaseLine(sku="TEA-100", quantity=12), PurchaseLine(sku="MUG-RED", quantity=6))
    given = CreatePurchaseOrder(supplier_id="9", lines=lines, reference=name)
    made = await create_purchase_order(call(purchasing).part(name), given)
    assert isinstance(made, PurchaseOrder)
    return made.id


async def pages(purchasing: Connection, cursor: str = "") -> list[Page]:
    found = [await POLL.page(call(purchasing), NOW - timedelta(hours=1), cursor)]
    while found[-1].next_cursor:
        found.append(await POLL.page(call(purchasing), NOW - timedelta(hours=1), found[-1].next_cursor))
    return found


def events(found: list[Page], purchasing: Connection) -> list[Event]:
    told = [Delivery("purchasing", {POLLED: POLL.name}, each.body, NOW) for page in found for each in page.records]
    return [event for delivery in told for event in TRIGGERS.normalise(delivery, purchasing).events]


# The script


@pytest.mark.proves("signatures")
async def test_what_the_script_signs_is_verified_with_either_of_two_secrets(
    connect: Connect, netsuite: NetSuite
) -> None:
    scheme, purchasing = connect().webhook, connect()
    assert scheme is not None
    delivery = arrived(netsuite.webhook(netsuite.receive(await ordered(purchasing))))
    scheme.verify(delivery, ["newer", netsuite.credentials["webhook_secret"]], NOW)
    changed = Delivery("purchasing", delivery.headers, delivery.body.replace(b"create", b"delete"), NOW)
    for wrong, secrets in ((changed, list(connect().secrets)), (delivery, ["newer"])):
        with pytest.raises(BadSignature):
            scheme.verify(wrong, secrets, NOW)


@pytest.mark.proves("signatures")
async def test_the_signature_is_an_hmac_in_hexadecimal_whatever_the_case() -> None:
    scheme = MANIFEST.webhook
    assert scheme is not None and not callable(scheme)
    for written in (VECTOR, VECTOR.upper()):
        scheme.verify(Delivery("purchasing", {"x-signature": f"sha256={written}"}, BODY, NOW), ["secret"], NOW)


async def test_the_script_sends_what_is_read_here(connect: Connect, netsuite: NetSuite) -> None:
    script = (Path(bellwire.connectors.netsuite.__file__).parent / "receipts.js").read_text()
    sent = arrived(netsuite.webhook("7")).json
    assert all(f"{name}:" in script for name in sent)
    assert "'X-Signature': `sha256=${signature}`" in script
    assert "custsecret_bellwire" in script and "_bellwire" in MANIFEST.webhook_setup


async def test_what_the_script_sends_wakes_the_poll(connect: Connect, netsuite: NetSuite) -> None:
    found = TRIGGERS.normalise(arrived(netsuite.webhook("7")), connect())
    assert (found.events, found.wake) == ((), (POLL.name,))
    assert found.reason == "NetSuite says: itemReceipt 7, create."


@pytest.mark.proves("environments")
async def test_the_script_of_another_account_does_not_belong_here(connect: Connect, netsuite: NetSuite) -> None:
    """A sandbox is refreshed with all of production's scripts in it."""
    delivery = arrived(netsuite.webhook("7", account="1234567"))
    assert TRIGGERS.belongs(delivery, connect()) == "It is from the account 1234567, not 1234567_SB1."
    assert TRIGGERS.belongs(arrived(netsuite.webhook("7")), connect()) == ""
    assert TRIGGERS.belongs(Delivery("purchasing", {}, b"[]", NOW), connect()) == "", "who reads it says that it can't"


@pytest.mark.parametrize("body", [b"[]", b"{}", b'{"id":"7","createdDate":"soon"}'])
async def test_a_receipt_that_cannot_be_read_is_kept(connect: Connect, body: bytes) -> None:
    with pytest.raises(CannotNormalise, match="isn't what NetSuite describes"):
        TRIGGERS.normalise(Delivery("purchasing", {POLLED: POLL.name}, body, NOW), connect())


# The list


@pytest.mark.proves("reconcile")
async def test_what_a_supplier_brought_is_listed_in_parts(connect: Connect, netsuite: NetSuite) -> None:
    purchasing = connect()
    order = await ordered(purchasing)
    part, rest = netsuite.receive(order, 6), netsuite.receive(order)
    first, second = events(await pages(purchasing), purchasing)
    assert (first.type, first.business_key) == ("purchase.received", f"purchasing/receipt/{part}")
    assert first.data == PurchaseReceipt(
        id=part,
        purchase_order_id=order,
        number="PO1",
        supplier_id="9",
        supplier_name="Leaf & Sons",
        lines=(ReceivedLine(sku="TEA-100", quantity=6), ReceivedLine(sku="MUG-RED", quantity=6)),
        received_at=NOW,
    )
    assert second.business_key == f"purchasing/receipt/{rest}"
    assert second.data.lines == (ReceivedLine(sku="TEA-100", quantity=6),), "of what didn't come, nothing is told"


@pytest.mark.proves("reconcile")
async def test_only_what_changed_since_is_listed_and_a_change_has_the_same_key(
    connect: Connect, netsuite: NetSuite
) -> None:
    purchasing = connect()
    order = await ordered(purchasing)
    netsuite.clock = lambda: NOW - timedelta(days=2)
    old = netsuite.receive(order, 1)
    netsuite.clock = lambda: NOW
    assert await pages(purchasing) == [Page(())]
    netsuite.touch(old)
    (changed,) = events(await pages(purchasing), purchasing)
    assert (changed.business_key, changed.time) == (f"purchasing/receipt/{old}", NOW - timedelta(days=2))


@pytest.mark.proves("reconcile")
async def test_what_the_script_told_is_found_with_one_key_however_often(connect: Connect, netsuite: NetSuite) -> None:
    purchasing = connect()
    receipt = netsuite.receive(await ordered(purchasing))
    keys = set()
    for event in ("create", "edit"):
        assert TRIGGERS.normalise(arrived(netsuite.webhook(receipt, event)), purchasing).wake == (POLL.name,)
        keys |= {found.business_key for found in events(await pages(purchasing), purchasing)}
    assert keys == {f"purchasing/receipt/{receipt}"}


async def test_goods_from_another_place_of_ones_own_are_left_out(connect: Connect, netsuite: NetSuite) -> None:
    netsuite.transfer()
    assert await pages(connect()) == [Page(())]


@pytest.mark.proves("paging", "reconcile")
async def test_the_list_is_read_to_its_last_page_even_by_another_process(
    connect: Connect, netsuite: NetSuite, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bellwire.connectors.netsuite.triggers._PAGE", 2)
    purchasing = connect()
    order = await ordered(purchasing)
    receipts = [netsuite.receive(order, 1) for _ in range(5)]
    first = await POLL.page(call(purchasing), NOW - timedelta(hours=1), "")
    other = connect()
    rest = await pages(other, first.next_cursor)
    assert [len(page.records) for page in (first, *rest)] == [2, 2, 1]
    keys = [event.business_key for event in events([first, *rest], other)]
    assert keys == [f"purchasing/receipt/{each}" for each in receipts]


@pytest.mark.proves("reconcile")
async def test_a_cursor_whose_receipt_is_gone_goes_on_behind_it(connect: Connect, netsuite: NetSuite) -> None:
    """It is an id, so that there is nothing that NetSuite could forget."""
    purchasing = connect()
    order = await ordered(purchasing)
    gone, kept = netsuite.receive(order, 1), netsuite.receive(order, 1)
    netsuite.delete(gone)
    (event,) = events(await pages(purchasing, gone), purchasing)
    assert event.business_key == f"purchasing/receipt/{kept}"


async def test_a_receipt_that_goes_while_it_is_read_is_left_out(connect: Connect, netsuite: NetSuite) -> None:
    purchasing = connect()
    gone = netsuite.receive(await ordered(purchasing), 1)
    assert len((await pages(purchasing))[0].records) == 1
    netsuite.gone.add(gone)
    assert await pages(purchasing) == [Page(())]


async def test_a_role_that_may_not_see_receipts_is_told(connect: Connect, netsuite: NetSuite) -> None:
    purchasing = connect()
    netsuite.receive(await ordered(purchasing))
    netsuite.denied.add("itemReceipt")
    with pytest.raises(Refused, match="isn't allowed") as caught:
        await pages(purchasing)
    assert "Item Receipt" in caught.value.remedy

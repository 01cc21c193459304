"""Lightspeed's stock, against its practice server over HTTP."""

from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest

from bellwire.capabilities.stock import AdjustStock, CountStock, StockCounts, StockLine, StockReason
from bellwire.clock import system_clock
from bellwire.connectors.lightspeed import CONNECTOR
from bellwire.connectors.lightspeed import adjustments as made
from bellwire.errors import OutcomeUnknown, Refused, SignedOut, Transient
from bellwire.practice import CATALOGUE, Fault, FaultKind, Good, Practice
from bellwire.practice.lightspeed import LightspeedSimulator, product_id
from tests.connecting import Secrets, call, connection
from tests.connectors.lightspeed.inventory import INVENTORY
from tests.connectors.lightspeed.stock import STOCK
from tests.connectors.stock.store import SKUS, Stockroom, of, opened
from tests.openapi import described
from tests.shared import needs_shared

Store = Stockroom[LightspeedSimulator]
adjust, count = CONNECTOR.actions["stock.adjust"], CONNECTOR.actions["stock.count"]


@pytest.fixture
async def store() -> AsyncIterator[Store]:
    async with opened(LightspeedSimulator) as store:
        yield store


def fail(store: Store, kind: FaultKind, **more: Any) -> None:
    store.simulator.faults.add(Fault(kind=kind, match=STOCK.write, seconds=1.5, **more))


def many(store: Store, number: int) -> list[StockLine]:
    """So many more goods, ten of each, and a line that sells one of each."""
    goods = [Good(f"SKU-{each}", "Thing", CATALOGUE[0].price, 10) for each in range(number)]
    store.simulator.products |= {product_id(good.sku): good for good in goods}
    store.simulator.shelf |= {product_id(good.sku): 10 for good in goods}
    store.before = store.simulator.stock()
    return [of(good.sku, 1) for good in goods]


async def test_a_sale_of_several_goods_is_one_request(store: Store) -> None:
    await store.adjust([of("TEA-100", 2), of("MUG-RED", 1)])
    assert len(store.sent("/stock_adjustments")) == 1


@pytest.mark.parametrize(
    ("reason", "quantity", "name", "change"),
    [
        (StockReason.SALE, 2, "Bellwire sale out", -2),
        (StockReason.SALE, -2, "Bellwire sale in", 2),
        (StockReason.RETURN, 2, "Bellwire return in", 2),
        (StockReason.RECEIPT, 2, "Bellwire receipt in", 2),
        (StockReason.CORRECTION, 2, "Bellwire correction in", 2),
        (StockReason.CORRECTION, -2, "Bellwire correction out", -2),
    ],
)
async def test_the_stores_reports_say_why_the_stock_changed(
    store: Store, reason: StockReason, quantity: int, name: str, change: int
) -> None:
    await store.adjust([of("TEA-100", quantity)], reason)
    (why,) = store.simulator.reasons
    assert (why["name"], why["type"]) == (name, "POSITIVE" if change > 0 else "NEGATIVE")
    assert store.taken() == {"TEA-100": -change}


async def test_a_reason_is_made_once(store: Store) -> None:
    await store.adjust([of("TEA-100", 2)])
    await store.adjust([of("TEA-100", 2)], key="f" * 32)
    store.connection.remembered.clear()
    await store.adjust([of("TEA-100", 2)], key="e" * 32)
    assert len(store.sent("adjustment_reasons")) == 1
    assert store.taken() == {"TEA-100": 6}


async def test_a_reason_that_is_switched_off_says_how_to_mend_it(store: Store) -> None:
    await store.adjust([of("TEA-100", 2)])
    store.connection.remembered.clear()
    store.simulator.reasons[0]["enabled"] = False
    with pytest.raises(Refused, match="'Bellwire sale out' for changing the stock is switched off") as refused:
        await store.adjust([of("TEA-100", 2)], key="f" * 32)
    assert refused.value.cause == "reason-disabled"


async def test_the_same_sku_on_several_lines_is_one_adjustment(store: Store) -> None:
    await store.adjust([of("TEA-100", 2), of("MUG-RED", 1), of("TEA-100", 3)])
    assert len(store.simulator.adjustments) == 2


async def test_a_mapped_sku_needs_no_search(store: Store) -> None:
    await store.adjust([of("TEE-GRUEN", 2)], mapped={("product", "TEE-GRUEN"): product_id("TEA-100")})
    assert store.taken() == {"TEA-100": 2}
    assert store.sent("/products", "GET") == []


@pytest.mark.parametrize("sku", ["tea-100", "0123456789012"])
async def test_a_product_is_found_by_any_of_its_codes_whatever_their_case(store: Store, sku: str) -> None:
    store.simulator.codes["0123456789012"] = product_id("TEA-100")
    await store.adjust([of(sku, 2)])
    assert store.taken() == {"TEA-100": 2}


async def test_two_products_with_one_sku_are_for_a_person_to_tell_apart(store: Store) -> None:
    store.simulator.products["other"] = store.simulator.products[product_id("TEA-100")]
    with pytest.raises(Refused) as refused:
        await store.adjust([of("TEA-100", 1)])
    assert refused.value.cause == "ambiguous-sku:TEA-100"


async def test_more_changes_than_fit_are_split(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("bellwire.connectors.lightspeed.actions._BATCH", 4)
    await store.adjust(many(store, 10))
    assert [len(part["stock_adjustments"]) for part in store.sent("/stock_adjustments")] == [4, 4, 2]
    assert set(store.taken().values()) == {1}
    assert len(store.taken()) == 10


@pytest.mark.parametrize("kind", [FaultKind.LOST_ANSWER, FaultKind.SIGNED_OUT])
async def test_when_a_second_part_fails_the_first_isnt_repeated(
    store: Store, monkeypatch: pytest.MonkeyPatch, kind: FaultKind
) -> None:
    monkeypatch.setattr("bellwire.connectors.lightspeed.actions._BATCH", 4)
    lines = many(store, 10)
    # Signed out, it renews its sign-in once.
    fail(store, kind, skip=1, times=2 if kind is FaultKind.SIGNED_OUT else 1)
    with pytest.raises(OutcomeUnknown):
        await store.adjust(lines)
    await store.adjust(lines, again=True)
    assert set(store.taken().values()) == {1}
    assert len(store.taken()) == 10


@pytest.mark.proves("paging")
async def test_counts_come_page_by_page(store: Store) -> None:
    store.simulator.page_size = 2
    assert await store.count(*SKUS) == {good.sku: good.stock for good in CATALOGUE if good.ships}
    assert len(store.sent("inventory_levels")) == (len(SKUS) + 1) // 2


async def test_the_input_may_name_another_outlet(store: Store) -> None:
    elsewhere = str(uuid4())
    with pytest.raises(Refused, match="There is no such outlet"):
        await adjust(
            call(store.connection),
            AdjustStock(lines=(of("TEA-100", 1),), reason=StockReason.SALE, location=elsewhere),
        )
    counted = await count(call(store.connection), CountStock(skus=("TEA-100",), location=elsewhere))
    assert isinstance(counted, StockCounts)
    assert counted.counts[0].available == 0


async def test_another_orders_adjustment_isnt_taken_for_ones_own(store: Store) -> None:
    """Two orders sell the same; the answer to one is lost before anything is done."""
    fail(store, FaultKind.FAILED)
    with pytest.raises(OutcomeUnknown):
        await store.adjust([of("TEA-100", 2)])
    await store.adjust([of("TEA-100", 2)], key="f" * 32)
    await store.adjust([of("TEA-100", 2)], again=True)
    assert store.taken() == {"TEA-100": 4}


async def test_of_two_that_look_for_the_same_each_finds_its_own(store: Store) -> None:
    fail(store, FaultKind.LOST_ANSWER)
    fail(store, FaultKind.FAILED)
    for key in ("e" * 32, "f" * 32):
        with pytest.raises(OutcomeUnknown):
            await store.adjust([of("TEA-100", 2)], key=key)
    for key in ("f" * 32, "e" * 32, "f" * 32):
        await store.adjust([of("TEA-100", 2)], key=key, again=True)
    assert store.taken() == {"TEA-100": 4}


async def test_what_the_till_or_an_older_attempt_did_isnt_taken_for_ones_own(store: Store) -> None:
    await store.adjust([of("TEA-100", 2)])
    store.connection.remembered.clear()
    (older,) = store.simulator.adjustments
    store.simulator.adjustments.append(
        {**older, "id": str(uuid4()), "version": older["version"] + 1, "reason": "THEFT"}
    )
    older["created_at"] = (system_clock() - timedelta(hours=1)).isoformat()
    looking = replace(call(store.connection, key="f" * 32, again=True), since=system_clock() - timedelta(minutes=5))
    wanted = AdjustStock(lines=(of("TEA-100", 2),), reason=StockReason.SALE)
    await adjust(looking, wanted)
    assert store.taken() == {"TEA-100": 4}


async def test_what_is_known_to_be_older_isnt_read_again(store: Store) -> None:
    await store.adjust([of("TEA-100", 1)])
    store.simulator.adjustments[0]["created_at"] = (system_clock() - timedelta(hours=1)).isoformat()
    wanted = AdjustStock(lines=(of("TEA-100", 2),), reason=StockReason.SALE)
    for minutes in (10, 5, 90):
        looking = replace(
            call(store.connection, key="f" * 32, again=True), since=system_clock() - timedelta(minutes=minutes)
        )
        await adjust(looking, wanted)
    after = [
        int(received.query["after"])
        for received in store.simulator.received
        if received.path.endswith("/stock_adjustments") and received.method == "GET"
    ]
    first = store.simulator.adjustments[0]["version"]
    assert after[0] == 0
    assert first in after
    assert after.count(0) == 2
    assert store.taken() == {"TEA-100": 3}


async def test_what_was_taken_is_forgotten_in_the_end(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(made, "_REMEMBERED", 3)
    for each in range(12):
        await store.adjust([of("TEA-100", 1)], key=f"{each:032x}")
    assert len(store.connection.remembered) <= 6


async def test_when_lightspeed_asks_to_slow_down_nothing_happened(store: Store) -> None:
    fail(store, FaultKind.RATE_LIMITED)
    with pytest.raises(Transient) as asked:
        await store.adjust([of("TEA-100", 2)])
    assert asked.value.retry_after is not None
    assert timedelta(seconds=1) <= asked.value.retry_after <= timedelta(seconds=4)
    assert store.taken() == {}


async def test_what_lightspeed_refuses_is_said_in_its_words(store: Store) -> None:
    with pytest.raises(Refused) as refused:
        await store.adjust([of("TEA-100", 1)], mapped={("product", "TEA-100"): str(uuid4())})
    assert refused.value.cause == "refused-422"
    assert "product_id: There is no such product" in refused.value.sentence


async def test_a_missing_permission_says_what_to_do(store: Store) -> None:
    store.simulator.scopes.remove("inventory:write")
    with pytest.raises(Refused) as refused:
        await store.adjust([of("TEA-100", 1)])
    assert refused.value.cause == "missing-rights"
    assert "sign in again" in refused.value.remedy


async def test_two_that_make_a_reason_at_the_same_moment_try_again(store: Store) -> None:
    await store.adjust([of("TEA-100", 1)])
    with pytest.raises(Transient) as refused:
        await store.connection.api.post(
            "custom_inventory_adjustment_reasons", {"name": "Bellwire sale out", "enabled": True, "type": "NEGATIVE"}
        )
    assert refused.value.cause == "conflict"


@pytest.mark.proves("access")
async def test_an_expired_sign_in_is_renewed_and_the_new_refresh_token_kept(store: Store) -> None:
    for _ in range(2):
        store.simulator.tokens.expire()
        assert await store.count("TEA-100") == {"TEA-100": 120}
    kept = store.connection.credentials
    assert isinstance(kept, Secrets)
    assert kept.stored == 2
    assert kept.values["refresh_token"] != "practice-refresh-token"


async def test_a_sign_in_that_cant_be_renewed_signs_the_connection_out(store: Store) -> None:
    store.simulator.tokens.expire()
    store.connection.credentials.store({"refresh_token": "used up"})
    with pytest.raises(SignedOut):
        await store.count("TEA-100")


async def test_a_personal_token_is_used_as_it_is() -> None:
    async with Practice(["lightspeed"]) as practice:
        personal = connection("lightspeed", practice, credentials={"access_token": "practice-access-token"})
        assert CONNECTOR.sign_in
        assert (await CONNECTOR.sign_in(call(personal))).name == "Practice Tea Ltd"
        await personal.api.close()


async def test_signing_in_shows_the_retailer_and_its_outlets(store: Store) -> None:
    assert CONNECTOR.sign_in
    account = await CONNECTOR.sign_in(call(store.connection))
    assert (account.name, account.warnings) == ("Practice Tea Ltd", ())
    assert f"Practice shop ({store.connection.settings.model_dump()['outlet_id']})" in account.detail


async def test_signing_in_warns_of_an_outlet_that_isnt_there() -> None:
    assert CONNECTOR.sign_in
    other = str(uuid4())
    async with Practice(["lightspeed"]) as practice:
        elsewhere = connection("lightspeed", practice, settings={"domain_prefix": "practice", "outlet_id": other})
        account = await CONNECTOR.sign_in(call(elsewhere))
        await elsewhere.api.close()
    (warning,) = account.warnings
    assert warning.startswith(f"This store has no outlet '{other}'. It has: Practice shop (")


@pytest.mark.proves("version")
async def test_every_request_names_the_version_and_the_integration(store: Store) -> None:
    await store.adjust([of("TEA-100", 2)])
    assert {received.path.split("/")[2] for received in store.simulator.received} == {"2026-07"}
    assert not any(received.failed for received in store.simulator.received)


@pytest.mark.proves("spec")
async def test_requests_and_answers_about_stock_are_as_the_vendor_describes_them(
    store: Store,
) -> None:
    store.simulator.page_size = 2
    await store.count(*SKUS)
    for reason in StockReason:
        key = f"{list(StockReason).index(reason):032x}"
        for again in (False, True):
            await store.adjust([of(sku, 1) for sku in SKUS], reason, key=key, again=again)
    await store.connection.api.post("webhooks", {"active": True, "type": "sale.update", "url": "https://bell.example"})
    await store.connection.api.get("webhooks")
    seen = [received for received in store.simulator.received if not received.path.endswith("/products")]
    assert len({(received.method, received.path) for received in seen}) == 7
    assert [problem for received in seen for problem in INVENTORY.problems(received)] == []


@needs_shared
async def test_requests_and_answers_are_as_the_older_description_has_them(store: Store) -> None:
    """The one at hand is of API 2.0: it has what didn't change since, and no stock adjustments. The empty page at the
    end of a list had versions then."""
    assert CONNECTOR.sign_in
    await CONNECTOR.sign_in(call(store.connection))
    await store.count(*SKUS)
    older = described("lightspeed_xseries_api2")
    seen = [
        replace(received, path=received.path.replace("/2026-07/", "/2.0/"))
        for received in store.simulator.received
        if not received.path.endswith("/inventory_levels") and received.answer["data"]
    ]
    assert {received.path.rpartition("/")[2] for received in seen} == {"retailer", "outlets", "products"}
    assert [problem for received in seen for problem in older.problems(received)] == []

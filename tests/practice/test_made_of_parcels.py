"""What simulators say that operations made there: the ids of the operations' results."""

from bellwire.capabilities.shipping import CreateLabel, UpsertOrder
from bellwire.capabilities.storefront import MarkFulfilled
from bellwire.events import Customer
from bellwire.practice import Parcels, Sale, SaleLine, Shop, practising
from bellwire.practice.driving import in_role
from tests.samples import order


async def test_an_order_and_a_label_are_made_where_they_came_over_the_api() -> None:
    async with practising("shipstation") as practised:
        made = practised.simulator.made
        in_role(practised.simulator, Parcels).hand_in("4001", Customer(name="Robin Hill"))  # type: ignore[type-abstract]
        assert {name: list(ids) for name, ids in made().items()} == {
            "shipping.upsert_order": [],
            "shipping.create_label": [],
        }
        entered = (await practised.do("shipping.upsert_order", UpsertOrder(order=order()))).model_dump()
        label = (await practised.do("shipping.create_label", CreateLabel(order=order(number="1002")))).model_dump()
        assert {name: list(ids) for name, ids in made().items()} == {
            "shipping.upsert_order": [entered["id"]],
            "shipping.create_label": [label["id"]],
        }


async def test_a_fulfilment_is_made_where_the_shop_keeps_them() -> None:
    async with practising("shopify") as practised:
        shop = in_role(practised.simulator, Shop)  # type: ignore[type-abstract]
        order_id = shop.place(Sale("1001", [SaleLine("TEA-100")]))
        shop.pay(order_id)
        assert list(practised.simulator.made()["storefront.mark_fulfilled"]) == []
        result = (await practised.do("storefront.mark_fulfilled", MarkFulfilled(order_id=order_id))).model_dump()
        assert list(practised.simulator.made()["storefront.mark_fulfilled"]) == [result["id"]]

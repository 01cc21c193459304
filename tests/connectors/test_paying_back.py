"""What a shop says of its orders' payments is what the processor that took them can give back."""

import pytest

from bellwire.capabilities.payments import RefundPayment
from bellwire.capabilities.storefront import ReadOrder
from bellwire.practice import Practice, Processor, Sale, SaleLine, Shop, find_simulator, simulator_names
from tests.connecting import call, connection
from tests.samples import usd

SHOPS = [name for name in simulator_names() if isinstance(find_simulator(name)(), Shop)]
PROCESSORS = [name for name in simulator_names() if isinstance(find_simulator(name)(), Processor)]


def test_there_are_shops_and_processors() -> None:
    assert len(SHOPS) >= 2
    assert len(PROCESSORS) >= 3


@pytest.mark.parametrize("processor", PROCESSORS)
@pytest.mark.parametrize("shop", SHOPS)
async def test_the_payment_of_an_order_is_found_at_the_processor(shop: str, processor: str) -> None:
    async with Practice([shop, processor]) as practice:
        storefront, till = practice.simulators[shop], practice.simulators[processor]
        assert isinstance(storefront, Shop)
        assert isinstance(till, Processor)
        order_id = storefront.place(Sale("1001", [SaleLine("TEA-100", 2)]))
        storefront.pay(order_id, "card-gateway", till.take(storefront.total(order_id), "1001"))
        at_shop, at_processor = connection(shop, practice), connection(processor, practice)
        read = at_shop.connector.actions["storefront.read_order"]
        order = (await read(call(at_shop), ReadOrder(order_id=order_id))).order  # type: ignore[attr-defined]
        (payment,) = order.payments
        assert (payment.gateway, payment.amount) == ("card-gateway", order.total)
        part = usd("10.00")
        refund = at_processor.connector.actions["payments.refund"]
        await refund(call(at_processor), RefundPayment(payment_id=payment.payment_id, amount=part))
        (given_back,) = till.refunds()
        assert (given_back.payment_id, given_back.amount) == (payment.payment_id, part)
        await at_shop.api.close()
        await at_processor.api.close()

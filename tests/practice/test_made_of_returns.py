"""What simulators say that operations made there: the ids of the operations' results."""

from collections.abc import Collection

import pytest

from bellwire.capabilities.helpdesk import CreateTicket
from bellwire.capabilities.payments import RefundPayment
from bellwire.practice import Helpdesk, Processor, Simulator, Ticket, practising
from bellwire.practice.driving import in_role
from bellwire.practice.zendesk import ZendeskSimulator
from tests.samples import usd


def made(simulator: Simulator, operation: str) -> Collection[str]:
    return simulator.made()[operation]


@pytest.mark.parametrize("vendor", ["stripe", "paypal", "square"])
async def test_a_refund_is_made_where_money_was_given_back(vendor: str) -> None:
    async with practising(vendor) as practised:
        processor = in_role(practised.simulator, Processor)  # type: ignore[type-abstract]
        payment_id = processor.take(usd("24.40"), "1001")
        assert list(made(practised.simulator, "payments.refund")) == []
        given = RefundPayment(payment_id=payment_id, amount=usd("5.00"), reference="R-1", reason="a return")
        result = await practised.do("payments.refund", given)
        assert list(made(practised.simulator, "payments.refund")) == [result.model_dump()["id"]]


async def test_a_ticket_is_made_where_it_was_opened_by_us() -> None:
    async with practising("zendesk") as practised:
        assert isinstance(practised.simulator, ZendeskSimulator)
        practised.simulator.write("Where is my tea?", "It isn't here.")
        given = CreateTicket(
            subject="Return R-1", text="It is back.", email="robin@example.com", reference="return R-1"
        )
        result = (await practised.do("helpdesk.create_ticket", given)).model_dump()
        assert list(made(practised.simulator, "helpdesk.create_ticket")) == [result["id"]]
        _, ours = in_role(practised.simulator, Helpdesk).opened()  # type: ignore[type-abstract]
        assert ours == Ticket(result["id"], "return R-1", "Return R-1", "robin@example.com", "It is back.")

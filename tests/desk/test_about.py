"""What an event is about, in the words of the business."""

from dataclasses import replace
from typing import Any

import pytest

from bellwire.desk.about import About, about
from bellwire.events import Condition, Customer, Payment, PaymentStatus, Return, ReturnLine
from bellwire.ledger import EventRow
from tests.samples import NOW, usd

ROBIN = Customer(name="Robin Hill")


def a_return(**changes: object) -> str:
    line = ReturnLine(sku="TEA-100", quantity=1, condition=Condition.SELLABLE)
    return Return.model_validate({"id": "9", "lines": (line,), "updated_at": NOW, **changes}).model_dump_json()


def row(data: str) -> EventRow:
    return EventRow(
        id=1,
        delivery=1,
        connection="shop",
        environment="sandbox",
        type="return.received",
        subject="return/9",
        business_key="shop/return/9/received",
        time=NOW,
        version=None,
        recorded_at=NOW,
        reason="",
        copies=1,
        data=data,
    )


@pytest.mark.parametrize(
    ("data", "told"),
    [
        (a_return(number="1001-R1", customer=Customer(name="Robin Hill")), About("Return 1001-R1", "Robin Hill")),
        (a_return(customer=Customer(email="robin@example.com")), About("Return 9", "robin@example.com")),
        (a_return(), About("Return 9")),
        ("", About("Return 9")),
    ],
    ids=["named", "by address", "of nobody known", "purged"],
)
def test_a_return_is_told_by_its_number_and_its_customer(data: str, told: About) -> None:
    assert about(row(data)) == told


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"reference": "1001", "customer": ROBIN}, About("Payment for 1001", "Robin Hill", "$24.40")),
        ({}, About("Payment", "", "$24.40")),
    ],
    ids=["of an order", "of nobody known"],
)
def test_a_payment_is_told_by_what_it_is_for_and_its_amount(changes: dict[str, Any], told: About) -> None:
    payment = Payment(id="pi_1", status=PaymentStatus.SUCCEEDED, amount=usd("24.40"), created_at=NOW, **changes)
    event = replace(row(payment.model_dump_json()), type="payment.succeeded", subject="payment/pi_1")
    assert about(event) == told

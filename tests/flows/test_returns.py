"""Returns: what the flows do for ordinary and odd returns."""

from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bellwire.capabilities import OPERATIONS
from bellwire.capabilities.accounting import CreateCreditMemo
from bellwire.capabilities.payments import PaymentRefund, RefundStatus
from bellwire.capabilities.payments import PaymentState as Payment
from bellwire.capabilities.storefront import FoundOrder
from bellwire.cli.roles import choose_connectors, fit_triggers
from bellwire.connectors import find_connector
from bellwire.connectors.bellwire.refunds import refund_plan
from bellwire.errors import Refused
from bellwire.events import (
    Condition,
    Customer,
    Environment,
    Event,
    Order,
    OrderPayment,
    PaymentStatus,
    Refund,
    RefundLine,
    Return,
    ReturnLine,
    ShippingLine,
    Tax,
)
from bellwire.flows import SKIPPED, ByHand, Flow, Scope, bundled, check_flow, parse_flow, scope_for, template
from bellwire.money import Money, total
from tests.flows.writing import PATH
from tests.samples import NOW, line, order, usd
from tests.strategies import orders

ANNOUNCED = parse_flow(bundled("return_created"), PATH)
RECEIVED = parse_flow(bundled("return_received"), PATH)
SELLABLE, DAMAGED, MISSING, UNKNOWN = Condition.SELLABLE, Condition.DAMAGED, Condition.MISSING, Condition.UNKNOWN
PAID = OrderPayment(gateway="card", payment_id="pay_7", amount=usd("24.40"), paid_at=NOW)
SALE = order(payments=(PAID,))


def back(*lines: ReturnLine, **changes: Any) -> Return:
    """As Shopify tells it."""
    values: dict[str, Any] = {
        "id": "9001",
        "number": "1001-R1",
        "status": "open",
        "order_id": "450789469",
        "order_number": "1001",
        "customer": SALE.customer,
        "lines": lines or (units(1),),
        "currency": "USD",
        "fees": usd("0"),
        "payment_id": "pay_7",
        "received_at": NOW,
        "updated_at": NOW,
    }
    return Return(**(values | changes))


def units(quantity: int, condition: Condition = SELLABLE, line_id: str = "11", **changes: Any) -> ReturnLine:
    values = {"line_id": line_id, "sku": "TEA-100", "name": "Green tea, 100 g", "reason": "unwanted"}
    return ReturnLine(quantity=quantity, condition=condition, **(values | changes))


def told(data: Return) -> Scope:
    return scope_for(
        Event(
            type="return.received",
            connection="shop",
            environment=Environment.SANDBOX,
            business_key=f"shop/return/{data.id}/received",
            subject=f"return/{data.id}",
            time=NOW,
            data=data,
        ),
        {},
    )


def given_of(flow: Flow, name: str, names: Scope) -> Any:
    """The input of an action, as its operation takes it."""
    (operation,) = OPERATIONS[flow.actions[name].operation_name]
    return operation.given.model_validate(flow.actions[name].inputs(names))


def run(
    data: Return,
    sale: Order = SALE,
    refunded: Money | None = None,
    *,
    say: bool = True,
    status: RefundStatus = RefundStatus.DONE,
    flow: Flow = RECEIVED,
) -> tuple[dict[str, Any], Scope]:
    """What each action that is done is given, by name, and the scope at the end. `say`: the answer, if a person is
    asked."""
    names = {**told(data), "sale": FoundOrder(order=sale)}
    did: dict[str, Any] = {}

    def do(name: str) -> Any:
        if not flow.actions[name].wanted(names):
            names[name] = SKIPPED
            return None
        did[name] = given_of(flow, name, names)
        return did[name]

    if asked := do("payment"):
        amount = total((each.amount for each in sale.payments or () if not each.gift_card), sale.currency)
        names["payment"] = Payment(
            id=asked.payment_id,
            status=PaymentStatus.SUCCEEDED,
            amount=amount,
            refunded=refunded or Money.zero(sale.currency),
            created_at=NOW,
        )
    names["plan"] = refund_plan(do("plan"))
    if wanted := do("refund"):
        names["refund"] = PaymentRefund(id="re_1", payment_id=wanted.payment_id, amount=wanted.amount, status=status)
        approval = flow.actions["refund"].approval
        assert approval is not None
        if approval.needed(names):
            did["asked"] = approval.text(names)
            if not say:
                names["refund"] = SKIPPED
                del did["refund"]
    for name in ("credit", "restock", "support", "notice"):
        do(name)
    return did, names


def done(*args: Any, **options: Any) -> dict[str, Any]:
    return run(*args, **options)[0]


def sold(amount: str, quantity: int = 1) -> Order:
    """Something dearer."""
    pot = line(id="11", sku="POT-1L", name="Teapot", quantity=quantity, total=usd(amount), taxes=())
    price = usd(amount)
    payments = (PAID.model_copy(update={"amount": price}),)
    return order(lines=(pot,), shipping_lines=(), taxes=(), tax_total=usd("0"), total=price, payments=payments)


def test_a_part_that_is_back_is_refunded_booked_restocked_and_told() -> None:
    did = done(back())
    assert list(did) == ["payment", "plan", "refund", "credit", "restock", "support", "notice"]
    assert (did["payment"].payment_id, did["refund"].payment_id) == ("pay_7", "pay_7")
    assert (did["refund"].amount, did["refund"].reference) == (usd("9.20"), "1001-R1")
    credit = did["credit"]
    assert (credit.invoice_number, credit.reference, credit.total) == ("1001", "1001-R1", usd("9.20"))
    assert [(each.sku, each.quantity, each.amount, each.tax) for each in credit.lines] == [
        ("TEA-100", 1, usd("8.50"), usd("0.70"))
    ]
    assert [(each.sku, each.quantity) for each in did["restock"].lines] == [("TEA-100", 1)]
    assert (did["restock"].reason, did["restock"].reference) == ("return", "1001-R1")
    assert (did["notice"].to, did["support"].email) == ("robin@example.com", "robin@example.com")
    assert "We give you $9.20 back" in did["notice"].text and "The whole price is given back" in did["notice"].text
    assert "- 1 × Green tea, 100 g: sellable (unwanted)" in did["support"].text
    assert "$9.20 is given back." in did["support"].text and "To do" not in did["support"].text


def test_with_all_of_the_order_the_shipping_comes_back() -> None:
    did = done(back(units(2)))
    assert did["refund"].amount == usd("24.40") == did["credit"].total
    assert did["credit"].shipping == usd("6.00")


@pytest.mark.parametrize(("said", "amount"), [(None, "9.20"), (True, "15.20"), (False, "9.20")])
def test_what_a_form_says_of_the_shipping_goes_before_the_rule(said: bool | None, amount: str) -> None:
    assert done(back(refund_shipping=said))["refund"].amount == usd(amount)
    if said is False:
        assert done(back(units(2), refund_shipping=False))["refund"].amount == usd("18.40")


def test_damaged_goods_are_worth_half_and_go_into_no_stock() -> None:
    did = done(back(units(1, DAMAGED)))
    assert did["refund"].amount == usd("4.60") == did["credit"].total
    assert "restock" not in did
    assert "50 % of the price is given back for 1 × Green tea, 100 g (damaged)" in did["notice"].text


def test_for_what_did_not_come_nothing_is_given_back_and_the_customer_hears_why() -> None:
    did = done(back(units(1, MISSING)))
    assert list(did) == ["payment", "plan", "support", "notice"]
    assert "We give nothing back for it." in did["notice"].text
    assert "Nothing is given back for 1 × Green tea, 100 g (missing)" in did["notice"].text
    assert "Nothing is given back.\n" in did["support"].text


def test_what_nobody_looked_at_is_paid_and_goes_into_no_stock() -> None:
    did = done(back(units(1, UNKNOWN)))
    assert did["refund"].amount == usd("9.20") and "restock" not in did


def test_one_return_in_several_conditions() -> None:
    did = done(back(units(1), units(1, DAMAGED)))
    assert did["refund"].amount == usd("19.80") == did["credit"].total
    assert [each.quantity for each in did["restock"].lines] == [1]


def test_tax_that_is_in_the_prices_is_taken_off_as_tax() -> None:
    tea = line(quantity=1, total=usd("11.90"), taxes=(Tax(name="VAT", amount=usd("1.90")),))
    paid = (PAID.model_copy(update={"amount": usd("11.90")}),)
    sale = order(taxes_included=True, total=usd("11.90"), lines=(tea,), shipping_lines=(), payments=paid)
    did = done(back(), sale)
    assert did["refund"].amount == usd("11.90") == did["credit"].total
    assert (did["credit"].lines[0].amount, did["credit"].tax_total) == (usd("10.00"), usd("1.90"))


def test_a_currency_without_decimals() -> None:
    def yen(amount: int) -> Money:
        return Money.of(amount, "JPY")

    tea = line(quantity=3, unit_price=yen(333), discount=yen(0), total=yen(1000), taxes=())
    post = ShippingLine(name="Post", price=yen(600), discount=yen(0), total=yen(600))
    sale = order(
        currency="JPY", lines=(tea,), shipping_lines=(post,), taxes=(), tax_total=yen(0), tip=yen(0),
        adjustment=yen(0), total=yen(1600), gift_cards=yen(0), refunded=yen(0),
        payments=(PAID.model_copy(update={"amount": yen(1600)}),),
    )  # fmt: skip
    did = done(back(currency="JPY", fees=yen(0)), sale)
    assert did["refund"].amount == yen(333) == did["credit"].total
    assert "We give you ¥333 back" in did["notice"].text


def test_what_the_shop_keeps_is_taken_off_and_booked() -> None:
    did = done(back(fees=usd("2.00")))
    assert did["refund"].amount == usd("7.20") == did["credit"].total
    assert [(each.name, each.amount) for each in did["credit"].lines][1:] == [("Kept for restocking", usd("-2.00"))]


def test_a_restocking_percentage_holds_where_the_shop_has_fixed_nothing() -> None:
    flow = parse_flow(bundled("return_received").replace("restocking_percent: 0", "restocking_percent: 10"), PATH)
    assert done(back(), flow=flow)["refund"].amount == usd("8.35")
    assert done(back(fees=usd("2.00")), flow=flow)["refund"].amount == usd("7.20")


def test_a_second_return_of_an_order_gets_what_is_left() -> None:
    earlier = Refund(
        id="r1", order_id=SALE.id, created_at=NOW, amount=usd("9.20"),
        lines=(RefundLine(line_id="11", quantity=1, amount=usd("8.50")),),
    )  # fmt: skip
    sale = SALE.model_copy(update={"refunds": (earlier,), "refunded": usd("9.20")})
    did = done(back(number="1001-R2"), sale, usd("9.20"))
    assert did["refund"].amount == usd("15.20") == did["credit"].total, "the rest, and the shipping with it"
    assert did["credit"].reference == "1001-R2"


def test_what_came_back_before_counts_whether_or_not_the_shop_knows_of_its_refund() -> None:
    did = done(back(number="1001-R2", returned_before=(units(1),)), refunded=usd("9.20"))
    assert did["refund"].amount == usd("15.20") == did["credit"].total


def test_units_that_were_refunded_before_are_for_a_person() -> None:
    earlier = Refund(
        id="r1", order_id=SALE.id, created_at=NOW, amount=usd("18.40"),
        lines=(RefundLine(line_id="11", quantity=2, amount=usd("17.00")),),
    )  # fmt: skip
    with pytest.raises(Refused, match="the customer had 0 left of it"):
        run(back(), SALE.model_copy(update={"refunds": (earlier,)}), usd("18.40"))


def test_never_more_than_is_left_of_the_payment_and_what_is_held_back_is_said() -> None:
    did, names = run(back(units(2)), refunded=usd("20.00"))
    assert did["refund"].amount == usd("4.40") == did["credit"].total
    assert names["plan"].held_back == usd("20.00")
    assert "To do: $20.00 is held back" in did["support"].text
    assert "About the other $20.00 we write to you." in did["notice"].text


def test_where_nothing_is_left_nothing_is_refunded_or_booked() -> None:
    did = done(back(), refunded=usd("24.40"))
    assert "refund" not in did and "credit" not in did
    assert "To do: $9.20 is held back" in did["support"].text


def test_of_what_a_gift_card_paid_in_part_the_card_gets_back_what_it_paid() -> None:
    card = OrderPayment(gateway="gift_card", gift_card=True, amount=usd("20.00"), paid_at=NOW)
    sale = order(payments=(card, PAID.model_copy(update={"amount": usd("4.40")})), gift_cards=usd("20.00"))
    did = done(back(units(2)), sale)
    assert (did["payment"].payment_id, did["refund"].amount) == ("pay_7", usd("4.40"))
    assert "See whether a gift card or another payment paid it." in did["support"].text


@pytest.mark.parametrize("payments", [(), None, (PAID.model_copy(update={"payment_id": ""}),)])
def test_where_no_processor_took_the_money_a_person_gives_it_back(payments: Any) -> None:
    did = done(back(payment_id=""), order(payments=payments))
    assert list(did) == ["plan", "restock", "support"]
    assert "no processor took the money of this order. Give $9.20 back by hand" in did["support"].text


def test_the_payment_of_a_form_counts_where_the_shop_knows_none() -> None:
    shop_knows_none = order(payments=(PAID.model_copy(update={"payment_id": ""}),))
    assert done(back(payment_id="ch_5"), shop_knows_none)["refund"].payment_id == "ch_5"
    assert done(back(payment_id="ch_5"))["refund"].payment_id == "pay_7", "the order knows better than who typed"


def test_a_form_with_skus_and_a_number_alone_will_do() -> None:
    form = Return(
        id="R-7", number="R-7", order_number="77", lines=(ReturnLine(sku="TEA-100", quantity=1, condition=SELLABLE),),
        customer=Customer(name="Somebody", email="somebody@example.com"), received_at=NOW, updated_at=NOW,
        notes="The box was open.",
    )  # fmt: skip
    assert given_of(RECEIVED, "sale", told(form)).order_id == "77"
    did = done(form)
    assert (did["refund"].amount, did["credit"].reference) == (usd("9.20"), "R-7")
    assert did["notice"].to == "robin@example.com", "the order's, whoever filled in the form"
    assert "The box was open." in did["support"].text


@pytest.mark.parametrize(("price", "asked"), [("100.00", False), ("100.01", True)])
def test_above_a_threshold_a_person_is_asked(price: str, asked: bool) -> None:
    did = done(back(), sold(price))
    assert ("asked" in did) is asked
    assert did["refund"].amount == usd(price)


def test_the_question_names_amount_customer_and_what_came_back() -> None:
    assert done(back(), sold("250.00"))["asked"] == (
        "Give $250.00 back to Robin Hill for return 1001-R1 of order 1001? The whole price is given back for "
        "1 × Teapot (sellable). No shipping was paid. Of $250.00 that were paid, $0.00 were given back before."
    )


def test_of_a_guest_the_question_says_so() -> None:
    guest = sold("250.00").model_copy(update={"customer": None})
    assert done(back(customer=None), guest)["asked"].startswith("Give $250.00 back to a guest for")
    mail = guest.model_copy(update={"customer": Customer(email="x@example.com")})
    assert done(back(), mail)["asked"].startswith("Give $250.00 back to x@example.com for")


def test_after_a_no_neither_books_nor_customer_hear_of_money() -> None:
    did = done(back(), sold("250.00"), say=False)
    assert list(did) == ["payment", "plan", "asked", "restock", "support"]
    assert "To do: somebody said no to $250.00. Nothing is given back or booked." in did["support"].text


def test_what_the_processor_could_not_give_back_is_neither_booked_nor_told() -> None:
    did = done(back(), status=RefundStatus.FAILED)
    assert "credit" not in did and "notice" not in did
    assert "To do: the processor couldn't give $9.20 back." in did["support"].text


def test_what_is_on_its_way_counts_as_given_back() -> None:
    assert {"credit", "notice"} <= set(done(back(), status=RefundStatus.PENDING))


def test_what_a_person_gave_back_by_hand_is_booked_and_told_though_they_told_its_id_alone() -> None:
    _, names = run(back())
    names = {**names, "refund": ByHand({"id": "by hand"})}
    assert given_of(RECEIVED, "credit", names).total == usd("9.20")
    assert "We give you $9.20 back" in given_of(RECEIVED, "notice", names).text
    assert "$9.20 is given back." in given_of(RECEIVED, "support", names).text
    assert RECEIVED.actions["credit"].wanted(names) and RECEIVED.actions["notice"].wanted(names)


def test_without_an_address_nobody_is_written_to() -> None:
    did = done(back(), order(payments=(PAID,), customer=None))
    assert list(did) == ["payment", "plan", "refund", "credit", "restock"]


def test_goods_without_a_sku_are_told_to_support_alone() -> None:
    sale = SALE.model_copy(update={"lines": (line(sku=""),)})
    did = done(back(units(1, sku="")), sale)
    assert "Without a SKU, the stock" in did["support"].text and "SKU" not in did["notice"].text


def test_the_refund_waits_for_nothing_but_the_facts_and_stock_for_no_decision() -> None:
    assert {name: set(action.needs) for name, action in RECEIVED.actions.items()} == {
        "sale": set(),
        "payment": {"sale"},
        "plan": {"sale", "payment"},
        "refund": {"sale", "payment", "plan"},
        "credit": {"sale", "plan", "refund"},
        "restock": {"plan"},
        "support": {"sale", "payment", "plan", "refund"},
        "notice": {"sale", "plan", "refund"},
    }


# Announced


def announced(data: Return) -> dict[str, Any]:
    names = told(data)
    return {name: given_of(ANNOUNCED, name, names) for name, each in ANNOUNCED.actions.items() if each.wanted(names)}


def test_an_announced_return_is_a_ticket_and_a_mail_that_says_how() -> None:
    did = announced(back(units(2, UNKNOWN, note="Too green"), received_at=None))
    ticket, mail = did["ticket"], did["how_to_send"]
    assert (ticket.subject, ticket.reference) == ("Return 1001-R1 of order 1001", "return 1001-R1")
    assert (ticket.email, ticket.name, ticket.public) == ("robin@example.com", "Robin Hill", False)
    assert '- 2 × Green tea, 100 g: unwanted. "Too green"' in ticket.text
    assert "Please write 1001-R1 on the parcel" in mail.text and mail.to == "robin@example.com"


def test_while_the_shop_has_not_agreed_nobody_is_told_to_send_anything() -> None:
    did = announced(back(status="requested"))
    assert list(did) == ["ticket"]
    assert "To do: the customer asks whether they may send this back." in did["ticket"].text


@pytest.mark.parametrize("customer", [None, Customer(name="Robin Hill")])
def test_an_announcement_without_an_address_is_left_out_with_a_reason(customer: Customer | None) -> None:
    assert announced(back(customer=customer)) == {}
    assert ANNOUNCED.actions["ticket"].otherwise == "The customer gave no e-mail address, and a ticket needs one."


# Shops without returns


@pytest.mark.parametrize(("shop", "told_by"), [("woocommerce", "forms"), ("shopify", "shop"), (None, "shop")])
def test_a_shop_without_returns_hears_of_them_by_form(shop: str | None, told_by: str) -> None:
    flows = fit_triggers(template("returns"), {"shop": shop})
    connectors = {"bellwire": find_connector("bellwire"), **choose_connectors(flows, {"shop": shop})}
    for flow, text in flows.items():
        read = parse_flow(text, PATH)
        assert read.connection == told_by
        assert read.event_type == flow.replace("_", ".")
        assert check_flow(read, connectors) == []
    assert connectors["shop"].name == (shop or "shopify")


# Any order, any returns


@st.composite
def sales(draw: st.DrawFn) -> Order:
    """Any order that was paid, at one processor, as far as gift cards didn't."""
    sale = draw(orders(max_lines=6).filter(lambda each: each.total.minor > 0))
    paid = sale.total - (sale.gift_cards or Money.zero(sale.currency))
    taken = OrderPayment(gateway="card", payment_id="pay_7", amount=paid, paid_at=NOW)
    return sale.model_copy(update={"payments": (taken,) if paid.minor else ()})


@settings(suppress_health_check=list(HealthCheck))
@given(sales(), st.data())
def test_in_sum_never_more_than_was_paid_is_given_back_and_the_books_take_off_the_same(
    sale: Order, data: st.DataObject
) -> None:
    """The shop knows of some of the earlier refunds, or of none: they are the processor's."""
    zero = Money.zero(sale.currency)
    given_back, booked = zero, zero
    percent = data.draw(st.sampled_from((0, 10)))
    text = bundled("return_received").replace("restocking_percent: 0", f"restocking_percent: {percent}")
    flow = parse_flow(text, PATH)
    shop_knows = data.draw(st.booleans())
    left = {each.id: each.quantity for each in sale.lines}
    for nth in range(data.draw(st.integers(1, 4))):
        open_lines = [each for each in sale.lines if left[each.id]]
        if not open_lines:
            break
        picked = data.draw(st.lists(st.sampled_from(open_lines), min_size=1, unique_by=lambda each: each.id))
        came = []
        for each in picked:
            quantity = data.draw(st.integers(1, left[each.id]))
            came.append(units(quantity, data.draw(st.sampled_from(list(Condition))), each.id, sku=each.sku))
            if shop_knows:
                left[each.id] -= quantity
        fees = Money.from_minor(data.draw(st.sampled_from((0, 0, 1, 500))), sale.currency)
        said = data.draw(st.sampled_from((None, True, False)))
        returned = back(
            *came, number=f"R{nth}", currency=sale.currency, fees=fees, refund_shipping=said, payment_id=""
        )  # fmt: skip
        did, _ = run(returned, sale, given_back, flow=flow)
        refund = did["refund"].amount if "refund" in did else zero
        credit: CreateCreditMemo | None = did.get("credit")
        assert (credit.total if credit else zero) == refund
        assert refund.minor >= 0
        given_back, booked = given_back + refund, booked + (credit.total if credit else zero)
        if shop_knows:
            lines = tuple(RefundLine(line_id=each.line_id, quantity=each.quantity, amount=zero) for each in came)
            known = Refund(id=str(nth), order_id=sale.id, created_at=NOW, amount=refund, lines=lines)
            sale = sale.model_copy(update={"refunds": (*sale.refunds, known)})
    assert given_back == booked
    assert given_back <= total((each.amount for each in sale.payments or ()), sale.currency)

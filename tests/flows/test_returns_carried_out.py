"""Returns, from the shop's webhook to the state of every vendor, over HTTP."""

import re
from pathlib import Path

import pytest

from bellwire.engine import approve, decline, switch
from bellwire.events import Condition
from bellwire.ledger import FlowMode, Outcome, runs
from bellwire.practice import Fault, FaultKind, Processor, Shop
from bellwire.practice.driving import in_role
from tests.flows.returning import business
from tests.running import until
from tests.samples import usd

PAGE = Path(__file__).parents[2] / "docs/flows/returns.md"


@pytest.mark.parametrize("stock", ["square", "lightspeed"])
async def test_a_return_waits_for_a_yes_and_then_everything_is_put_right_once(tmp_path: Path, stock: str) -> None:
    async with business(tmp_path, stock=stock) as place:
        await place.sell(3)
        before = place.pots
        await place.send_back(3)
        ask = await place.question()
        assert ask.text.startswith("Give $135.58 back to Robin Hill for return 1001-R1 of order 1001?")
        assert (place.refunds, place.credits) == ([], [])
        await place.say(approve, ask.id)
        await place.ended()
        assert place.refunds == [(place.payment_id, usd("135.58"))]
        assert place.credits == [("1001-R1", "1001", usd("135.58"), True)]
        assert place.pots == before + 3
        assert place.tickets == [
            ("return 1001-R1", "Return 1001-R1 of order 1001"),
            ("return 1001-R1", "Return 1001-R1 of order 1001 is back"),
        ]
        how, what = place.mails
        assert "Please write 1001-R1 on the parcel" in how
        assert "We give you $135.58 back" in what


@pytest.mark.parametrize(("pay", "books"), [("stripe", "quickbooks"), ("paypal", "xero"), ("square", "quickbooks")])
async def test_an_answer_of_the_processor_that_is_lost_doubles_nothing(tmp_path: Path, pay: str, books: str) -> None:
    async with business(tmp_path, pay=pay, books=books) as place:
        await place.sell(2)
        place.of("pay").faults.add(Fault(kind=FaultKind.LOST_ANSWER, match=r"POST \S*refund"))
        await place.send_back(1, Condition.DAMAGED)
        await place.ended()
        assert place.of("pay").faults.next("POST /v1/refunds") is None, "it did meet the fault"
        half = usd("21.60")  # of 39.90 and its tax of 3.29
        assert place.refunds == [(place.payment_id, half)]
        assert place.credits == [("1001-R1", "1001", half, True)]
        assert "We give you $21.60 back" in place.mails[-1]


def with_two_processors(flow: str) -> str:
    """The template as docs/flows/returns.md says how to change it."""
    twins: str
    (twins,) = re.findall(r"```yaml\n(  payment:\n.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL)
    head, *rest = re.split(r"(?m)^(?=  [a-z_]+:$)", flow)
    others = "".join(each for each in rest if not each.startswith(("  payment:", "  refund:")))
    for name in ("payment", "refund"):
        others = re.sub(
            rf"(?<![\w.'])({name})\b(?!_)(?=[^\n]*(?:}}}}|%}}|')|\.)", rf"({name} or {name}_wallet)", others
        )
    return head + twins + "\n" + others


async def test_of_two_processors_each_gives_back_what_it_took(tmp_path: Path) -> None:
    async with business(tmp_path, change=with_two_processors, pay="stripe", wallet="paypal") as place:
        for role, gateway in (("pay", "card-gateway"), ("wallet", "paypal")):
            await place.sell(2, role, gateway)
            tickets = len(place.tickets)
            await place.send_back(1)
            await place.ended(tickets + 2)
            processor = in_role(place.of(role), Processor)  # type: ignore[type-abstract]
            given = [(each.payment_id, each.amount) for each in processor.refunds()]
            assert given == [(place.payment_id, usd("43.19"))]
        assert [credit[2] for credit in place.credits] == [usd("43.19")] * 2
        assert all("We give you $43.19 back" in mail for mail in place.mails[1::2])


async def test_after_a_no_no_money_moves_and_nobody_is_told_so(tmp_path: Path) -> None:
    async with business(tmp_path) as place:
        await place.sell(3)
        before = place.pots
        await place.send_back(3)
        await place.say(decline, (await place.question()).id, reason="sent back by agreement")
        await place.ended()
        assert (place.refunds, place.credits, place.pots) == ([], [], before + 3)
        assert len(place.mails) == 1, "how to send it, and no more"


async def test_what_comes_back_in_parts_gives_back_what_was_paid_and_no_more(tmp_path: Path) -> None:
    """The shipping with the last of them: by then all of the order is back."""
    async with business(tmp_path) as place:
        await place.sell(2)
        await place.send_back(1)
        await place.ended()
        await place.send_back(1)
        await place.ended(4)
        assert [amount for _, amount in place.refunds] == [usd("43.19"), usd("49.19")]
        assert in_role(place.of("shop"), Shop).total(place.order_id) == usd("92.38")  # type: ignore[type-abstract]
        assert [(credit[0], credit[2]) for credit in place.credits] == [
            ("1001-R1", usd("43.19")),
            ("1001-R2", usd("49.19")),
        ]


async def test_in_shadow_all_is_worked_out_and_nothing_sent(tmp_path: Path) -> None:
    async with business(tmp_path) as place:
        await place.sell(3)
        before = place.pots
        for flow in ("return_created", "return_received"):
            await place.say(switch, flow, FlowMode.SHADOW, reason="a try")
        await place.send_back(3, heard=False)
        noted: dict[str, str] = {}

        async def all_noted() -> bool:
            attempts = await place.bellwire.ledger.read(lambda rows: runs.attempts_of(rows, (2, 3)))
            found = [each for run in attempts.values() for each in run if each.outcome is Outcome.NOTED]
            noted.update({each.action: each.result or "" for each in found})
            return set(noted) == {"ticket", "how_to_send", "refund", "credit", "restock", "support", "notice"}

        await until(all_noted)
        await place.ended(0)
        assert (place.refunds, place.credits, place.mails, place.pots) == ([], [], [], before)
        assert "135.58" in noted["refund"] and "119.70" in noted["credit"] and "POT-1L" in noted["restock"]


async def test_of_a_shop_without_returns_the_warehouse_tells_by_form(tmp_path: Path) -> None:
    async with business(tmp_path, shop="woocommerce") as place:
        await place.sell(2)
        before = place.pots
        form = {"type": "return.created", "return_id": "R-7", "order_id": place.order_id, "email": "robin@example.com"}
        await place.fill_in(form | {"id": "f1", "sku": "POT-1L", "reason": "too big"})
        back = form | {"type": "return.received", "sku": "POT-1L", "condition": "sellable"}
        await place.fill_in(back | {"id": "f2", "parcel": "1"})
        await place.ended()
        await place.fill_in(back | {"id": "f3", "parcel": "2"})
        await place.ended(3)
        assert [credit[0] for credit in place.credits] == ["R-7/1", "R-7/2"]
        assert place.refunds == [(place.payment_id, usd("43.19"))] * 2, "what the first was of, a form can't tell"
        assert place.pots == before + 2

"""The pilot of returns: what comes back, what is given back for it, and what is wrong with a flow."""

from pathlib import Path

import pytest

from bellwire.flows import template
from bellwire.practice.pilot import Tried
from bellwire.practice.pilot.kinds.returns import records
from tests.practice.pilots import trial

FLOWS = template("returns")
RECEIVED = FLOWS["return_received"]
PART, DAMAGED, YES, NO, GUEST, REPEATED, UNBOOKED = 1, 3, 6, 7, 8, 9, 10


async def tried(folder: Path, flow: str, *positions: int, **chosen: str) -> list[Tried]:
    """What comes of these records (of all, if none is named)."""
    vendors = {"shop": "shopify", "pay": "stripe", "books": "quickbooks", "stock": "square", "helpdesk": "zendesk"}
    wanted = [record for record in records(2001) if record.position in (positions or range(11))]
    async with trial(folder, flow, **vendors | chosen) as pilot:
        return [each async for each in pilot.run(wanted)]


async def tried_one(folder: Path, flow: str, position: int) -> Tried:
    (only,) = await tried(folder, flow, position)
    return only


def found(of: Tried) -> dict[str, str]:
    return {check.what: check.actual for check in of.checks}


def differing(of: Tried) -> dict[str, tuple[str, str]]:
    return {check.what: (check.expected, check.actual) for check in of.checks if not check.held}


@pytest.mark.parametrize(
    "cast",
    [
        {"pay": "stripe", "books": "quickbooks", "stock": "square"},
        {"pay": "paypal", "books": "xero", "stock": "lightspeed"},
        {"pay": "square", "books": "quickbooks", "stock": "sap_business_one"},
    ],
    ids=lambda cast: cast["pay"],
)
async def test_what_is_received_is_ready_whoever_the_vendors_are(tmp_path: Path, cast: dict[str, str]) -> None:
    made = await tried(tmp_path, RECEIVED, **cast)
    assert [each.why_not for each in made] == [""] * 10
    assert all(each.took is not None for each in made)
    assert found(made[PART - 1])["Given back"].startswith("19.49 USD of ")
    assert found(made[PART - 1])["In the books"] == "19.49 USD of invoice 2001"
    assert found(made[PART - 1])["Stock"] == "TEA-250: +1"
    assert found(made[DAMAGED - 1])["Stock"] == "no change"
    assert found(made[YES - 1])["Given back"].startswith("135.58 USD of ")
    assert (found(made[NO - 1])["Given back"], found(made[NO - 1])["In the books"]) == ("nothing", "nothing")
    assert found(made[NO - 1])["Stock"] == "POT-1L: +3"
    assert (found(made[GUEST - 1])["Mails"], found(made[GUEST - 1])["Open a ticket"]) == ("0", "none")
    assert found(made[REPEATED - 1])["Repeats"] == "3 deliveries, one run"
    (stuck,) = made[UNBOOKED - 1].stuck
    assert "no invoice 2010" in stuck.sentence and stuck.remedy
    assert found(made[UNBOOKED - 1])["After it is mended and retried"] == "done"
    assert found(made[UNBOOKED - 1])["In the books"] == "15.20 USD of invoice 2010"


async def test_what_is_announced_is_ready_and_asks_nobody_about_the_books(tmp_path: Path) -> None:
    made = await tried(tmp_path, FLOWS["return_created"])
    assert [each.why_not for each in made] == [""] * 10
    assert found(made[PART - 1]) == {"The run": "done", "Mails": "1", "Open a ticket": "1"}
    assert not made[UNBOOKED - 1].stuck


async def test_money_that_goes_back_twice_is_found(tmp_path: Path) -> None:
    twice = """
  again:
    do: pay.refund
    if: refund
    otherwise: Nothing was given back.
    with: {payment_id: "{{ payment.id }}", amount: "{{ plan.amount }}"}
"""
    only = await tried_one(tmp_path, RECEIVED + twice, PART)
    assert differing(only).keys() == {"In the books"}, "as often as the flow says, but more than is booked"
    assert differing(only)["In the books"] == ("38.98 USD of invoice 2001", "19.49 USD of invoice 2001")


async def test_what_is_damaged_and_sold_again_is_found(tmp_path: Path) -> None:
    flow = RECEIVED.replace("    if: plan.restock\n", "    if: plan.damaged\n")
    flow = flow.replace('lines: "{{ plan.restock }}"', 'lines: "{{ plan.damaged }}"')
    only = await tried_one(tmp_path, flow, DAMAGED)
    assert differing(only) == {"Stock": ("no change", "POT-1L: +1")}


async def test_a_flow_that_forgets_guests_without_mail_is_not_ready(tmp_path: Path) -> None:
    flow = RECEIVED.replace("    if: sale.order.email\n", "    if: true\n")
    only = await tried_one(tmp_path, flow, GUEST)
    assert only.why_not == "the run: expected done, found stuck at support"

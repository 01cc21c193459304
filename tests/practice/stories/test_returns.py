"""The story of returns: it holds, and each of its promises can be broken."""

from collections.abc import Callable, Iterator, Sequence
from copy import deepcopy
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Any

import pytest
from typer.testing import CliRunner

from bellwire.cli import app
from bellwire.practice.smtp import MailSimulator
from bellwire.practice.square import SquareSimulator
from bellwire.practice.stories.returns.chapters import chapters
from bellwire.practice.stories.returns.holdings import Holdings
from bellwire.practice.stories.returns.past import Past
from bellwire.practice.stories.returns.promises import verdicts
from bellwire.practice.stories.telling import Verdict
from bellwire.practice.stripe import StripeSimulator
from bellwire.practice.xero import Xero
from bellwire.practice.zendesk import ZendeskSimulator

CAST = ("pay=stripe", "books=xero", "stock=square")


def play(*cast: str) -> Any:
    used = [part for use in cast for part in ("--use", use)]
    return CliRunner().invoke(app, ["demo", "returns", "--once", *used], env={"COLUMNS": "300"})


@dataclass(frozen=True)
class Played:
    told: str
    past: Past
    holdings: Holdings

    @property
    def broken(self) -> set[str]:
        """The promises that don't hold by now."""
        found = verdicts(self.past, self.holdings, unanswered=set(), unbooked=set())
        return {verdict.promise for verdict in found if not verdict.held}


@pytest.fixture(scope="module")
def played() -> Iterator[Played]:
    """Once for all; what the vendors hold stays when it is over."""
    seen: list[tuple[Past, Holdings]] = []

    def noted(past: Past, holdings: Holdings, **waiting: set[str]) -> list[Verdict]:
        seen.append((past, holdings))
        return verdicts(past, holdings, **waiting)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("bellwire.practice.stories.returns.story.verdicts", noted)
        result = play(*CAST)
    assert result.exit_code == 0, result.output
    yield Played(result.stdout, *seen[-1])


@pytest.mark.parametrize(
    "sentence",
    [
        "return 1001-R1  refund    Stripe broke off before it answered",
        "Looked first whether it was there, so that it can't be done twice.",
        "return 1003-R1  support   Zendesk asked to slow down.",
        "no invoice 1008",
        "Give $135.58 back to Zoë Ångström-Müller, Мария Иванова, 王小明, محمد الأمين",
        "of order 1005: Dana says yes",
        "Nobody decided in time whether 'refund' is to be done.",
        "of order 1006: Dana says no",
        "After the no about 1006-R1",
        "2 repeats of",
    ],
)
def test_it_tells(played: Played, sentence: str) -> None:
    assert sentence in played.told


def once_more_back(holdings: Holdings) -> None:
    assert isinstance(holdings.processor, StripeSimulator)
    account = holdings.processor.account
    account.give_back(next(iter(account.held["charges"].values())), 1, {})


def another_total(holdings: Holdings) -> None:
    assert isinstance(holdings.books, Xero)
    note = next(iter(holdings.books.books.records["CreditNotes"].values()))
    note["Total"] += 0.01


def another_credit(holdings: Holdings) -> None:
    assert isinstance(holdings.books, Xero)
    note = next(iter(holdings.books.books.records["CreditNotes"].values()))
    holdings.books.books.add("CreditNotes", **note)


def one_more_pot(holdings: Holdings) -> None:
    assert isinstance(holdings.till, SquareSimulator)
    goods = holdings.till.goods
    goods.shelf[next(item for item, good in goods.items.items() if good.sku == "POT-1L")] += 1


def another_ticket(holdings: Holdings) -> None:
    """Of the same return, but by somebody else."""
    assert isinstance(holdings.helpdesk, ZendeskSimulator)
    first = next(iter(holdings.helpdesk.tickets.values()))
    made = holdings.helpdesk.write(first["subject"], "again")
    holdings.helpdesk.tickets[made]["external_id"] = first["external_id"]


def mail_to_another(holdings: Holdings) -> None:
    assert isinstance(holdings.mailbox, MailSimulator)
    mail = holdings.mailbox.kept[0]
    mail.replace_header("To", "eve@example.com")


def mail_again(holdings: Holdings) -> None:
    assert isinstance(holdings.mailbox, MailSimulator)
    kept = holdings.mailbox.kept
    again = deepcopy(next(mail for mail in kept if mail["Subject"].endswith("is here")))
    again.replace_header("Message-ID", "<again@example.com>")
    kept.append(again)


def money_after_a_no(holdings: Holdings) -> None:
    assert isinstance(holdings.processor, StripeSimulator)
    account = holdings.processor.account
    refunded = [refund["charge"] for refund in account.held["refunds"].values()]
    charge = next(
        each for number, each in account.held["charges"].items() if number not in refunded and each["amount"] > 10_000
    )
    account.give_back(charge, 1, {})


def more_than_was_paid(holdings: Holdings) -> None:
    assert isinstance(holdings.processor, StripeSimulator)
    next(iter(holdings.processor.account.held["refunds"].values()))["amount"] = 1_000_000


REFUNDS = "Each payment gave back what its returns are worth, to the cent, one refund for each"
CREDITS = "Each credit comes to its refund, is tied to the order's invoice, and is paid out"
NO = "After the no about 1006-R1: no money, no credit, and no mail that promises any"
SPOILS: Sequence[tuple[Callable[[Holdings], None], set[str]]] = (
    (once_more_back, {REFUNDS}),
    (another_total, {CREDITS}),
    (another_credit, {"One credit for each return"}),
    (one_more_pot, {"The stock is up by exactly what can be sold again"}),
    (another_ticket, {"One ticket of what is announced for each return", "Each ticket is of its customer"}),
    (mail_to_another, {"Each mail went to its customer, and names the amount"}),
    (mail_again, {"One mail of what is given back for each return"}),
    (money_after_a_no, {NO}),
    (more_than_was_paid, {"No payment gave back more than was paid"}),
)


def test_what_vendors_hold_beside_it_breaks_the_promise_about_it(played: Played) -> None:
    broken = played.broken
    assert broken == set()
    for spoil, promises in SPOILS:
        spoil(played.holdings)
        broken |= promises
        assert played.broken == broken, spoil.__name__


def test_a_chapter_that_says_something_else_ends_in_failure(monkeypatch: pytest.MonkeyPatch) -> None:
    first, *_ = chapters()
    (back,) = first.backs
    told = [replace(first, backs=[replace(back, worth=Decimal("19.50"))], faults={})]
    monkeypatch.setattr("bellwire.practice.stories.returns.story.chapters", lambda: told)
    result = play(*CAST)
    assert result.exit_code == 1, result.output
    assert "A promise was broken." in result.stdout and "wrong: 1001" in result.stdout

"""The story of dunning: what it expects by what a processor can tell, and that each of its promises can be broken."""

import copy
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Any

import pytest
from typer.testing import CliRunner

from bellwire.cli import app
from bellwire.events import Customer
from bellwire.practice import Tells
from bellwire.practice.shipstation import ShipStationSimulator
from bellwire.practice.slack import SlackSimulator
from bellwire.practice.smtp import MailSimulator
from bellwire.practice.stories.dunning.chapters import Chapter, Expected, Owed, Step
from bellwire.practice.stories.dunning.month import Month
from bellwire.practice.stories.dunning.promises import verdicts
from bellwire.practice.stories.telling import Verdict
from bellwire.practice.zendesk import ZendeskSimulator

ALL = Tells(invoices=True, tries=True, orders=True)
NOTHING = Tells(invoices=False, tries=False, orders=False)
ROBIN = Customer(name="Robin Hill", email="robin@example.com")


@dataclass(frozen=True)
class Played:
    told: str
    given: tuple[Any, ...]

    @property
    def month(self) -> Month:
        assert isinstance(self.given[-1], Month)
        return self.given[-1]

    @property
    def broken(self) -> set[str]:
        """The promises that don't hold by now."""
        return {verdict.promise for verdict in verdicts(*self.given) if not verdict.held}


@pytest.fixture(scope="module")
def played() -> Iterator[Played]:
    """Once for all; what the vendors hold stays when it is over."""
    seen: list[tuple[Any, ...]] = []

    def noted(*given: Any) -> list[Verdict]:
        seen.append(given)
        return verdicts(*given)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("bellwire.practice.stories.dunning.story.verdicts", noted)
        cast = ["--use", "pay=stripe", "--use", "chat=slack", "--use", "shop=shopify"]
        result = CliRunner().invoke(app, ["demo", "dunning", "--once", *cast], env={"COLUMNS": "300"})
    assert result.exit_code == 0, result.output
    yield Played(result.stdout, seen[-1])


@pytest.mark.parametrize(
    "sentence",
    [
        "duplicate of delivery 1      the same delivery again",
        "the webhook that it overtook",
        "exception 1: The address unknown.julia@example.com doesn't exist",
        "The owner puts the address right",
        "day 5   Ben Okafor: it is paid",
        "day 14  mails to zoe@example.com",
        "Ben Okafor  first     The mail server broke off",
        "Ben Okafor  label     ShipStation asked to slow down",
        "Zoë Ångström  ticket    Zendesk failed (500)",
        "13 mails to 6 customers",
        "5 labels for 5 payments",
    ],
)
def test_it_tells_what_happens_and_what_was_found(played: Played, sentence: str) -> None:
    assert sentence in played.told


def one_more_mail(month: Month) -> None:
    mails = month.stage.simulators["mail"]
    assert isinstance(mails, MailSimulator)
    again = copy.deepcopy(next(mail for mail in mails.kept if mail["To"] == "zoe@example.com"))
    again.replace_header("Message-ID", "<again@practice.example>")
    mails.kept.append(again)
    month.arrived["<again@practice.example>"] = 3


def a_mail_to_whoever_paid_in_time(month: Month) -> None:
    mails = month.stage.simulators["mail"]
    assert isinstance(mails, MailSimulator)
    one_more_mail(month)
    mails.kept[-1].replace_header("To", "xiaoyu@example.com")


def a_mail_too_few(month: Month) -> None:
    mails = month.stage.simulators["mail"]
    assert isinstance(mails, MailSimulator)
    mails.kept.remove(next(mail for mail in mails.kept if "parcel" in mail["Subject"]))


def one_more_label(month: Month) -> None:
    shipping = month.stage.simulators["shipping"]
    assert isinstance(shipping, ShipStationSimulator)
    label = next(label for label in shipping.bought.values() if label["label_id"] not in shipping.by_hand)
    shipping.bought["se-again"] = label | {"label_id": "se-again"}


def one_more_ticket(month: Month) -> None:
    helpdesk = month.stage.simulators["helpdesk"]
    assert isinstance(helpdesk, ZendeskSimulator)
    helpdesk.tickets[1] = next(iter(helpdesk.tickets.values()))


def said_again(words: str) -> Callable[[Month], None]:
    def say(month: Month) -> None:
        chat = month.stage.simulators["chat"]
        assert isinstance(chat, SlackSimulator)
        chat.posted.append(replace(next(each for each in chat.posted if words in each.text), ts="again"))

    return say


def said_something_else(month: Month) -> None:
    chat = month.stage.simulators["chat"]
    assert isinstance(chat, SlackSimulator)
    chat.posted.append(replace(chat.posted[0], text="Good morning"))


REMINDED = "Each reminder went to its customer on its day, and no other"


@pytest.mark.parametrize(
    ("breaking", "promises"),
    [
        (one_more_mail, {REMINDED}),
        (
            a_mail_to_whoever_paid_in_time,
            {REMINDED, "Nobody is reminded who paid in time, was at the checkout, or owes nothing"},
        ),
        (a_mail_too_few, {"One mail, if there is an address, for each parcel"}),
        (one_more_label, {"One label for each paid period whose order is known, and for what was paid past the shop"}),
        (one_more_ticket, {"One ticket for each customer who never paid"}),
        (said_again("after four mails"), {"The team hears of who never paid, once"}),
        (said_again("to write to"), {"The team hears at once of who can't be written to"}),
        (said_again("which order it began with"), {"The team is asked about each renewal whose order isn't known"}),
        (said_again("Trouble"), {"One word to the team for each parcel in trouble"}),
        (said_again("shows as unpaid"), {"One word to the bookkeeper for each order paid past the shop"}),
        (said_again(": pack "), {"One packing list for each label"}),
        (said_something_else, {"The team is told nothing else"}),
    ],
)
def test_each_promise_can_be_broken(played: Played, breaking: Callable[[Month], None], promises: set[str]) -> None:
    assert played.broken == set()
    simulators, arrived = played.month.stage.simulators, dict(played.month.arrived)
    before = {name: dict(vars(simulators[name])) for name in ("mail", "shipping", "helpdesk", "chat")}
    for name, kept in before.items():
        vars(simulators[name]).update({key: copy.copy(value) for key, value in kept.items() if key in _HELD})
    breaking(played.month)
    found = played.broken
    for name, kept in before.items():
        vars(simulators[name]).update(kept)
    played.month.arrived = arrived
    assert found == promises


_HELD = {"kept", "bought", "tickets", "posted"}
"""What the simulators keep of what was sent to them."""


def days(happens: list[tuple[int, Step]], tells: Tells = ALL, owed: Owed = Owed.SUBSCRIPTION) -> list[int]:
    return [day for day, _ in Expected(Chapter(ROBIN, "24.40", "", happens, owed), tells).reminders]


def test_reminders_are_due_until_it_is_paid_or_has_ended() -> None:
    fails, paid, ends = Step
    assert days([(0, fails)]) == [0, 3, 7, 14]
    assert days([(0, fails), (5, paid)]) == [0, 3]
    assert days([(0, fails), (8, ends)]) == [0, 3, 7]
    assert days([(0, fails), (0, paid)]) == []
    assert days([(0, paid)]) == []


def test_a_further_failure_begins_anew_only_where_tries_arent_counted() -> None:
    fails, paid, _ = Step
    again = [(0, fails), (5, fails), (9, paid)]
    assert (days(again), days(again, NOTHING)) == ([0, 3, 7], [0, 3, 7, 5, 8])


def test_what_nobody_could_stop_reminding_of_isnt_reminded_of() -> None:
    fails = [(0, Step.FAILS)]
    assert days(fails, owed=Owed.CHECKOUT) == days(fails, NOTHING, Owed.INVOICE) == []
    assert days(fails, owed=Owed.INVOICE) == [0, 3, 7, 14]


def test_a_period_is_packed_or_asked_about_by_whether_its_order_is_known() -> None:
    paid = Chapter(ROBIN, "24.40", "", [(0, Step.PAID), (30, Step.PAID)], order="2001")
    known, unknown = Expected(paid, ALL), Expected(paid, NOTHING)
    assert (known.packed, known.asked, unknown.packed, unknown.asked) == (2, 0, 0, 2)


def test_an_order_is_packed_when_it_was_paid_past_the_shop_alone() -> None:
    at_the_shop = Chapter(ROBIN, "24.40", "", [(0, Step.PAID)], Owed.ORDER, order="2001")
    past = Expected(replace(at_the_shop, at_the_shop=False), NOTHING)
    assert (Expected(at_the_shop, ALL).packed, past.packed, past.asked, past.reminders) == (0, 1, 0, [])

"""The month as it goes by: what the processor does on each day, and what the customers were mailed."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from bellwire.practice.roles import Sale, SaleLine, Sent, Subscriptions
from bellwire.practice.simulator import Webhook
from bellwire.practice.stage import Stage
from bellwire.practice.stories.dunning.chapters import Chapter, Owed, Step
from bellwire.practice.stories.dunning.holdings import Holdings
from bellwire.practice.stories.telling import mails_shown

_A_DAY = timedelta(days=1)
TOLD_AS = {
    Step.FAILS: "payment.failed",
    Step.PAID: "subscription.renewed",
    Step.ENDS: "subscription.ended",
}


@dataclass
class Month:
    """What has come about so far."""

    stage: Stage
    holdings: Holdings
    told: Sequence[Chapter]
    begun: datetime
    ids: dict[str, str] = field(default_factory=dict)
    """By the customer's name, what the processor knows the matter by: a subscription, an invoice or a payment."""
    orders: dict[str, str] = field(default_factory=dict)
    """The shop's ids of the orders, by number."""
    arrived: dict[str, int] = field(default_factory=dict)
    """Message-ID → the day on which the mail arrived."""

    @property
    def pay(self) -> Subscriptions:
        return self.holdings.pay

    async def go_on(self, day: int, until: int) -> list[Sent]:
        """From a day until a later one begins; gives the mails that arrived meanwhile."""
        await self.stage.let_pass(max(self.begun + until * _A_DAY - self.stage.clock(), timedelta()))
        new = [mail for mail in mails_shown(self.holdings.mailbox) if mail.id not in self.arrived]
        self.arrived |= {mail.id: day for mail in new}
        return new

    def open(self, chapter: Chapter) -> bool:
        """Have the processor know of it. False: it has nothing of the kind."""
        amount, customer, name = chapter.amount, chapter.customer, chapter.customer.name
        if chapter.order:
            sale = Sale(chapter.order, [SaleLine("TEA-100", 2)], customer, ago=chapter.ordered)
            self.orders[chapter.order] = self.holdings.shop.place(sale)
            if chapter.at_the_shop:
                self.holdings.shop.pay(self.orders[chapter.order])
        match chapter.owed:
            case Owed.SUBSCRIPTION:
                known_as = self.pay.subscribe(amount, customer, self.orders.get(chapter.order, ""))
            case Owed.INVOICE:
                known_as = self.pay.bill(amount, customer)
            case Owed.CHECKOUT:
                known_as = self.pay.refuse(amount, customer)
            case Owed.ORDER:
                known_as = self.holdings.till.take(
                    self.holdings.shop.total(self.orders[chapter.order]), self.orders[chapter.order]
                )
        if known_as:
            self.ids[name] = known_as
        return bool(known_as)

    def take(self, chapter: Chapter, step: Step) -> Webhook:
        """Something happens; gives what the processor sends of it."""
        about = self.ids[chapter.customer.name]
        match step:
            case Step.ENDS:
                self.pay.end(about)
            case _ if chapter.owed not in (Owed.CHECKOUT, Owed.ORDER):
                self.pay.charge(about, declined=step is Step.FAILS)
        return self.notice(chapter, step)

    def notice(self, chapter: Chapter, step: Step) -> Webhook:
        """What the processor sends of it, a new one each time."""
        plain = step is Step.PAID and chapter.owed is not Owed.SUBSCRIPTION
        return self.pay.notice(self.ids[chapter.customer.name], "payment.succeeded" if plain else TOLD_AS[step])

    async def send(self, chapter: Chapter, step: Step, webhook: Webhook, note: str = "", times: int = 1) -> list[str]:
        answers = await self.stage.send_often("pay", webhook, times)
        notes = [note, *["the same delivery again"] * (times - 1)]
        said = f"{chapter.customer.name}: {step}"
        return [line_of(said, answer, words) for answer, words in zip(answers, notes, strict=True)]


def line_of(said: str, answer: object, note: str) -> str:
    return f"{said:<42} {answer!s:<28} {note}".rstrip()

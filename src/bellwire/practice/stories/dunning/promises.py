"""What the vendors hold after a month, against what the chapters say."""

import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence

from bellwire.practice.roles import Sent
from bellwire.practice.stories.dunning.chapters import Expected, Parcel, dollars
from bellwire.practice.stories.dunning.month import Month
from bellwire.practice.stories.telling import Verdict, each_once, mails_shown


def verdicts(
    expected: Sequence[Expected], sent: Sequence[Parcel], labels: Mapping[str, str], month: Month
) -> list[Verdict]:
    """What the vendors hold, against what the chapters say."""
    holdings, shown = month.holdings, mails_shown(month.holdings.mailbox)
    about_parcels = [mail for mail in shown if mail.subject.startswith("Your parcel ")]
    reminders = Counter((month.arrived[mail.id], mail.to, mail.subject) for mail in shown if mail not in about_parcels)
    wanted = Counter((day, each.chapter.address, subject) for each in expected for day, subject in each.reminders)
    silent = {each.chapter.customer.email for each in expected if not each.reminders} - {""}
    return [
        Verdict(
            "Each reminder went to its customer on its day, and no other",
            reminders == wanted,
            f"{reminders.total()} mails to {len({to for _, to, _ in reminders})} customers"
            if reminders == wanted
            else f"missing: {_listed(wanted - reminders)}; too many: {_listed(reminders - wanted)}",
        ),
        Verdict(
            "Nobody is reminded who paid in time, was at the checkout, or owes nothing",
            not [mail for mail in shown if mail.to in silent],
            f"no mail to {len(silent)} customers",
        ),
        each_once(
            "ticket",
            {f"{each.chapter.address}, Unpaid: {dollars(each.chapter.amount)}" for each in expected if each.unpaid},
            [f"{ticket.email}, {ticket.subject}" for ticket in holdings.helpdesk.opened()],
            "customer who never paid",
        ),
        *_labels(expected, sent, month),
        *_parcels(sent, about_parcels),
        *_words(expected, sent, labels, month),
    ]


def _labels(expected: Sequence[Expected], sent: Sequence[Parcel], month: Month) -> list[Verdict]:
    """A label has the order's number; a renewal's with the day of the payment."""
    by_hand = {parcel.number for parcel in sent}
    bought = [label for label in month.holdings.carrier.labels() if label.reference not in by_hand]
    paid = Counter(label.reference.partition("-")[0] for label in bought)
    listed = Counter(found[1] for text in _texts(month) if (found := re.search(r": pack (\S+)\.", text)))
    wanted = Counter({each.chapter.order: each.packed for each in expected if each.packed})
    return [
        Verdict(
            "One label for each paid period whose order is known, and for what was paid past the shop",
            paid == wanted and len({label.reference for label in bought}) == len(bought),
            f"{len(bought)} labels for {wanted.total()} payments",
        ),
        each_once("packing list", {label.reference for label in bought}, listed.elements(), "label"),
    ]


def _parcels(sent: Sequence[Parcel], mails: Sequence[Sent]) -> list[Verdict]:
    words = {"shipment.delivered": "has arrived", "shipment.exception": "is delayed"}
    return [
        each_once(
            "mail, if there is an address,",
            {
                f"{parcel.recipient.email}: Your parcel {parcel.number} {words[parcel.event_type]}"
                for parcel in sent
                if parcel.recipient.email
            },
            [f"{mail.to}: {mail.subject}" for mail in mails],
            "parcel",
        )
    ]


def _words(
    expected: Sequence[Expected], sent: Sequence[Parcel], labels: Mapping[str, str], month: Month
) -> list[Verdict]:
    """What the team was told. A processor may name the subscription and not the customer."""
    tracking = {label.id: label.text for label in month.holdings.carrier.labels()}
    texts = _texts(month)

    def telling(words: str) -> list[str]:
        return [text for text in texts if words in text]

    def about(each: Expected, found: Iterable[str]) -> int:
        names = (each.chapter.customer.name, month.ids[each.chapter.customer.name])
        return sum(any(name in text for name in names) for text in found)

    unpaid, no_address = telling("after four mails in two weeks"), telling("no e-mail address to write to")
    asked, trouble = telling("doesn't say which order it began with"), telling("Trouble with the parcel")
    packed, past = telling(": pack "), telling("which the shop shows as unpaid")
    held_up = [tracking[labels[parcel.number]] for parcel in sent if parcel.event_type == "shipment.exception"]
    counts = [
        ("The team hears of who never paid, once", unpaid, [int(each.unpaid) for each in expected]),
        ("The team hears at once of who can't be written to", no_address, [int(each.no_address) for each in expected]),
        ("The team is asked about each renewal whose order isn't known", asked, [each.asked for each in expected]),
    ]
    unknown = {each.chapter.order for each in expected if each.past_the_shop}
    return [
        *(
            Verdict(
                promise,
                [about(each, found) for each in expected] == wanted and len(found) == sum(wanted),
                f"{len(found)} message{'' if len(found) == 1 else 's'}",
            )
            for promise, found, wanted in counts
        ),
        each_once(
            "word to the bookkeeper",
            unknown,
            [text.split(" for order ")[1].split(",")[0] for text in past],
            "order paid past the shop",
        ),
        each_once("word to the team", held_up, [text.split()[4] for text in trouble], "parcel in trouble"),
        Verdict(
            "The team is told nothing else",
            len(texts) == sum(map(len, (unpaid, no_address, asked, past, trouble, packed))),
            f"{len(texts)} messages in all",
        ),
    ]


def _texts(month: Month) -> list[str]:
    return [message.text for message in month.holdings.chat.messages()]


def _listed(counts: Counter[tuple[int, str, str]]) -> str:
    return ", ".join(f"day {day} {to} '{subject}'" for day, to, subject in counts.elements()) or "none"

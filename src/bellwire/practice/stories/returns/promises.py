"""What the vendors hold, against what the chapters say."""

from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from decimal import Decimal

from bellwire.practice.roles import Sent
from bellwire.practice.stories.returns.holdings import Holdings
from bellwire.practice.stories.returns.past import Announced, Past
from bellwire.practice.stories.telling import Verdict, each_once, mails_shown, same


def verdicts(past: Past, holdings: Holdings, *, unanswered: set[str], unbooked: set[str]) -> list[Verdict]:
    """What the vendors hold, against what the chapters say. `unanswered` and `unbooked`: orders that wait for an
    answer, or can't be in the books yet."""
    settled = [each for each in past.returns if each.chapter.given and each.chapter.number not in unanswered]
    paid_back = [each for each in settled if each.back.worth]
    credited = [each for each in paid_back if each.chapter.number not in unbooked]
    refused = [each for each in past.returns if not each.chapter.given and each.chapter.number not in unanswered]
    return [
        *_money(past, holdings, paid_back),
        *_credits(holdings, credited),
        *_after_a_no(past, holdings, refused),
        _stock(past, holdings),
        *_tickets(past, holdings, unanswered),
        *_mails(past, holdings, settled),
    ]


def _money(past: Past, holdings: Holdings, paid_back: Sequence[Announced]) -> Iterator[Verdict]:
    given: dict[str, list[Decimal]] = defaultdict(list)
    for refund in holdings.processor.refunds():
        given[refund.payment_id].append(refund.amount.amount)
    due: dict[str, list[Decimal]] = defaultdict(list)
    for each in paid_back:
        due[past.sold[each.chapter.number].payment_id].append(each.back.worth)
    orders = {sold.payment_id: number for number, sold in past.sold.items()}
    wrong = sorted(
        orders.get(payment_id, payment_id)
        for payment_id in {*given, *due}
        if sorted(given[payment_id]) != sorted(due[payment_id])
    )
    yield Verdict(
        "Each payment gave back what its returns are worth, to the cent, one refund for each",
        not wrong,
        f"wrong: {', '.join(wrong)}" if wrong else f"{sum(map(len, given.values()))} refunds",
    )
    above = sorted(
        number for number, sold in past.sold.items() if sum(given[sold.payment_id], Decimal()) > sold.paid.amount
    )
    yield Verdict("No payment gave back more than was paid", not above, ", ".join(above) or "none")


def _credits(holdings: Holdings, credited: Sequence[Announced]) -> Iterator[Verdict]:
    found = holdings.books.credits()
    yield each_once("credit", {each.number for each in credited}, [each.reference for each in found], "return")
    due = {each.number: (each.chapter.number, each.back.worth) for each in credited}
    wrong = [
        each.reference
        for each in found
        if due.get(each.reference) != (each.invoice, each.total.amount) or each.left or not each.paid_out
    ]
    yield Verdict(
        "Each credit comes to its refund, is tied to the order's invoice, and is paid out",
        not wrong,
        f"wrong: {', '.join(wrong)}" if wrong else "all equal",
    )


def _after_a_no(past: Past, holdings: Holdings, refused: Sequence[Announced]) -> Iterator[Verdict]:
    for each in refused:
        payment_id = past.sold[each.chapter.number].payment_id
        done = {
            "money": any(refund.payment_id == payment_id for refund in holdings.processor.refunds()),
            "a credit": any(credit.reference == each.number for credit in holdings.books.credits()),
            "a mail": any(mail.subject == f"{_subject(each)} is here" for mail in mails_shown(holdings.mailbox)),
        }
        found = [what for what, there in done.items() if there]
        promise = f"After the no about {each.number}: no money, no credit, and no mail that promises any"
        yield Verdict(promise, not found, " and ".join(found) or "none")


def _stock(past: Past, holdings: Holdings) -> Verdict:
    sellable = Counter[str]()
    for each in past.returns:
        sellable[each.back.sku] += each.back.sellable
    now = holdings.till.stock()
    moved = {sku: now[sku] - before for sku, before in past.stock.items() if now[sku] != before}
    return same("The stock is up by exactly what can be sold again", dict(+sellable), moved)


def _tickets(past: Past, holdings: Holdings, unanswered: set[str]) -> Iterator[Verdict]:
    """A guest without an address can't have one. Support hears how it ended once it has ended."""
    named = [each for each in past.returns if each.chapter.sale.customer.email]
    ended = [each for each in named if each.chapter.number not in unanswered]
    found = holdings.helpdesk.opened()
    for what, expected, back in (
        ("ticket of what is announced", named, False),
        ("ticket of what is back", ended, True),
    ):
        told = [ticket.reference for ticket in found if ticket.subject.endswith("is back") is back]
        yield each_once(what, {f"return {each.number}" for each in expected}, told, "return")
    theirs = {f"return {each.number}": each.chapter.sale.customer.email for each in named}
    wrong = sorted(ticket.reference for ticket in found if theirs.get(ticket.reference) != ticket.email)
    yield Verdict("Each ticket is of its customer", not wrong, ", ".join(wrong) or "all")


def _mails(past: Past, holdings: Holdings, settled: Sequence[Announced]) -> Iterator[Verdict]:
    """A guest without an address gets none, and after a no support writes."""
    mails = mails_shown(holdings.mailbox)
    how = {_subject(each): each for each in past.returns if each.chapter.sale.customer.email}
    what = {f"{_subject(each)} is here": each for each in settled if each.chapter.sale.customer.email}
    back = [mail.subject for mail in mails if mail.subject.endswith("is here")]
    yield each_once(
        "mail how to send it", set(how), [mail.subject for mail in mails if mail.subject not in back], "return"
    )
    yield each_once("mail of what is given back", set(what), back, "return")
    wrong = [mail.subject for mail in mails if not _is_right(mail, how.get(mail.subject), what.get(mail.subject))]
    yield Verdict("Each mail went to its customer, and names the amount", not wrong, "; ".join(sorted(wrong)) or "all")


def _is_right(mail: Sent, how: Announced | None, what: Announced | None) -> bool:
    each = how or what
    if each is None or mail.to != each.chapter.sale.customer.email:
        return False
    worth = each.back.worth
    words = f"We give you ${worth:,} back" if worth else "We give nothing back"
    return how is not None or words in mail.text


def _subject(each: Announced) -> str:
    """Of the mail how to send it."""
    return f"Your return {each.number} of order {each.chapter.number}"

"""What settles invoices: money that came in, and gift cards that were spent.

A payment may be deposited to a bank account or another current asset, but to no liability. So what gift cards paid is a
credit memo on the item that gift cards are sold on, which lowers what is owed to their bearers, and a payment of zero
that settles the invoice with it.

https://developer.intuit.com/app/developer/qbo/docs/api/accounting/all-entities/payment
https://developer.intuit.com/app/developer/qbo/docs/api/accounting/all-entities/creditmemo
https://quickbooks.intuit.com/learn-support/en-us/gift-card-payments/sell-and-redeem-gift-cards-or-certificates-in-quickbooks-online/00/190607
"""

from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

from bellwire.capabilities.accounting import (
    RECORD_PAYMENT,
    REDEEM_GIFT_CARD,
    Payment,
    RecordPayment,
    RedeemedGiftCard,
    RedeemGiftCard,
)
from bellwire.connectors.kit import Call, LookUp, Seen, action
from bellwire.connectors.kit.paying import nearest
from bellwire.connectors.quickbooks.api import Record, amount_of, ask, cents, create, number, select
from bellwire.connectors.quickbooks.documents import currency_in, label
from bellwire.connectors.quickbooks.items import find_account, find_items, find_tax_codes, require_liability
from bellwire.connectors.quickbooks.lines import GIFT_CARDS
from bellwire.connectors.quickbooks.manifest import QuickBooksSettings
from bellwire.errors import Refused
from bellwire.money import Money

_PREFIX = "GC-"
_NUMBER = 21
"""How long a document's number may be."""


async def find_payment(call: Call, given: RecordPayment) -> Payment | None:
    """The payment of an earlier attempt."""
    found = await _find_payment(call, given.invoice_id)
    return _payment(found, given) if found else None


async def look_for_payment(call: Call, given: RecordPayment) -> Seen | None:
    """Money for this invoice, whoever recorded it. What came in several parts isn't added up."""
    payments = [each for each in await _payments_of(call, given.invoice_id) if amount_of(each["TotalAmt"])]
    found = [
        Payment(id=each["Id"], amount=_part_in(call, each, "Invoice", given.invoice_id)) for each in reversed(payments)
    ]
    return nearest("payment", given.amount, found)


async def look_for_redemption(call: Call, given: RedeemGiftCard) -> Seen | None:
    """A credit memo that was set against this invoice, whoever did it: that is what a gift card is here. What was
    booked in another way isn't found."""
    found = [
        RedeemedGiftCard(id=link["TxnId"], amount=_part_in(call, each, "CreditMemo", link["TxnId"]))
        for each in reversed(await _payments_of(call, given.invoice_id))
        for line in each["Line"]
        for link in line["LinkedTxn"]
        if link["TxnType"] == "CreditMemo"
    ]
    return nearest("credit memo", given.amount, found)


@action(RECORD_PAYMENT, repeat=LookUp(find_payment), look=look_for_payment)
async def record_payment(call: Call, given: RecordPayment) -> Payment:
    require_currency(given.amount.currency, call.settings, "the payment")
    amount = cents(given.amount.amount)
    body = _payment_body(call, given, amount, [part(amount, "Invoice", given.invoice_id)])
    return _payment(await create(call, "Payment", body | await deposit(call)), given)


async def find_redemption(call: Call, given: RedeemGiftCard) -> RedeemedGiftCard | None:
    """What an earlier attempt did to its end: without the payment, the credit memo settles nothing yet."""
    found = await _find_payment(call, given.invoice_id)
    linked = (line["LinkedTxn"][0] for line in found["Line"]) if found else ()
    return next((_redeemed(link["TxnId"], given) for link in linked if link["TxnType"] == "CreditMemo"), None)


@action(REDEEM_GIFT_CARD, repeat=LookUp(find_redemption), look=look_for_redemption)
async def redeem_gift_card(call: Call, given: RedeemGiftCard) -> RedeemedGiftCard:
    """Raises Refused (auto-apply, unknown-invoice, unknown-item, not-a-liability, credit-used)."""
    require_currency(given.amount.currency, call.settings, "the gift card")
    await require_credits_by_hand(call, "a gift card")
    invoice = await _invoice(call, given.invoice_id)
    memo = await _find_memo(call, invoice) or await _create_memo(call, given, invoice)
    amount, left = cents(given.amount.amount), amount_of(memo["Balance"])
    if left != amount:
        raise Refused(
            f"Of credit memo {memo.get('DocNumber') or memo['Id']}, for the gift card, {left:,} is left instead of "
            f"{amount:,}: it was applied already.",
            cause="credit-used",
            remedy=f"See in QuickBooks that it settles invoice {label(invoice)}, then resolve the exception as done.",
        )
    parts = [part(amount, "Invoice", given.invoice_id), part(amount, "CreditMemo", memo["Id"])]
    await create(call, "Payment", _payment_body(call, given, Decimal(0), parts))
    return _redeemed(memo["Id"], given)


def part(amount: Decimal, entity: str, record_id: str) -> Record:
    """What a payment does to one invoice, or with one credit memo."""
    return {"Amount": number(amount), "LinkedTxn": [{"TxnId": record_id, "TxnType": entity}]}


async def deposit(call: Call) -> Record:
    """Where money goes, as a part of the document."""
    account = call.settings.deposit_account
    return {"DepositToAccountRef": {"value": await find_account(call, account)}} if account else {}


def require_currency(currency: str, settings: QuickBooksSettings, what: str) -> None:
    """Raises Refused when the books don't take `currency`."""
    if currency != settings.home_currency and not settings.multicurrency:
        raise Refused(
            f"{what[0].upper()}{what[1:]} is in {currency}, but the books are in {settings.home_currency} only.",
            cause=f"currency:{currency}",
            remedy="Turn Multicurrency on in QuickBooks and set `multicurrency = true` for the connection, then send "
            "it again; or book it by hand.",
        )


def for_a_gift_card(memo: Record) -> bool:
    """Whether a credit memo is what a gift card paid."""
    return label(memo).startswith(_PREFIX)


def currency_of(currency: str, settings: QuickBooksSettings) -> Record:
    """The currency, as a part of the document."""
    return {"CurrencyRef": {"value": currency}} if settings.multicurrency else {}


async def require_credits_by_hand(call: Call, what: str) -> None:
    """Raises Refused (auto-apply) where `what` could be set against whatever the customer owes."""
    preferences = await select(call, "Preferences")
    if any(each.get("SalesFormsPrefs", {}).get("AutoApplyCredit") for each in preferences):
        raise Refused(
            f"QuickBooks applies credits by itself, so {what} could settle another invoice than the one it is for.",
            cause="auto-apply",
            remedy="Turn off 'Automatically apply credits' in QuickBooks (Account and settings › Advanced › "
            "Automation), then send it again.",
        )


async def _find_payment(call: Call, invoice_id: str) -> Record | None:
    """The payment that is linked to the invoice and has this action's key in its note."""
    payments = await _payments_of(call, invoice_id)
    return next((record for record in payments if record.get("PrivateNote") == _key_note(call)), None)


async def _payments_of(call: Call, invoice_id: str) -> list[Record]:
    invoices = await ask(call, "Invoice", "Id", [invoice_id])
    links = [link for invoice in invoices for link in invoice.get("LinkedTxn", ())]
    return await ask(call, "Payment", "Id", [link["TxnId"] for link in links if link["TxnType"] == "Payment"])


def _part_in(call: Call, payment: Record, entity: str, record_id: str) -> Money:
    """How much of a payment is about one invoice, or one credit memo."""
    link = {"TxnId": record_id, "TxnType": entity}
    parts = [amount_of(line["Amount"]) for line in payment["Line"] if link in line["LinkedTxn"]]
    return Money.of(sum(parts, Decimal(0)), currency_in(call, payment))


def _payment_body(call: Call, given: RecordPayment | RedeemGiftCard, amount: Decimal, parts: list[Record]) -> Record:
    settings: QuickBooksSettings = call.settings
    body: Record = {
        "CustomerRef": {"value": given.customer_id},
        "TotalAmt": number(amount),
        "TxnDate": call.clock().astimezone(ZoneInfo(settings.time_zone)).date().isoformat(),
        "Line": parts,
        "PrivateNote": _key_note(call),
    }
    if given.reference:
        body["PaymentRefNum"] = given.reference
    return body | currency_of(given.amount.currency, settings)


def _payment(record: Record, given: RecordPayment) -> Payment:
    return Payment(id=record["Id"], amount=Money(amount=amount_of(record["TotalAmt"]), currency=given.amount.currency))


def _redeemed(memo_id: str, given: RedeemGiftCard) -> RedeemedGiftCard:
    return RedeemedGiftCard(id=memo_id, amount=Money(amount=cents(given.amount.amount), currency=given.amount.currency))


def _key_note(call: Call) -> str:
    return f"Bellwire {call.key}"


# The credit memo


async def _invoice(call: Call, invoice_id: str) -> Record:
    found = await ask(call, "Invoice", "Id", [invoice_id])
    if not found:
        raise Refused(f"QuickBooks has no invoice with the id {invoice_id} any more.", cause="unknown-invoice")
    return found[0]


async def _find_memo(call: Call, invoice: Record) -> Record | None:
    """That of an earlier attempt. Where the company numbers documents by itself, only the day leads to it."""
    for field, value in (("DocNumber", _memo_number(invoice)), ("TxnDate", invoice["TxnDate"])):
        for record in await ask(call, "CreditMemo", field, [value]):
            if record.get("PrivateNote") == _key_note(call):
                return record
    return None


async def _create_memo(call: Call, given: RedeemGiftCard, invoice: Record) -> Record:
    settings: QuickBooksSettings = call.settings
    item = (await find_items(call, [GIFT_CARDS]))[GIFT_CARDS]
    await require_liability(call, item)
    code = (await find_tax_codes(call, [settings.exempt_tax_code]))[settings.exempt_tax_code]
    amount = number(cents(given.amount.amount))
    detail: dict[str, Any] = {
        "ItemRef": {"value": item},
        "Qty": 1,
        "UnitPrice": amount,
        "TaxCodeRef": {"value": code},
    }
    line = {
        "Amount": amount,
        "DetailType": "SalesItemLineDetail",
        "Description": f"Gift card used for invoice {label(invoice)}",
        "SalesItemLineDetail": detail,
    }
    body: Record = {
        "DocNumber": _memo_number(invoice),
        "TxnDate": invoice["TxnDate"],
        "CustomerRef": {"value": given.customer_id},
        "Line": [line],
        "GlobalTaxCalculation": "TaxExcluded",
        "PrivateNote": _key_note(call),
    }
    # One requestid for two records would give the memo's answer to the payment.
    return await create(call.part("credit memo"), "CreditMemo", body | currency_of(given.amount.currency, settings))


def _memo_number(invoice: Record) -> str:
    return _PREFIX + label(invoice)[len(_PREFIX) - _NUMBER :]

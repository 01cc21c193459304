"""What settles invoices: money that came in, and gift cards that were spent.

Xero takes payments on any account that they are enabled for. So what gift cards paid is a payment on the account that
they are sold on, which lowers what is owed to their bearers.

https://developer.xero.com/documentation/api/accounting/payments
"""

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
from bellwire.connectors.xero.api import Record, amount_of, cents, create, listed, number
from bellwire.connectors.xero.ledger import deposit_account, forget_account, gift_card_account
from bellwire.connectors.xero.manifest import XeroSettings
from bellwire.errors import Refused
from bellwire.money import Money


async def find_payment(call: Call, given: RecordPayment) -> Payment | None:
    """The payment of an earlier attempt."""
    found = await _find(call, given.invoice_id)
    return Payment(**_told(found, given)) if found else None


async def look_for_payment(call: Call, given: RecordPayment) -> Seen | None:
    """A payment of this invoice, whoever recorded it. What came in several parts isn't added up."""
    found = [each for each in await _payments_of(call, given.invoice_id) if not _by_gift_card(call, each)]
    return nearest("payment", given.amount, [Payment(**_told(each, given)) for each in reversed(found)])


async def look_for_redemption(call: Call, given: RedeemGiftCard) -> Seen | None:
    """A payment of this invoice on the account of gift cards, whoever recorded it."""
    found = [each for each in await _payments_of(call, given.invoice_id) if _by_gift_card(call, each)]
    return nearest("payment", given.amount, [RedeemedGiftCard(**_told(each, given)) for each in reversed(found)])


# Requests carry a key too. How long Xero remembers it isn't published, so a repeat looks first.
@action(RECORD_PAYMENT, repeat=LookUp(find_payment), look=look_for_payment)
async def record_payment(call: Call, given: RecordPayment) -> Payment:
    require_currency(given.amount.currency, call.settings, "the payment")
    return Payment(**_told(await _pay(call, given, await deposit_account(call)), given))


async def find_redemption(call: Call, given: RedeemGiftCard) -> RedeemedGiftCard | None:
    """The payment of an earlier attempt, on the account of gift cards."""
    found = await _find(call, given.invoice_id)
    return RedeemedGiftCard(**_told(found, given)) if found else None


@action(REDEEM_GIFT_CARD, repeat=LookUp(find_redemption), look=look_for_redemption)
async def redeem_gift_card(call: Call, given: RedeemGiftCard) -> RedeemedGiftCard:
    """Raises Refused (no-gift-card-account, unknown-account, not-a-liability, no-payments-to-account)."""
    require_currency(given.amount.currency, call.settings, "the gift card")
    account = await gift_card_account(call)
    if not account.get("EnablePaymentsToAccount"):
        forget_account(call, account)
        raise Refused(
            f"Xero takes no payments on the account '{account['Name']}', so a gift card can't settle an invoice.",
            cause="no-payments-to-account",
            remedy="Tick 'Enable payments to this account' in Xero (Accounting › Chart of accounts), then send it "
            "again.",
        )
    return RedeemedGiftCard(**_told(await _pay(call, given, account), given))


def require_currency(currency: str, settings: XeroSettings, what: str) -> None:
    """Raises Refused when the books don't take `currency`."""
    if currency != settings.base_currency and not settings.multicurrency:
        raise Refused(
            f"{what[0].upper()}{what[1:]} is in {currency}, but the books are in {settings.base_currency} only.",
            cause=f"currency:{currency}",
            remedy="Choose a Xero plan with multiple currencies and set `multicurrency = true` for the connection, "
            "then send it again; or book it by hand.",
        )


async def _pay(call: Call, given: RecordPayment | RedeemGiftCard, account: Record) -> Record:
    body: Record = {
        "Invoice": {"InvoiceID": given.invoice_id},
        "Account": {"AccountID": account["AccountID"]},
        "Date": call.clock().astimezone(ZoneInfo(call.settings.time_zone)).date().isoformat(),
        "Amount": number(cents(given.amount.amount)),
        "Reference": f"{given.reference} {_mark(call)}".strip(),
    }
    return await create(call, "Payments", body)


async def _find(call: Call, invoice_id: str) -> Record | None:
    """The payment of the invoice that has this action's key in its reference."""
    payments = await _payments_of(call, invoice_id)
    return next((record for record in payments if record.get("Reference", "").endswith(_mark(call))), None)


async def _payments_of(call: Call, invoice_id: str) -> list[Record]:
    payments = await listed(call, "Payments", f'Invoice.InvoiceID==Guid("{invoice_id}")')
    return [record for record in payments if record.get("Status") != "DELETED"]


def _by_gift_card(call: Call, payment: Record) -> bool:
    code = call.settings.gift_card_account
    return bool(code) and payment.get("Account", {}).get("Code") == code


def _told(record: Record, given: RecordPayment | RedeemGiftCard) -> Record:
    amount = Money(amount=amount_of(record["Amount"]), currency=given.amount.currency)
    return {"id": record["PaymentID"], "amount": amount}


def _mark(call: Call) -> str:
    return f"(Bellwire {call.key})"

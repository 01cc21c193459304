"""Looking at payments, giving them back, and charging an open invoice again."""

from pydantic import Field

from bellwire.capabilities import Effect, Given, Operation, Result
from bellwire.capabilities.payments import (
    READ_PAYMENT,
    REFUND,
    PaymentRefund,
    PaymentState,
    ReadPayment,
    RefundPayment,
    RefundStatus,
)
from bellwire.connectors.kit import Call, LookUp, Seen, Unkeyed, action
from bellwire.connectors.kit.paying import nearest
from bellwire.connectors.stripe.api import Record, id_of, listed, minor, money, read, write
from bellwire.connectors.stripe.manifest import settings_of
from bellwire.connectors.stripe.reading import payment_status, reference, time_of
from bellwire.errors import Refused
from bellwire.events import PaymentStatus
from bellwire.money import Money

_KEY = "bellwire_key"
"""In the metadata of a refund: which action made it. Stripe may forget idempotency keys after a day."""
_REFUNDS = {"succeeded": RefundStatus.DONE, "failed": RefundStatus.FAILED, "canceled": RefundStatus.FAILED}


class PayInvoice(Given):
    invoice_id: str = Field(pattern=r"^in_\w+$")
    """As events call it: `invoice_id`."""


class InvoicePaid(Result):
    id: str
    status: PaymentStatus
    """`succeeded`, or `pending` where the bank takes its time: an event tells how it ends."""
    amount: Money
    pay_url: str = ""
    """Where the customer sees it."""


PAY_INVOICE = Operation(
    "stripe", "pay_invoice", PayInvoice, InvoicePaid, Effect.MONEY, "Try again to charge an open invoice"
)


@action(READ_PAYMENT, repeat=Unkeyed("it only reads"))
async def read_payment(call: Call, given: ReadPayment) -> PaymentState:
    """Of a payment (`pi_…`), a charge (`ch_…`, `py_…`) or an invoice (`in_…`)."""
    payment = await _payment(call, given.payment_id)
    charge = payment if payment["object"] == "charge" else payment.get("latest_charge") or {}
    billing = charge.get("billing_details") or {}
    return PaymentState(
        id=given.payment_id,
        status=payment_status(payment),
        amount=money(payment["amount"], payment["currency"]),
        refunded=money(charge.get("amount_refunded", 0), payment["currency"]),
        reference=reference(payment, settings_of(call.connection)),
        customer_email=payment.get("receipt_email") or billing.get("email") or "",
        created_at=time_of(payment["created"]),
    )


async def find_refund(call: Call, given: RefundPayment) -> PaymentRefund | None:
    """The refund of an earlier attempt, by the key in its metadata."""
    payment = await _payment(call, given.payment_id)
    async for refund in listed(call, "refunds", **{payment["object"]: payment["id"]}):
        if (refund.get("metadata") or {}).get(_KEY) == call.key:
            return _refund(refund, given)
    return None


async def look_for_refund(call: Call, given: RefundPayment) -> Seen | None:
    """A refund of this payment that didn't fail, whoever made it."""
    payment = await _payment(call, given.payment_id)
    refunds = [_refund(each, given) async for each in listed(call, "refunds", **{payment["object"]: payment["id"]})]
    return nearest("refund", given.amount, [each for each in refunds if each.status is not RefundStatus.FAILED])


@action(REFUND, repeat=LookUp(find_refund), look=look_for_refund)
async def refund(call: Call, given: RefundPayment) -> PaymentRefund:
    """`POST refunds`. Raises Refused (currency, amount, already-refunded, disputed, no-balance)."""
    payment = await _payment(call, given.payment_id)
    currency = payment["currency"].upper()
    if given.amount.currency != currency:
        raise Refused(
            f"The payment is in {currency}, so {given.amount} can't be given back of it.",
            cause="currency",
            remedy=f"Have the flow refund an amount in {currency}.",
        )
    notes = {"reference": given.reference, "reason": given.reason}
    form = {
        payment["object"]: payment["id"],
        "amount": _units(given.amount),
        "metadata": {_KEY: call.key, **{name: text for name, text in notes.items() if text}},
    }
    return _refund(await write(call, "refunds", form, key=call.key), given)


async def find_paid(call: Call, given: PayInvoice) -> InvoicePaid | None:
    """Whether an earlier attempt went through."""
    invoice = await read(call, f"invoices/{given.invoice_id}")
    return _paid(invoice) if invoice["status"] == "paid" else None


# Without a key: Stripe would give a decline again for a day, also to a person who retries with another card by then.
# None is needed, since an invoice that is paid isn't charged a second time.
@action(PAY_INVOICE, repeat=LookUp(find_paid))
async def pay_invoice(call: Call, given: PayInvoice) -> InvoicePaid:
    """`POST invoices/…/pay`. Raises Refused (declined:REASON, customer-must-act, not-open)."""
    invoice = await read(call, f"invoices/{given.invoice_id}")
    if invoice["status"] == "paid":
        return _paid(invoice)
    if invoice["status"] != "open":
        raise Refused(
            f"The invoice is {invoice['status']}, not open: nothing can be charged for it.",
            cause="not-open",
            remedy="Look at it in Stripe's Dashboard.",
        )
    return _paid(await write(call, f"invoices/{given.invoice_id}/pay", {}))


ACTIONS = (read_payment, refund, pay_invoice)


async def _payment(call: Call, payment_id: str) -> Record:
    """The PaymentIntent, with its latest charge; the charge itself if it is asked for. Its `object` is also what
    refunds call it by. Raises Refused."""
    if payment_id.startswith(("ch_", "py_")):
        return await read(call, f"charges/{payment_id}")
    if payment_id.startswith("in_"):
        payment_id = await _payment_of(call, payment_id)
    return await read(call, f"payment_intents/{payment_id}", expand=["latest_charge"])


async def _payment_of(call: Call, invoice_id: str) -> str:
    """The PaymentIntent that pays an invoice, or is to. Raises Refused when there is none, or several paid it."""
    found = [each async for each in listed(call, "invoice_payments", invoice=invoice_id)]
    known = [each for each in found if each["payment"]["type"] == "payment_intent" and each["status"] != "canceled"]
    paid = [each for each in known if each["status"] == "paid"] or known
    if len(paid) != 1:
        raise Refused(
            f"Stripe has {len(paid) or 'no'} payments for the invoice, so it isn't clear which one is meant.",
            cause="no-payment" if not paid else "several-payments",
            detail=", ".join(each["id"] for each in paid),
            remedy="Look at the invoice in Stripe's Dashboard, and do it there.",
        )
    return id_of(paid[0]["payment"]["payment_intent"])


def _refund(record: Record, given: RefundPayment) -> PaymentRefund:
    return PaymentRefund(
        id=record["id"],
        payment_id=given.payment_id,
        amount=money(record["amount"], record["currency"]),
        status=_REFUNDS.get(record["status"], RefundStatus.PENDING),
    )


def _paid(invoice: Record) -> InvoicePaid:
    done = invoice["status"] == "paid"
    return InvoicePaid(
        id=invoice["id"],
        status=PaymentStatus.SUCCEEDED if done else PaymentStatus.PENDING,
        amount=money(invoice["amount_paid"] if done else invoice["amount_remaining"], invoice["currency"]),
        pay_url=invoice.get("hosted_invoice_url") or "",
    )


def _units(amount: Money) -> int:
    try:
        return minor(amount)
    except ValueError as error:
        raise Refused(f"This can't be given back: {error}.", cause="amount", remedy="Round it in the flow.") from error

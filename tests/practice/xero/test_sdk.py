"""Xero's own client library gets along with the practice organisation."""

import asyncio
from collections.abc import AsyncIterator, Callable
from datetime import date
from typing import Any

import pytest
from xero_python.accounting import AccountingApi
from xero_python.accounting.models import (
    Account,
    Allocation,
    Allocations,
    BankTransaction,
    BankTransactions,
    Contact,
    Contacts,
    CreditNote,
    CreditNotes,
    Invoice,
    Invoices,
    LineItem,
    Payment,
    Payments,
    RequestEmpty,
)
from xero_python.api_client import ApiClient, Configuration
from xero_python.api_client.oauth2 import OAuth2Token
from xero_python.exceptions import AccountingBadRequestException, HTTPStatusException
from xero_python.identity import IdentityApi

from bellwire.practice import Practice
from bellwire.practice.xero import Xero

pytestmark = pytest.mark.proves("sdk")

TENANT = Xero.settings["tenant_id"]


class Sdk:
    """The library, signed in to the practice organisation."""

    def __init__(self, base: str, token: str) -> None:
        held = {"access_token": token, "expires_in": 1800, "token_type": "Bearer", "scope": ["accounting.invoices"]}
        client = ApiClient(
            Configuration(oauth2_token=OAuth2Token(client_id="practice-client", client_secret="none")),
            oauth2_token_getter=lambda: held,
            oauth2_token_saver=held.update,
        )
        self.accounting = AccountingApi(client, base_url=f"{base}/api.xro/2.0")
        self.identity = IdentityApi(client, base_url=base)

    async def do(self, name: str, *given: Any, **more: Any) -> Any:
        method: Callable[..., Any] = getattr(self.accounting, name)
        return await asyncio.to_thread(method, TENANT, *given, **more)


@pytest.fixture
async def xero() -> AsyncIterator[Callable[[str], Sdk]]:
    async with Practice(["xero"]) as practice:
        yield lambda token: Sdk(practice.base_url("xero"), token)


@pytest.fixture
def sdk(xero: Callable[[str], Sdk]) -> Sdk:
    return xero("practice-access-token")


def line() -> Any:
    return LineItem(
        description="Tea", quantity=2.0, unit_amount=8.5, item_code="TEA-100", account_code="200", tax_type="OUTPUT"
    )


async def contact(sdk: Sdk) -> Any:
    made = await sdk.do("create_contacts", Contacts(contacts=[Contact(name="Jo", email_address="jo@example.com")]))
    return made.contacts[0]


def invoice(who: Any, number: str) -> Any:
    days = {"date": date(2026, 11, 24), "due_date": date(2026, 12, 24)}
    known = Contact(contact_id=who.contact_id)
    wanted = Invoice(
        type="ACCREC", contact=known, line_items=[line()], invoice_number=number, status="AUTHORISED", **days
    )
    return Invoices(invoices=[wanted])


async def test_an_invoice_is_booked_read_and_paid(sdk: Sdk) -> None:
    who = await contact(sdk)
    made = (await sdk.do("create_invoices", invoice(who, "1001"), idempotency_key="one")).invoices[0]
    again = (await sdk.do("create_invoices", invoice(who, "1001"), idempotency_key="one")).invoices[0]
    assert again.invoice_id == made.invoice_id
    assert (float(made.total), float(made.total_tax), made.status) == (18.4, 1.4, "AUTHORISED")
    assert (made.date, made.due_date) == (date(2026, 11, 24), date(2026, 12, 24))
    payment = Payment(
        invoice=Invoice(invoice_id=made.invoice_id), account=Account(code="090"), amount=18.4, date=date(2026, 11, 25)
    )
    paid = (await sdk.do("create_payments", Payments(payments=[payment]))).payments[0]
    assert float(paid.amount) == 18.4
    read = await sdk.do("get_invoices", where='InvoiceNumber=="1001"', page=1)
    assert [(each.status, float(each.amount_due)) for each in read.invoices] == [("PAID", 0.0)]
    assert read.pagination.item_count == 1
    where = f'Invoice.InvoiceID==Guid("{made.invoice_id}")'
    assert [each.payment_id for each in (await sdk.do("get_payments", where=where)).payments] == [paid.payment_id]


async def test_a_credit_is_booked_allocated_and_paid_out(sdk: Sdk) -> None:
    who = await contact(sdk)
    sold = (await sdk.do("create_invoices", invoice(who, "1001"))).invoices[0]
    known = Contact(contact_id=who.contact_id)
    wanted = CreditNote(
        type="ACCRECCREDIT",
        contact=known,
        line_items=[line()],
        credit_note_number="R-7",
        status="AUTHORISED",
        date=date(2026, 11, 25),
    )
    made = (await sdk.do("create_credit_notes", CreditNotes(credit_notes=[wanted]))).credit_notes[0]
    assert (float(made.total), float(made.remaining_credit)) == (18.4, 18.4)
    part = Allocation(invoice=Invoice(invoice_id=sold.invoice_id), amount=10.0, date=date(2026, 11, 25))
    set_against = await sdk.do("create_credit_note_allocation", made.credit_note_id, Allocations(allocations=[part]))
    assert [float(each.amount) for each in set_against.allocations] == [10.0]
    rest = Payment(
        credit_note=CreditNote(credit_note_id=made.credit_note_id),
        account=Account(code="090"),
        amount=8.4,
        date=date(2026, 11, 25),
    )
    assert (await sdk.do("create_payments", Payments(payments=[rest]))).payments[0].payment_type == "ARCREDITPAYMENT"
    (read,) = (await sdk.do("get_credit_notes", where='CreditNoteNumber=="R-7"', page=1)).credit_notes
    assert (read.status, float(read.remaining_credit)) == ("PAID", 0.0)


async def test_an_invoice_is_mailed(sdk: Sdk) -> None:
    sold = (await sdk.do("create_invoices", invoice(await contact(sdk), "1001"))).invoices[0]
    await sdk.do("email_invoice", sold.invoice_id, RequestEmpty())
    (read,) = (await sdk.do("get_invoices", i_ds=[sold.invoice_id])).invoices
    assert read.sent_to_contact


async def test_money_is_received(sdk: Sdk) -> None:
    who = await contact(sdk)
    received = BankTransaction(
        type="RECEIVE",
        contact=Contact(contact_id=who.contact_id),
        bank_account=Account(code="090"),
        line_items=[line()],
        reference="Order 1001 (1)",
        date=date(2026, 11, 24),
    )
    made = (await sdk.do("create_bank_transactions", BankTransactions(bank_transactions=[received]))).bank_transactions
    read = await sdk.do("get_bank_transactions", where="Date==DateTime(2026, 11, 24)", page=1)
    assert [each.bank_transaction_id for each in read.bank_transactions] == [made[0].bank_transaction_id]


async def test_what_the_organisation_has_is_read(sdk: Sdk) -> None:
    (organisation,) = (await sdk.do("get_organisations")).organisations
    assert (organisation.is_demo_company, organisation.base_currency.value) == (True, "USD")
    assert "TEA-100" in [item.code for item in (await sdk.do("get_items")).items]
    assert "835" in [account.code for account in (await sdk.do("get_accounts", where='Class=="LIABILITY"')).accounts]
    assert "OUTPUT" in [rate.tax_type for rate in (await sdk.do("get_tax_rates")).tax_rates]
    (connection,) = await asyncio.to_thread(sdk.identity.get_connections)
    assert connection.tenant_id == TENANT


async def test_what_is_not_valid_has_its_messages(sdk: Sdk) -> None:
    who = await contact(sdk)
    await sdk.do("create_invoices", invoice(who, "1001"))
    with pytest.raises(AccountingBadRequestException) as refused:
        await sdk.do("create_invoices", invoice(who, "1001"))
    assert refused.value.error_data["Elements"][0]["ValidationErrors"] == [{"Message": "Invoice # must be unique."}]


async def test_a_stale_sign_in_is_refused(xero: Callable[[str], Sdk]) -> None:
    with pytest.raises(HTTPStatusException) as refused:
        await xero("stale").do("get_organisations")
    assert refused.value.status == 401

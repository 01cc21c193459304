"""The actions against a practice organisation, on good days and bad."""

import asyncio
import dataclasses
from datetime import UTC, date, datetime
from typing import Any

import aiohttp
import pytest

from bellwire.connectors.kit import ask_consent, redeem_consent
from bellwire.errors import Refused, SignedOut
from bellwire.events import Customer, Environment
from bellwire.money import Money
from bellwire.practice import Received
from bellwire.practice.xero import Xero
from tests.connecting import Secrets, connection
from tests.connectors.accounting.books import (
    booked,
    in_euros,
    invoice,
    known_to,
    new_call,
    new_order,
    pay,
    redeem,
    repeat,
    sales_receipt,
)
from tests.connectors.xero.conftest import Connect
from tests.openapi import described
from tests.samples import line, usd
from tests.shared import needs_shared

pytestmark = pytest.mark.asyncio(loop_scope="module")


def held(company: Xero, collection: str, made: str) -> Any:
    return company.books.records[collection][made]


def puts(company: Xero, path: str = "") -> list[Received]:
    return [r for r in company.received if r.method == "PUT" and r.path.endswith(path)]


class TestInvoices:
    async def test_an_invoice_carries_what_people_look_for(self, connect: Connect, company: Xero) -> None:
        sold = new_order()
        made = await invoice(new_call(connect()), sold, due=date(2026, 12, 24))
        assert (made.number, made.total) == (sold.number, usd("24.40"))
        assert made.url == f"https://go.xero.com/AccountsReceivable/View.aspx?InvoiceID={made.id}"
        sent = held(company, "Invoices", made.id)
        assert (sent["DateString"], sent["DueDateString"]) == ("2026-11-24T00:00:00", "2026-12-24T00:00:00")
        assert (sent["Type"], sent["Status"], sent["Reference"]) == (
            "ACCREC",
            "AUTHORISED",
            f"Order {sold.number} (450789469)",
        )
        assert [(entry["AccountCode"], entry["TaxType"], entry["TaxAmount"]) for entry in sent["LineItems"]] == [
            ("200", "OUTPUT", 1.4),
            ("260", "NONE", 0.0),
        ]
        assert sent["LineItems"][0]["ItemCode"] == "TEA-100"
        contact = held(company, "Contacts", made.customer_id)
        assert (contact["Name"], contact["EmailAddress"]) == ("Robin Hill", "robin@example.com")

    async def test_a_discount_is_shown_on_its_line(self, connect: Connect, company: Xero) -> None:
        reduced = {"lines": (line(discount=usd("2.00"), total=usd("15.00")),), "total": usd("22.40")}
        shown = await invoice(new_call(connect()), new_order(**reduced))
        first = held(company, "Invoices", shown.id)["LineItems"][0]
        assert (first["UnitAmount"], first["DiscountAmount"], first["LineAmount"]) == (8.5, 2.0, 15.0)
        hidden = await invoice(new_call(connect(show_discounts=False)), new_order(**reduced))
        first = held(company, "Invoices", hidden.id)["LineItems"][0]
        assert (first["UnitAmount"], first.get("DiscountAmount"), first["LineAmount"]) == (7.5, None, 15.0)

    async def test_tax_goes_under_the_rate_that_is_set(self, connect: Connect, company: Xero) -> None:
        made = await invoice(new_call(connect(tax_rate="tax on SALES")), new_order())
        assert held(company, "Invoices", made.id)["LineItems"][0]["TaxType"] == "OUTPUT"

    async def test_a_tax_rate_that_does_not_exist_is_named(self, connect: Connect) -> None:
        with pytest.raises(Refused, match=r"no tax rate called '20% \(VAT\)'") as refused:
            await invoice(new_call(connect(tax_rate="20% (VAT)")), new_order())
        assert refused.value.cause == "unknown-tax-rate:20% (VAT)"

    async def test_an_account_that_does_not_exist_is_said_in_the_vendors_words(self, connect: Connect) -> None:
        with pytest.raises(Refused, match="can't book it on one of the accounts") as refused:
            await invoice(new_call(connect(shipping_account="999")), new_order())
        assert refused.value.cause == "invalid-account"
        assert "'999' is not a valid code" in refused.value.detail

    async def test_a_locked_day_is_said(self, connect: Connect, company: Xero) -> None:
        company.books.locked_until = date(2026, 11, 24)
        try:
            with pytest.raises(Refused, match="locked in Xero") as refused:
                await invoice(new_call(connect()), new_order())
        finally:
            company.books.locked_until = None
        assert refused.value.cause == "books-closed"

    async def test_tax_rates_are_asked_for_once(self, connect: Connect, company: Xero) -> None:
        books = connect()
        company.received.clear()
        for _ in range(3):
            await invoice(new_call(books), new_order())
        assert sum(r.path.endswith("/TaxRates") for r in company.received) == 1


class TestSalesReceipts:
    async def test_a_receipt_is_money_on_the_bank_account(self, connect: Connect, company: Xero) -> None:
        sold = new_order()
        made = await sales_receipt(new_call(connect(deposit_account="business ACCOUNT")), sold)
        assert (made.number, made.total) == (sold.number, usd("24.40"))
        assert [(b.id, b.total, b.paid) for b in company.booked() if b.reference == sold.number] == [
            (made.id, usd("24.40"), True)
        ]
        assert held(company, "BankTransactions", made.id)["BankAccount"]["Code"] == "090"
        assert made.url.endswith(made.id)

    async def test_an_account_that_is_no_bank_account_is_refused(self, connect: Connect, company: Xero) -> None:
        company.received.clear()
        with pytest.raises(Refused, match="isn't a bank account"):
            await sales_receipt(new_call(connect(deposit_account="835")), new_order())
        assert puts(company) == []

    async def test_what_is_not_on_the_first_page_is_found_too(self, connect: Connect, company: Xero) -> None:
        sold, this = new_order(created_at=datetime(2026, 3, 1, tzinfo=UTC)), new_call(connect())
        contact = company.books.contact({"Name": "Buys often"})
        for index in range(130):
            company.books.bank_transaction(
                {
                    "Type": "RECEIVE",
                    "Contact": {"ContactID": contact["ContactID"]},
                    "Date": "2026-03-01",
                    "Reference": f"Other {index}",
                    "BankAccount": {"Code": "090"},
                    "LineItems": [{"Description": "x", "UnitAmount": 1, "AccountCode": "200"}],
                },
                2,
            )
        first = await sales_receipt(this, sold)
        company.received.clear()
        again = await sales_receipt(repeat(this), sold)
        assert again == first
        assert [r.query["page"] for r in company.received] == ["1", "2"]

    async def test_a_gift_card_is_taken_off_so_that_the_total_is_the_money_that_came_in(
        self, connect: Connect, company: Xero
    ) -> None:
        made = await sales_receipt(new_call(connect()), new_order(gift_cards=usd("20.00")))
        assert made.total == usd("4.40")
        *_, used = held(company, "BankTransactions", made.id)["LineItems"]
        assert (used["LineAmount"], used["AccountCode"], used["TaxType"]) == (-20.0, "835", "NONE")

    async def test_an_order_that_gift_cards_paid_wholly_is_no_receipt(self, connect: Connect, company: Xero) -> None:
        company.received.clear()
        with pytest.raises(Refused, match="No money came in") as refused:
            await sales_receipt(new_call(connect()), new_order(gift_cards=usd("24.40")))
        assert refused.value.cause == "no-money"
        assert not company.received

    @pytest.mark.parametrize(
        ("account", "sentence"),
        [
            ("", "isn't said on which account"),
            ("999", "no account called '999'"),
            ("260", "'Other revenue' isn't a liability"),
        ],
    )
    async def test_nothing_is_booked_where_a_gift_card_has_no_liability_to_be_taken_off(
        self, connect: Connect, company: Xero, account: str, sentence: str
    ) -> None:
        company.received.clear()
        with pytest.raises(Refused, match=sentence) as refused:
            await sales_receipt(new_call(connect(gift_card_account=account)), new_order(gift_cards=usd("20.00")))
        assert "`gift_card_account`" in refused.value.remedy
        assert puts(company) == []

    async def test_without_a_gift_card_its_account_is_not_asked_for(self, connect: Connect) -> None:
        made = await sales_receipt(new_call(connect(gift_card_account="")), new_order())
        assert made.total == usd("24.40")

    async def test_another_currency_than_the_bank_accounts_is_refused(self, connect: Connect) -> None:
        with pytest.raises(Refused, match="is in EUR, but Xero's account 'Business account' is in USD"):
            await sales_receipt(new_call(connect(multicurrency=True)), in_euros())


class TestPayments:
    async def test_a_payment_carries_its_key_in_its_reference(self, connect: Connect, company: Xero) -> None:
        books = connect()
        made = await invoice(new_call(books), new_order())
        this = new_call(books)
        payment = await pay(this, made, usd("24.40"))
        assert payment.amount == usd("24.40")
        assert held(company, "Invoices", made.id)["Status"] == "PAID"
        assert held(company, "Payments", payment.id)["Reference"] == f"1001 (Bellwire {this.key})"

    async def test_the_key_alone_also_leaves_one_payment(self, connect: Connect, company: Xero) -> None:
        books = connect()
        made, this = await invoice(new_call(books), new_order()), new_call(books)
        assert await pay(this, made, usd("5.00")) == await pay(this, made, usd("5.00"))
        assert held(company, "Invoices", made.id)["AmountDue"] == 19.4

    async def test_a_payment_that_was_deleted_is_not_taken_for_this_one(self, connect: Connect, company: Xero) -> None:
        books = connect()
        made, this = await invoice(new_call(books), new_order()), new_call(books)
        first = await pay(this, made, usd("5.00"))
        held(company, "Payments", first.id)["Status"] = "DELETED"
        company.forget()
        assert (await pay(repeat(this), made, usd("5.00"))).id != first.id

    async def test_more_than_is_owed_is_refused(self, connect: Connect) -> None:
        books = connect()
        made = await invoice(new_call(books), new_order())
        with pytest.raises(Refused, match="higher than what is left to pay") as refused:
            await pay(new_call(books), made, usd("24.41"))
        assert refused.value.cause == "overpaid"


class TestGiftCards:
    async def test_what_a_gift_card_paid_lowers_what_is_owed_to_bearers_and_settles_its_part(
        self, connect: Connect, company: Xero
    ) -> None:
        books = connect()
        made = await invoice(new_call(books), new_order())
        used = await redeem(new_call(books), made, usd("20.00"))
        assert held(company, "Payments", used.id)["Account"]["Code"] == "835"
        assert used.amount == usd("20.00")
        assert held(company, "Invoices", made.id)["AmountDue"] == 4.4

    async def test_a_gift_card_and_money_settle_an_invoice_together_and_are_told_apart(
        self, connect: Connect, company: Xero
    ) -> None:
        books = connect()
        made, card, money = await invoice(new_call(books), new_order()), new_call(books), new_call(books)
        used, paid = await asyncio.gather(redeem(card, made, usd("12.20")), pay(money, made, usd("12.20")))
        assert [b.paid for b in company.booked() if b.id == made.id] == [True]
        company.forget()
        assert await redeem(repeat(card), made, usd("12.20")) == used
        assert await pay(repeat(money), made, usd("12.20")) == paid

    async def test_an_account_that_takes_no_payments_is_refused_until_it_does(
        self, connect: Connect, company: Xero
    ) -> None:
        account = company.books.account("835")
        assert account is not None
        books = connect()
        made = await invoice(new_call(books), new_order())
        account["EnablePaymentsToAccount"] = False
        try:
            with pytest.raises(Refused, match="takes no payments on the account 'Gift cards outstanding'") as refused:
                await redeem(new_call(books), made, usd("20.00"))
        finally:
            account["EnablePaymentsToAccount"] = True
        assert "Enable payments to this account" in refused.value.remedy
        assert (await redeem(new_call(books), made, usd("20.00"))).amount == usd("20.00")

    async def test_an_account_that_is_no_liability_is_refused(self, connect: Connect, company: Xero) -> None:
        books = connect(gift_card_account="260")
        made = await invoice(new_call(books), new_order())
        with pytest.raises(Refused, match="'Other revenue' isn't a liability") as refused:
            await redeem(new_call(books), made, usd("20.00"))
        assert refused.value.cause == "not-a-liability"
        assert held(company, "Invoices", made.id)["AmountDue"] == 24.4


class TestRepeats:
    async def test_an_invoice_that_a_person_voided_is_not_taken_for_this_one(
        self, connect: Connect, company: Xero
    ) -> None:
        sold, this = new_order(), new_call(connect())
        first = await invoice(this, sold)
        held(company, "Invoices", first.id)["Status"] = "VOIDED"
        company.forget()
        assert (await invoice(repeat(this), sold)).id != first.id


class TestSkus:
    async def test_many_skus_are_looked_up_in_one_request(self, connect: Connect, company: Xero) -> None:
        company.received.clear()
        lines = tuple(
            line(id=sku, sku=sku, quantity=1, total=usd("8.50"), taxes=()) for sku in ("TEA-100", "TEA-250", "POT-1L")
        )
        await invoice(new_call(connect()), new_order(lines=lines, total=usd("32.90")))
        assert sum(r.path.endswith("/Items") for r in company.received) == 1

    @pytest.mark.parametrize("target", ["OTHER", "Other goods"])
    async def test_a_mapped_sku_goes_where_it_is_mapped_to(self, connect: Connect, company: Xero, target: str) -> None:
        assert company.item_for("TEA-500-NEW") == "OTHER"
        this = new_call(connect(), mapped={("product", "TEA-500-NEW"): target})
        made = await invoice(this, new_order(lines=(line(sku="TEA-500-NEW"),)))
        assert held(company, "Invoices", made.id)["LineItems"][0]["ItemCode"] == "OTHER"

    async def test_an_item_without_an_account_goes_to_that_of_sales(self, connect: Connect, company: Xero) -> None:
        item = company.books.add_item("BARE", "Bare", 1.0)
        del item["SalesDetails"]
        made = await invoice(new_call(connect(sales_account="260")), new_order(lines=(line(sku="BARE"),)))
        assert held(company, "Invoices", made.id)["LineItems"][0]["AccountCode"] == "260"

    async def test_quotes_in_a_sku_do_no_harm(self, connect: Connect, company: Xero) -> None:
        """Xero's filters can't hold them."""
        company.books.add_item('Odd "one" \\', "Odd one", 1.0)
        made = await invoice(new_call(connect()), new_order(lines=(line(sku='Odd "one" \\'),)))
        assert held(company, "Invoices", made.id)["LineItems"][0]["ItemCode"] == 'Odd "one" \\'


class TestCurrencies:
    async def test_an_invoice_is_in_its_orders_currency(self, connect: Connect, company: Xero) -> None:
        made = await invoice(new_call(connect(multicurrency=True)), in_euros())
        assert made.total == Money.of("17.00", "EUR")
        assert held(company, "Invoices", made.id)["CurrencyCode"] == "EUR"


class TestSignIn:
    async def test_every_call_names_the_organisation_and_every_write_has_a_key(
        self, connect: Connect, company: Xero
    ) -> None:
        this = new_call(connect())
        with pytest.raises(SignedOut, match="may not do this in that Xero organisation"):
            other = connect(tenant_id="00000000-0000-0000-0000-000000000000")
            await invoice(new_call(other), new_order())
        sold = new_order(customer=Customer(name="Keyed Kim", email="kim@example.com"))
        await invoice(this, sold)
        company.received.clear()
        await invoice(this, sold)
        assert [r.path.rpartition("/")[2] for r in puts(company)] == ["Invoices"], "the contact is known by its e-mail"
        assert len(booked(company, sold)) == 1

    @pytest.mark.proves("access")
    async def test_an_expired_sign_in_is_renewed_once(self, connect: Connect, company: Xero) -> None:
        books = connect(credentials=known_to(company))
        company.tokens.expire()
        company.received.clear()
        await asyncio.gather(*(invoice(new_call(books), new_order()) for _ in range(2)))
        secrets = books.credentials
        assert isinstance(secrets, Secrets)
        assert secrets.stored == 1
        assert secrets.values["refresh_token"] == company.tokens.refresh[-1] != "practice-refresh-token"
        assert sum(r.path == "/connect/token" for r in company.received) == 1

    @pytest.mark.proves("environments")
    async def test_signing_in_shows_the_organisation(self, connect: Connect, company: Xero) -> None:
        books = connect(credentials=known_to(company))
        show = books.connector.sign_in
        assert show is not None
        account = await show(new_call(books))
        assert (account.name, account.warnings) == ("Practice Tea Company", ())
        assert account.environment is Environment.SANDBOX
        assert account.detail == "demo company c2cc9b6e-9458-4c7d-93cc-f02b81b0594f, US"

    async def test_signing_in_says_which_organisations_there_are(self, connect: Connect, company: Xero) -> None:
        books = connect(credentials=known_to(company), tenant_id="00000000-0000-0000-0000-000000000000")
        show = books.connector.sign_in
        assert show is not None
        with pytest.raises(SignedOut, match=r"reaches: Practice Tea Company \(c2cc9b6e-9458-4c7d-93cc-f02b81b0594f\)"):
            await show(new_call(books))

    async def test_signing_in_warns_of_settings_that_the_organisation_contradicts(
        self, connect: Connect, company: Xero
    ) -> None:
        books = connect(credentials=known_to(company), base_currency="GBP")
        show = books.connector.sign_in
        assert show is not None
        company.demo = False
        try:
            account = await show(new_call(books))
        finally:
            company.demo = True
        currency, real = account.warnings
        assert account.environment is None, "a trial organisation isn't told from a real one"
        assert "kept in USD" in currency
        assert "real books" in real

    @pytest.mark.proves("access")
    async def test_the_first_sign_in_comes_from_a_consent_that_only_its_asker_can_redeem(
        self, connect: Connect, company: Xero
    ) -> None:
        client = {name: company.credentials[name] for name in ("client_id", "client_secret")}
        books = connect(credentials=client)
        asked = ask_consent(books, "http://localhost:8788/oauth/callback")
        async with aiohttp.ClientSession() as browser, browser.get(asked.url, allow_redirects=False) as answer:
            ended = answer.headers["Location"]
        with pytest.raises(SignedOut):
            await redeem_consent(books, dataclasses.replace(asked, verifier="guessed"), ended)
        async with aiohttp.ClientSession() as browser, browser.get(asked.url, allow_redirects=False) as answer:
            ended = answer.headers["Location"]
        await redeem_consent(books, asked, ended)
        assert books.credentials.get("refresh_token") == company.tokens.refresh[-1]
        assert books.credentials.get("granted_scopes").split() == list(books.manifest.scopes)
        with pytest.raises(SignedOut):
            await redeem_consent(books, asked, ended)


@needs_shared
@pytest.mark.proves("spec", "version")
async def test_all_that_is_asked_and_answered_is_as_xero_describes_it(connect: Connect, company: Xero) -> None:
    books, described_by = connect(credentials=known_to(company)), described("xero_accounting")
    company.received.clear()
    sold = new_order(customer=Customer(name='New "Nora" Hill', email="nora@example.com", phone="555"))
    this = new_call(books)
    made = await invoice(this, sold)
    await invoice(repeat(this), sold)
    paid, used = new_call(books), new_call(books)
    await pay(paid, made, usd("4.40"))
    await redeem(used, made, usd("20.00"))
    await pay(repeat(paid), made, usd("4.40"))
    tip: dict[str, Any] = {"tip": usd("1.00"), "total": usd("25.40")}
    receipt, bought = new_order(gift_cards=usd("2.00")), new_call(books)
    await sales_receipt(bought, receipt)
    await sales_receipt(repeat(bought), receipt)
    with pytest.raises(Refused):
        await pay(new_call(books), made, usd("1.00"))
    with pytest.raises(Refused):
        await invoice(new_call(connect(credentials=known_to(company), tip_account="999")), new_order(**tip))
    assert books.connector.sign_in is not None
    await books.connector.sign_in(new_call(books))
    asked = [r for r in company.received if r.path.startswith("/api.xro/2.0/")]
    assert {(r.method, r.path.rpartition("/")[2]) for r in asked} == {
        *(("PUT", name) for name in ("BankTransactions", "Contacts", "Invoices", "Payments")),
        *(("GET", name) for name in ("BankTransactions", "Contacts", "Invoices", "Payments")),
        *(("GET", name) for name in ("Accounts", "Items", "Organisation", "TaxRates")),
    }
    assert [problem for each in asked for problem in described_by.problems(each)] == []


async def test_production_is_told_when_it_is_the_demo_company(company: Xero, practice: Any) -> None:
    books = connection("xero", practice, environment=Environment.PRODUCTION, credentials=known_to(company))
    try:
        assert books.connector.sign_in is not None
        (said,) = (await books.connector.sign_in(new_call(books))).warnings
    finally:
        await books.api.close()
    assert "empties every few weeks" in said

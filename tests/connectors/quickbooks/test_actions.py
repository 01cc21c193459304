"""The actions against a practice company, on good days and bad."""

import asyncio
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from bellwire.capabilities.accounting import (
    Invoice,
)
from bellwire.connectors import find_connector
from bellwire.connectors.kit import connect
from bellwire.errors import OutcomeUnknown, Refused, SignedOut, Transient
from bellwire.events import Customer, Environment
from bellwire.money import Money
from bellwire.practice import Fault, FaultKind, Practice, Received
from bellwire.practice.quickbooks import QuickBooks
from bellwire.vault import ConnectionCredentials, Vault, create_key_file
from tests.connecting import Secrets
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
from tests.connectors.quickbooks.conftest import Connect
from tests.samples import line, usd

pytestmark = pytest.mark.asyncio(loop_scope="module")

POST_INVOICE = "POST .*/invoice"


def memos_of(company: QuickBooks, invoice: Invoice) -> list[Any]:
    memos = company.books.records["CreditMemo"].values()
    return [memo for memo in memos if memo["Line"][0]["Description"] == f"Gift card used for invoice {invoice.number}"]


def posts(company: QuickBooks, path: str) -> list[Received]:
    return [r for r in company.received if r.method == "POST" and r.path.endswith(path)]


class TestInvoices:
    async def test_an_invoice_carries_what_people_look_for(self, connect: Connect, company: QuickBooks) -> None:
        sold = new_order(note="Ring twice", gift_cards=usd("5.00"))
        made = await invoice(new_call(connect()), sold, due=date(2026, 12, 24))
        assert (made.number, made.total) == (sold.number, usd("24.40"))
        assert made.url == f"https://app.sandbox.qbo.intuit.com/app/invoice?txnId={made.id}"
        sent = company.books.records["Invoice"][made.id]
        assert (sent["TxnDate"], sent["DueDate"]) == ("2026-11-24", "2026-12-24")
        assert sent["BillEmail"] == {"Address": "robin@example.com"}
        assert sent["ShipAddr"] == {
            "Line1": "Robin Hill",
            "Line2": "1 Main St",
            "City": "Austin",
            "CountrySubDivisionCode": "TX",
            "PostalCode": "78701",
            "Country": "US",
        }
        assert sent["PrivateNote"] == f"Order {sold.number} (450789469)\nPaid by gift card: 5.00 USD\nRing twice"
        assert sent["TxnTaxDetail"] == {"TotalTax": 1.4}

    async def test_every_write_is_keyed_and_every_call_names_its_version(
        self, connect: Connect, company: QuickBooks
    ) -> None:
        company.received.clear()
        this = new_call(connect())
        await invoice(this, new_order(customer=Customer(name="Keyed Kim", email="kim@example.com")))
        assert {r.query["minorversion"] for r in company.received} == {"75"}
        customer, document = [r.query["requestid"] for r in company.received if r.method == "POST"]
        assert document == this.uuid != customer
        assert len(customer) <= 50

    async def test_many_skus_are_looked_up_in_one_query(self, connect: Connect, company: QuickBooks) -> None:
        company.received.clear()
        lines = tuple(
            line(id=sku, sku=sku, quantity=1, total=usd("8.50"), taxes=()) for sku in ("TEA-100", "TEA-250", "POT-1L")
        )
        await invoice(new_call(connect()), new_order(lines=lines, total=usd("32.90")))
        (query,) = [r.query["query"] for r in company.received if "Sku" in r.query.get("query", "")]
        assert "IN ('TEA-100', 'TEA-250', 'POT-1L')" in query

    async def test_a_long_order_number_keeps_its_end(self, connect: Connect) -> None:
        made = await invoice(new_call(connect()), new_order(number="WEBSHOP-EUROPE-2026-000123"))
        assert made.number == "OP-EUROPE-2026-000123"

    async def test_a_long_order_number_behind_a_prefix_keeps_its_end_too(self, connect: Connect) -> None:
        made = await invoice(new_call(connect(number_prefix="EU-")), new_order(number="WEBSHOP-2026-0000000456"))
        assert made.number == "EU-OP-2026-0000000456"

    async def test_tax_goes_under_the_tax_rate_that_is_set(self, connect: Connect, company: QuickBooks) -> None:
        made = await invoice(new_call(connect(tax_rate="Texas sales tax")), new_order())
        (rate,) = [r for r in company.books.records["TaxCode"].values() if r["Name"] == "Texas sales tax"]
        assert company.books.records["Invoice"][made.id]["TxnTaxDetail"]["TxnTaxCodeRef"] == {"value": rate["Id"]}

    async def test_a_tax_code_that_does_not_exist_is_named(self, connect: Connect) -> None:
        with pytest.raises(Refused, match=r"no sales tax code called '20\.0% S'") as refused:
            await invoice(new_call(connect(tax_code="20.0% S")), new_order())
        assert refused.value.cause == "unknown-tax-code:20.0% S"


class TestSalesReceipts:
    async def test_a_sales_receipt_is_paid_at_once(self, connect: Connect, company: QuickBooks) -> None:
        sold = new_order()
        made = await sales_receipt(new_call(connect(deposit_account="Undeposited Funds")), sold)
        assert [(b.id, b.total, b.paid) for b in company.booked() if b.reference == sold.number] == [
            (made.id, usd("24.40"), True)
        ]
        sent = company.books.records["SalesReceipt"][made.id]
        assert sent["PaymentRefNum"] == sold.number
        assert company.books.records["Account"][sent["DepositToAccountRef"]["value"]]["Name"] == "Undeposited Funds"
        assert made.url.endswith(f"/salesreceipt?txnId={made.id}")

    async def test_a_gift_card_is_taken_off_so_that_the_total_is_the_money_that_came_in(
        self, connect: Connect, company: QuickBooks
    ) -> None:
        sold = new_order(gift_cards=usd("20.00"))
        made = await sales_receipt(new_call(connect()), sold)
        assert made.total == usd("4.40")
        *_, used = company.books.records["SalesReceipt"][made.id]["Line"]
        assert (used["Amount"], used["Description"]) == (-20.0, "Gift card used")
        item = company.books.records["Item"][used["SalesItemLineDetail"]["ItemRef"]["value"]]
        assert company.books.records["Account"][item["IncomeAccountRef"]["value"]]["Name"] == "Gift cards outstanding"
        assert used["SalesItemLineDetail"]["TaxCodeRef"] == {"value": "NON"}
        assert company.books.records["SalesReceipt"][made.id]["TxnTaxDetail"] == {"TotalTax": 1.4}

    async def test_an_order_that_gift_cards_paid_wholly_is_a_receipt_of_nothing(
        self, connect: Connect, company: QuickBooks
    ) -> None:
        made = await sales_receipt(new_call(connect()), new_order(gift_cards=usd("24.40")))
        assert (made.total, company.books.records["SalesReceipt"][made.id]["TotalAmt"]) == (usd("0"), 0)

    async def test_a_lost_answer_leaves_one_sales_receipt_of_an_order_with_a_gift_card(
        self, connect: Connect, company: QuickBooks
    ) -> None:
        company.faults.add(Fault(kind=FaultKind.LOST_ANSWER, match="POST .*/salesreceipt"))
        sold, this = new_order(gift_cards=usd("20.00")), new_call(connect())
        with pytest.raises(OutcomeUnknown):
            await sales_receipt(this, sold)
        again = await sales_receipt(repeat(this), sold)
        assert (booked(company, sold), again.total) == ([again.id], usd("4.40"))

    async def test_a_receipt_that_took_a_gift_card_for_money_is_not_taken_for_success(
        self, connect: Connect, company: QuickBooks
    ) -> None:
        sold, this = new_order(gift_cards=usd("20.00")), new_call(connect())
        made = await sales_receipt(this, sold)
        company.books.records["SalesReceipt"][made.id]["TotalAmt"] = 24.4
        with pytest.raises(Refused, match=r"as 24\.40 USD, but for order A\d+ it should come to 4\.40 USD") as refused:
            await sales_receipt(repeat(this), sold)
        assert refused.value.cause == "wrong-total"

    @pytest.mark.parametrize(
        ("item", "sentence"),
        [("Vouchers", "no item called 'Vouchers'"), ("Tips", "item 'Tips' on an account that isn't a liability")],
    )
    async def test_nothing_is_booked_where_a_gift_card_has_no_liability_to_be_taken_off(
        self, connect: Connect, company: QuickBooks, item: str, sentence: str
    ) -> None:
        company.received.clear()
        nobody = Customer(name=f"Never Booked on {item}", email="never.booked@example.com")
        sold = new_order(gift_cards=usd("20.00"), customer=nobody)
        with pytest.raises(Refused, match=sentence) as refused:
            await sales_receipt(new_call(connect(gift_card_item=item)), sold)
        assert "`gift_card_item` in [books.settings]" in refused.value.remedy
        assert [r for r in company.received if r.method == "POST"] == []

    async def test_without_a_gift_card_its_item_is_not_asked_for(self, connect: Connect) -> None:
        made = await sales_receipt(new_call(connect(gift_card_item="Vouchers")), new_order())
        assert made.total == usd("24.40")

    async def test_more_by_gift_card_than_the_order_costs_is_refused(self, connect: Connect) -> None:
        with pytest.raises(Refused, match="rule of the QuickBooks company") as refused:
            await sales_receipt(new_call(connect()), new_order(gift_cards=usd("24.41")))
        assert "must be 0 or greater" in refused.value.detail


class TestPayments:
    async def test_a_payment_sent_twice_is_recorded_once(self, connect: Connect, company: QuickBooks) -> None:
        books = connect()
        made, this = await invoice(new_call(books), new_order()), new_call(books)
        company.faults.add(Fault(kind=FaultKind.LOST_ANSWER, match="POST .*/payment"))
        with pytest.raises(OutcomeUnknown):
            await pay(this, made, usd("20.00"))
        payment = await pay(repeat(this), made, usd("20.00"))
        assert company.books.records["Invoice"][made.id]["Balance"] == 4.4
        assert company.books.records["Payment"][payment.id]["TotalAmt"] == 20.0

    async def test_a_payment_that_never_arrived_is_recorded_by_the_repeat(
        self, connect: Connect, company: QuickBooks
    ) -> None:
        books = connect()
        made, this = await invoice(new_call(books), new_order()), new_call(books)
        company.faults.add(Fault(kind=FaultKind.FAILED, match="POST .*/payment"))
        with pytest.raises(OutcomeUnknown):
            await pay(this, made, usd("24.40"))
        await pay(repeat(this), made, usd("24.40"))
        assert company.books.records["Invoice"][made.id]["Balance"] == 0

    async def test_more_than_is_owed_is_refused(self, connect: Connect) -> None:
        books = connect()
        made = await invoice(new_call(books), new_order())
        with pytest.raises(Refused, match="rule of the QuickBooks company") as refused:
            await pay(new_call(books), made, usd("24.41"))
        assert "balance of 24.4" in refused.value.detail


class TestGiftCards:
    async def test_what_a_gift_card_paid_lowers_what_is_owed_to_bearers_and_settles_its_part(
        self, connect: Connect, company: QuickBooks
    ) -> None:
        books, sold = connect(), new_order()
        made = await invoice(new_call(books), sold)
        used = await redeem(new_call(books), made, usd("20.00"))
        memo = company.books.records["CreditMemo"][used.id]
        (sold_on,) = memo["Line"]
        item = company.books.records["Item"][sold_on["SalesItemLineDetail"]["ItemRef"]["value"]]
        account = company.books.records["Account"][item["IncomeAccountRef"]["value"]]
        assert (account["Name"], account["Classification"]) == ("Gift cards outstanding", "Liability")
        assert (memo["TotalAmt"], memo["Balance"]) == (20.0, 0)
        assert (memo["DocNumber"], memo["TxnDate"]) == (f"GC-{sold.number}", "2026-11-24")
        assert used.amount == usd("20.00")
        assert company.books.records["Invoice"][made.id]["Balance"] == 4.4
        (link,) = company.books.records["Invoice"][made.id]["LinkedTxn"]
        assert company.books.records["Payment"][link["TxnId"]]["TotalAmt"] == 0, "no money came in"

    async def test_a_gift_card_and_money_settle_an_invoice_together(
        self, connect: Connect, company: QuickBooks
    ) -> None:
        books = connect(deposit_account="Undeposited Funds")
        made = await invoice(new_call(books), new_order())
        await asyncio.gather(
            redeem(new_call(books), made, usd("20.00")),
            pay(new_call(books), made, usd("4.40")),
        )
        assert [b.paid for b in company.booked() if b.id == made.id] == [True]
        linked = [link["TxnId"] for link in company.books.records["Invoice"][made.id]["LinkedTxn"]]
        assert sorted(company.books.records["Payment"][each]["TotalAmt"] for each in linked) == [0, 4.4]

    @pytest.mark.parametrize("numbered", [True, False], ids=["our numbers", "the company's numbers"])
    @pytest.mark.parametrize("lost", ["creditmemo", "payment"])
    async def test_a_lost_answer_takes_the_gift_card_off_once_although_its_key_is_forgotten(
        self, connect: Connect, company: QuickBooks, monkeypatch: pytest.MonkeyPatch, lost: str, numbered: bool
    ) -> None:
        (preferences,) = company.books.records["Preferences"].values()
        monkeypatch.setitem(preferences["SalesFormsPrefs"], "CustomTxnNumbers", numbered)
        books = connect()
        made, this = await invoice(new_call(books), new_order()), new_call(books)
        await pay(new_call(books), made, usd("5.00"))
        company.faults.add(Fault(kind=FaultKind.LOST_ANSWER, match=f"POST .*/{lost}"))
        with pytest.raises(OutcomeUnknown):
            await redeem(this, made, usd("5.00"))
        company.forget()
        again = await redeem(repeat(this), made, usd("5.00"))
        assert [memo["Id"] for memo in memos_of(company, made)] == [again.id]
        assert company.books.records["Invoice"][made.id]["Balance"] == 14.4

    async def test_two_gift_card_parts_of_the_same_amount_are_told_apart_from_money(
        self, connect: Connect, company: QuickBooks
    ) -> None:
        """Each look-up finds its own: both have the amount and the reference."""
        books = connect()
        made, money, card = await invoice(new_call(books), new_order()), new_call(books), new_call(books)
        used, paid = await redeem(card, made, usd("12.20")), await pay(money, made, usd("12.20"))
        again = repeat(money), repeat(card)
        assert await pay(again[0], made, usd("12.20")) == paid
        assert await redeem(again[1], made, usd("12.20")) == used

    async def test_a_long_number_keeps_its_end(self, connect: Connect, company: QuickBooks) -> None:
        books = connect()
        made = await invoice(new_call(books), new_order(number="WEBSHOP-EUROPE-2026-000999"))
        used = await redeem(new_call(books), made, usd("1.00"))
        assert company.books.records["CreditMemo"][used.id]["DocNumber"] == "GC-EUROPE-2026-000999"

    async def test_an_item_that_does_not_exist_is_named(self, connect: Connect) -> None:
        books = connect(gift_card_item="Vouchers")
        made = await invoice(new_call(books), new_order())
        with pytest.raises(Refused, match="no item called 'Vouchers'") as refused:
            await redeem(new_call(books), made, usd("20.00"))
        assert "`gift_card_item` in [books.settings]" in refused.value.remedy

    async def test_an_item_on_an_income_account_is_refused(self, connect: Connect, company: QuickBooks) -> None:
        books = connect(gift_card_item="Tips")
        made = await invoice(new_call(books), new_order())
        with pytest.raises(Refused, match="item 'Tips' on an account that isn't a liability") as refused:
            await redeem(new_call(books), made, usd("20.00"))
        assert refused.value.cause == "not-a-liability"
        assert "Other Current Liabilities" in refused.value.remedy
        assert memos_of(company, made) == []

    async def test_a_company_that_applies_credits_by_itself_is_refused_before_anything_is_booked(
        self, connect: Connect, company: QuickBooks, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        (preferences,) = company.books.records["Preferences"].values()
        monkeypatch.setitem(preferences["SalesFormsPrefs"], "AutoApplyCredit", True)
        books = connect()
        made = await invoice(new_call(books), new_order())
        with pytest.raises(Refused, match="could settle another invoice") as refused:
            await redeem(new_call(books), made, usd("20.00"))
        assert "Turn off 'Automatically apply credits'" in refused.value.remedy
        assert memos_of(company, made) == []

    async def test_a_credit_that_somebody_has_applied_meanwhile_is_for_a_person(
        self, connect: Connect, company: QuickBooks
    ) -> None:
        books = connect()
        made, this = await invoice(new_call(books), new_order()), new_call(books)
        company.faults.add(Fault(kind=FaultKind.FAILED, match="POST .*/payment"))
        with pytest.raises(OutcomeUnknown):
            await redeem(this, made, usd("20.00"))
        (memo,) = memos_of(company, made)
        memo["Balance"] = 0.0
        with pytest.raises(Refused, match=r"0\.00 is left instead of 20\.00") as refused:
            await redeem(repeat(this), made, usd("20.00"))
        assert refused.value.cause == "credit-used"

    async def test_an_invoice_that_is_gone_is_said(self, connect: Connect, company: QuickBooks) -> None:
        books = connect()
        made = await invoice(new_call(books), new_order())
        del company.books.records["Invoice"][made.id]
        with pytest.raises(Refused, match=f"no invoice with the id {made.id} any more"):
            await redeem(new_call(books), made, usd("20.00"))

    async def test_a_foreign_currency_is_refused_without_multicurrency(self, connect: Connect) -> None:
        books = connect()
        made = await invoice(new_call(books), new_order())
        with pytest.raises(Refused, match=r"The gift card is in EUR, but the books are in USD only"):
            await redeem(new_call(books), made, Money.of("20.00", "EUR"))

    async def test_an_invoice_says_when_a_gift_card_paid_a_part_that_is_not_known_yet(
        self, connect: Connect, company: QuickBooks
    ) -> None:
        made = await invoice(new_call(connect()), sold := new_order(gift_cards=None))
        note = company.books.records["Invoice"][made.id]["PrivateNote"]
        assert note == f"Order {sold.number} ({sold.id})\nPaid by gift card in part"


class TestRepeats:
    async def test_a_lost_answer_leaves_one_invoice_where_the_company_numbers_them_by_itself(
        self, connect: Connect, company: QuickBooks, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        (preferences,) = company.books.records["Preferences"].values()
        monkeypatch.setitem(preferences["SalesFormsPrefs"], "CustomTxnNumbers", False)
        company.faults.add(Fault(kind=FaultKind.LOST_ANSWER, match=POST_INVOICE))
        sold, this = new_order(), new_call(connect())
        with pytest.raises(OutcomeUnknown):
            await invoice(this, sold)
        company.forget()
        again = await invoice(repeat(this), sold)
        note = f"Order {sold.number} ({sold.id})"
        made = [r["Id"] for r in company.books.records["Invoice"].values() if r["PrivateNote"] == note]
        assert made == [again.id]
        assert again.number != sold.number

    @pytest.mark.proves("paging")
    async def test_an_invoice_is_found_behind_a_thousand_others_of_its_day(
        self, connect: Connect, company: QuickBooks
    ) -> None:
        """Where the company numbers documents by itself, only the day leads to it."""
        company.faults.add(Fault(kind=FaultKind.LOST_ANSWER, match="POST .*/invoice"))
        books, sold = connect(), new_order()
        with pytest.raises(OutcomeUnknown):
            await invoice(new_call(books), sold)
        (made,) = (r for r in company.books.records["Invoice"].values() if r["DocNumber"] == sold.number)
        made["DocNumber"], made["Id"] = "by itself", "900000"
        others = [company.books.add("Invoice", TxnDate=made["TxnDate"], DocNumber=str(n))["Id"] for n in range(2000)]
        company.forget()
        assert (await invoice(new_call(books, again=True), sold)).id == "900000"
        for other in others:
            del company.books.records["Invoice"][other]

    async def test_a_lost_answer_about_a_new_customer_leaves_one_customer(
        self, connect: Connect, company: QuickBooks
    ) -> None:
        company.faults.add(Fault(kind=FaultKind.LOST_ANSWER, match="POST .*/customer"))
        sold = new_order(customer=Customer(name="Lost Lee", email="lee@example.com"))
        this = new_call(connect())
        with pytest.raises(OutcomeUnknown):
            await invoice(this, sold)
        await invoice(repeat(this), sold)
        assert [r["DisplayName"] for r in company.books.records["Customer"].values()].count("Lost Lee") == 1


class TestSkus:
    @pytest.mark.parametrize("by", ["id", "name"])
    async def test_a_mapped_sku_goes_where_it_is_mapped_to(
        self, connect: Connect, company: QuickBooks, by: str
    ) -> None:
        item = company.item_for("TEA-500-NEW")
        assert item is not None
        target = item if by == "id" else company.books.records["Item"][item]["Name"]
        this = new_call(connect(), mapped={("product", "TEA-500-NEW"): target})
        made = await invoice(this, new_order(lines=(line(sku="TEA-500-NEW"),)))
        first = company.books.records["Invoice"][made.id]["Line"][0]
        assert first["SalesItemLineDetail"]["ItemRef"] == {"value": item}

    async def test_a_sku_that_two_items_have_is_refused(self, connect: Connect, company: QuickBooks) -> None:
        company.books.add("Item", Name="Twin one", Sku="TWIN", Type="Service")
        company.books.add("Item", Name="Twin two", Sku="twin", Type="Service")
        with pytest.raises(Refused, match="2 items with the SKU TWIN: Twin one, Twin two"):
            await invoice(new_call(connect()), new_order(lines=(line(sku="TWIN"),)))

    async def test_quotes_in_a_sku_do_no_harm(self, connect: Connect, company: QuickBooks) -> None:
        item = company.books.add("Item", Name="Odd one", Sku="O'Neil\\5\" (x)", Type="Service")
        made = await invoice(new_call(connect()), new_order(lines=(line(sku="O'Neil\\5\" (x)"),)))
        first = company.books.records["Invoice"][made.id]["Line"][0]
        assert first["SalesItemLineDetail"]["ItemRef"] == {"value": item["Id"]}

    async def test_an_item_of_the_settings_that_does_not_exist_is_named(self, connect: Connect) -> None:
        with pytest.raises(Refused, match="no item called 'Delivery'") as refused:
            await invoice(new_call(connect(shipping_item="Delivery")), new_order())
        assert "`shipping_item` in [books.settings]" in refused.value.remedy


class TestCurrencies:
    async def test_a_customer_gets_a_record_for_each_currency(self, connect: Connect, company: QuickBooks) -> None:
        books = connect(multicurrency=True)
        euro_and_dollar = Customer(name="Cross Border", email="cross@example.com")
        european = await invoice(new_call(books), in_euros(customer=euro_and_dollar))
        american = await invoice(new_call(books), new_order(customer=euro_and_dollar))
        names = [company.books.records["Customer"][i.customer_id]["DisplayName"] for i in (european, american)]
        assert names == ["Cross Border (EUR)", "Cross Border"]
        assert european.total == Money.of("17.00", "EUR")


class TestSignIn:
    @pytest.mark.proves("access")
    async def test_an_expired_sign_in_is_renewed_once(self, connect: Connect, company: QuickBooks) -> None:
        company.tokens.expire()
        company.received.clear()
        books, sold = connect(), new_order()
        # What the refresh gave must be kept although the call after it fails.
        company.faults.add(Fault(kind=FaultKind.FAILED, match="GET .*/query", skip=1))
        with pytest.raises(Transient):
            await invoice(new_call(books), sold)
        secrets = books.credentials
        assert isinstance(secrets, Secrets)
        assert secrets.stored == 1
        assert secrets.values["refresh_token"] == company.tokens.refresh[-1] != "practice-refresh-token"
        await invoice(new_call(books), sold)
        assert len(posts(company, "/tokens/bearer")) == 1

    @pytest.mark.proves("access")
    async def test_two_actions_at_once_renew_the_sign_in_once(self, connect: Connect, company: QuickBooks) -> None:
        books = connect(credentials=known_to(company))
        company.tokens.expire()
        company.received.clear()
        await asyncio.gather(*(invoice(new_call(books), new_order()) for _ in range(2)))
        assert len(posts(company, "/tokens/bearer")) == 1

    @pytest.mark.proves("access")
    async def test_two_processes_that_share_a_vault_renew_the_sign_in_once(
        self, practice: Practice, company: QuickBooks, tmp_path: Path
    ) -> None:
        create_key_file(tmp_path)
        Vault.open(tmp_path, {}).store("books", known_to(company))
        connector, address = find_connector("quickbooks"), practice.base_url("quickbooks")
        settings = connector.manifest.settings.model_validate(company.settings)
        both = [
            connect("books", connector, Environment.SANDBOX, settings, credentials, base_url=address)
            for credentials in (ConnectionCredentials(Vault.open(tmp_path, {}), "books", {}) for _ in range(2))
        ]
        company.tokens.expire()
        company.received.clear()
        try:
            await asyncio.gather(*(invoice(new_call(books), new_order()) for books in both))
        finally:
            for books in both:
                await books.api.close()
        assert len(posts(company, "/tokens/bearer")) == 1

    async def test_another_companys_sign_in_is_said_plainly(self, connect: Connect, company: QuickBooks) -> None:
        token = company.tokens.renew(company.tokens.refresh[-1])
        assert token is not None
        books = connect(credentials=known_to(company), realm_id="999")
        with pytest.raises(SignedOut, match="doesn't belong to this QuickBooks company"):
            await invoice(new_call(books), new_order())

    async def test_signing_in_shows_the_company(self, connect: Connect, company: QuickBooks) -> None:
        books = connect(credentials=known_to(company))
        show = books.connector.sign_in
        assert show is not None
        account = await show(new_call(books))
        assert (account.name, account.warnings) == ("Practice Tea Company", ())
        assert "4620816365000001" in account.detail

    async def test_signing_in_warns_of_settings_that_the_company_contradicts(
        self, connect: Connect, company: QuickBooks
    ) -> None:
        (preferences,) = company.books.records["Preferences"].values()
        preferences["CurrencyPrefs"]["MultiCurrencyEnabled"] = False
        preferences["SalesFormsPrefs"].update(AllowDiscount=False, CustomTxnNumbers=False)
        books = connect(credentials=known_to(company), home_currency="GBP", multicurrency=True)
        show = books.connector.sign_in
        assert show is not None
        currency, multi, discounts, numbers = (await show(new_call(books))).warnings
        assert "kept in USD" in currency
        assert "Multicurrency isn't turned on" in multi
        assert "Discounts are turned off" in discounts
        assert "order's number" in numbers

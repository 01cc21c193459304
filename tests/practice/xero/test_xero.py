"""The practice organisation refuses what Xero would refuse."""

from base64 import b64encode
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from itertools import count
from typing import Any

import aiohttp
import orjson
import pytest
import pytest_asyncio

from bellwire.practice import CATALOGUE, Booked, Books, Credited, Practice, Sent
from bellwire.practice.xero import Xero
from tests.samples import usd

pytestmark = pytest.mark.asyncio(loop_scope="module")

_serial = count(1)


@dataclass
class Client:
    """A plain HTTP client of the practice organisation."""

    session: aiohttp.ClientSession
    base: str
    company: Xero

    async def ask(
        self, method: str, path: str, body: Any = None, *, headers: Mapping[str, str] = {}, **query: str
    ) -> tuple[int, Any]:
        sent = {"Authorization": "Bearer practice-access-token", "xero-tenant-id": self.company.settings["tenant_id"]}
        url = f"{self.base}/api.xro/2.0/{path}"
        async with self.session.request(method, url, json=body, params=query, headers={**sent, **headers}) as answer:
            return answer.status, await answer.json(content_type=None)

    async def put(self, collection: str, given: Any, *, key: str = "") -> Any:
        """The record that was made."""
        headers = {"Idempotency-Key": key} if key else {}
        status, answer = await self.ask("PUT", f"{collection}?unitdp=4", {collection: [given]}, headers=headers)
        assert status == 200, answer
        return answer[collection][0]

    async def refusal(self, collection: str, given: Any) -> str:
        """The message of what isn't valid; empty when it is."""
        status, answer = await self.ask("PUT", collection, {collection.partition("?")[0]: [given]})
        if status == 200:
            return ""
        assert (status, answer["Type"]) == (400, "ValidationException")
        return " · ".join(error["Message"] for error in answer["Elements"][0]["ValidationErrors"])

    async def found(self, collection: str, where: str, *, archived: str = "false") -> list[Any]:
        status, answer = await self.ask("GET", collection, where=where, includeArchived=archived)
        assert status == 200, answer
        return list(answer[collection])

    def sale(self, **changes: Any) -> dict[str, Any]:
        """An invoice of 17.00 for a contact of its own."""
        contact = self.company.books.contact({"Name": f"Customer {next(_serial)}"})
        return {
            "Type": "ACCREC",
            "Contact": {"ContactID": contact["ContactID"]},
            "Date": "2026-11-24",
            "DueDate": "2026-11-24",
            "Status": "AUTHORISED",
            "LineAmountTypes": "Exclusive",
            "LineItems": [self.line()],
            **changes,
        }

    @staticmethod
    def line(**changes: Any) -> dict[str, Any]:
        line = {"Description": "Tea", "ItemCode": "TEA-100", "Quantity": 2, "UnitAmount": 8.5, "AccountCode": "200"}
        return {**line, "TaxType": "NONE", **changes}

    def receipt(self, **changes: Any) -> dict[str, Any]:
        sale = self.sale(Type="RECEIVE", BankAccount={"Code": "090"}, Reference="Order 7 (1)")
        del sale["DueDate"]
        return {**sale, **changes}


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def client() -> AsyncIterator[Client]:
    async with Practice(["xero"]) as practice, aiohttp.ClientSession() as session:
        company = practice.simulators["xero"]
        assert isinstance(company, Xero)
        company.quotas.clear()
        yield Client(session, practice.base_url("xero"), company)


class TestSigningIn:
    @staticmethod
    async def renew(client: Client, token: str, **changes: str) -> tuple[int, Any]:
        form = {"grant_type": "refresh_token", "refresh_token": token, **changes}
        secret = form.pop("secret", "practice-client-secret")
        auth = {"Authorization": "Basic " + b64encode(f"practice-client:{secret}".encode()).decode()}
        async with client.session.post(f"{client.base}/connect/token", data=form, headers=auth) as answer:
            return answer.status, await answer.json()

    async def test_a_bad_token_and_another_organisation_are_refused(self, client: Client) -> None:
        status, said = await client.ask("GET", "Items", headers={"Authorization": "Bearer stale"})
        assert (status, said["Detail"]) == (401, "TokenExpired")
        status, said = await client.ask("GET", "Items", headers={"xero-tenant-id": "another"})
        assert (status, said["Detail"]) == (403, "AuthenticationUnsuccessful")

    async def test_the_connections_name_the_organisation(self, client: Client) -> None:
        headers = {"Authorization": "Bearer practice-access-token"}
        async with client.session.get(f"{client.base}/connections", headers=headers) as answer:
            (connection,) = await answer.json()
        assert connection["tenantId"] == client.company.settings["tenant_id"]
        async with client.session.get(f"{client.base}/connections") as answer:
            assert answer.status == 401

    async def test_refresh_tokens_rotate_and_a_lost_answer_can_be_asked_for_again(self, client: Client) -> None:
        first = client.company.tokens.refresh[-1]
        status, lost = await self.renew(client, first)
        assert (status, lost["expires_in"]) == (200, 1800)
        _, second = await self.renew(client, first)
        assert (await self.renew(client, lost["refresh_token"])) == (400, {"error": "invalid_grant"})
        assert (await self.renew(client, second["refresh_token"]))[0] == 200
        assert (await self.renew(client, first)) == (400, {"error": "invalid_grant"})

    async def test_the_app_has_to_prove_who_it_is(self, client: Client) -> None:
        token = client.company.tokens.refresh[-1]
        assert await self.renew(client, token, secret="guess") == (400, {"error": "invalid_client"})
        assert await self.renew(client, token, grant_type="x") == (400, {"error": "unsupported_grant_type"})


class TestLists:
    async def test_the_books_lack_what_the_catalogue_says_they_lack(self, client: Client) -> None:
        _, answer = await client.ask("GET", "Items")
        known = {item["Code"] for item in answer["Items"]}
        assert known - {"OTHER"} == {good.sku for good in CATALOGUE if good.in_books}

    async def test_filters_join_by_and_before_or(self, client: Client) -> None:
        both = 'Code=="TEA-100" OR Code=="tea-250"'
        assert [item["Code"] for item in await client.found("Items", both)] == ["TEA-100", "TEA-250"]
        neither = 'Code=="TEA-100" AND Name=="Nothing" || Code="OTHER"'
        assert [item["Code"] for item in await client.found("Items", neither)] == ["OTHER"]

    async def test_dates_and_ids_can_be_filtered_by(self, client: Client) -> None:
        made = await client.put("Invoices", client.sale(Date="2026-02-03"))
        day = 'Type=="ACCREC" AND Date==DateTime(2026, 02, 03)'
        assert [i["InvoiceID"] for i in await client.found("Invoices", day)] == [made["InvoiceID"]]
        paid = {"Invoice": {"InvoiceID": made["InvoiceID"]}, "Account": {"Code": "090"}, "Amount": 1}
        payment = await client.put("Payments", {**paid, "Date": "2026-02-03"})
        found = await client.found("Payments", f'Invoice.InvoiceID==Guid("{made["InvoiceID"]}")')
        assert [each["PaymentID"] for each in found] == [payment["PaymentID"]]

    @pytest.mark.parametrize(
        "where",
        [
            'Name=="a"b"',
            'Name=="a\\"b"',
            "Name==",
            'Name!="a"',
            'Name=="a" Name=="b"',
            'Nothing=="a"',
            '"a"=="a"',
            "Name==a",
            "Date==DateTime(2026, 13, 1)",
            'Name=="a" OR',
        ],
    )
    async def test_what_the_filters_have_not_is_refused(self, client: Client, where: str) -> None:
        status, answer = await client.ask("GET", "Invoices" if "Date" in where else "Contacts", where=where)
        assert (status, answer["ErrorNumber"], answer["Type"]) == (400, 16, "QueryParseException")

    async def test_pages_say_how_many_there_are_and_lists_without_pages_have_no_lines(self, client: Client) -> None:
        for _ in range(3):
            await client.put("Invoices", client.sale(Date="2026-01-05"))
        where = "Date==DateTime(2026, 1, 5)"
        _, answer = await client.ask("GET", "Invoices", where=where, page="2", pageSize="2")
        assert answer["pagination"] == {"page": 2, "pageSize": 2, "pageCount": 2, "itemCount": 3}
        assert len(answer["Invoices"]) == 1 and answer["Invoices"][0]["LineItems"]
        assert all("LineItems" not in each for each in await client.found("Invoices", where))
        assert (await client.ask("GET", "Invoices", page="0"))[0] == 400
        assert (await client.ask("GET", "Invoices", page="1", pageSize="1001"))[0] == 400

    async def test_archived_contacts_are_shown_on_request(self, client: Client) -> None:
        made = await client.put("Contacts", {"Name": "Gone"})
        client.company.books.records["Contacts"][made["ContactID"]]["ContactStatus"] = "ARCHIVED"
        assert await client.found("Contacts", 'Name=="Gone"') == []
        assert len(await client.found("Contacts", 'Name=="Gone"', archived="true")) == 1
        assert await client.refusal("Contacts", {"Name": "Gone"}) == ""
        assert "archived" in await client.refusal("Invoices", client.sale(Contact={"ContactID": made["ContactID"]}))


class TestIdempotency:
    async def test_the_same_key_does_nothing_twice(self, client: Client) -> None:
        sale = client.sale()
        first = await client.put("Invoices", sale, key="one")
        assert await client.put("Invoices", sale, key="one") == first
        client.company.forget()
        assert (await client.put("Invoices", sale, key="one"))["InvoiceID"] != first["InvoiceID"]

    async def test_a_key_is_for_one_request(self, client: Client) -> None:
        await client.put("Invoices", client.sale(), key="two")
        key = {"Idempotency-Key": "two"}
        assert (await client.ask("PUT", "Invoices", {"Invoices": [client.sale()]}, headers=key))[0] == 400
        long = {"Idempotency-Key": "x" * 129}
        assert (await client.ask("PUT", "Invoices", {"Invoices": [client.sale()]}, headers=long))[0] == 400

    async def test_a_refusal_is_not_remembered(self, client: Client) -> None:
        key = {"Idempotency-Key": "three"}
        assert (await client.ask("PUT", "Invoices", {"Invoices": [{}]}, headers=key))[0] == 400
        assert (await client.ask("PUT", "Invoices", {"Invoices": [client.sale()]}, headers=key))[0] == 200

    @pytest.mark.parametrize("body", [{}, {"Invoices": []}, []])
    async def test_a_body_of_another_shape_is_refused(self, client: Client, body: Any) -> None:
        assert (await client.ask("PUT", "Invoices", body))[0] == 400


class TestSales:
    async def test_tax_is_worked_out_unless_it_is_given(self, client: Client) -> None:
        taxed = await client.put("Invoices", client.sale(LineItems=[client.line(TaxType="OUTPUT")]))
        assert (taxed["SubTotal"], taxed["TotalTax"], taxed["Total"]) == (17.0, 1.4, 18.4)
        given = client.sale(LineItems=[client.line(TaxType="OUTPUT", TaxAmount=1.39)])
        assert (await client.put("Invoices", given))["Total"] == 18.39
        included = client.sale(LineAmountTypes="Inclusive", LineItems=[client.line(TaxType="OUTPUT", TaxAmount=1.3)])
        assert (await client.put("Invoices", included))["Total"] == 17.0

    async def test_unit_prices_have_two_decimals_unless_four_are_asked_for(self, client: Client) -> None:
        sale = client.sale(LineItems=[client.line(Quantity=3, UnitAmount=3.3333, LineAmount=10)])
        assert "does not match the expected line total 9.99" in await client.refusal("Invoices", sale)
        assert await client.refusal("Invoices?unitdp=4", sale) == ""

    async def test_an_invoice_of_nothing_is_paid(self, client: Client) -> None:
        assert (await client.put("Invoices", client.sale(LineItems=[client.line(UnitAmount=0)])))["Status"] == "PAID"

    async def test_it_checks_what_xero_checks(self, client: Client) -> None:
        sale, line = client.sale, client.line
        both: dict[str, dict[str, Any]] = {
            "A Contact must be specified": {"Contact": {}},
            "One or more line items": {"LineItems": []},
            "Description is required": {"LineItems": [line(Description="")]},
            "Item code 'NOPE' is not valid": {"LineItems": [line(ItemCode="NOPE")]},
            "Account code '999' is not a valid code": {"LineItems": [line(AccountCode="999")]},
            "Account code '090' is not a valid code": {"LineItems": [line(AccountCode="090")]},
            "The TaxType code 'X' does not exist": {"LineItems": [line(TaxType="X")]},
            "The TaxType code 'INPUT' does not exist": {"LineItems": [line(TaxType="INPUT")]},
            "must be zero": {"LineItems": [line(TaxAmount=1)]},
            "does not match the expected line total 17.00": {"LineItems": [line(LineAmount=17.01)]},
            "must not be negative": {"LineItems": [line(UnitAmount=-1)]},
            "Description field must not be more than 4000": {"LineItems": [line(Description="x" * 4001)]},
        }
        for said, changes in both.items():
            assert said in await client.refusal("Invoices", sale(**changes)), said
            assert said in await client.refusal("BankTransactions", client.receipt(**changes)), said
        assert "due date" in await client.refusal("Invoices", sale(DueDate=""))
        assert "ACCREC" in await client.refusal("Invoices", sale(Type="ACCPAY"))
        discount: dict[str, Any] = {"LineItems": [line(DiscountAmount=1)]}
        assert await client.refusal("Invoices", sale(**discount)) == ""
        assert "Discounts are only" in await client.refusal("BankTransactions", client.receipt(**discount))
        assert (await client.ask("PUT", "Invoices", {"Invoices": [sale(Date="yesterday")]}))[0] == 400

    async def test_it_checks_what_is_peculiar_to_money_received(self, client: Client) -> None:
        receipt = client.receipt
        assert "money received" in await client.refusal("BankTransactions", receipt(Type="SPEND"))
        assert "could not be found" in await client.refusal("BankTransactions", receipt(BankAccount={}))
        assert "type BANK" in await client.refusal("BankTransactions", receipt(BankAccount={"Code": "835"}))
        nothing = receipt(LineItems=[client.line(UnitAmount=0)])
        assert "greater than zero" in await client.refusal("BankTransactions", nothing)

    async def test_an_invoice_number_is_used_once_until_it_is_voided(self, client: Client) -> None:
        made = await client.put("Invoices", client.sale(InvoiceNumber="D-1"))
        assert await client.refusal("Invoices", client.sale(InvoiceNumber="d-1")) == "Invoice # must be unique."
        client.company.books.records["Invoices"][made["InvoiceID"]]["Status"] = "VOIDED"
        assert await client.refusal("Invoices", client.sale(InvoiceNumber="D-1")) == ""
        assert (await client.put("Invoices", client.sale()))["InvoiceNumber"].startswith("INV-")

    async def test_without_multiple_currencies_there_is_one(self, client: Client) -> None:
        client.company.books.multicurrency = False
        try:
            said = await client.refusal("Invoices", client.sale(CurrencyCode="EUR"))
        finally:
            client.company.books.multicurrency = True
        assert said == "Organisation is not subscribed to currency EUR"


class TestPayments:
    @staticmethod
    def payment(invoice: Any, amount: float, **changes: Any) -> dict[str, Any]:
        what = {"Invoice": {"InvoiceID": invoice["InvoiceID"]}, "Account": {"Code": "090"}, "Date": "2026-11-24"}
        return {**what, "Amount": amount, **changes}

    async def test_payments_bring_what_is_due_down_to_nothing_and_no_further(self, client: Client) -> None:
        invoice = await client.put("Invoices", client.sale())
        assert await client.refusal("Payments", self.payment(invoice, 10)) == ""
        assert "exceeds the amount outstanding" in await client.refusal("Payments", self.payment(invoice, 7.01))
        assert await client.refusal("Payments", self.payment(invoice, 7)) == ""
        assert "Authorised" in await client.refusal("Payments", self.payment(invoice, 1))
        assert [b.paid for b in client.company.booked() if b.id == invoice["InvoiceID"]] == [True]

    async def test_it_checks_what_xero_checks(self, client: Client) -> None:
        invoice = await client.put("Invoices", client.sale())
        for said, given in {
            "no such invoice": self.payment({"InvoiceID": "x"}, 1),
            "greater than zero": self.payment(invoice, 0),
            "could not be found": self.payment(invoice, 1, Account={"Code": "999"}),
            "payments to this account must be enabled": self.payment(invoice, 1, Account={"Code": "200"}),
        }.items():
            assert said in await client.refusal("Payments", given), said
        assert await client.refusal("Payments", self.payment(invoice, 1, Account={"Code": "835"})) == ""


class TestCreditNotes:
    @staticmethod
    def note(invoice: Any, **changes: Any) -> dict[str, Any]:
        """17.00 for the contact of an invoice."""
        contact = {"ContactID": invoice["Contact"]["ContactID"]}
        known = {"Type": "ACCRECCREDIT", "Contact": contact, "Status": "AUTHORISED", "Date": "2026-11-24"}
        return {**known, "LineItems": [TestCreditNotes.back()], **changes}

    @staticmethod
    def back(**changes: Any) -> dict[str, Any]:
        return {"Description": "Tea", "Quantity": 2, "UnitAmount": 8.5, "AccountCode": "200", **changes}

    @staticmethod
    async def allocated(client: Client, note: Any, invoice: Any, amount: float, **changes: Any) -> str:
        given = {"Invoice": {"InvoiceID": invoice["InvoiceID"]}, "Amount": amount, "Date": "2026-11-24", **changes}
        path = f"CreditNotes/{note['CreditNoteID']}/Allocations"
        status, answer = await client.ask("PUT", path, {"Allocations": [given]})
        if status == 200:
            return ""
        return " · ".join(error["Message"] for error in answer["Elements"][0]["ValidationErrors"])

    async def test_a_credit_note_is_set_against_an_invoice_and_its_rest_paid_out(self, client: Client) -> None:
        invoice = await client.put("Invoices", client.sale())
        reference = {"Reference": "R-1 for invoice 77", "CreditNoteNumber": "R-1"}
        note = await client.put("CreditNotes", self.note(invoice, **reference))
        assert (note["RemainingCredit"], note["Total"], note["Status"]) == (17, 17, "AUTHORISED")
        assert await self.allocated(client, note, invoice, 10) == ""
        held = client.company.books.records["Invoices"][invoice["InvoiceID"]]
        assert (held["AmountDue"], held["AmountCredited"], held["AmountPaid"]) == (7, 10, 0)
        refund = {"CreditNote": {"CreditNoteID": note["CreditNoteID"]}, "Account": {"Code": "090"}}
        dated = {**refund, "Date": "2026-11-24"}
        assert "exceeds the amount outstanding" in await client.refusal("Payments", {**dated, "Amount": 7.01})
        paid = await client.put("Payments", {**dated, "Amount": 7})
        assert (paid["PaymentType"], paid["CreditNote"]["CreditNoteNumber"]) == ("ARCREDITPAYMENT", "R-1")
        assert [each for each in client.company.credits() if each.reference == "R-1"] == [
            Credited(note["CreditNoteID"], "R-1", "77", usd("17.0"), paid_out=True, left=usd("0"))
        ]
        assert "Authorised" in await client.refusal("Payments", {**dated, "Amount": 1})

    async def test_it_checks_what_xero_checks_of_an_allocation(self, client: Client) -> None:
        invoice, other = await client.put("Invoices", client.sale()), await client.put("Invoices", client.sale())
        note = await client.put("CreditNotes", self.note(invoice))
        draft = await client.put("CreditNotes", self.note(invoice, Status="DRAFT"))
        assert "greater than amount outstanding" in await self.allocated(client, note, invoice, 17.01)
        assert "another contact" in await self.allocated(client, note, other, 1)
        assert "greater than zero" in await self.allocated(client, note, invoice, 0)
        assert "Only authorised" in await self.allocated(client, draft, invoice, 1)
        assert "could not be found" in await self.allocated(client, note, {"InvoiceID": "x"}, 1)
        paid = {"Invoice": {"InvoiceID": invoice["InvoiceID"]}, "Account": {"Code": "090"}, "Amount": 17}
        await client.put("Payments", {**paid, "Date": "2026-11-24"})
        assert "already been paid off" in await self.allocated(client, note, invoice, 1)

    async def test_it_checks_what_xero_checks(self, client: Client) -> None:
        invoice = await client.put("Invoices", client.sale())
        wrong: dict[str, dict[str, Any]] = {
            "type ACCRECCREDIT": {"Type": "ACCPAYCREDIT"},
            "A Contact must be specified": {"Contact": {}},
            "One or more line items": {"LineItems": []},
            "Discounts are only supported": {"LineItems": [self.back(DiscountAmount=1)]},
            "Description is required": {"LineItems": [self.back(Description="")]},
            "not a valid code": {"LineItems": [self.back(AccountCode="090")]},
            "CreditNoteNumber field": {"CreditNoteNumber": "x" * 256},
        }
        for said, changes in wrong.items():
            assert said in await client.refusal("CreditNotes", self.note(invoice, **changes)), said
        assert await client.refusal("CreditNotes", self.note(invoice, CreditNoteNumber="R-2")) == ""
        taken = await client.refusal("CreditNotes", self.note(invoice, CreditNoteNumber="r-2"))
        assert taken == "Credit note # must be unique."
        assert "no such creditnote" in await client.refusal("Payments", {"CreditNote": {"CreditNoteID": "x"}})

    async def test_what_changed_is_told(self, client: Client) -> None:
        invoice = await client.put("Invoices", client.sale())
        note = await client.put("CreditNotes", self.note(invoice))
        client.company.webhook()
        await self.allocated(client, note, invoice, 1)
        events = orjson.loads(client.company.webhook().body)["events"]
        assert [(each["eventCategory"], each["eventType"]) for each in events] == [
            ("CREDITNOTE", "UPDATE"),
            ("INVOICE", "UPDATE"),
        ]


class TestMails:
    async def test_an_invoice_goes_to_its_contact_once_for_each_key(self, client: Client) -> None:
        contact = client.company.books.contact({"Name": "Mailed Max", "EmailAddress": "max@example.com"})
        known = {"Contact": {"ContactID": contact["ContactID"]}, "InvoiceNumber": "M-1"}
        invoice = await client.put("Invoices", client.sale(**known))
        path = f"Invoices/{invoice['InvoiceID']}/Email"
        for _ in range(2):
            assert await client.ask("POST", path, {}, headers={"Idempotency-Key": "mail"}) == (204, None)
        assert client.company.mailed() == [Sent(invoice["InvoiceID"], "M-1", "max@example.com")]

    async def test_it_checks_what_xero_checks(self, client: Client) -> None:
        invoice = await client.put("Invoices", client.sale())
        draft = await client.put("Invoices", client.sale(Status="DRAFT"))
        before = len(client.company.mailed())
        for path, body, expected in (
            (f"Invoices/{invoice['InvoiceID']}/Email", {}, 400),
            (f"Invoices/{draft['InvoiceID']}/Email", {}, 400),
            (f"Invoices/{invoice['InvoiceID']}/Email", None, 400),
            ("Invoices/x/Email", {}, 404),
        ):
            assert (await client.ask("POST", path, body))[0] == expected, path
        assert len(client.company.mailed()) == before


class TestContacts:
    async def test_a_name_is_unique(self, client: Client) -> None:
        assert await client.refusal("Contacts", {"Name": "Unique Una"}) == ""
        assert "already assigned to another contact" in await client.refusal("Contacts", {"Name": "unique una"})

    @pytest.mark.parametrize(
        ("given", "said"),
        [
            ({}, "must be specified"),
            ({"Name": "x" * 256}, "Name field must not be more than 255"),
            ({"Name": "No mail", "EmailAddress": "nobody"}, "must be valid"),
            ({"Name": "Far", "Addresses": [{"AddressType": "STREET", "Country": "U.S."}]}, "letters only"),
            ({"Name": "Phone", "Phones": [{"PhoneNumber": "5" * 51}]}, "PhoneNumber field"),
        ],
    )
    async def test_it_checks_what_xero_checks(self, client: Client, given: Any, said: str) -> None:
        assert said in await client.refusal("Contacts", given)


class TestWebhooks:
    async def test_what_happened_is_told_once_and_numbered(self) -> None:
        xero = Xero()
        practice = Practice(["xero"])
        practice.simulators["xero"] = xero
        async with practice, aiohttp.ClientSession() as session:
            client = Client(session, practice.base_url("xero"), xero)
            invoice = await client.put("Invoices", client.sale())
            await client.put("Payments", TestPayments.payment(invoice, 1))
        told = orjson.loads(xero.webhook().body)
        assert [(e["eventCategory"], e["eventType"], e["resourceId"]) for e in told["events"]] == [
            ("INVOICE", "CREATE", invoice["InvoiceID"]),
            ("INVOICE", "UPDATE", invoice["InvoiceID"]),
        ]
        assert (told["firstEventSequence"], told["lastEventSequence"]) == (1, 2)
        assert orjson.loads(xero.webhook().body)["events"] == []


class TestBooks:
    async def test_it_is_what_the_demo_and_the_pilot_ask_of_books(self, client: Client) -> None:
        assert isinstance(client.company, Books)
        invoice = await client.put("Invoices", client.sale(InvoiceNumber="B-1"))
        used = client.line(UnitAmount=-10, Quantity=1, AccountCode="835", ItemCode="", Description="Gift card used")
        receipt = await client.put(
            "BankTransactions", client.receipt(Reference="Order 4711 (9)", LineItems=[client.line(), used])
        )
        assert receipt["Total"] == 7
        assert [b for b in client.company.booked() if b.reference in ("B-1", "4711")] == [
            Booked(invoice["InvoiceID"], "B-1", usd("17.0"), paid=False),
            Booked(receipt["BankTransactionID"], "4711", usd("17.0"), paid=True),
        ]

    async def test_a_person_can_map_what_the_books_lack(self, client: Client) -> None:
        assert client.company.item_for("POT-1L") == "POT-1L"
        assert client.company.item_for("TEA-500-NEW") == "OTHER"
        assert client.company.item_for("NEVER-HEARD-OF") is None

    async def test_the_state_can_be_read(self, client: Client) -> None:
        async with client.session.get(client.base.replace("/xero", "/practice/xero/state")) as answer:
            assert "Invoices" in await answer.json(content_type=None)

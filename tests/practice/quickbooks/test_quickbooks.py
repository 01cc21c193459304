"""The practice company refuses what QuickBooks would refuse."""

from base64 import b64encode
from collections.abc import AsyncIterator
from dataclasses import dataclass
from itertools import count
from typing import Any

import aiohttp
import pytest
import pytest_asyncio

from bellwire.practice import CATALOGUE, Booked, Books, Credited, Practice, Sent
from bellwire.practice.quickbooks import QuickBooks
from bellwire.practice.quickbooks.queries import Query
from tests.samples import usd

pytestmark = pytest.mark.asyncio(loop_scope="module")

_serial = count(1)


@dataclass
class Client:
    """A plain HTTP client of the practice company."""

    session: aiohttp.ClientSession
    base: str
    company: QuickBooks

    async def get(self, path: str, *, token: str = "practice-access-token", **query: str) -> tuple[int, Any]:
        headers = {"Authorization": f"Bearer {token}"}
        realm = self.company.settings["realm_id"]
        async with self.session.get(f"{self.base}/v3/company/{realm}/{path}", params=query, headers=headers) as answer:
            return answer.status, await answer.json()

    async def post(self, path: str, body: Any, **query: str) -> tuple[int, Any]:
        headers = {"Authorization": "Bearer practice-access-token"}
        url = f"{self.base}/v3/company/{self.company.settings['realm_id']}/{path}"
        async with self.session.post(url, json=body, params=query, headers=headers) as answer:
            return answer.status, await answer.json()

    async def code(self, path: str, body: Any) -> str:
        """The code of the fault that a POST gives; empty when it succeeds."""
        status, answer = await self.post(path, body)
        assert (status == 400) == ("Fault" in answer)
        return str(answer["Fault"]["Error"][0]["code"]) if "Fault" in answer else ""

    async def query(self, text: str) -> list[Any]:
        status, answer = await self.get("query", query=text)
        assert status == 200, answer
        (records,) = [v for v in answer["QueryResponse"].values() if isinstance(v, list)] or [[]]
        return list(records)

    def sale(self, **changes: Any) -> dict[str, Any]:
        """An invoice of 17.00 for a customer of its own."""
        if "CustomerRef" not in changes:
            name = f"Customer {next(_serial)}"
            customer = self.company.books.add("Customer", DisplayName=name, CurrencyRef={"value": "USD"})
            changes["CustomerRef"] = {"value": customer["Id"]}
        return {"Line": [self.line()], **changes}

    def line(self, amount: float = 17.0, **changes: Any) -> dict[str, Any]:
        item = self.company.item_for("TEA-100")
        detail = {"ItemRef": {"value": item}, "Qty": 2, "UnitPrice": 8.5, **changes}
        return {"Amount": amount, "DetailType": "SalesItemLineDetail", "SalesItemLineDetail": detail}


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def client() -> AsyncIterator[Client]:
    async with Practice(["quickbooks"]) as practice, aiohttp.ClientSession() as session:
        company = practice.simulators["quickbooks"]
        assert isinstance(company, QuickBooks)
        company.quotas.clear()
        yield Client(session, practice.base_url("quickbooks"), company)


class TestSigningIn:
    @staticmethod
    async def renew(client: Client, token: str, secret: str = "practice-client-secret") -> tuple[int, Any]:
        url = f"{client.base}/oauth2/v1/tokens/bearer"
        form = {"grant_type": "refresh_token", "refresh_token": token}
        auth = {"Authorization": "Basic " + b64encode(f"practice-client:{secret}".encode()).decode()}
        async with client.session.post(url, data=form, headers=auth) as answer:
            return answer.status, await answer.json()

    async def test_a_bad_token_gets_the_gateways_answer(self, client: Client) -> None:
        status, body = await client.get("query", token="stale", query="SELECT * FROM Item")
        assert status == 401
        assert body["fault"]["error"][0]["code"] == "3200"

    async def test_refresh_tokens_rotate_and_a_lost_answer_can_be_asked_for_again(self, client: Client) -> None:
        first = client.company.tokens.refresh[-1]
        status, lost = await self.renew(client, first)
        assert (status, lost["expires_in"]) == (200, 3600)
        _, second = await self.renew(client, first)
        assert (await client.get("query", token=second["access_token"], query="SELECT * FROM Item"))[0] == 200
        assert (await self.renew(client, lost["refresh_token"])) == (400, {"error": "invalid_grant"})
        assert (await self.renew(client, second["refresh_token"]))[0] == 200
        assert (await self.renew(client, first)) == (400, {"error": "invalid_grant"})

    async def test_the_app_has_to_prove_who_it_is(self, client: Client) -> None:
        assert await self.renew(client, client.company.tokens.refresh[-1], secret="guess") == (
            401,
            {"error": "invalid_client"},
        )

    async def test_another_company_is_out_of_reach(self, client: Client) -> None:
        headers = {"Authorization": "Bearer practice-access-token"}
        url = f"{client.base}/v3/company/1/query?query=SELECT+*+FROM+Item"
        async with client.session.get(url, headers=headers) as answer:
            assert answer.status == 403


class TestQueries:
    async def test_items_are_found_by_sku(self, client: Client) -> None:
        found = await client.query("SELECT * FROM Item WHERE Sku IN ('TEA-100', 'mug-red', 'NOPE')")
        assert [item["Sku"] for item in found] == ["TEA-100", "MUG-RED"]

    async def test_the_books_lack_what_the_catalogue_says_they_lack(self, client: Client) -> None:
        known = {item.get("Sku") for item in await client.query("SELECT * FROM Item MAXRESULTS 1000")}
        assert {good.sku for good in CATALOGUE if good.in_books} == known - {None}

    async def test_pages_start_and_end_where_they_are_told(self, client: Client) -> None:
        every = await client.query("select * from Item")
        page = await client.query("SELECT * FROM Item STARTPOSITION 2 MAXRESULTS 3")
        assert page == every[1:4]
        assert await client.query("SELECT * FROM Item STARTPOSITION 900") == []

    async def test_quotes_are_escaped_with_a_backslash(self, client: Client) -> None:
        client.company.books.add("Customer", DisplayName="O'Neil \\ Co", CurrencyRef={"value": "USD"})
        assert len(await client.query(r"SELECT * FROM Customer WHERE DisplayName = 'O\'Neil \\ Co'")) == 1

    async def test_inactive_records_have_to_be_asked_for(self, client: Client) -> None:
        client.company.books.add("Customer", DisplayName="Gone", Active=False, CurrencyRef={"value": "USD"})
        assert await client.query("SELECT * FROM Customer WHERE DisplayName = 'Gone'") == []
        asked = "SELECT * FROM Customer WHERE DisplayName LIKE 'Go%' AND Active IN (true, false)"
        assert len(await client.query(asked)) == 1

    @pytest.mark.parametrize(
        "text",
        [
            "",
            "SELECT Id FROM Item",
            "SELECT * FROM Nothing",
            "SELECT * FROM Item WHERE Sku = TEA",
            "SELECT * FROM Item WHERE Sku IN 'TEA'",
            "SELECT * FROM Item WHERE Sku IN ('A' 'B')",
            "SELECT * FROM Item WHERE Sku ! 'A'",
            "SELECT * FROM Item WHERE Sku = 'O'Neil'",
            "SELECT * FROM Item MAXRESULTS 1001",
            "SELECT * FROM Item STARTPOSITION 0",
            "SELECT * FROM Item WHERE Description = 'x'",
            "SELECT * FROM Item MAXRESULTS",
        ],
    )
    async def test_what_the_query_language_has_not_is_refused(self, client: Client, text: str) -> None:
        status, body = await client.get("query", query=text)
        assert status == 400
        assert body["Fault"]["Error"][0]["code"] in ("4000", "4001")

    @pytest.mark.parametrize(
        ("condition", "fits"),
        [("Name > 'a'", True), ("Name < 'a'", False), ("Name >= 'tea'", True), ("Name <= 'tea'", True)],
    )
    async def test_values_are_compared(self, condition: str, fits: bool) -> None:
        query = Query.parse("SELECT * FROM Item WHERE " + condition)  # noqa: S608 - no SQL
        assert query.fits({"Name": "Tea", "Active": True}) is fits


class TestSales:
    async def test_tax_comes_on_top_where_a_line_is_taxable(self, client: Client) -> None:
        tax = {"TotalTax": 1.4}
        taxed = client.sale(Line=[client.line(TaxCodeRef={"value": "TAX"})], TxnTaxDetail=tax)
        assert (await client.post("invoice", taxed))[1]["Invoice"]["TotalAmt"] == 18.4
        included = client.sale(**{**taxed, "GlobalTaxCalculation": "TaxInclusive"})
        assert (await client.post("invoice", included))[1]["Invoice"]["TotalAmt"] == 17.0
        exempt = client.sale(Line=[client.line(TaxCodeRef={"value": "NON"})], TxnTaxDetail=tax)
        assert (await client.post("invoice", exempt))[1]["Invoice"]["TotalAmt"] == 17.0

    async def test_tax_that_is_not_said_is_worked_out(self, client: Client) -> None:
        taxed = client.sale(Line=[client.line(TaxCodeRef={"value": "TAX"}), client.line()])
        made = (await client.post("invoice", taxed))[1]["Invoice"]
        assert (made["TotalAmt"], made["TxnTaxDetail"]) == (35.4, {"TotalTax": 1.4})

    async def test_a_discount_is_taken_off(self, client: Client) -> None:
        discount = {"Amount": 2, "DetailType": "DiscountLineDetail", "DiscountLineDetail": {"PercentBased": False}}
        _, made = await client.post("invoice", client.sale(Line=[client.line(), discount]))
        assert (made["Invoice"]["TotalAmt"], made["Invoice"]["Balance"]) == (15.0, 15.0)

    async def test_the_same_request_id_does_nothing_twice(self, client: Client) -> None:
        sale = client.sale()
        first = await client.post("invoice", sale, requestid="one", minorversion="12")
        second = await client.post("invoice", {"changed": "since"}, requestid="one")
        assert [(status, told["Invoice"]) for status, told in (first, second)] == [(200, first[1]["Invoice"])] * 2
        assert await client.code("invoice?requestid=" + "x" * 51, sale) == "2050"

    async def test_a_refusal_is_not_remembered(self, client: Client) -> None:
        assert (await client.post("invoice", {}, requestid="two"))[0] == 400
        assert (await client.post("invoice", client.sale(), requestid="two"))[0] == 200

    async def test_it_checks_what_quickbooks_checks(self, client: Client) -> None:
        sale, line = client.sale, client.line
        refused = {
            "2020 no customer": {"Line": [line()]},
            "2020 no lines": sale(Line=[]),
            "2020 no item": sale(Line=[{**line(), "SalesItemLineDetail": {"Qty": 2, "UnitPrice": 8.5}}]),
            "2500 unknown customer": sale(CustomerRef={"value": "9999"}),
            "2500 unknown item": sale(Line=[line(ItemRef={"value": "9999"})]),
            "2500 unknown tax code": sale(Line=[line(TaxCodeRef={"value": "9999"})]),
            "2500 unknown tax rate": sale(
                Line=[line(TaxCodeRef={"value": "TAX"})], TxnTaxDetail={"TxnTaxCodeRef": {"value": "99"}}
            ),
            "2500 unknown account": sale(DepositToAccountRef={"value": "9999"}),
            "6070 wrong amount": sale(Line=[line(17.01)]),
            "6000 below zero": sale(Line=[line(-17.0, UnitPrice=-8.5)]),
            "6000 another currency": sale(CurrencyRef={"value": "EUR"}),
            "2050 long number": sale(DocNumber="x" * 22),
            "2050 long description": sale(Line=[{**line(), "Description": "x" * 4001}]),
        }
        for what, body in refused.items():
            for path in ("invoice", "salesreceipt"):
                assert (await client.code(path, body), what) == (what[:4], what)

    async def test_a_document_number_is_used_once(self, client: Client) -> None:
        assert await client.code("invoice", client.sale(DocNumber="D-1")) == ""
        assert await client.code("invoice", client.sale(DocNumber="D-1")) == "6140"
        assert await client.code("salesreceipt", client.sale(DocNumber="D-1")) == ""

    async def test_without_multicurrency_there_is_one_currency(self, client: Client) -> None:
        client.company.books.multicurrency = False
        try:
            assert await client.code("customer", {"DisplayName": "Yen", "CurrencyRef": {"value": "JPY"}}) == "6000"
        finally:
            client.company.books.multicurrency = True


class TestPayments:
    @staticmethod
    def payment(invoice: Any, amount: float, **changes: Any) -> dict[str, Any]:
        linked = [{"TxnId": invoice["Id"], "TxnType": "Invoice"}]
        return {
            "CustomerRef": invoice["CustomerRef"],
            "TotalAmt": amount,
            "Line": [{"Amount": amount, "LinkedTxn": linked}],
            **changes,
        }

    async def test_payments_bring_the_balance_down_to_nothing_and_no_further(self, client: Client) -> None:
        invoice = (await client.post("invoice", client.sale()))[1]["Invoice"]
        assert await client.code("payment", self.payment(invoice, 10)) == ""
        assert await client.code("payment", self.payment(invoice, 7.01)) == "6000"
        assert await client.code("payment", self.payment(invoice, 7)) == ""
        assert [b.paid for b in client.company.booked() if b.id == invoice["Id"]] == [True]

    async def test_it_checks_what_quickbooks_checks(self, client: Client) -> None:
        invoice = (await client.post("invoice", client.sale()))[1]["Invoice"]
        other = client.sale()["CustomerRef"]
        assert await client.code("payment", self.payment(invoice, 1, CustomerRef=other)) == "6000"
        assert await client.code("payment", self.payment(invoice | {"Id": "9999"}, 1)) == "2500"
        assert await client.code("payment", self.payment(invoice, 2, TotalAmt=1)) == "6000"
        nothing = self.payment(invoice, 1)
        del nothing["TotalAmt"]
        assert await client.code("payment", nothing) == "2020"

    async def test_a_payment_of_nothing_settles_an_invoice_with_a_credit_memo(self, client: Client) -> None:
        invoice = (await client.post("invoice", client.sale()))[1]["Invoice"]
        memo = (await client.post("creditmemo", client.sale(CustomerRef=invoice["CustomerRef"])))[1]["CreditMemo"]
        assert (memo["Balance"], memo["TotalAmt"]) == (17, 17)
        credit = {"Amount": 10, "LinkedTxn": [{"TxnId": memo["Id"], "TxnType": "CreditMemo"}]}
        given = self.payment(invoice, 10, TotalAmt=0)
        assert await client.code("payment", given) == "6000", "nothing pays for it"
        assert await client.code("payment", given | {"Line": [*given["Line"], credit]}) == ""
        held = client.company.books.records
        assert (held["Invoice"][invoice["Id"]]["Balance"], held["CreditMemo"][memo["Id"]]["Balance"]) == (7, 7)
        assert await client.code("payment", given | {"Line": [credit]}) == "6000", "more than is left of it"

    async def test_money_goes_to_a_bank_account_or_another_current_asset_only(self, client: Client) -> None:
        accounts = {
            account["Name"]: {"value": account["Id"]} for account in client.company.books.records["Account"].values()
        }
        invoice = (await client.post("invoice", client.sale()))[1]["Invoice"]
        for name, code in (("Gift cards outstanding", "6000"), ("Undeposited Funds", "")):
            given = self.payment(invoice, 1, DepositToAccountRef=accounts[name])
            assert await client.code("payment", given) == code, name
            assert await client.code("salesreceipt", client.sale(DepositToAccountRef=accounts[name])) == code, name


class TestRefunds:
    async def test_money_is_given_back_from_an_account_and_nothing_is_left(self, client: Client) -> None:
        accounts = {
            account["Name"]: {"value": account["Id"]} for account in client.company.books.records["Account"].values()
        }
        sale = client.sale(DocNumber="R-1", PrivateNote="R-1 for invoice 77\nBroken")
        assert await client.code("refundreceipt", sale) == "2020", "it has to be said from which"
        from_account = {"DepositToAccountRef": accounts["Gift cards outstanding"]}
        assert await client.code("refundreceipt", sale | from_account) == "6000"
        from_account = {"DepositToAccountRef": accounts["Undeposited Funds"]}
        made = (await client.post("refundreceipt", sale | from_account))[1]["RefundReceipt"]
        assert (made["TotalAmt"], made["Balance"]) == (17, 0)
        assert [each for each in client.company.credits() if each.reference == "R-1"] == [
            Credited(made["Id"], "R-1", "77", usd("17.0"), paid_out=True, left=usd("0"))
        ]
        assert await client.code("refundreceipt", sale | from_account) == "6140"
        assert await client.query("SELECT * FROM RefundReceipt WHERE DocNumber = 'R-1'") == [made]

    async def test_a_credit_memo_is_a_credit_of_which_something_may_be_left(self, client: Client) -> None:
        memo = client.sale(PrivateNote="R-2 for invoice 77")
        made = (await client.post("creditmemo", memo))[1]["CreditMemo"]
        await client.post("creditmemo", client.sale(PrivateNote="Bellwire 7"))
        assert [each for each in client.company.credits() if not each.paid_out] == [
            Credited(made["Id"], "R-2", "77", usd("17.0"), paid_out=False, left=usd("17.0"))
        ]


class TestMails:
    @staticmethod
    async def send(client: Client, invoice_id: str, *, kind: str = "application/octet-stream", **query: str) -> Any:
        headers = {"Authorization": "Bearer practice-access-token", "Content-Type": kind}
        url = f"{client.base}/v3/company/{client.company.settings['realm_id']}/invoice/{invoice_id}/send"
        async with client.session.post(url, params=query, headers=headers) as answer:
            return await answer.json()

    async def test_an_invoice_is_sent_once_for_each_request_id_and_keeps_the_address(self, client: Client) -> None:
        invoice = (await client.post("invoice", client.sale(DocNumber="M-1")))[1]["Invoice"]
        for _ in range(2):
            sent = await self.send(client, invoice["Id"], sendTo="kim@example.com", requestid="mail")
            assert sent["Invoice"]["EmailStatus"] == "EmailSent"
        await self.send(client, invoice["Id"])
        assert client.company.mailed() == [Sent(invoice["Id"], "M-1", "kim@example.com")] * 2

    async def test_it_checks_what_quickbooks_checks(self, client: Client) -> None:
        invoice = (await client.post("invoice", client.sale()))[1]["Invoice"]
        before = len(client.company.mailed())
        for code, sent in (
            ("2210", await self.send(client, invoice["Id"])),
            ("2210", await self.send(client, invoice["Id"], sendTo="nobody")),
            ("610", await self.send(client, "9999", sendTo="kim@example.com")),
            ("4000", await self.send(client, invoice["Id"], sendTo="kim@example.com", kind="application/json")),
        ):
            assert sent["Fault"]["Error"][0]["code"] == code
        assert len(client.company.mailed()) == before


class TestCustomers:
    async def test_a_display_name_is_unique_among_everybody(self, client: Client) -> None:
        assert await client.code("customer", {"DisplayName": "Unique Una"}) == ""
        assert await client.code("customer", {"DisplayName": "unique una"}) == "6240"
        assert await client.code("customer", {"DisplayName": "Hill Farm"}) == "6240"

    @pytest.mark.parametrize(
        ("body", "code"),
        [
            ({}, "2020"),
            ({"DisplayName": "a:b"}, "2040"),
            ({"DisplayName": "a\tb"}, "2040"),
            ({"DisplayName": "x" * 501}, "2050"),
            ({"DisplayName": "No mail", "PrimaryEmailAddr": {"Address": "nobody"}}, "2210"),
            ({"DisplayName": "Long phone", "PrimaryPhone": {"FreeFormNumber": "5" * 31}}, "2050"),
        ],
    )
    async def test_it_checks_what_quickbooks_checks(self, client: Client, body: Any, code: str) -> None:
        assert await client.code("customer", body) == code


class TestBooks:
    async def test_it_is_what_the_demo_and_the_pilot_ask_of_books(self, client: Client) -> None:
        assert isinstance(client.company, Books)
        invoice = (await client.post("invoice", client.sale(DocNumber="B-1")))[1]["Invoice"]
        receipt = (await client.post("salesreceipt", client.sale(DocNumber="B-2")))[1]["SalesReceipt"]
        assert [b for b in client.company.booked() if b.reference in ("B-1", "B-2")] == [
            Booked(invoice["Id"], "B-1", usd("17.0"), paid=False),
            Booked(receipt["Id"], "B-2", usd("17.0"), paid=True),
        ]

    async def test_what_a_sale_came_to_includes_what_a_gift_card_paid(self, client: Client) -> None:
        (item,) = [i for i in client.company.books.records["Item"].values() if i["Name"] == "Gift cards"]
        sale = client.sale(DocNumber="B-3")
        detail = {"ItemRef": {"value": item["Id"]}, "Qty": 1, "UnitPrice": -10}
        sale["Line"].append({"Amount": -10, "DetailType": "SalesItemLineDetail", "SalesItemLineDetail": detail})
        receipt = (await client.post("salesreceipt", sale))[1]["SalesReceipt"]
        assert receipt["TotalAmt"] == 7
        assert [b.total for b in client.company.booked() if b.reference == "B-3"] == [usd("17.0")]
        detail["UnitPrice"] = sale["Line"][-1]["Amount"] = -17.01
        assert await client.code("salesreceipt", sale | {"DocNumber": "B-4"}) == "6000"
        detail["UnitPrice"] = sale["Line"][-1]["Amount"] = -17
        assert await client.code("salesreceipt", sale | {"DocNumber": "B-5"}) == ""

    async def test_a_person_can_map_what_the_books_lack(self, client: Client) -> None:
        items = client.company.books.records["Item"]
        assert items[client.company.item_for("POT-1L") or ""]["Sku"] == "POT-1L"
        assert items[client.company.item_for("TEA-500-NEW") or ""]["Name"] == "Other goods"
        assert client.company.item_for("NEVER-HEARD-OF") is None

    async def test_the_state_can_be_read(self, client: Client) -> None:
        async with client.session.get(client.base.replace("/quickbooks", "/practice/quickbooks/state")) as answer:
            assert "Invoice" in await answer.json(content_type=None)

"""QuickBooks Online for practice: its query language, its arithmetic and its refusals.

It holds the company to what the API reference says of each field; where QuickBooks would quietly mend or drop
something (a tax on lines without a taxable code), so does this.
"""

import base64
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any, ClassVar
from urllib.parse import parse_qsl, urlencode

import orjson
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import BaseRoute, Route

from bellwire.money import Money
from bellwire.practice.catalogue import CATALOGUE
from bellwire.practice.quickbooks import changes
from bellwire.practice.quickbooks.books import GIFT_CARDS, Company
from bellwire.practice.quickbooks.queries import Query
from bellwire.practice.quickbooks.refusals import Refusal, answer, bad_query, gateway, written
from bellwire.practice.quickbooks.sums import check_lengths, decimal
from bellwire.practice.quickbooks.tokens import Tokens
from bellwire.practice.quota import Quota
from bellwire.practice.roles import Booked, Credited, Sale, Sent, credited_for
from bellwire.practice.simulator import Simulator, Webhook

Record = dict[str, Any]

_REALM = "4620816365000001"
_CLIENT = ("practice-client", "practice-client-secret")
_COMPANY = r"/company/(\d+)/"
"""What of a request says whose quota it counts against."""
_SCOPE = "com.intuit.quickbooks.accounting"
_VERIFIER = "practice-verifier-token"


@dataclass
class QuickBooks(Simulator):
    """One company, and the app that is connected to it."""

    vendor: ClassVar[str] = "quickbooks"
    credentials: ClassVar[Mapping[str, str]] = {
        "client_id": _CLIENT[0],
        "client_secret": _CLIENT[1],
        "refresh_token": "practice-refresh-token",
        "access_token": "practice-access-token",
        "webhook_secret": _VERIFIER,
    }
    settings: ClassVar[Mapping[str, Any]] = {"realm_id": _REALM, "home_currency": "USD"}

    quotas: list[Quota] = field(default_factory=lambda: [Quota(500, 60, _COMPANY), Quota(10, 1, _COMPANY)])
    tokens: Tokens = field(default_factory=Tokens)
    books: Company = field(default_factory=Company)
    announcements: dict[str, str] = field(default_factory=dict)
    """Headers of each answer, about what will end."""

    def __post_init__(self) -> None:
        self._answered: dict[str, Record] = {}

    def routes(self) -> Sequence[BaseRoute]:
        company = "/v3/company/{realm}"
        makers: dict[str, Callable[[Record], Record]] = {
            "creditmemo": self.books.sale("CreditMemo"),
            "customer": self.books.customer,
            "invoice": self.books.sale("Invoice"),
            "payment": self.books.payment,
            "refundreceipt": self.books.sale("RefundReceipt"),
            "salesreceipt": self.books.sale("SalesReceipt"),
        }
        return [
            Route("/connect/oauth2", self._consent),
            Route("/oauth2/v1/tokens/bearer", self._token, methods=["POST"]),
            Route(company + "/query", self._guarded(self._query), methods=["GET"]),
            Route(company + "/cdc", self._guarded(self._changes), methods=["GET"]),
            Route(company + "/companyinfo/{id}", self._guarded(self._company)),
            *(
                Route(f"{company}/{path}", self._guarded(self._once(self._posted(maker))), methods=["POST"])
                for path, maker in makers.items()
            ),
            Route(company + "/invoice/{id}/send", self._guarded(self._once(self._send)), methods=["POST"]),
        ]

    def state(self) -> dict[str, Any]:
        held = {entity: list(records.values()) for entity, records in self.books.records.items()}
        return held | {"mails": self.books.mails}

    def made(self) -> Mapping[str, Collection[str]]:
        held, given_back = self.books.records, {each.id for each in self.credits()}
        worked = {each["Id"] for each in held["Invoice"].values() if each.get("PrivateNote", "").startswith("Work ")}
        # What only settles one document with another is a payment of nothing.
        paid = [each["Id"] for each in held["Payment"].values() if each["TotalAmt"]]
        return {
            "accounting.find_or_create_customer": set(held["Customer"]),
            "accounting.create_invoice": held["Invoice"].keys() - worked,
            "accounting.create_work_invoice": worked,
            "accounting.create_sales_receipt": set(held["SalesReceipt"]),
            "accounting.create_credit_memo": given_back,
            "accounting.record_payment": paid,
            "accounting.redeem_gift_card": held["CreditMemo"].keys() - given_back,
        }

    # As `Books`

    def book(self, sale: Sale, total: Money) -> str:
        return self.books.book(sale, total)

    def booked(self) -> list[Booked]:
        return [
            Booked(
                record["Id"],
                record.get("DocNumber", ""),
                Money.of(decimal(record["TotalAmt"]) + self._spent(record), record["CurrencyRef"]["value"]),
                paid=not record["Balance"],
                tax=Money.of(
                    decimal(record.get("TxnTaxDetail", {}).get("TotalTax", 0)), record["CurrencyRef"]["value"]
                ),
            )
            for entity in ("Invoice", "SalesReceipt")
            for record in self.books.records[entity].values()
        ]

    def _spent(self, record: Record) -> Decimal:
        """What lines of a document take off for gift cards."""
        sold = [line for line in record["Line"] if "SalesItemLineDetail" in line]
        amounts = [
            decimal(line["Amount"])
            for line in sold
            if self.books.records["Item"][line["SalesItemLineDetail"]["ItemRef"]["value"]]["Name"] == GIFT_CARDS
        ]
        return -sum((amount for amount in amounts if amount < 0), Decimal(0))

    def credits(self) -> list[Credited]:
        held = self.books.records
        return [
            Credited(
                record["Id"],
                *mark,
                Money.of(decimal(record["TotalAmt"]), record["CurrencyRef"]["value"]),
                paid_out=entity == "RefundReceipt",
                left=Money.of(decimal(record["Balance"]), record["CurrencyRef"]["value"]),
            )
            for entity in ("CreditMemo", "RefundReceipt")
            for record in held[entity].values()
            if (mark := credited_for(record.get("PrivateNote", "")))
        ]

    def mailed(self) -> list[Sent]:
        invoices = self.books.records["Invoice"]
        return [Sent(mail["Id"], invoices[mail["Id"]].get("DocNumber", ""), mail["To"]) for mail in self.books.mails]

    def webhook(self, *, legacy: bool = False) -> Webhook:
        """What Intuit would send now."""
        return changes.webhook(_REALM, _VERIFIER, self.books, legacy=legacy)

    def forget(self) -> None:
        """How long a `requestid` is remembered, Intuit doesn't say: here it ends."""
        self._answered.clear()

    def item_for(self, sku: str) -> str | None:
        if all(good.sku != sku for good in CATALOGUE):
            return None
        items = self.books.records["Item"].values()
        return next(str(r["Id"]) for r in items if r.get("Sku") == sku or r["Name"] == "Other goods")

    # How it fails

    def rate_limited(self, seconds: float) -> Response:
        said = "message=ThrottleExceeded; errorCode=003001; statusCode=429"
        return gateway(429, "THROTTLE", "3001", said, {"Retry-After": str(-int(-seconds // 1))})

    def over_quota(self, seconds: float) -> Response:
        """Without a word about when to come back: Intuit's guide says in a minute."""
        answer = self.rate_limited(seconds)
        del answer.headers["Retry-After"]
        return answer

    def failed(self) -> Response:
        error = {"Message": "An application error has occurred while processing your request", "code": "10000"}
        return answer({"Fault": {"Error": [error], "type": "SystemFault"}, "time": written(self.books.clock())}, 500)

    def signed_out(self) -> Response:
        return gateway(401, "AUTHENTICATION", "3200", "message=AuthenticationFailed; errorCode=003200; statusCode=401")

    # Signing in

    async def _consent(self, request: Request) -> Response:
        """The owner says yes at once."""
        given = request.query_params
        asked = given.get("client_id"), given.get("response_type"), given.get("scope")
        if asked != (_CLIENT[0], "code", _SCOPE) or not given.get("state"):
            return answer({"error": "invalid_request"}, 400)
        came = {"code": self.tokens.consent(), "state": given["state"], "realmId": _REALM}
        return RedirectResponse(f"{given['redirect_uri']}?{urlencode(came)}", 302)

    async def _token(self, request: Request) -> Response:
        form = dict(parse_qsl((await request.body()).decode()))
        basic = "Basic " + base64.b64encode(":".join(_CLIENT).encode()).decode()
        if request.headers.get("authorization") != basic:
            return answer({"error": "invalid_client"}, 401)
        match form.get("grant_type"):
            case "refresh_token":
                granted = self.tokens.renew(form.get("refresh_token", ""))
            case "authorization_code":
                granted = self.tokens.redeem(form.get("code", ""))
            case _:
                return answer({"error": "unsupported_grant_type"}, 400)
        return answer(granted, 200) if granted else answer({"error": "invalid_grant"}, 400)

    def _guarded(self, handle: Callable[[Request, bytes], Record]) -> Callable[[Request], Any]:
        async def guarded(request: Request) -> Response:
            token = request.headers.get("authorization", "").removeprefix("Bearer ")
            if token not in self.tokens.access:
                return self.signed_out()
            if request.path_params["realm"] != _REALM:
                return gateway(403, "AUTHORIZATION", "3100", "message=ApplicationAuthorizationFailed; statusCode=403")
            now = written(self.books.clock())
            try:
                return answer(handle(request, await request.body()) | {"time": now}, 200, self.announcements)
            except Refusal as refusal:
                return refusal.answer(now)

        return guarded

    def _once(self, do: Callable[[Request, bytes], Record]) -> Callable[[Request, bytes], Record]:
        """The same `requestid` gets the same answer and does nothing."""

        def handle(request: Request, body: bytes) -> Record:
            request_id = request.query_params.get("requestid", "")
            if len(request_id) > 50:
                raise Refusal("2050", "Invalid String Length", "requestid is longer than 50")
            if request_id and request_id in self._answered:
                return self._answered[request_id]
            made = do(request, body)
            if request_id:
                self._answered[request_id] = orjson.loads(orjson.dumps(made))
            return made

        return handle

    @staticmethod
    def _posted(make: Callable[[Record], Record]) -> Callable[[Request, bytes], Record]:
        def handle(request: Request, body: bytes) -> Record:
            given = orjson.loads(body)
            check_lengths(given)
            return make(given)

        return handle

    def _send(self, request: Request, body: bytes) -> Record:
        if request.headers.get("content-type") != "application/octet-stream" or body:
            raise bad_query("Sending takes an empty body of the type application/octet-stream")
        return self.books.send(request.path_params["id"], request.query_params.get("sendTo"))

    # Reading

    def _company(self, request: Request, body: bytes) -> Record:
        (company,) = self.books.records["CompanyInfo"].values()
        return {"CompanyInfo": company}

    def _query(self, request: Request, body: bytes) -> Record:
        query = Query.parse(request.query_params.get("query", ""))
        page = query.page(self.books.records[query.entity].values())
        response = {query.entity: page, "startPosition": query.start, "maxResults": len(page)} if page else {}
        return {"QueryResponse": response}

    def _changes(self, request: Request, body: bytes) -> Record:
        return changes.changes(request.query_params, self.books)


SIMULATOR = QuickBooks

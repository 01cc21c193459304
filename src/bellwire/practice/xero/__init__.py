"""Xero for practice: an organisation's books behind its API, the refusals, and the webhooks about what changes in them.

It takes what Xero's description has, and refuses what Xero refuses.
"""

import base64
import hashlib
import hmac
import secrets
import time
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from itertools import count
from typing import Any, ClassVar
from urllib.parse import parse_qsl

import orjson
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Route

from bellwire.money import Money
from bellwire.practice.catalogue import CATALOGUE
from bellwire.practice.quota import Quota
from bellwire.practice.roles import Booked, Credited, Sale, Sent, credited_for, mentioned_order
from bellwire.practice.simulator import Simulator, Webhook
from bellwire.practice.tokens import Tokens
from bellwire.practice.xero import filters
from bellwire.practice.xero.books import GIFT_CARDS, IDS, Organisation, Record
from bellwire.practice.xero.refusals import Refusal, forbidden, unauthorised
from bellwire.practice.xero.sums import money, updated

_TENANT = "c2cc9b6e-9458-4c7d-93cc-f02b81b0594f"
_CLIENT = ("practice-client", "practice-client-secret")
_KEY = "practice-webhooks-key"
_API = "/api.xro/2.0"
_COUNTED = rf"^\w+ {_API}/"
"""The requests that count against an organisation's quota."""
_PAGED = ("BankTransactions", "Contacts", "CreditNotes", "Invoices", "Payments")
_FIELDS = {
    "Accounts": {"AccountID", "Class", "Code", "Name", "Status", "Type"},
    "BankTransactions": {"BankTransactionID", "Date", "Reference", "Status", "Type"},
    "CreditNotes": {"CreditNoteID", "CreditNoteNumber", "Date", "Reference", "Status", "Type"},
    "Contacts": {"ContactID", "ContactStatus", "EmailAddress", "Name"},
    "Invoices": {"Date", "InvoiceID", "InvoiceNumber", "Reference", "Status", "Type"},
    "Items": {"Code", "ItemID", "Name"},
    "Payments": {"Date", "PaymentID", "Reference", "Status"},
}
"""What each collection can be filtered by."""
_ANNOUNCED = {"Contacts": "CONTACT", "CreditNotes": "CREDITNOTE", "Invoices": "INVOICE"}


@dataclass
class Xero(Simulator):
    """A demo company in US dollars, with multiple currencies, and the app that is connected to it."""

    vendor: ClassVar[str] = "xero"
    credentials: ClassVar[Mapping[str, str]] = {
        "client_id": _CLIENT[0],
        "client_secret": _CLIENT[1],
        "refresh_token": "practice-refresh-token",
        "access_token": "practice-access-token",
        "webhook_secret": _KEY,
    }
    settings: ClassVar[Mapping[str, Any]] = {
        "tenant_id": _TENANT,
        "base_currency": "USD",
        "deposit_account": "090",
        "gift_card_account": GIFT_CARDS,
    }

    quotas: list[Quota] = field(default_factory=lambda: [Quota(60, 60, _COUNTED), Quota(5000, 86_400, _COUNTED)])
    tokens: Tokens = field(default_factory=lambda: Tokens(_CLIENT[0], lenient=True))
    books: Organisation = field(default_factory=Organisation)
    demo: bool = True

    def __post_init__(self) -> None:
        self._answered: dict[str, tuple[str, bytes, Record | None]] = {}
        self._untold: list[Record] = []
        self._sequence = count(1)

    def routes(self) -> Sequence[BaseRoute]:
        makers: dict[str, Callable[[Record, int], Record]] = {
            "BankTransactions": self.books.bank_transaction,
            "Contacts": lambda given, _: self.books.contact(given),
            "CreditNotes": self.books.credit_note,
            "Invoices": self.books.invoice,
            "Payments": lambda given, _: self.books.payment(given),
        }
        return [
            Route("/connect/token", self._token, methods=["POST"]),
            Route("/identity/connect/authorize", self.tokens.authorise, methods=["GET"]),
            # Xero's own libraries write it so, its documentation in lower case.
            *(Route(path, self._connections, methods=["GET"]) for path in ("/connections", "/Connections")),
            Route(f"{_API}/Organisation", self._guarded(self._organisation), methods=["GET"]),
            Route(f"{_API}/TaxRates", self._guarded(self._tax_rates), methods=["GET"]),
            *(
                Route(f"{_API}/{name}", self._guarded(self._once(self._put(name, make))), methods=["PUT"])
                for name, make in makers.items()
            ),
            Route(f"{_API}/CreditNotes/{{id}}/Allocations", self._guarded(self._once(self._allocate)), methods=["PUT"]),
            Route(f"{_API}/Invoices/{{id}}/Email", self._guarded(self._once(self._email)), methods=["POST"]),
            *(Route(f"{_API}/{name}", self._guarded(self._list(name)), methods=["GET"]) for name in IDS),
        ]

    def state(self) -> dict[str, Any]:
        held = {collection: list(records.values()) for collection, records in self.books.records.items()}
        return held | {"mails": self.books.mails}

    def made(self) -> Mapping[str, Collection[str]]:
        held = self.books.records
        worked = {known for known, each in held["Invoices"].items() if each.get("Reference", "").startswith("Work ")}
        paid = {known: each for known, each in held["Payments"].items() if "Invoice" in each}
        redeemed = {known for known, each in paid.items() if each["Account"]["Code"] == GIFT_CARDS}
        return {
            "accounting.find_or_create_customer": set(held["Contacts"]),
            "accounting.create_invoice": held["Invoices"].keys() - worked,
            "accounting.create_work_invoice": worked,
            "accounting.create_sales_receipt": set(held["BankTransactions"]),
            "accounting.create_credit_memo": set(held["CreditNotes"]),
            "accounting.record_payment": paid.keys() - redeemed,
            "accounting.redeem_gift_card": redeemed,
        }

    # As `Books`

    def book(self, sale: Sale, total: Money) -> str:
        return self.books.book(sale, total)

    def booked(self) -> list[Booked]:
        records = self.books.records
        invoices = [
            Booked(
                record["InvoiceID"],
                record["InvoiceNumber"],
                Money.of(money(record["Total"]), record["CurrencyCode"]),
                paid=not record["AmountDue"],
                tax=Money.of(money(record["TotalTax"]), record["CurrencyCode"]),
            )
            for record in records["Invoices"].values()
        ]
        return invoices + [
            Booked(
                record["BankTransactionID"],
                mentioned_order(record["Reference"]),
                Money.of(money(record["Total"]) + _spent(record), record["CurrencyCode"]),
                paid=True,
                tax=Money.of(money(record["TotalTax"]), record["CurrencyCode"]),
            )
            for record in records["BankTransactions"].values()
        ]

    def credits(self) -> list[Credited]:
        return [
            Credited(
                record["CreditNoteID"],
                *mark,
                Money.of(money(record["Total"]), record["CurrencyCode"]),
                paid_out=bool(record["Payments"]),
                left=Money.of(money(record["RemainingCredit"]), record["CurrencyCode"]),
            )
            for record in self.books.records["CreditNotes"].values()
            if (mark := credited_for(record.get("Reference", "")))
        ]

    def mailed(self) -> list[Sent]:
        invoices = self.books.records["Invoices"]
        return [
            Sent(mail["InvoiceID"], invoices[mail["InvoiceID"]]["InvoiceNumber"], mail["To"])
            for mail in self.books.mails
        ]

    def item_for(self, sku: str) -> str | None:
        if all(good.sku != sku for good in CATALOGUE):
            return None
        codes = {record["Code"] for record in self.books.records["Items"].values()}
        return sku if sku in codes else "OTHER"

    def forget(self) -> None:
        """How long an `Idempotency-Key` is remembered, Xero doesn't say: here it ends."""
        self._answered.clear()

    # Webhooks

    def webhook(self) -> Webhook:
        """What Xero would send now: all that happened since it last did, signed."""
        events, self._untold = self._untold, []
        numbers = [next(self._sequence) for _ in events] or [0]
        return self._signed(events, numbers[0], numbers[-1])

    def intent_to_receive(self) -> list[Webhook]:
        """How Xero tries an address: rightly signed, and wrongly."""
        right = self._signed([], 0, 0)
        wrong = Webhook(
            right.topic, {**right.headers, "x-xero-signature": _signature(right.body, "no key")}, right.body
        )
        return [right, wrong]

    def _signed(self, events: list[Record], first: int, last: int) -> Webhook:
        entropy = secrets.token_hex(10).upper()
        body = {"events": events, "firstEventSequence": first, "lastEventSequence": last, "entropy": entropy}
        text = orjson.dumps(body)
        headers = {"x-xero-signature": _signature(text, _KEY), "Content-Type": "application/json"}
        return Webhook("events", headers, text)

    def _announce(self, collection: str, record: Record, happened: str) -> None:
        if category := _ANNOUNCED.get(collection):
            record_id = record[IDS[collection]]
            self._untold.append(
                {
                    "resourceUrl": f"https://api.xero.com{_API}/{collection}/{record_id}",
                    "resourceId": record_id,
                    "eventDateUtc": self.books.clock().strftime("%Y-%m-%dT%H:%M:%S.%f")[:-3],
                    "eventType": happened,
                    "eventCategory": category,
                    "tenantId": _TENANT,
                    "tenantType": "ORGANISATION",
                }
            )

    # How it fails

    def rate_limited(self, seconds: float) -> Response:
        headers = {"Retry-After": str(-int(-seconds // 1)), "X-Rate-Limit-Problem": "minute"}
        return Response(status_code=429, headers=headers)

    def failed(self) -> Response:
        message = "An error occurred in Xero. Check the API Status page for current service status."
        return JSONResponse({"ErrorNumber": 500, "Type": "UnknownErrorException", "Message": message}, 500)

    def signed_out(self) -> Response:
        return unauthorised("TokenExpired")

    # Signing in

    async def _token(self, request: Request) -> Response:
        form = dict(parse_qsl((await request.body()).decode()))
        basic = "Basic " + base64.b64encode(":".join(_CLIENT).encode()).decode()
        if request.headers.get("authorization") != basic:
            return JSONResponse({"error": "invalid_client"}, 400)
        if form.get("grant_type") not in ("authorization_code", "refresh_token"):
            return JSONResponse({"error": "unsupported_grant_type"}, 400)
        granted = self.tokens.grant(form)
        return JSONResponse(granted) if granted else JSONResponse({"error": "invalid_grant"}, 400)

    def _signed_in(self, request: Request) -> bool:
        return self.tokens.good(request)

    async def _connections(self, request: Request) -> Response:
        if not self._signed_in(request):
            return self.signed_out()
        connection = {
            "id": "7cb59f93-2964-421d-bb5e-a0f7a4572a44",
            "tenantId": _TENANT,
            "tenantType": "ORGANISATION",
            "tenantName": "Practice Tea Company",
        }
        return JSONResponse([connection])

    def _guarded(self, handle: Callable[[Request, bytes], Record | None]) -> Callable[[Request], Any]:
        async def guarded(request: Request) -> Response:
            if not self._signed_in(request):
                return self.signed_out()
            if request.headers.get("xero-tenant-id") != _TENANT:
                return forbidden()
            try:
                answer = handle(request, await request.body())
            except Refusal as refusal:
                return refusal.answer()
            if answer is None:
                return Response(status_code=204, headers=self._left())
            told = {
                "Id": "practice",
                "Status": "OK",
                "ProviderName": "Bellwire",
                "DateTimeUTC": "/Date(1795512600000)/",
            }
            return JSONResponse(told | answer, headers=self._left())

        return guarded

    def _left(self) -> dict[str, str]:
        """How many more requests are let in."""
        names, now = ("X-MinLimit-Remaining", "X-DayLimit-Remaining"), time.monotonic()
        return {name: str(quota.left(f"GET {_API}/", now)) for name, quota in zip(names, self.quotas, strict=False)}

    def _once(self, do: Callable[[Request, bytes], Record | None]) -> Callable[[Request, bytes], Record | None]:
        """The same `Idempotency-Key` gets the same answer and does nothing."""

        def handle(request: Request, body: bytes) -> Record | None:
            key = request.headers.get("idempotency-key", "")
            if len(key) > 128:
                raise Refusal(0, "BadRequest", "The idempotency key is longer than 128 characters")
            if key in self._answered:
                path, first, given = self._answered[key]
                if (path, first) != (request.url.path, body):
                    raise Refusal(0, "BadRequest", "The idempotency key was used for another request")
                return given
            answer: Record | None = orjson.loads(orjson.dumps(do(request, body)))
            if key:
                self._answered[key] = request.url.path, body, answer
            return answer

        return handle

    def _put(self, collection: str, make: Callable[[Record, int], Record]) -> Callable[[Request, bytes], Record]:
        def handle(request: Request, body: bytes) -> Record:
            made = make(_one(collection, body), 4 if request.query_params.get("unitdp") == "4" else 2)
            self._announce(collection, made, "CREATE")
            if collection == "Payments":
                for kind in ("Invoices", "CreditNotes"):
                    if kind[:-1] in made:
                        self._announce(kind, made[kind[:-1]], "UPDATE")
            return {collection: [made]}

        return handle

    def _allocate(self, request: Request, body: bytes) -> Record:
        made = self.books.allocate(request.path_params["id"], _one("Allocations", body))
        self._announce("CreditNotes", {"CreditNoteID": request.path_params["id"]}, "UPDATE")
        self._announce("Invoices", made["Invoice"], "UPDATE")
        return {"Allocations": [made]}

    def _email(self, request: Request, body: bytes) -> None:
        try:
            if not isinstance(orjson.loads(body), dict):
                raise ValueError
        except ValueError as error:
            raise Refusal(14, "PostDataInvalidException", "An empty object was expected") from error
        self._announce("Invoices", self.books.email(request.path_params["id"]), "UPDATE")

    # Reading

    def _organisation(self, request: Request, body: bytes) -> Record:
        organisation = {
            "OrganisationID": _TENANT,
            "Name": "Practice Tea Company",
            "BaseCurrency": "USD",
            "CountryCode": "US",
            "IsDemoCompany": self.demo,
            "OrganisationStatus": "ACTIVE",
        }
        return {"Organisations": [organisation]}

    def _tax_rates(self, request: Request, body: bytes) -> Record:
        return {"TaxRates": self.books.tax_rates}

    def _list(self, collection: str) -> Callable[[Request, bytes], Record]:
        def handle(request: Request, body: bytes) -> Record:
            query = request.query_params
            found = list(self.books.records[collection].values())
            if where := query.get("where"):
                fits = filters.parse(where, _FIELDS[collection], collection.removesuffix("s"))
                found = [record for record in found if fits(record)]
            if numbers := query.get("InvoiceNumbers"):
                found = [record for record in found if record.get("InvoiceNumber") in numbers.split(",")]
            if ids := query.get("IDs"):
                found = [record for record in found if record[IDS[collection]] in ids.split(",")]
            if since := request.headers.get("if-modified-since"):
                found = [record for record in found if updated(record) >= datetime.fromisoformat(f"{since}+00:00")]
            if query.get("order") == "UpdatedDateUTC ASC":
                found.sort(key=updated)
            if collection == "Contacts" and query.get("includeArchived") != "true":
                found = [record for record in found if record["ContactStatus"] == "ACTIVE"]
            if collection not in _PAGED:
                return {collection: found}
            if "page" not in query:
                return {collection: [{k: v for k, v in record.items() if k != "LineItems"} for record in found]}
            page, size = int(query["page"]), int(query.get("pageSize", "100"))
            if page < 1 or not 1 <= size <= 1000:
                raise Refusal(0, "BadRequest", "page goes from 1, pageSize from 1 to 1000")
            pagination = {"page": page, "pageSize": size, "pageCount": -(-len(found) // size), "itemCount": len(found)}
            return {"pagination": pagination, collection: found[(page - 1) * size : page * size]}

        return handle


SIMULATOR = Xero


def _one(collection: str, body: bytes) -> Record:
    """The only record that a request has. Raises Refusal."""
    try:
        (given,) = orjson.loads(body)[collection]
    except (KeyError, TypeError, ValueError) as error:
        raise Refusal(14, "PostDataInvalidException", f"One of {collection} was expected") from error
    found: Record = given
    return found


def _spent(record: Record) -> Decimal:
    """What lines of a document take off for gift cards."""
    amounts = [money(line["LineAmount"]) for line in record["LineItems"] if line["AccountCode"] == GIFT_CARDS]
    return -sum((amount for amount in amounts if amount < 0), Decimal(0))


def _signature(body: bytes, key: str) -> str:
    return base64.b64encode(hmac.digest(key.encode(), body, hashlib.sha256)).decode()

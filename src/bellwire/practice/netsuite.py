"""NetSuite for practice: a sandbox account that buys tea, its records, SuiteQL, and the script that tells of receipts.

What SuiteQL asks is asked of tables in SQLite, so that statements are really carried out.
"""

import asyncio
import hashlib
import hmac
import re
import secrets
import sqlite3
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date
from decimal import Decimal
from typing import Any, ClassVar
from urllib.parse import parse_qsl

import orjson
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, derive_private_key
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Route

from bellwire.clock import Clock, parse_time, system_clock
from bellwire.practice.assertions import read_assertion
from bellwire.practice.catalogue import CATALOGUE
from bellwire.practice.roles import Ordered, Supply
from bellwire.practice.simulator import Simulator, Webhook

Record = dict[str, Any]

_ACCOUNT, _HOST = "1234567_SB1", "1234567-sb1"
_CLIENT, _CERTIFICATE, _SECRET = "practice-client", "practice-certificate", "practice-api-secret"
_KEY = derive_private_key(1234567, SECP256R1())
_TOKEN = "/services/rest/auth/oauth2/v1/token"  # noqa: S105 - an address
_REST = "/services/rest"
_SUPPLIER = 9
_ORDER_FIELDS = {"entity", "memo", "dueDate", "tranDate", "toBeEmailed", "item", "externalId"}
_LINE_FIELDS = {"item", "quantity", "rate", "description"}
_TABLES = """
    CREATE TABLE currency (id INTEGER PRIMARY KEY, symbol TEXT);
    CREATE TABLE vendor (id INTEGER PRIMARY KEY, entityid TEXT, currency INTEGER);
    CREATE TABLE item (id INTEGER PRIMARY KEY, itemid TEXT, itemtype TEXT, subtype TEXT, isinactive TEXT DEFAULT 'F',
        cost TEXT, preferred INTEGER, leadtime INTEGER, reordermultiple INTEGER);
    CREATE TABLE trans (id INTEGER PRIMARY KEY, type TEXT, tranid TEXT, externalid TEXT UNIQUE, entity INTEGER,
        status TEXT, memo TEXT, duedate TEXT, foreigntotal TEXT, createddate TEXT, lastmodifieddate TEXT);
    CREATE TABLE transactionline (id INTEGER PRIMARY KEY, trans INTEGER, mainline TEXT, taxline TEXT DEFAULT 'F',
        item INTEGER, quantity INTEGER, quantityshiprecv INTEGER DEFAULT 0, rate TEXT, createdfrom INTEGER);
"""


class _Error(Exception):
    def __init__(self, status: int, code: str, message: str) -> None:
        super().__init__(message)
        error = {"detail": message, "o:errorCode": code}
        kind = "https://www.rfc-editor.org/rfc/rfc9110.html#section-15.5"
        self.answer = JSONResponse(
            {"type": kind, "title": message, "status": status, "o:errorDetails": [error]}, status
        )


@dataclass
class NetSuite(Simulator):
    """`concurrency` is how many requests it takes at once, `seconds` how long each of them needs."""

    vendor: ClassVar[str] = "netsuite"
    credentials: ClassVar[Mapping[str, str]] = {
        "client_id": _CLIENT,
        "certificate_id": _CERTIFICATE,
        "private_key": _KEY.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode(),
        "access_token": "practice-access-token",
        "webhook_secret": _SECRET,
    }
    settings: ClassVar[Mapping[str, Any]] = {"account": _ACCOUNT, "currency": "USD"}

    clock: Clock = system_clock
    concurrency: int = 5
    seconds: float = 0.002
    denied: set[str] = field(default_factory=set)
    """Record types that the role may not see."""
    gone: set[str] = field(default_factory=set)
    """Receipts that were deleted just after a list showed them."""
    announced: dict[str, str] = field(default_factory=dict)
    """Headers of all its answers, such as `Sunset`."""
    access: set[str] = field(default_factory=lambda: {"practice-access-token"})

    def __post_init__(self) -> None:
        self._going = 0
        self._rows = sqlite3.connect(":memory:", isolation_level=None, check_same_thread=False)
        self._rows.row_factory = sqlite3.Row
        self._rows.create_function("TO_TIMESTAMP_TZ", 2, _timestamp, deterministic=True)
        self._rows.executescript(_TABLES)
        self._do("INSERT INTO currency VALUES (1, 'USD'), (2, 'EUR')")
        self._do("INSERT INTO vendor VALUES (9, 'Leaf & Sons', 1), (10, 'Teehandel Nord', 2)")
        for good in CATALOGUE:
            values = (good.sku, "InvtPart" if good.ships else "Service", str(good.price / 2), _SUPPLIER)
            columns = "(itemid, itemtype, cost, preferred, leadtime, reordermultiple)"
            self._do(f"INSERT INTO item {columns} VALUES (?, ?, ?, ?, 14, 6)", *values)  # noqa: S608 - our own names

    def routes(self) -> Sequence[BaseRoute]:
        record = f"{_REST}/record/v1"
        return [
            Route(_TOKEN, self._token, methods=["POST"]),
            Route(f"{_REST}/query/v1/suiteql", self._served(self._query), methods=["POST"]),
            Route(f"{record}/purchaseOrder/{{id}}", self._served(self._put_order), methods=["PUT"]),
            Route(f"{record}/inventoryItem/{{id}}", self._served(self._item), methods=["GET"]),
            Route(f"{record}/itemReceipt/{{id}}", self._served(self._receipt), methods=["GET"]),
        ]

    def state(self) -> dict[str, Any]:
        columns = "id, type, tranid, externalid, entity, status, memo, duedate, foreigntotal"
        times = "REPLACE(createddate, ' ', 'T') AS createddate, REPLACE(lastmodifieddate, ' ', 'T') AS lastmodifieddate"
        return {
            "transactions": [dict(row) for row in self._do(f"SELECT {columns}, {times} FROM trans")],  # noqa: S608
            "lines": [dict(row) for row in self._do("SELECT * FROM transactionline")],
        }

    def made(self) -> Mapping[str, Collection[str]]:
        return {"purchasing.create_purchase_order": [each.id for each in self.ordered()]}

    # As `Purchasing`

    def go_by(self, clock: Clock) -> None:
        self.clock = clock

    def suppliers(self) -> list[str]:
        return [row["entityid"] for row in self._do("SELECT entityid FROM vendor ORDER BY id")]

    def supply(self, sku: str) -> Supply | None:
        """NetSuite keeps no least quantity."""
        statement = "SELECT i.*, v.entityid FROM item i JOIN vendor v ON v.id = i.preferred WHERE i.itemid = ?"
        rows = self._do(statement, sku)
        return (
            Supply(
                rows[0]["entityid"],
                rows[0]["leadtime"],
                minimum=1,
                pack=rows[0]["reordermultiple"],
                price=Decimal(rows[0]["cost"]),
            )
            if rows
            else None
        )

    def buy_from(self, sku: str, supplier: str) -> None:
        self.change_item(sku, preferred=self._one("SELECT id FROM vendor WHERE entityid = ?", supplier))

    def order(self, supplier: str, units: Mapping[str, int]) -> str:
        vendor = self._one("SELECT id FROM vendor WHERE entityid = ?", supplier)
        made = self._add("PurchOrd", self._number("PO"), vendor)
        for sku, number in units.items():
            (item,) = self._do("SELECT id, cost FROM item WHERE itemid = ?", sku)
            self._line(made, item["id"], number, item["cost"], None)
        self._add_up(made)
        return str(made)

    def ordered(self) -> list[Ordered]:
        orders = self._do(
            "SELECT t.*, v.entityid FROM trans t JOIN vendor v ON v.id = t.entity WHERE t.type = 'PurchOrd'"
        )
        return [
            Ordered(
                str(order["id"]),
                (order["memo"] or "").partition(": ")[0],
                order["entityid"],
                self._units(order["id"]),
                date.fromisoformat(order["duedate"]) if order["duedate"] else None,
                -Decimal(order["foreigntotal"]),
            )
            for order in orders
        ]

    def bring(self, order_id: str, most: int | None = None) -> Webhook:
        return self.webhook(self.receive(order_id, most))

    def _units(self, order_id: int) -> dict[str, int]:
        statement = "SELECT i.itemid, l.quantity FROM transactionline l JOIN item i ON i.id = l.item WHERE l.trans = ?"
        return {row["itemid"]: row["quantity"] for row in self._do(statement, order_id)}

    # As people use it

    def receive(self, order_id: str, quantity: int | None = None) -> str:
        """Goods come in for an order: all that is open, or so many of each line. Gives the receipt's id."""
        known = self._add("ItemRcpt", self._number("IR"), self._one("SELECT entity FROM trans WHERE id = ?", order_id))
        for line in self._do("SELECT * FROM transactionline WHERE trans = ? AND mainline = 'F'", order_id):
            came = min(quantity or line["quantity"], line["quantity"] - line["quantityshiprecv"])
            self._do(
                "UPDATE transactionline SET quantityshiprecv = quantityshiprecv + ? WHERE id = ?", came, line["id"]
            )
            self._line(known, line["item"], came, line["rate"], order_id)
        left = self._one("SELECT SUM(quantity - quantityshiprecv) FROM transactionline WHERE trans = ?", order_id)
        self._do("UPDATE trans SET status = ? WHERE id = ?", "D" if left else "F", order_id)
        return str(known)

    def transfer(self) -> str:
        """Goods come in from another place of one's own, which isn't what a supplier brings."""
        order = self._add("TrnfrOrd", self._number("TO"), None)
        known = self._add("ItemRcpt", self._number("IR"), None)
        self._line(known, 1, 5, "0", str(order))
        return str(known)

    def touch(self, transaction_id: str) -> None:
        """Somebody changes something about it."""
        self._do("UPDATE trans SET lastmodifieddate = ? WHERE id = ?", self._now(), transaction_id)

    def set_status(self, order_id: str, letter: str) -> None:
        self._do("UPDATE trans SET status = ? WHERE id = ?", letter, order_id)

    def delete(self, transaction_id: str) -> None:
        self._do("DELETE FROM trans WHERE id = ?", transaction_id)

    def change_item(self, sku: str, **fields: Any) -> None:
        for name, value in fields.items():
            self._do(f"UPDATE item SET {name} = ? WHERE itemid = ?", value, sku)  # noqa: S608 - our own names

    def webhook(self, receipt_id: str, event: str = "create", account: str = _ACCOUNT) -> Webhook:
        """What the script sends when a receipt was saved."""
        body = {"account": account, "recordType": "itemReceipt", "id": receipt_id, "type": event, "sentAt": self._iso()}
        text = orjson.dumps(body)
        digest = hmac.digest(_SECRET.encode(), text, hashlib.sha256).hex().upper()
        return Webhook("itemReceipt", {"Content-Type": "application/json", "X-Signature": f"sha256={digest}"}, text)

    def expire(self) -> None:
        """No access token is good any more."""
        self.access.clear()

    # How it fails

    def rate_limited(self, seconds: float) -> Response:
        """It counts what goes on at once, so it doesn't say when to come back."""
        return _Error(429, "CONCURRENCY_LIMIT_EXCEEDED", "Concurrent request limit exceeded. Request blocked.").answer

    def failed(self) -> Response:
        return _Error(500, "UNEXPECTED_ERROR", "An unexpected error occurred. Error ID: practice").answer

    def signed_out(self) -> Response:
        return _Error(401, "INVALID_LOGIN", "Invalid login attempt.").answer

    def _served(self, handle: Callable[[Request, Record], Response]) -> Callable[[Request], Any]:
        async def serve(request: Request) -> Response:
            if request.headers.get("authorization", "").removeprefix("Bearer ") not in self.access:
                return self.signed_out()
            if self._going >= self.concurrency:
                return self.rate_limited(0)
            body = await request.body()
            self._going += 1
            try:
                await asyncio.sleep(self.seconds)
                answer = handle(request, orjson.loads(body) if body else {})
            except _Error as error:
                return error.answer
            finally:
                self._going -= 1
            answer.headers.update(self.announced)
            return answer

        return serve

    # Signing in

    async def _token(self, request: Request) -> Response:
        form = dict(parse_qsl((await request.body()).decode()))
        kind = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
        if form.get("grant_type") != "client_credentials" or form.get("client_assertion_type") != kind:
            return JSONResponse({"error": "unsupported_grant_type"}, 400)
        keys, algorithms = {_CERTIFICATE: _KEY.public_key()}, ("PS256", "ES256")
        try:
            assertion = form.get("client_assertion", "")
            claims = read_assertion(assertion, keys, self.clock, algorithms=algorithms, key_id="kid")
        except ValueError:
            return JSONResponse({"error": "invalid_grant"}, 400)
        audience = f"https://{_HOST}.suitetalk.api.netsuite.com{_TOKEN}"
        if (claims.get("iss"), claims.get("aud")) != (_CLIENT, audience) or "rest_webservices" not in claims["scope"]:
            return JSONResponse({"error": "invalid_client"}, 401)
        token = secrets.token_hex(16)
        self.access.add(token)
        return JSONResponse({"access_token": token, "expires_in": "3600", "token_type": "bearer"})

    # SuiteQL

    def _query(self, request: Request, given: Record) -> Response:
        if "transient" not in request.headers.get("prefer", ""):
            raise _Error(400, "INVALID_HEADER", "Required header 'Prefer' is missing or has an invalid value.")
        limit, offset = (int(request.query_params.get(name, usual)) for name, usual in (("limit", 1000), ("offset", 0)))
        if not 0 < limit <= 1000 or offset % limit:
            raise _Error(400, "INVALID_PARAMETER", "The offset has to be a multiple of the limit.")
        statement = re.sub(r"\btransaction\b", "trans", given["q"])
        try:
            found = list(self._rows.execute(statement))
        except sqlite3.Error as error:
            raise _Error(400, "INVALID_PARAMETER", f"Invalid search query. {error}") from None
        page = [_shown(row) for row in found[offset : offset + limit]]
        told = {
            "links": [],
            "count": len(page),
            "hasMore": offset + limit < len(found),
            "items": page,
            "offset": offset,
            "totalResults": len(found),
        }
        return JSONResponse(told)

    # Records

    def _put_order(self, request: Request, given: Record) -> Response:
        """By its external id it is made or changed. Without `replace`, lines are added to those that are there."""
        self._see("purchaseOrder")
        external = request.path_params["id"]
        if not external.startswith("eid:"):
            raise _Error(400, "INVALID_ID", "An external id is expected.")
        _only(given, _ORDER_FIELDS)
        supplier = self._known("vendor", given.get("entity"), "entity")
        lines = [(self._known("item", line.get("item"), "item"), line) for line in given["item"]["items"]]
        for _, line in lines:
            _only(line, _LINE_FIELDS)
        external = external.removeprefix("eid:")
        known = self._one("SELECT id FROM trans WHERE externalid = ?", external)
        if known is None:
            known = self._add("PurchOrd", self._number("PO"), supplier, external)
        told = (supplier, given.get("memo"), given.get("dueDate"), known)
        self._do("UPDATE trans SET entity = ?, memo = ?, duedate = ? WHERE id = ?", *told)
        if request.query_params.get("replace") == "item":
            self._do("DELETE FROM transactionline WHERE trans = ?", known)
        for item, line in lines:
            rate = line.get("rate", self._one("SELECT cost FROM item WHERE id = ?", item))
            self._line(known, item, line["quantity"], str(rate), None)
        self._add_up(known)
        location = f"https://{_HOST}.suitetalk.api.netsuite.com{_REST}/record/v1/purchaseOrder/{known}"
        return Response(status_code=204, headers={"Location": location})

    def _item(self, request: Request, _given: Record) -> Response:
        self._see("inventoryItem")
        rows = self._do("SELECT * FROM item WHERE id = ? AND itemtype = 'InvtPart'", request.path_params["id"])
        if not rows:
            raise _missing()
        item = rows[0]
        told: Record = {"id": str(item["id"]), "itemId": item["itemid"], "leadTime": item["leadtime"]}
        told["reorderMultiple"] = item["reordermultiple"]
        if item["preferred"]:
            price = float(item["cost"])
            vendors = [
                {"vendor": self._vendor(known), "preferredVendor": known == item["preferred"], "purchasePrice": price}
                for known in (10, 9)
            ]
            told["itemVendor"] = {"items": vendors}
        return JSONResponse(told)

    def _receipt(self, request: Request, _given: Record) -> Response:
        self._see("itemReceipt")
        known = request.path_params["id"]
        rows = self._do("SELECT * FROM trans WHERE type = 'ItemRcpt' AND id = ?", known)
        if not rows or known in self.gone:
            raise _missing()
        statement = "SELECT l.*, i.itemid FROM transactionline l JOIN item i ON i.id = l.item WHERE l.trans = ?"
        lines = self._do(statement, known)
        order = self._do("SELECT * FROM trans WHERE id = ?", lines[0]["createdfrom"])[0]
        told: Record = {
            "id": known,
            "tranId": rows[0]["tranid"],
            "createdDate": rows[0]["createddate"].replace(" ", "T") + "Z",
            "lastModifiedDate": rows[0]["lastmodifieddate"].replace(" ", "T") + "Z",
            "createdFrom": {"id": str(order["id"]), "refName": f"Purchase Order #{order['tranid']}"},
            "item": {
                "items": [
                    {
                        "item": {"id": str(line["item"]), "refName": f"Goods : {line['itemid']}"},
                        "itemReceive": bool(line["quantity"]),
                        "quantity": float(line["quantity"]),
                    }
                    for line in lines
                ]
            },
        }
        if rows[0]["entity"]:
            told["entity"] = self._vendor(rows[0]["entity"])
        return JSONResponse(told)

    def _vendor(self, known: int) -> Record:
        return {"id": str(known), "refName": self._one("SELECT entityid FROM vendor WHERE id = ?", known)}

    def _see(self, kind: str) -> None:
        if kind in self.denied:
            raise _Error(403, "INSUFFICIENT_PERMISSION", "Permission Violation: you need a permission to access this.")

    def _known(self, table: str, told: Any, place: str) -> int:
        found = self._one(f"SELECT id FROM {table} WHERE id = ?", (told or {}).get("id"))  # noqa: S608 - our own names
        if found is None:
            raise _Error(400, "USER_ERROR", f"Invalid {place} reference key {(told or {}).get('id')}.")
        return int(found)

    # Rows

    def _do(self, statement: str, *values: Any) -> list[sqlite3.Row]:
        return list(self._rows.execute(statement, values))

    def _one(self, statement: str, *values: Any) -> Any:
        rows = self._do(statement, *values)
        return rows[0][0] if rows else None

    def _add(self, kind: str, number: str, entity: int | None, external: str | None = None) -> int:
        known = self._one("SELECT COALESCE(MAX(id), 100) + 1 FROM trans")
        now, letter = self._now(), "B" if kind == "PurchOrd" else ""
        columns = "(id, type, tranid, externalid, entity, status, createddate, lastmodifieddate)"
        values = (known, kind, number, external, entity, letter, now, now)
        self._do(f"INSERT INTO trans {columns} VALUES (?, ?, ?, ?, ?, ?, ?, ?)", *values)  # noqa: S608
        return int(known)

    def _line(self, transaction: int, item: int, quantity: int, rate: str, created_from: str | None) -> None:
        columns = "(trans, mainline, item, quantity, rate, createdfrom)"
        values = (transaction, item, quantity, rate, created_from)
        self._do(f"INSERT INTO transactionline {columns} VALUES (?, 'F', ?, ?, ?, ?)", *values)  # noqa: S608

    def _add_up(self, known: int) -> None:
        """What is owed stands with a minus."""
        lines = self._do("SELECT quantity, rate FROM transactionline WHERE trans = ?", known)
        total = sum((line["quantity"] * Decimal(line["rate"]) for line in lines), Decimal(0))
        self._do("UPDATE trans SET foreigntotal = ? WHERE id = ?", str(-total), known)

    def _number(self, prefix: str) -> str:
        count = self._one("SELECT COUNT(*) FROM trans WHERE tranid LIKE ?", f"{prefix}%")
        return f"{prefix}{count + 1}"

    def _now(self) -> str:
        return f"{self.clock().astimezone(UTC):%Y-%m-%d %H:%M:%S}"

    def _iso(self) -> str:
        return self.clock().isoformat()


SIMULATOR = NetSuite


def _timestamp(text: str, _form: str) -> str:
    return f"{parse_time(text):%Y-%m-%d %H:%M:%S}"


def _shown(row: sqlite3.Row) -> Record:
    """Values are texts; those that are null are left out."""
    told = {name: str(row[name]) for name in row.keys() if row[name] is not None}  # noqa: SIM118 - a row isn't a dict
    return {"links": [], **told}


def _only(given: Record, fields: set[str]) -> None:
    if strange := set(given) - fields:
        raise _Error(400, "INVALID_CONTENT", f"Unknown property: {', '.join(sorted(strange))}.")


def _missing() -> _Error:
    return _Error(404, "NONEXISTENT_ID", "The record instance does not exist. Provide a valid record instance ID.")

"""A simulated SAP Business One: the Service Layer (v2) of a company with two warehouses, on two nodes.

https://help.sap.com/docs/SAP_BUSINESS_ONE
"""

import re
import secrets
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from typing import Any, ClassVar

import orjson
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Route

from bellwire.clock import Clock
from bellwire.practice.roles import Ordered, Supply
from bellwire.practice.sap_business_one.company import WAREHOUSE, Company, Row, Wrong
from bellwire.practice.sap_business_one.odata import BadQuery, answer
from bellwire.practice.simulator import Simulator

__all__ = ["SIMULATOR", "SapBusinessOneSimulator"]

_COMPANY, _USER, _PASSWORD = "SBODEMOUS", "bellwire", "practice-password"
_ENTITY = re.compile(r"(?P<collection>\w+)(?:\((?P<key>\d+)\))?")
_DEFAULT_PAGE = 20
_HEAD = {"DocObjectCode", "CardCode", "NumAtCard", "Comments", "DocDueDate", "DocCurrency", "DocumentLines"}
_LINE = {"ItemCode", "Quantity", "UseBaseUnits", "WarehouseCode", "UnitPrice"}
_FORBIDDEN = 205


@dataclass
class SapBusinessOneSimulator(Simulator):
    """`forbidden` are the collections that the user has no authorisation for."""

    vendor: ClassVar[str] = "sap_business_one"
    credentials: ClassVar[Mapping[str, str]] = {"user_name": _USER, "password": _PASSWORD}
    settings: ClassVar[Mapping[str, Any]] = {
        "server": "sap.practice.example:50000",
        "company_db": _COMPANY,
        "production_db": "SBO_PRACTICE",
        "warehouse": WAREHOUSE,
    }

    company: Company = field(default_factory=Company)
    forbidden: set[str] = field(default_factory=set)
    databases: set[str] = field(default_factory=lambda: {_COMPANY})
    sessions: dict[str, str] = field(default_factory=dict)
    """Session → the node that knows it."""
    logins: int = 0

    def routes(self) -> Sequence[BaseRoute]:
        return [
            Route("/b1s/v2/Login", self._login, methods=["POST"]),
            Route("/b1s/v2/Logout", self._logout, methods=["POST"]),
            Route("/b1s/v2/{entity}", self._serve, methods=["GET", "POST"]),
        ]

    def state(self) -> dict[str, Any]:
        return {"stock": self.company.stock()} | {
            kind: [{name: document[name] for name in document if name != "DocTime"} for document in documents.values()]
            for kind, documents in self.company.books.items()
            if documents
        }

    def made(self) -> Mapping[str, Collection[str]]:
        return {"purchasing.create_purchase_order": [each.id for each in self.ordered()]}

    # As `Warehouse`

    def go_by(self, clock: Clock) -> None:
        self.company.clock = clock

    def stock(self) -> dict[str, int]:
        return self.company.stock()

    def move(self, sku: str, by: int) -> None:
        self.company.correct(sku, by)

    def stock_webhook(self, sku: str) -> None:
        """It sends none."""

    # As `Purchasing`

    def suppliers(self) -> list[str]:
        return list(self.company.partners.values())

    def supply(self, sku: str) -> Supply | None:
        item = self.company.items[sku]
        if item["Mainsupplier"] is None:
            return None
        return Supply(
            self.company.partners[item["Mainsupplier"]],
            item["LeadTime"],
            max(int(item["MinOrderQuantity"]), 1),
            max(int(item["OrderMultiple"]), 1),
            Decimal(str(self.company.prices[sku][0])),
        )

    def buy_from(self, sku: str, supplier: str) -> None:
        item = self.company.items[sku]
        item["Mainsupplier"] = self._partner(supplier) if supplier else None
        item["LeadTime"] = item["LeadTime"] or 7

    def order(self, supplier: str, units: Mapping[str, int]) -> str:
        lines = [{"ItemCode": sku, "Quantity": number} for sku, number in units.items()]
        head = {"DocObjectCode": "oPurchaseOrders", "CardCode": self._partner(supplier), "DocumentLines": lines}
        draft = self.company.draft(head | {"DocDueDate": self.company.clock().date().isoformat()})
        return f"draft/{draft['DocEntry']}"

    def ordered(self) -> list[Ordered]:
        return [
            Ordered(
                f"draft/{entry}",
                draft["NumAtCard"] or "",
                draft["CardName"],
                {line["ItemCode"]: int(line["Quantity"]) for line in draft["DocumentLines"]},
                date.fromisoformat(draft["DocDueDate"]),
                Decimal(str(draft["DocTotal"])),
            )
            for entry, draft in self.company.books["Drafts"].items()
        ]

    def bring(self, order_id: str, most: int | None = None) -> None:
        """It sends no webhook of it."""
        self.company.bring(int(order_id.removeprefix("draft/")), most)

    def _partner(self, supplier: str) -> str:
        return next(code for code, name in self.company.partners.items() if name == supplier)

    def rate_limited(self, seconds: float) -> Response:
        """It has no limits; what stands in front of it may say so."""
        return Response(b"", 503, {"Retry-After": str(-int(-seconds // 1))})

    def failed(self) -> Response:
        return Response("<html>Proxy Error</html>", 502, media_type="text/html")

    def signed_out(self) -> Response:
        return _refusal(401, 301, "Invalid session or session already timeout.")

    def expire(self) -> None:
        """All sessions lay idle for too long."""
        self.sessions.clear()

    # Sessions

    async def _login(self, request: Request) -> Response:
        self.logins += 1
        given = orjson.loads(await request.body())
        if (given.get("UserName"), given.get("Password")) != (_USER, _PASSWORD):
            return _refusal(401, 100000027, "Login failed")
        if given.get("CompanyDB") not in self.databases:
            return _refusal(401, -304, "Fail to get DB Credentials from SLD")
        session, node = secrets.token_hex(16), f".node{self.logins % 2 + 1}"
        self.sessions[session] = node
        told = JSONResponse({"SessionId": session, "Version": self.company.release, "SessionTimeout": 30})
        told.headers.append("Set-Cookie", f"B1SESSION={session};HttpOnly;;Secure;SameSite=None")
        told.headers.append("Set-Cookie", f"ROUTEID={node}; path=/;Secure;SameSite=None")
        return told

    async def _logout(self, request: Request) -> Response:
        if not self._known(request):
            return self.signed_out()
        del self.sessions[request.cookies["B1SESSION"]]
        return Response(status_code=204)

    def _known(self, request: Request) -> bool:
        """A session is one node's: without the cookie that leads there, it isn't found."""
        node = self.sessions.get(request.cookies.get("B1SESSION", ""))
        return node is not None and request.cookies.get("ROUTEID") == node

    # Entities

    async def _serve(self, request: Request) -> Response:
        if not self._known(request):
            return self.signed_out()
        entity = request.path_params["entity"]
        try:
            if request.method == "GET":
                return self._get(request, entity)
            body = await request.body()
            return self._post(entity, orjson.loads(body) if body else {})
        except BadQuery as error:
            return _refusal(400, 201, str(error))
        except Wrong as error:
            return _refusal(400, error.code, error.message)

    def _get(self, request: Request, entity: str) -> Response:
        found = _ENTITY.fullmatch(entity)
        rows = self.company.rows(found["collection"]) if found else None
        if found is None or rows is None:
            return _refusal(400, -1000, f"Unrecognized resource path: {entity}")
        self._admit(found["collection"])
        if found["key"] is not None:
            record = self.company.books.get(found["collection"], {}).get(int(found["key"]))
            if record is None:
                return _refusal(404, -2028, "No matching records found (ODBC -2028)")
            return JSONResponse(record | {"@odata.etag": f'W/"{hash(str(record)) & 0xFFFF:X}"'})
        wanted = re.search(r"odata\.maxpagesize=(\d+)", request.headers.get("prefer", ""))
        size = int(wanted[1]) if wanted else _DEFAULT_PAGE
        return JSONResponse(answer(entity, rows, dict(request.query_params), size))

    def _post(self, entity: str, given: Row) -> Response:
        match entity:
            case "CompanyService_GetCompanyInfo":
                return JSONResponse({"CompanyName": self.company.name, "Version": int(self.company.release)})
            case "CompanyService_GetItemPrice":
                return JSONResponse(self._price(given["ItemPriceParams"]))
        makers = {
            "Drafts": self.company.draft,
            "InventoryGenExits": self.company.issue,
            "InventoryGenEntries": self.company.receipt,
        }
        if entity not in makers:
            return _refusal(400, -1000, f"Unrecognized resource path: {entity}")
        self._admit(entity)
        for name in [
            *(given.keys() - _HEAD),
            *(n for line in given.get("DocumentLines", []) for n in line.keys() - _LINE),
        ]:
            raise Wrong(-1000, f"Property '{name}' of 'Document' is invalid")
        return JSONResponse(makers[entity](given), 201)

    def _admit(self, collection: str) -> None:
        if collection in self.forbidden:
            raise Wrong(_FORBIDDEN, "You are not permitted to perform this action")

    def _price(self, given: Row) -> Row:
        price, discount = self.company.prices.get(given["ItemCode"], (0.0, 0.0))
        return {"Price": price, "Currency": "$", "Discount": discount}


def _refusal(status: int, code: int, message: str) -> Response:
    """As version 2 writes it."""
    details = [{"code": "", "message": ""}]
    return JSONResponse({"error": {"code": str(code), "message": message, "details": details}}, status)


SIMULATOR = SapBusinessOneSimulator

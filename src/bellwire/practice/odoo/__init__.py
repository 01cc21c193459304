"""A simulated Odoo 19: one database with the apps Purchase and Inventory, behind its JSON-2 API.

https://www.odoo.com/documentation/19.0/developer/reference/external_api.html
"""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any, ClassVar

import orjson
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Route

from bellwire.clock import Clock, system_clock
from bellwire.practice.odoo.domains import matches
from bellwire.practice.odoo.tables import (
    BOT,
    COMMON,
    CUSTOMERS,
    FIELDS,
    SUPPLIERS,
    USD,
    Row,
    product_id,
    rows,
    terms_of,
)
from bellwire.practice.quota import Quota
from bellwire.practice.roles import Ordered, Supply
from bellwire.practice.simulator import Simulator, Webhook

__all__ = ["SIMULATOR", "OdooSimulator", "product_id"]

_DATABASE, _KEY = "practice", "practice-api-key"
_SECRET = "practice-token-that-nobody-can-guess"  # noqa: S105 - for practice
_GROUPS = {"purchase": "purchase.group_purchase_user", "product": "purchase.group_purchase_user"}
_STOCK_GROUP, _ADMIN = "stock.group_stock_user", "base.group_system"


class _Error(Exception):
    """`name` is the Python class that Odoo names."""

    def __init__(self, status: int, name: str, message: str) -> None:
        super().__init__(message)
        self.status, self.name, self.message = status, name, message

    def answer(self) -> Response:
        debug = f"Traceback (most recent call last):\n  …\n{self.name}: {self.message}\n"
        told = {"name": self.name, "message": self.message, "arguments": [self.message], "context": {}}
        return JSONResponse(told | {"debug": debug}, self.status)


def refused(message: str) -> _Error:
    return _Error(422, "odoo.exceptions.ValidationError", message)


@dataclass
class OdooSimulator(Simulator):
    """`groups` are what the API's user may do, `keys` those that are accepted, `version` which Odoo it is."""

    vendor: ClassVar[str] = "odoo"
    credentials: ClassVar[Mapping[str, str]] = {"api_key": _KEY, "webhook_secret": _SECRET}
    settings: ClassVar[Mapping[str, Any]] = {"host": "practice.odoo.com", "database": _DATABASE}
    secret_params: ClassVar[frozenset[str]] = frozenset({"token"})

    # What Odoo Online asks for: it publishes no numbers.
    quotas: list[Quota] = field(default_factory=lambda: [Quota(60, 60, of="^POST /json/")])
    groups: set[str] = field(default_factory=lambda: {"purchase.group_purchase_user", _STOCK_GROUP})
    keys: set[str] = field(default_factory=lambda: {_KEY})
    hidden: set[str] = field(default_factory=set)
    """Models that the user may not see, whatever the groups."""
    neutralised: bool = True
    version: tuple[int, int] = (19, 0)
    clock: Clock = system_clock
    tables: dict[str, dict[int, Row]] = field(default_factory=rows)
    """Model → id → record."""

    def __post_init__(self) -> None:
        for records in self.tables.values():
            for number, record in records.items():
                record |= self._stamps(number)
        ends = datetime.now(UTC) + timedelta(days=90)
        self._insert("res.users.apikeys", name="Bellwire", scope="rpc", expiration_date=_time(ends), user_id=BOT)

    def routes(self) -> Sequence[BaseRoute]:
        return [
            Route("/json/2/{model}/{method}", self._serve, methods=["POST"]),
            Route("/web/version", self._version, methods=["GET"]),
        ]

    def state(self) -> dict[str, Any]:
        shown = ("purchase.order", "purchase.order.line", "stock.picking", "stock.move.line")
        return {
            model: [
                {name: record[name] for name in ("id", *FIELDS[model]) if name in record}
                for record in self.tables[model].values()
            ]
            for model in shown
        }

    def rate_limited(self, seconds: float) -> Response:
        """By the web server in front of it, in no words of Odoo's."""
        return Response("<html><h1>429 Too Many Requests</h1></html>", 429, {"Retry-After": str(-int(-seconds // 1))})

    def failed(self) -> Response:
        return Response("<html><h1>502 Bad Gateway</h1></html>", 502, media_type="text/html")

    def signed_out(self) -> Response:
        return _Error(401, "werkzeug.exceptions.Unauthorized", "Invalid apikey").answer()

    def made(self) -> Mapping[str, Collection[str]]:
        return {"purchasing.create_purchase_order": [each.id for each in self.ordered()]}

    # As `Purchasing`

    def go_by(self, clock: Clock) -> None:
        self.clock = clock

    def suppliers(self) -> list[str]:
        return [partner["name"] for partner in self.tables["res.partner"].values()]

    def supply(self, sku: str) -> Supply | None:
        terms = self._terms(sku)
        if terms is None:
            return None
        pack = int(self.tables["uom.uom"][terms["product_uom_id"]]["factor"])
        return Supply(
            self.tables["res.partner"][terms["partner_id"]]["name"],
            terms["delay"],
            max(int(terms["min_qty"]) * pack, 1),
            pack,
            Decimal(str(terms["price"])) / pack,
        )

    def buy_from(self, sku: str, supplier: str) -> None:
        known = self._terms(sku)
        if known is not None:
            del self.tables["product.supplierinfo"][known["id"]]
        if supplier:
            product = self.tables["product.product"][product_id(sku)]
            partner = next(n for n, each in self.tables["res.partner"].items() if each["name"] == supplier)
            self._insert("product.supplierinfo", **(known or terms_of(sku, product)) | {"partner_id": partner})

    def order(self, supplier: str, units: Mapping[str, int]) -> str:
        partner = next(n for n, each in self.tables["res.partner"].items() if each["name"] == supplier)
        lines = [[0, 0, {"product_id": product_id(sku), "product_qty": number}] for sku, number in units.items()]
        return str(self._order({"partner_id": partner, "order_line": lines}))

    def ordered(self) -> list[Ordered]:
        return [
            Ordered(
                str(number),
                order["origin"] or "",
                self.tables["res.partner"][order["partner_id"]]["name"],
                {self._sku(line): int(line["product_uom_qty"]) for line in self._lines(number)},
                next((_day(line["date_planned"]) for line in self._lines(number) if line["date_planned"]), None),
                Decimal(str(order["amount_total"])),
            )
            for number, order in self.tables["purchase.order"].items()
        ]

    def bring(self, order_id: str, most: int | None = None) -> Webhook:
        order = int(order_id)
        self.confirm(order)
        still = {self._sku(line): line["product_uom_qty"] - line["qty_received"] for line in self._lines(order)}
        came = {sku: int(number if most is None else min(number, most)) for sku, number in still.items()}
        return self.webhook(self.receive(order, {sku: number for sku, number in came.items() if number > 0}))

    def _terms(self, sku: str) -> Row | None:
        template = self.tables["product.product"][product_id(sku)]["product_tmpl_id"]
        found = self.tables["product.supplierinfo"].values()
        return next((each for each in found if each["product_tmpl_id"] == template), None)

    def _lines(self, order: int) -> list[Row]:
        return [line for line in self.tables["purchase.order.line"].values() if line["order_id"] == order]

    def _sku(self, line: Row) -> str:
        return str(self.tables["product.product"][line["product_id"]]["default_code"])

    # What people do there

    def confirm(self, order_id: int) -> None:
        """The order goes to the vendor."""
        self._change("purchase.order", order_id, state="purchase")

    def cancel(self, order_id: int) -> None:
        self._change("purchase.order", order_id, state="cancel")

    def receive(
        self, order_id: int | None, quantities: Mapping[str, int] | None = None, *, from_customer: bool = False
    ) -> int:
        """Goods come in, by default all that an order is still waiting for. Gives the id of the transfer."""
        order = self.tables["purchase.order"][order_id] if order_id else None
        lines = self._lines(order_id) if order_id else []
        came = {product_id(sku): float(number) for sku, number in (quantities or {}).items()} or {
            line["product_id"]: line["product_uom_qty"] - line["qty_received"] for line in lines
        }
        picking = self._insert(
            "stock.picking",
            name=f"WH/IN/{len(self.tables['stock.picking']) + 1:05}",
            origin=order["name"] if order else False,
            state="done",
            date_done=_time(self.clock()),
            partner_id=order["partner_id"] if order else False,
            purchase_id=order_id or False,
            location_id=CUSTOMERS if from_customer else SUPPLIERS,
        )
        for product, number in came.items():
            for part in (number - 1, 1.0):  # It goes to two places.
                move = {"quantity": part, "quantity_product_uom": part, "state": "done"}
                self._insert("stock.move.line", picking_id=picking, product_id=product, **move)
            for line in (line for line in lines if line["product_id"] == product):
                self._change("purchase.order.line", line["id"], qty_received=line["qty_received"] + number)
        return picking

    def webhook(self, picking_id: int) -> Webhook:
        """What an automation rule sends of a transfer. Nothing signs it: the token is in the address."""
        record = self.tables["stock.picking"][picking_id]
        told = {name: record[name] for name in ("name", "write_date")}
        body = {"_action": "Tell Bellwire(#12)", "_id": picking_id, "_model": "stock.picking", "id": picking_id, **told}
        return Webhook("stock.picking", {"Content-Type": "application/json"}, orjson.dumps(body))

    # Its API

    async def _version(self, _request: Request) -> Response:
        major, minor = self.version
        told = {"version_info": [major, minor, 0, "final", 0, ""], "version": f"{major}.{minor}"}
        return JSONResponse(told)

    async def _serve(self, request: Request) -> Response:
        kind, _, key = request.headers.get("authorization", "").partition(" ")
        if kind.lower() != "bearer" or key not in self.keys:
            return self.signed_out()
        model, method = request.path_params["model"], request.path_params["method"]
        try:
            if request.headers.get("x-odoo-database", _DATABASE) != _DATABASE:
                return Response("<html><h1>Not Found</h1></html>", 404, media_type="text/html")
            given = orjson.loads(await request.body())
            return JSONResponse(self._call(model, method, given))
        except _Error as error:
            return error.answer()
        except (KeyError, ValueError, TypeError) as error:
            return _Error(500, f"builtins.{type(error).__name__}", str(error)).answer()

    def _call(self, model: str, method: str, given: Row) -> Any:
        if model not in FIELDS and model != "ir.config_parameter":
            raise _Error(404, "werkzeug.exceptions.NotFound", f"the model {model!r} does not exist")
        methods: dict[str, Callable[[str, Row], Any]] = {
            "search_read": self._search_read,
            "read": self._read,
            "create": self._create,
            "context_get": lambda _model, _given: {"lang": "en_US", "tz": False, "uid": BOT},
            "has_group": lambda _model, given: given["group_ext_id"] in self.groups,
            "get_param": self._get_param,
            "fields_get": lambda model, given: {
                n: {"type": "many2one"} for n in given["allfields"] if n in FIELDS[model]
            },
        }
        if method not in methods:
            raise _Error(404, "werkzeug.exceptions.NotFound", f"The method '{model}.{method}' does not exist")
        self._admit(model)
        return methods[method](model, given)

    def _admit(self, model: str) -> None:
        needed = _STOCK_GROUP if model in ("stock.picking", "stock.move.line") else _GROUPS.get(model.partition(".")[0])
        if model in self.hidden or (needed and needed not in self.groups):
            message = f"You are not allowed to access '{model}' records."
            raise _Error(403, "odoo.exceptions.AccessError", message)

    def _get_param(self, _model: str, given: Row) -> Any:
        if _ADMIN not in self.groups:
            message = "You are not allowed to access 'System Parameter' (ir.config_parameter) records."
            raise _Error(403, "odoo.exceptions.AccessError", message)
        return self.neutralised and given["key"] == "database.is_neutralized" and "true"

    def _search_read(self, model: str, given: Row) -> list[Row]:
        unknown = given.keys() - {"domain", "fields", "order", "limit", "offset", "context"}
        if unknown:
            message = f"got an unexpected keyword argument '{unknown.pop()}'"
            raise _Error(422, "werkzeug.exceptions.UnprocessableEntity", message)
        archived = given.get("context", {}).get("active_test") is False
        found = [
            record
            for record in self.tables[model].values()
            if (archived or record["active"]) and matches(record, given.get("domain", []), self._looker(model))
        ]
        for part in reversed(given.get("order", "id").split(",")):
            name, _, direction = part.strip().partition(" ")
            found.sort(key=lambda record: record[name], reverse=direction == "desc")
        start = given.get("offset", 0)
        page = found[start : start + given["limit"]] if given.get("limit") else found[start:]
        return [self._shown(model, record, given.get("fields")) for record in page]

    def _read(self, model: str, given: Row) -> list[Row]:
        for number in given["ids"]:
            if number not in self.tables[model]:
                message = f"Record does not exist or has been deleted.\n(Record: {model}({number},), User: {BOT})"
                raise _Error(404, "odoo.exceptions.MissingError", message)
        return [self._shown(model, self.tables[model][number], given.get("fields")) for number in given["ids"]]

    def _create(self, model: str, given: Row) -> list[int]:
        if model != "purchase.order":
            raise _Error(403, "odoo.exceptions.AccessError", f"You are not allowed to create '{model}' records.")
        wanted = given["vals_list"]
        for values in wanted:
            self._check(model, values)
        return [self._order(values) for values in wanted]

    def _check(self, model: str, values: Row) -> None:
        """Nothing is made before all of a call is good: it is one transaction."""
        for name, value in values.items():
            if name not in FIELDS[model]:
                raise ValueError(f"Invalid field {name!r} in {model!r}")
            target = FIELDS[model][name]
            if target and value not in self.tables[target]:
                raise refused(f"Another model requires the record being created: {target}({value},).")
        if model == "purchase.order":
            if not values.get("partner_id"):
                raise refused("Missing required value for the field 'Vendor' (partner_id).")
            for command in values.get("order_line", []):
                self._check("purchase.order.line", command[2])

    def _order(self, values: Row) -> int:
        lines = values.pop("order_line", [])
        blank = {"origin": False, "partner_ref": False, "note": False, "currency_id": USD, "state": "draft"}
        number = len(self.tables["purchase.order"]) + 1
        order = self._insert("purchase.order", **(blank | {"name": f"P{number:05}", "amount_total": 0.0} | values))
        total = sum(self._line(order, values["partner_id"], each) for _, _, each in lines)
        self._change("purchase.order", order, amount_total=round(total, 2))
        return order

    def _line(self, order: int, partner: int, values: Row) -> float:
        product = self.tables["product.product"][values["product_id"]]
        units = self.tables["uom.uom"][values.get("product_uom_id") or product["uom_id"]]
        price = values.get("price_unit")
        if price is None:
            price = self._price(product, partner) * units["factor"]
        blank = {"name": product["name"], "product_uom_id": units["id"], "qty_received": 0.0, "date_planned": False}
        quantity = float(values["product_qty"])
        given = {"order_id": order, "product_qty": quantity, "product_uom_qty": quantity * units["factor"]}
        self._insert("purchase.order.line", **(blank | values | given | {"price_unit": price}))
        return float(quantity * price)

    def _price(self, product: Row, partner: int) -> float:
        """Of one unit."""
        for terms in self.tables["product.supplierinfo"].values():
            if (terms["product_tmpl_id"], terms["partner_id"]) == (product["product_tmpl_id"], partner):
                return float(terms["price"] / self.tables["uom.uom"][terms["product_uom_id"]]["factor"])
        return 0.0

    # Records

    def _stamps(self, number: int) -> Row:
        now = _time(self.clock())
        return {"id": number, "active": True, "create_date": now, "write_date": now}

    def _insert(self, model: str, **values: Any) -> int:
        number = max(self.tables[model], default=0) + 1
        self.tables[model][number] = values | self._stamps(number)
        return number

    def _change(self, model: str, number: int, **values: Any) -> None:
        self.tables[model][number] |= values | {"write_date": _time(self.clock())}

    def _looker(self, model: str) -> Callable[[Mapping[str, Any], str], Any]:
        def look(record: Mapping[str, Any], path: str) -> Any:
            name, _, rest = path.partition(".")
            self._known(model, name)
            if not rest:
                return record[name]
            target = FIELDS[model][name]
            return self._looker(target)(self.tables[target][record[name]], rest) if record[name] else False

        return look

    def _known(self, model: str, name: str) -> None:
        if name not in FIELDS[model] and name not in COMMON:
            raise ValueError(f"Invalid field {model}.{name}")

    def _shown(self, model: str, record: Row, names: Sequence[str] | None) -> Row:
        told: Row = {"id": record["id"]}
        for name in names or [*FIELDS[model], *COMMON]:
            self._known(model, name)
            target = FIELDS[model].get(name, "")
            value: Any = record.get(name, False)
            told[name] = [value, self._display(target, value)] if target and value else value
        return told

    def _display(self, model: str, number: int) -> str:
        """What a reference is called, which isn't always the name."""
        record = self.tables[model][number]
        name = str(record.get("name", ""))
        if model == "purchase.order" and record["partner_ref"]:
            return f"{name} ({record['partner_ref']})"
        return f"[{record['default_code']}] {name}" if model == "product.product" else name


def _time(when: datetime) -> str:
    return f"{when.astimezone(UTC):%Y-%m-%d %H:%M:%S}"


def _day(text: str) -> date:
    return date.fromisoformat(text[:10])


SIMULATOR = OdooSimulator

"""A simulated ShipStation account, by API V2: one ship-from location, one carrier, labels out of a postage balance.

https://docs.shipstation.com/openapi
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any, ClassVar
from uuid import uuid4

import orjson
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Route

from bellwire.practice.quota import Quota
from bellwire.practice.roles import Sent
from bellwire.practice.simulator import Simulator

_WAREHOUSE, _CARRIER = "se-100", "se-200"
_SERVICES = {"usps_ground_advantage": "USPS Ground Advantage", "usps_priority_mail": "USPS Priority Mail"}
_PRICES = {"usps_ground_advantage": Decimal("4.25"), "usps_priority_mail": Decimal("8.70")}
_ORIGIN = {
    "name": "Practice Tea Ltd",
    "phone": "+15125550100",
    "company_name": "Practice Tea Ltd",
    "address_line1": "500 Warehouse Way",
    "city_locality": "Austin",
    "state_province": "TX",
    "postal_code": "78744",
    "country_code": "US",
    "address_residential_indicator": "no",
}
_ADDRESS = (
    "name",
    "phone",
    "address_line1",
    "city_locality",
    "state_province",
    "postal_code",
    "country_code",
    "address_residential_indicator",
)


class _Error(Exception):
    """ShipStation's `{"request_id": …, "errors": [...]}`."""

    def __init__(self, status: int, code: str, message: str, kind: str = "validation") -> None:
        super().__init__(message)
        self.status, self.code, self.message, self.kind = status, code, message, kind

    def answer(self) -> Response:
        error = {
            "error_source": "ShipStation",
            "error_type": self.kind,
            "error_code": self.code,
            "message": self.message,
        }
        return JSONResponse({"request_id": str(uuid4()), "errors": [error]}, self.status)


@dataclass
class ShipStationSimulator(Simulator):
    """`balance` is what labels are paid from."""

    vendor: ClassVar[str] = "shipstation"
    credentials: ClassVar[Mapping[str, str]] = {"api_key": "practice-key"}
    settings: ClassVar[Mapping[str, Any]] = {
        "warehouse_id": _WAREHOUSE,
        "carrier_id": _CARRIER,
        "service_code": "usps_ground_advantage",
        # Some shops tell no weights.
        "packaging_grams": 80,
    }

    quotas: list[Quota] = field(default_factory=lambda: [Quota(200, 60)])
    balance: Decimal = Decimal(1000)
    shipments: dict[str, dict[str, Any]] = field(default_factory=dict)
    """By id."""
    bought: dict[str, dict[str, Any]] = field(default_factory=dict)
    """Labels by id, voided ones too."""

    def labels(self) -> list[Sent]:
        return [
            Sent(label["label_id"], label["external_shipment_id"], label["tracking_number"])
            for label in self.bought.values()
            if not label["voided"]
        ]

    def void(self, label_id: str) -> None:
        """As a person does it in ShipStation."""
        label = self.bought[label_id]
        label |= {"voided": True, "status": "voided", "voided_at": _now()}
        self.shipments[label["shipment_id"]]["shipment_status"] = "pending"

    def state(self) -> dict[str, Any]:
        return {
            "balance": str(self.balance),
            "orders": list(self.shipments.values()),
            "labels": list(self.bought.values()),
        }

    def routes(self) -> Sequence[BaseRoute]:
        return [
            Route("/v2/warehouses", self._served(lambda _request, _body: {"warehouses": [_warehouse()]})),
            Route("/v2/warehouses/{id}", self._served(self._warehouse)),
            Route("/v2/carriers", self._served(lambda _request, _body: self._carriers())),
            Route("/v2/shipments", self._served(self._create_shipments), methods=["POST"]),
            Route("/v2/shipments/external_shipment_id/{number:path}", self._served(self._find_shipment)),
            Route("/v2/shipments/{id}", self._served(self._read_shipment)),
            Route("/v2/shipments/{id}/rates", self._served(self._rates)),
            Route("/v2/labels", self._served(self._list_labels)),
            Route("/v2/labels", self._served(self._create_label), methods=["POST"]),
            Route("/v2/labels/shipment/{id}", self._served(self._create_label_of_shipment), methods=["POST"]),
            Route("/v2/labels/rates/{id}", self._served(self._create_label_at_rate), methods=["POST"]),
        ]

    def rate_limited(self, seconds: float) -> Response:
        answer = _Error(429, "rate_limit_exceeded", "You have exceeded the rate limit.", "system").answer()
        answer.headers["Retry-After"] = str(-int(-seconds // 1))
        return answer

    def failed(self) -> Response:
        return Response("", 500, media_type="text/plain")

    def signed_out(self) -> Response:
        return _Error(401, "unauthorized", "The API key is invalid.", "security").answer()

    def _served(self, answer: Callable[[Request, dict[str, Any]], Any]) -> Callable[[Request], Any]:
        async def serve(request: Request) -> Response:
            if request.headers.get("api-key") != self.credentials["api_key"]:
                return self.signed_out()
            try:
                return JSONResponse(answer(request, await _body(request)))
            except _Error as error:
                return error.answer()

        return serve

    def _warehouse(self, request: Request, _body: object) -> dict[str, Any]:
        if request.path_params["id"] != _WAREHOUSE:
            raise _not_found("Warehouse")
        return _warehouse()

    def _carriers(self) -> dict[str, Any]:
        services = [
            {
                "carrier_id": _CARRIER,
                "service_code": code,
                "name": name,
                "domestic": True,
                "international": False,
                "is_multi_package_supported": False,
            }
            for code, name in _SERVICES.items()
        ]
        carrier = {
            "carrier_id": _CARRIER,
            "carrier_code": "stamps_com",
            "account_number": "practice",
            "requires_funded_amount": True,
            "balance": float(self.balance),
            "nickname": "Practice USPS",
            "friendly_name": "Stamps.com",
            "primary": True,
            "has_multi_package_supporting_services": False,
            "supports_label_messages": True,
            "services": services,
        }
        # The answer is a list and an error in one, by the vendor's description.
        return {"carriers": [carrier], "request_id": str(uuid4()), "errors": []}

    def _create_shipments(self, _request: Request, body: dict[str, Any]) -> dict[str, Any]:
        if not body.get("shipments"):
            raise _Error(400, "field_value_required", "shipments is required.")
        made = [self._keep(details) for details in body["shipments"]]
        return {"has_errors": False, "shipments": [shipment | {"errors": []} for shipment in made]}

    def _find_shipment(self, request: Request, _body: object) -> dict[str, Any]:
        number = request.path_params["number"]
        for shipment in self.shipments.values():
            if shipment["external_shipment_id"] == number:
                return shipment
        raise _not_found("Shipment")

    def _read_shipment(self, request: Request, _body: object) -> dict[str, Any]:
        shipment = self.shipments.get(request.path_params["id"])
        if shipment is None:
            raise _not_found("Shipment")
        return shipment

    def _rates(self, request: Request, body: object) -> dict[str, Any]:
        shipment = self._read_shipment(request, body)
        return {
            "rates": [_rate(shipment["shipment_id"], code) for code in _SERVICES],
            "invalid_rates": [],
            "rate_request_id": "se-1",
            "shipment_id": shipment["shipment_id"],
            "created_at": _now(),
            "status": "completed",
            "errors": [],
        }

    def _list_labels(self, request: Request, _body: object) -> dict[str, Any]:
        wanted = request.query_params.get("shipment_id")
        found = [label for label in reversed(self.bought.values()) if wanted in (None, label["shipment_id"])]
        link = {"href": "https://api.shipstation.com/v2/labels?page=1&page_size=25"}
        links = {"first": link, "last": link, "prev": {}, "next": {}}
        return {"labels": found[:25], "total": len(found), "page": 1, "pages": 1, "links": links}

    def _create_label(self, _request: Request, body: dict[str, Any]) -> dict[str, Any]:
        details = body.get("shipment") or {}
        for name in ("carrier_id", "service_code"):
            if not details.get(name):
                raise _Error(400, "field_value_required", f"shipment.{name} is required.")
        return self._buy(self._keep(details), details["service_code"], body)

    def _create_label_of_shipment(self, request: Request, body: dict[str, Any]) -> dict[str, Any]:
        shipment = self._read_shipment(request, body)
        if not shipment.get("service_code"):
            raise _Error(400, "field_value_required", "The shipment has no service_code.", "business_rules")
        return self._buy(shipment, shipment["service_code"], body)

    def _create_label_at_rate(self, request: Request, body: dict[str, Any]) -> dict[str, Any]:
        for shipment in self.shipments.values():
            for code in _SERVICES:
                if request.path_params["id"] == _rate(shipment["shipment_id"], code)["rate_id"]:
                    return self._buy(shipment, code, body)
        raise _not_found("Rate")

    def _keep(self, details: Mapping[str, Any]) -> dict[str, Any]:
        """Take a shipment in. Its own id is unique; a second one with it is refused."""
        _check(details)
        number = details.get("external_shipment_id") or f"se-{len(self.shipments) + 1001}"
        if any(number == shipment["external_shipment_id"] for shipment in self.shipments.values()):
            raise _Error(
                400,
                "identifier_conflict",
                f"A shipment with the external_shipment_id '{number}' exists.",
                "business_rules",
            )
        shipment = {
            "shipment_number": number,
            "confirmation": "none",
            "advanced_options": {},
            "insurance_provider": "none",
            "tags": [],
            "return_to": details["ship_from"],
            **{key: value for key, value in details.items() if key not in ("create_sales_order", "validate_address")},
            "external_shipment_id": number,
            "shipment_id": f"se-{len(self.shipments) + 1001}",
            "shipment_status": "pending",
            "created_at": _now(),
            "modified_at": _now(),
            "total_weight": {"value": sum(p["weight"]["value"] for p in details["packages"]), "unit": "gram"},
        }
        self.shipments[shipment["shipment_id"]] = shipment
        return shipment

    def _buy(self, shipment: dict[str, Any], service: str, paper: Mapping[str, Any]) -> dict[str, Any]:
        """A label, as often as one is asked for: nothing at the vendor says that it wouldn't sell a second one."""
        if service not in _SERVICES:
            raise _Error(400, "invalid_field_value", f"Invalid service_code '{service}'.")
        price = _PRICES[service]
        if self.balance < price:
            raise _Error(400, "insufficient_funds", "The balance is too low.", "account_status")
        self.balance -= price
        number = len(self.bought) + 1
        tracking = f"94001112025550{number:08d}"
        link = f"https://api.shipstation.com/v2/downloads/10/practice/label-{number}.pdf"
        label = {
            "label_id": f"se-{number + 5000}",
            "status": "completed",
            "shipment_id": shipment["shipment_id"],
            "external_shipment_id": shipment["external_shipment_id"],
            "ship_date": _now()[:10],
            "created_at": _now(),
            "shipment_cost": _usd(price),
            "insurance_cost": _usd(Decimal(0)),
            "tracking_number": tracking,
            "tracking_url": f"https://tools.usps.com/go/TrackConfirmAction?tLabels={tracking}",
            "tracking_status": "in_transit",
            "trackable": True,
            "is_return_label": False,
            "rma_number": None,
            "is_international": False,
            "batch_id": "se-900",  # there is always one
            "charge_event": "carrier_default",
            "carrier_id": _CARRIER,
            "carrier_code": "stamps_com",
            "service_code": service,
            "package_code": shipment["packages"][0].get("package_code", "package"),
            "packages": [{**package, "tracking_number": tracking} for package in shipment["packages"]],
            "rate_details": [],
            "voided": False,
            "voided_at": None,
            "label_format": paper.get("label_format", "pdf"),
            "label_layout": paper.get("label_layout", "4x6"),
            "display_scheme": "label",
            "label_image_id": None,
            "label_download": {"href": link, "pdf": link},
            "form_download": None,
            "paperless_download": None,
            "insurance_claim": None,
        }
        self.bought[label["label_id"]] = label
        shipment |= {
            "shipment_status": "label_purchased",
            "carrier_id": _CARRIER,
            "service_code": service,
            "modified_at": _now(),
        }
        return label


def _check(details: Mapping[str, Any]) -> None:
    for name in ("ship_to", "ship_from", "packages"):
        if not details.get(name):
            raise _Error(400, "field_value_required", f"{name} is required.")
    for name in _ADDRESS:
        if not details["ship_to"].get(name):
            raise _Error(400, "field_value_required", f"ship_to.{name} is required.")
    if details.get("carrier_id", _CARRIER) != _CARRIER:
        raise _Error(400, "carrier_not_connected", f"There is no carrier '{details['carrier_id']}'.", "business_rules")
    for package in details["packages"]:
        if package.get("weight", {}).get("value", 0) <= 0:
            raise _Error(400, "invalid_field_value", "The weight must be greater than 0.")


def _warehouse() -> dict[str, Any]:
    return {
        "warehouse_id": _WAREHOUSE,
        "is_default": True,
        "name": "Practice warehouse",
        "created_at": "2026-01-05T09:00:00.000Z",
        "origin_address": _ORIGIN,
        "return_address": _ORIGIN,
    }


def _rate(shipment_id: str, service: str) -> dict[str, Any]:
    nothing = _usd(Decimal(0))
    return {
        "rate_id": f"{shipment_id}-{list(_SERVICES).index(service)}",
        "rate_type": "shipment",
        "carrier_id": _CARRIER,
        "shipping_amount": _usd(_PRICES[service]),
        "insurance_amount": nothing,
        "confirmation_amount": nothing,
        "other_amount": nothing,
        "zone": 1,
        "package_type": "package",
        "guaranteed_service": False,
        "negotiated_rate": True,
        "service_type": _SERVICES[service],
        "service_code": service,
        "trackable": True,
        "carrier_code": "stamps_com",
        "carrier_nickname": "Practice USPS",
        "carrier_friendly_name": "Stamps.com",
        "validation_status": "valid",
        "warning_messages": [],
        "error_messages": [],
    }


def _usd(amount: Decimal) -> dict[str, Any]:
    return {"currency": "usd", "amount": float(amount)}


def _not_found(what: str) -> _Error:
    return _Error(404, "invalid_identifier", f"{what} not found.")


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


async def _body(request: Request) -> dict[str, Any]:
    if request.method == "GET":
        return {}
    try:
        return dict(orjson.loads(await request.body()))
    except ValueError:
        raise _Error(400, "request_body_required", "The request has no JSON body.") from None


SIMULATOR = ShipStationSimulator

"""A simulated ShipStation account, by API V2: one ship-from location, one carrier, labels out of a postage balance.

https://docs.shipstation.com/openapi
"""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any, ClassVar
from uuid import uuid4

import orjson
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Route

from bellwire.events import Customer
from bellwire.practice.quota import Quota
from bellwire.practice.roles import Sent
from bellwire.practice.shipstation.account import (
    CARRIER,
    PRICES,
    SERVICES,
    WAREHOUSE,
    Refusal,
    check,
    not_found,
    now,
    rate,
    sent_to,
    usd,
    warehouse,
)
from bellwire.practice.shipstation.hooks import SECRET, Hooks, published, signed
from bellwire.practice.simulator import Simulator, Webhook

_TURNS = {"shipment.delivered": ("delivered", "DE"), "shipment.exception": ("error", "EX")}
"""What the list of labels calls it, and the code of tracking."""


@dataclass
class ShipStationSimulator(Simulator):
    """`balance` is what labels are paid from."""

    vendor: ClassVar[str] = "shipstation"
    credentials: ClassVar[Mapping[str, str]] = {"api_key": "practice-key", "webhook_secret": SECRET}
    settings: ClassVar[Mapping[str, Any]] = {
        "warehouse_id": WAREHOUSE,
        "carrier_id": CARRIER,
        "service_code": "usps_ground_advantage",
        # Some shops tell no weights.
        "packaging_grams": 80,
    }

    quotas: list[Quota] = field(default_factory=lambda: [Quota(200, 60)])
    balance: Decimal = Decimal(1000)
    shipments: dict[str, dict[str, Any]] = field(default_factory=dict)
    """By id."""
    entered: list[str] = field(default_factory=list)
    """Those that came as orders, without a label."""
    bought: dict[str, dict[str, Any]] = field(default_factory=dict)
    """Labels by id, voided ones too."""
    by_hand: set[str] = field(default_factory=set)
    """The labels that somebody bought in ShipStation."""
    hooks: Hooks = field(default_factory=Hooks)
    announces: dict[str, str] = field(default_factory=dict)
    """Headers of all answers that announce a change, such as `Sunset`."""
    page_size: int = 500
    """The most that a page of labels holds."""

    def made(self) -> Mapping[str, Collection[str]]:
        """Those that only came about with a label aren't among the orders."""
        labels = [sent.id for sent in self.labels() if sent.id not in self.by_hand]
        return {"shipping.upsert_order": list(self.entered), "shipping.create_label": labels}

    # As `Carrier` and `Parcels`

    def labels(self) -> list[Sent]:
        return [
            Sent(label["label_id"], label["external_shipment_id"], label["tracking_number"])
            for label in self.bought.values()
            if not label["voided"]
        ]

    def void(self, label_id: str) -> None:
        """As a person does it in ShipStation."""
        label = self.bought[label_id]
        label |= {"voided": True, "status": "voided", "voided_at": now()}
        self.shipments[label["shipment_id"]]["shipment_status"] = "pending"

    def track(self, label_id: str, status: str) -> None:
        """What the carrier says now: `in_transit`, `delivered` or `error`."""
        self.bought[label_id]["tracking_status"] = status

    def hand_in(self, number: str, recipient: Customer) -> str:
        details = {
            "external_shipment_id": number,
            "ship_to": sent_to(recipient),
            "ship_from": warehouse()["origin_address"],
            "packages": [{"weight": {"value": 250, "unit": "gram"}}],
        }
        label = self._buy(self._keep(details), "usps_ground_advantage", {})
        self.by_hand.add(label["label_id"])
        return str(label["label_id"])

    def turn(self, label_id: str, event_type: str) -> Webhook:
        status, code = _TURNS[event_type]
        self.track(label_id, status)
        return self.webhook(label_id, code)

    def listed(self, label_id: str) -> Webhook:
        return signed("LABEL", "", self.bought[label_id])

    def webhook(self, label_id: str, code: str) -> Webhook:
        """What it would send now about a parcel, by the code of tracking (`IT`, `DE`, `EX` …)."""
        label = self.bought[label_id]
        data = {
            "tracking_number": label["tracking_number"],
            "tracking_url": label["tracking_url"],
            "status_code": code,
            "carrier_code": "usps",
            "estimated_delivery_date": None,
            "events": [],
        }
        return signed("TRACK_EVENT_V2", f"https://api.shipstation.com/v2/labels/{label_id}/track", data)

    def state(self) -> dict[str, Any]:
        return {
            "balance": str(self.balance),
            "orders": list(self.shipments.values()),
            "labels": list(self.bought.values()),
            "webhooks": list(self.hooks.entries.values()),
        }

    def routes(self) -> Sequence[BaseRoute]:
        return [
            Route("/v2/warehouses", self._served(lambda _request, _body: {"warehouses": [warehouse()]})),
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
            Route("/v2/environment/webhooks", self._served(lambda _request, _body: self.hooks.list())),
            Route("/v2/environment/webhooks", self._served(self._subscribe), methods=["POST"]),
            Route("/v2/environment/webhooks/{id}", self._served(self._unsubscribe), methods=["DELETE"]),
            Route("/jwks", self._served(lambda _request, _body: published())),
        ]

    def rate_limited(self, seconds: float) -> Response:
        answer = Refusal(429, "rate_limit_exceeded", "You have exceeded the rate limit.", "system").answer()
        answer.headers["Retry-After"] = str(-int(-seconds // 1))
        return answer

    def failed(self) -> Response:
        return Response("", 500, media_type="text/plain")

    def signed_out(self) -> Response:
        return Refusal(401, "unauthorized", "The API key is invalid.", "security").answer()

    def _served(self, answer: Callable[[Request, dict[str, Any]], Any]) -> Callable[[Request], Any]:
        async def serve(request: Request) -> Response:
            if request.headers.get("api-key") != self.credentials["api_key"]:
                return self.signed_out()
            try:
                told = answer(request, await _body(request))
                if told is None:
                    return Response(status_code=204)
                return JSONResponse(told, headers=self.announces)
            except Refusal as error:
                return error.answer()

        return serve

    def _warehouse(self, request: Request, _body: object) -> dict[str, Any]:
        if request.path_params["id"] != WAREHOUSE:
            raise not_found("Warehouse")
        return warehouse()

    def _carriers(self) -> dict[str, Any]:
        services = [
            {
                "carrier_id": CARRIER,
                "service_code": code,
                "name": name,
                "domestic": True,
                "international": False,
                "is_multi_package_supported": False,
            }
            for code, name in SERVICES.items()
        ]
        carrier = {
            "carrier_id": CARRIER,
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
            raise Refusal(400, "field_value_required", "shipments is required.")
        made = [self._keep(details) for details in body["shipments"]]
        self.entered += [shipment["shipment_id"] for shipment in made]
        return {"has_errors": False, "shipments": [shipment | {"errors": []} for shipment in made]}

    def _find_shipment(self, request: Request, _body: object) -> dict[str, Any]:
        number = request.path_params["number"]
        for shipment in self.shipments.values():
            if shipment["external_shipment_id"] == number:
                return shipment
        raise not_found("Shipment")

    def _read_shipment(self, request: Request, _body: object) -> dict[str, Any]:
        shipment = self.shipments.get(request.path_params["id"])
        if shipment is None:
            raise not_found("Shipment")
        return shipment

    def _rates(self, request: Request, body: object) -> dict[str, Any]:
        shipment = self._read_shipment(request, body)
        return {
            "rates": [rate(shipment["shipment_id"], code) for code in SERVICES],
            "invalid_rates": [],
            "rate_request_id": "se-1",
            "shipment_id": shipment["shipment_id"],
            "created_at": now(),
            "status": "completed",
            "errors": [],
        }

    def _list_labels(self, request: Request, _body: object) -> dict[str, Any]:
        asked = request.query_params
        since, shipment = asked.get("created_at_start", ""), asked.get("shipment_id")
        found = [
            label
            for label in self.bought.values()
            if shipment in (None, label["shipment_id"]) and label["created_at"] >= since
        ]
        if asked.get("sort_dir", "desc") == "desc":
            found.reverse()
        number, size = int(asked.get("page", 1)), min(self.page_size, int(asked.get("page_size", 25)))
        link = {"href": f"https://api.shipstation.com/v2/labels?page=1&page_size={size}"}
        return {
            "labels": found[(number - 1) * size : number * size],
            "total": len(found),
            "page": number,
            "pages": max(1, -(-len(found) // size)),
            "links": {"first": link, "last": link, "prev": {}, "next": {}},
        }

    def _subscribe(self, _request: Request, body: dict[str, Any]) -> dict[str, Any]:
        return self.hooks.create(body)

    def _unsubscribe(self, request: Request, _body: object) -> None:
        self.hooks.delete(request.path_params["id"])

    def _create_label(self, _request: Request, body: dict[str, Any]) -> dict[str, Any]:
        details = body.get("shipment") or {}
        for name in ("carrier_id", "service_code"):
            if not details.get(name):
                raise Refusal(400, "field_value_required", f"shipment.{name} is required.")
        return self._buy(self._keep(details), details["service_code"], body)

    def _create_label_of_shipment(self, request: Request, body: dict[str, Any]) -> dict[str, Any]:
        shipment = self._read_shipment(request, body)
        if not shipment.get("service_code"):
            raise Refusal(400, "field_value_required", "The shipment has no service_code.", "business_rules")
        return self._buy(shipment, shipment["service_code"], body)

    def _create_label_at_rate(self, request: Request, body: dict[str, Any]) -> dict[str, Any]:
        for shipment in self.shipments.values():
            for code in SERVICES:
                if request.path_params["id"] == rate(shipment["shipment_id"], code)["rate_id"]:
                    return self._buy(shipment, code, body)
        raise not_found("Rate")

    def _keep(self, details: Mapping[str, Any]) -> dict[str, Any]:
        """Take a shipment in. Its own id is unique; a second one with it is refused."""
        check(details)
        number = details.get("external_shipment_id") or f"se-{len(self.shipments) + 1001}"
        if any(number == shipment["external_shipment_id"] for shipment in self.shipments.values()):
            raise Refusal(
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
            "created_at": now(),
            "modified_at": now(),
            "total_weight": {"value": sum(p["weight"]["value"] for p in details["packages"]), "unit": "gram"},
        }
        self.shipments[shipment["shipment_id"]] = shipment
        return shipment

    def _buy(self, shipment: dict[str, Any], service: str, paper: Mapping[str, Any]) -> dict[str, Any]:
        """A label, as often as one is asked for: nothing at the vendor says that it wouldn't sell a second one."""
        if service not in SERVICES:
            raise Refusal(400, "invalid_field_value", f"Invalid service_code '{service}'.")
        price = PRICES[service]
        if self.balance < price:
            raise Refusal(400, "insufficient_funds", "The balance is too low.", "account_status")
        self.balance -= price
        number = len(self.bought) + 1
        tracking = f"94001112025550{number:08d}"
        link = f"https://api.shipstation.com/v2/downloads/10/practice/label-{number}.pdf"
        label = {
            "label_id": f"se-{number + 5000}",
            "status": "completed",
            "shipment_id": shipment["shipment_id"],
            "external_shipment_id": shipment["external_shipment_id"],
            "ship_date": now()[:10],
            "created_at": now(),
            "shipment_cost": usd(price),
            "insurance_cost": usd(Decimal(0)),
            "ship_to": shipment["ship_to"],
            "tracking_number": tracking,
            "tracking_url": f"https://tools.usps.com/go/TrackConfirmAction?tLabels={tracking}",
            "tracking_status": "in_transit",
            "trackable": True,
            "is_return_label": False,
            "rma_number": None,
            "is_international": False,
            "batch_id": "se-900",  # there is always one
            "charge_event": "carrier_default",
            "carrier_id": CARRIER,
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
            "carrier_id": CARRIER,
            "service_code": service,
            "modified_at": now(),
        }
        return label


async def _body(request: Request) -> dict[str, Any]:
    if request.method in ("GET", "DELETE"):
        return {}
    try:
        return dict(orjson.loads(await request.body()))
    except ValueError:
        raise Refusal(400, "request_body_required", "The request has no JSON body.") from None


SIMULATOR = ShipStationSimulator

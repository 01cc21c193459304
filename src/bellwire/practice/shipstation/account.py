"""What a simulated ShipStation account has, and how it says no."""

from collections.abc import Mapping
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any
from uuid import uuid4

from starlette.responses import JSONResponse, Response

from bellwire.events import Customer

WAREHOUSE, CARRIER = "se-100", "se-200"
SERVICES = {"usps_ground_advantage": "USPS Ground Advantage", "usps_priority_mail": "USPS Priority Mail"}
PRICES = {"usps_ground_advantage": Decimal("4.25"), "usps_priority_mail": Decimal("8.70")}
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


class Refusal(Exception):
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


def check(details: Mapping[str, Any]) -> None:
    for name in ("ship_to", "ship_from", "packages"):
        if not details.get(name):
            raise Refusal(400, "field_value_required", f"{name} is required.")
    for name in _ADDRESS:
        if not details["ship_to"].get(name):
            raise Refusal(400, "field_value_required", f"ship_to.{name} is required.")
    if details.get("carrier_id", CARRIER) != CARRIER:
        raise Refusal(400, "carrier_not_connected", f"There is no carrier '{details['carrier_id']}'.", "business_rules")
    for package in details["packages"]:
        if package.get("weight", {}).get("value", 0) <= 0:
            raise Refusal(400, "invalid_field_value", "The weight must be greater than 0.")


def sent_to(recipient: Customer) -> dict[str, Any]:
    """An address, as a person enters it."""
    known = {
        "name": recipient.name,
        "phone": recipient.phone or _ORIGIN["phone"],
        "email": recipient.email,
        "address_line1": "1 Main St",
        "city_locality": "Austin",
        "state_province": "TX",
        "postal_code": "78701",
        "country_code": "US",
        "address_residential_indicator": "unknown",
    }
    return {name: value for name, value in known.items() if value}


def warehouse() -> dict[str, Any]:
    return {
        "warehouse_id": WAREHOUSE,
        "is_default": True,
        "name": "Practice warehouse",
        "created_at": "2026-01-05T09:00:00.000Z",
        "origin_address": _ORIGIN,
        "return_address": _ORIGIN,
    }


def rate(shipment_id: str, service: str) -> dict[str, Any]:
    nothing = usd(Decimal(0))
    return {
        "rate_id": f"{shipment_id}-{list(SERVICES).index(service)}",
        "rate_type": "shipment",
        "carrier_id": CARRIER,
        "shipping_amount": usd(PRICES[service]),
        "insurance_amount": nothing,
        "confirmation_amount": nothing,
        "other_amount": nothing,
        "zone": 1,
        "package_type": "package",
        "guaranteed_service": False,
        "negotiated_rate": True,
        "service_type": SERVICES[service],
        "service_code": service,
        "trackable": True,
        "carrier_code": "stamps_com",
        "carrier_nickname": "Practice USPS",
        "carrier_friendly_name": "Stamps.com",
        "validation_status": "valid",
        "warning_messages": [],
        "error_messages": [],
    }


def usd(amount: Decimal) -> dict[str, Any]:
    return {"currency": "usd", "amount": float(amount)}


def not_found(what: str) -> Refusal:
    return Refusal(404, "invalid_identifier", f"{what} not found.")


def now() -> str:
    return datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")

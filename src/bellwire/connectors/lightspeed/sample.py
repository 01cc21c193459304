"""Made-up deliveries for `bellwire send-test`: each is about a thing of its own."""

from typing import Any
from urllib.parse import urlencode
from uuid import uuid4

import orjson

from bellwire.clock import system_clock
from bellwire.connectors.kit import Connection
from bellwire.connectors.lightspeed.manifest import settings_of
from bellwire.errors import NotFound

_SENT = ("inventory", "product", "customer", "sale")


def sample(event_type: str, connection: Connection) -> tuple[dict[str, str], bytes]:
    """Headers (without signature) and body. Raises NotFound for an event type that a store doesn't bring."""
    kind, _, what = event_type.partition(".")
    if kind not in _SENT:
        raise NotFound(f"Lightspeed sends nothing about a {kind}.", remedy=f"It sends: {', '.join(_SENT)}.")
    settings, now = settings_of(connection), system_clock()
    about = {"id": str(uuid4()), "version": int(now.timestamp() * 1000), "updated_at": f"{now:%Y-%m-%d %H:%M:%S}"}
    payload = about | _payload(kind, what, settings.outlet_id)
    form = {"payload": orjson.dumps(payload).decode(), "domain_prefix": settings.domain_prefix}
    return {"Content-Type": "application/x-www-form-urlencoded"}, urlencode(form).encode()


def _payload(kind: str, what: str, outlet: str) -> dict[str, Any]:
    match kind:
        case "inventory":
            product = {"sku": "TEA-100", "name": "Green tea, 100 g", "handle": "green-tea"}
            return {"product_id": str(uuid4()), "outlet_id": outlet, "count": "4.00000", "product": product}
        case "product":
            gone = "2026-01-02 03:04:05" if what == "deleted" else None
            stock = [{"outlet_id": outlet, "count": "4.00000"}]
            named = {"name": "Green tea / 100 g", "base_name": "Green tea", "handle": "green-tea", "sku": "TEA-100"}
            return named | {"active": True, "tags": "tea, green", "inventory": stock, "deleted_at": gone}
        case "customer":
            return {
                "customer_code": "Robin-T1",
                "first_name": "Robin",
                "last_name": "Hill",
                "email": "robin@example.com",
            }
        case _:
            sign = -1 if what == "returned" else 1
            line = {"id": str(uuid4()), "product_id": str(uuid4()), "quantity": sign * 2, "price": 8.5}
            status = "SAVED" if what == "updated" else "CLOSED"
            totals = {"total_price": sign * 17.0, "total_tax": sign * 1.4, "status": status, "invoice_number": "T-1"}
            back = {"return_for": str(uuid4())} if what == "returned" else {}
            return totals | back | {"outlet_id": outlet, "register_sale_products": [line]}

"""Holds requests and answers against PayPal's own descriptions, one for each of its APIs."""

from dataclasses import replace

from bellwire.practice import Received
from tests.openapi import described

_APIS = {
    "/v2/payments/": "paypal_payments_payment_v2",
    "/v2/checkout/": "paypal_checkout_orders_v2",
    "/v1/notifications/": "paypal_notifications_webhooks_v1",
}
_OF_THE_NEXT_PAGE = {"move_to", "index_time", "index_id"}
"""What PayPal's own example of a `next` link carries, though its description leaves it out."""
_BEFORE_THE_API = (401, 429)
"""Answers to who isn't signed in, and to who asks too often, have a form of their own."""
_UNDESCRIBED = ("/v1/oauth2/token", "/v1/notifications/certs/")


def problems(received: Received) -> list[str]:
    """With a request that reached the practice app, and with its answer. None: all is well."""
    if received.path.startswith(_UNDESCRIBED) or received.status in _BEFORE_THE_API:
        return []
    api = next(name for path, name in _APIS.items() if received.path.startswith(path))
    query = {name: value for name, value in received.query.items() if name not in _OF_THE_NEXT_PAGE}
    # A repeated PayPal-Request-Id is answered with 200, which the description doesn't tell from 201.
    repeated = received.method == "POST" and received.status == 200
    return described(api).problems(replace(received, query=query, status=201 if repeated else received.status))

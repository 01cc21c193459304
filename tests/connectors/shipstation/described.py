"""ShipStation's own description."""

from copy import deepcopy
from dataclasses import replace
from functools import cache

from bellwire.practice import Received
from tests.openapi import Description
from tests.shared import spec


@cache
def described() -> Description:
    """Without its slip: the time of a rate request is given the pattern of an id."""
    document = deepcopy(spec("shipstation_v2"))
    del document["components"]["schemas"]["rates_information"]["properties"]["created_at"]["allOf"]
    return Description(document)


def problems(received: Received) -> list[str]:
    """With a request and its answer; of the keys of its webhooks the description knows nothing."""
    if not received.path.startswith("/v2/"):
        return []
    # A slash in a reference is sent as %2F, and comes as a slash out of the server's hands.
    head, found, reference = received.path.partition("/external_shipment_id/")
    return described().problems(replace(received, path=head + found + reference.replace("/", "-")))

"""Labels, and what becomes of the parcels."""

from typing import Protocol, runtime_checkable

from bellwire.events import Customer
from bellwire.practice.roles.messages import Sent
from bellwire.practice.simulator import Webhook


@runtime_checkable
class Carrier(Protocol):
    def labels(self) -> list[Sent]:
        """Bought and not voided."""


@runtime_checkable
class Parcels(Protocol):
    """A simulated carrier's way with parcels."""

    def hand_in(self, number: str, recipient: Customer) -> str:
        """Somebody buys a label by hand; gives its id."""

    def turn(self, label_id: str, event_type: str) -> Webhook:
        """A parcel arrives (`shipment.delivered`) or is in trouble (`shipment.exception`); gives what is sent of it."""

    def listed(self, label_id: str) -> Webhook:
        """What is told of a parcel as it is now, in a delivery: where webhooks say only that there is something new,
        what the list says then."""

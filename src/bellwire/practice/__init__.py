"""Practice: simulated vendors over real HTTP, with faults on request. For the demo, pilots, training and tests."""

from bellwire.practice.catalogue import CATALOGUE, Good
from bellwire.practice.faults import Fault, FaultKind, Faults
from bellwire.practice.practising import Practised, practising
from bellwire.practice.quota import Quota
from bellwire.practice.roles import (
    Appointed,
    Booked,
    Bookings,
    Books,
    Calendar,
    Carrier,
    Chat,
    Credited,
    Fieldwork,
    GivenBack,
    Mailbox,
    Processor,
    Returns,
    Sale,
    SaleLine,
    Sent,
    Shop,
    Texts,
    Till,
    Visit,
    WorkOrder,
)
from bellwire.practice.server import Practice, find_simulator, simulator_names
from bellwire.practice.simulator import Received, Simulator, Webhook

__all__ = [
    "CATALOGUE",
    "Appointed",
    "Booked",
    "Bookings",
    "Books",
    "Calendar",
    "Carrier",
    "Chat",
    "Credited",
    "Fault",
    "FaultKind",
    "Faults",
    "Fieldwork",
    "GivenBack",
    "Good",
    "Mailbox",
    "Practice",
    "Practised",
    "Processor",
    "Quota",
    "Received",
    "Returns",
    "Sale",
    "SaleLine",
    "Sent",
    "Shop",
    "Simulator",
    "Texts",
    "Till",
    "Visit",
    "Webhook",
    "WorkOrder",
    "find_simulator",
    "practising",
    "simulator_names",
]

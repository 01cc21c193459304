"""Practice: simulated vendors over real HTTP, with faults on request. For the demo, pilots, training and tests."""

from bellwire.practice.catalogue import CATALOGUE, Good
from bellwire.practice.faults import Fault, FaultKind, Faults
from bellwire.practice.practising import Practised, practising
from bellwire.practice.quota import Quota
from bellwire.practice.roles import (
    Booked,
    Bookings,
    Books,
    Carrier,
    Chat,
    Credited,
    Crm,
    GivenBack,
    Mailbox,
    Processor,
    Projects,
    Returns,
    Sale,
    SaleLine,
    Sent,
    Shop,
    Signing,
    Teller,
    Till,
)
from bellwire.practice.server import Practice, find_simulator, simulator_names
from bellwire.practice.simulator import Received, Simulator, Webhook

__all__ = [
    "CATALOGUE",
    "Booked",
    "Bookings",
    "Books",
    "Carrier",
    "Chat",
    "Credited",
    "Crm",
    "Fault",
    "FaultKind",
    "Faults",
    "GivenBack",
    "Good",
    "Mailbox",
    "Practice",
    "Practised",
    "Processor",
    "Projects",
    "Quota",
    "Received",
    "Returns",
    "Sale",
    "SaleLine",
    "Sent",
    "Shop",
    "Signing",
    "Simulator",
    "Teller",
    "Till",
    "Webhook",
    "find_simulator",
    "practising",
    "simulator_names",
]

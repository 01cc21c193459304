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
    GivenBack,
    Helpdesk,
    Mailbox,
    Processor,
    Returns,
    Sale,
    SaleLine,
    Sent,
    Shop,
    Ticket,
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
    "Fault",
    "FaultKind",
    "Faults",
    "GivenBack",
    "Good",
    "Helpdesk",
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
    "Ticket",
    "Till",
    "Webhook",
    "find_simulator",
    "practising",
    "simulator_names",
]

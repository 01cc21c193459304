"""What a demo, a pilot or a test may ask of any simulator of a capability, whatever the vendor."""

from bellwire.practice.roles.accounts import Booked, Books, Credited, credited_for
from bellwire.practice.roles.customers import Begun, Checklist, Crm, Hoped, Known, Planned, Projects, Signing, Teller
from bellwire.practice.roles.goods import Ordered, Purchasing, Supply, Till, Warehouse
from bellwire.practice.roles.messages import Chat, Helpdesk, Mailbox, Sent, Texts, Ticket, mentioned_order
from bellwire.practice.roles.parcels import Carrier, Parcels
from bellwire.practice.roles.paying import GivenBack, Processor, Subscriptions, Tells
from bellwire.practice.roles.selling import Returns, Sale, SaleLine, Shop, Shown, Window
from bellwire.practice.roles.visits import Appointed, Bookings, Calendar, Clocked, Fieldwork, Visit, WorkOrder

__all__ = [
    "Appointed",
    "Begun",
    "Booked",
    "Bookings",
    "Books",
    "Calendar",
    "Carrier",
    "Chat",
    "Checklist",
    "Clocked",
    "Credited",
    "Crm",
    "Fieldwork",
    "GivenBack",
    "Helpdesk",
    "Hoped",
    "Known",
    "Mailbox",
    "Ordered",
    "Parcels",
    "Planned",
    "Processor",
    "Projects",
    "Purchasing",
    "Returns",
    "Sale",
    "SaleLine",
    "Sent",
    "Shop",
    "Shown",
    "Signing",
    "Subscriptions",
    "Supply",
    "Teller",
    "Tells",
    "Texts",
    "Ticket",
    "Till",
    "Visit",
    "Warehouse",
    "Window",
    "WorkOrder",
    "credited_for",
    "mentioned_order",
]

"""Parcels that arrive, and parcels in trouble."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from bellwire.events import Customer
from bellwire.flows import Flow
from bellwire.ledger import ExceptionRow
from bellwire.practice.pilot.kinds.kind import Happened, Kind, Record
from bellwire.practice.pilot.vendors import Vendors, Wanted
from bellwire.practice.roles import Parcels as Carrier
from bellwire.practice.simulator import Simulator
from bellwire.practice.stage import Stage

_MAIL = "robin@example.com"
_NO_MAILBOX = "unknown.robin@example.com"
"""The practice mail server has no such mailbox."""
_MAILING = ("email.send_mail", "email.send_notice")


@dataclass(frozen=True, kw_only=True)
class ParcelRecord(Record):
    number: str
    """What stands on it, mostly the order's."""
    recipient: Customer


class Parcels(Kind[ParcelRecord]):
    event_types: ClassVar[Sequence[str]] = ("shipment.delivered", "shipment.exception")
    on_sandbox: ClassVar[Sequence[str]] = (
        "The parcels are made up. Mails went to made-up addresses at example.com; what was made stays there.",
    )

    def why_not(self, flow: Flow, simulator: type[Simulator]) -> str:
        return "" if issubclass(simulator, Carrier) else "it isn't a shipping system that can be practised"

    def records(self, first: int) -> list[ParcelRecord]:
        return records(first)

    def happen(self, vendors: Vendors, record: ParcelRecord) -> Happened:
        carrier = vendors.source
        assert isinstance(carrier, Carrier)
        label_id = carrier.hand_in(record.number, record.recipient)
        carrier.turn(label_id, vendors.event_type)
        return Happened(label_id, lambda: carrier.listed(label_id))

    def asks(self, record: ParcelRecord, wanted: Wanted) -> bool:
        return bool(record.unknown and wanted.of(*_MAILING))

    async def mend(self, stage: Stage, vendors: Vendors, record: ParcelRecord, stuck: ExceptionRow) -> str:
        """Puts the address right."""
        await stage.put_right(stuck, "to", _MAIL, who="the pilot")
        return ""


def records(first: int) -> list[ParcelRecord]:
    """Ten of them. Their orders are numbered from `first` on."""
    told: list[tuple[str, str, Customer]] = [
        ("", "an ordinary parcel", Customer(name="Robin Hill", email=_MAIL, phone="+15125550123")),
        ("", "a recipient without an e-mail address", Customer(name="Ada Moss", phone="+15125550177")),
        ("", "a recipient without a telephone", Customer(name="Ben Okafor", email="ben@example.com")),
        (
            "",
            "a long name, in several scripts",
            Customer(name="Zoë Ångström-Müller, Мария Иванова, 王小明, محمد الأمين", email="zoe@example.com"),
        ),
        ("", "a name of one word", Customer(name="Björk", email="bjork@example.com")),
        ("", "an e-mail address with a plus", Customer(name="Dilnoza Karimova", email="dilnoza+tea@example.com")),
        ("-2", "the second parcel of an order", Customer(name="Emre Yıldız", email="emre@example.com")),
        ("/EU", "an order's number with letters", Customer(name="Fatou Ndiaye", email="fatou@example.com")),
        ("", "the same webhook three times", Customer(name="Gus Larsen", email="gus@example.com")),
        ("", "an e-mail address that no mail server knows", Customer(name="Robin Hill", email=_NO_MAILBOX)),
    ]
    return [
        ParcelRecord(
            position,
            f"parcel {first + position - 1}{suffix}",
            about,
            copies=3 if position == 9 else 1,
            in_trouble=position == 9,
            unknown=_NO_MAILBOX if recipient.email == _NO_MAILBOX else "",
            number=f"{first + position - 1}{suffix}",
            recipient=recipient,
        )
        for position, (suffix, about, recipient) in enumerate(told, 1)
    ]

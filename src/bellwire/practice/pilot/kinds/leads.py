"""Enquiries: what goes well, what goes wrong, and the odd cases between."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from typing import Any, ClassVar

from bellwire.clock import system_clock
from bellwire.events import Address, Answer, Lead
from bellwire.flows import Flow
from bellwire.ledger import ExceptionRow
from bellwire.practice.pilot.kinds.kind import Happened, Kind, Record
from bellwire.practice.pilot.vendors import Vendors, Wanted
from bellwire.practice.roles import Teller
from bellwire.practice.simulator import Simulator
from bellwire.practice.stage import Stage

_WRONG, _RIGHT = "robin@@example.com", "robin@example.com"


@dataclass(frozen=True, kw_only=True)
class LeadRecord(Record):
    lead: Lead


class Leads(Kind[LeadRecord]):
    event_types: ClassVar[Sequence[str]] = ("lead.created",)
    on_sandbox: ClassVar[Sequence[str]] = (
        "The people are made up, with addresses at example.com. What was made of them there stays there.",
    )

    def why_not(self, flow: Flow, simulator: type[Simulator]) -> str:
        return "" if issubclass(simulator, Teller) else "it isn't a website that can be practised"

    def records(self, first: int) -> list[LeadRecord]:
        return records(first, system_clock().replace(microsecond=0))

    def happen(self, vendors: Vendors, record: LeadRecord) -> Happened:
        website, event_type = vendors.source, vendors.event_type
        assert isinstance(website, Teller)
        return Happened(record.lead.id, lambda: website.tell(event_type, record.lead))

    def asks(self, record: LeadRecord, wanted: Wanted) -> bool:
        return bool(record.unknown and wanted.of("crm.find_or_create_contact"))

    async def mend(self, stage: Stage, vendors: Vendors, record: LeadRecord, stuck: ExceptionRow) -> str:
        """Puts the address right."""
        await stage.put_right(stuck, "email", _RIGHT, who="the pilot")
        return ""


def records(first: int, now: datetime) -> list[LeadRecord]:
    """Ten of them, numbered from `first` on, and asked at `now` or on the Friday before."""
    robin = {"name": "Robin Hill", "email": "robin@example.com", "phone": "+15125550123"}
    friday = now.date() - timedelta(days=(now.weekday() - 4) % 7 or 7)
    evening = datetime.combine(friday, time(20, 15), now.tzinfo)
    told: list[tuple[str, dict[str, Any]]] = [
        ("an ordinary enquiry", robin),
        (
            "with all that a form can have",
            {
                **robin,
                "name": "Ada Moss",
                "email": "ada@example.com",
                "company": "Moss & Daughters",
                "address": Address(line1="1 Main St", city="Austin", region="TX", postcode="78701", country="US"),
                "answers": (Answer(question="How much a month?", answer="40 kg"),),
            },
        ),
        ("only an e-mail address", {"email": "kim@example.com"}),
        ("only a name and a phone number", {"name": "Jo Okafor", "phone": "+15125550177"}),
        ("neither e-mail address nor phone number", {"name": "Somebody", "message": "Just looking around."}),
        (
            "asked on a Friday evening",
            {**robin, "name": "Femi Ade", "email": "femi@example.com", "created_at": evening},
        ),
        (
            "long names, in several scripts",
            {
                "name": "Zoë Ångström-Müller y Þórdís O’Brien-Łukasiewicz, Мария Иванова, 王小明, محمد الأمين " * 3,
                "email": "zoe@example.com",
                "company": "Café “Zur schönen Aussicht” & Söhne, Feinkost und Teehandel seit 1887",
                "message": "Grüße! " * 500,
            },
        ),
        ("somebody asks again, in capitals", {**robin, "email": "Robin@Example.COM", "message": "And to Houston?"}),
        (
            "the same webhook three times",
            {"name": "Mei Lin", "email": "mei@example.com", "phone": "+15125550199"},
        ),
        ("an e-mail address that can't be one", {**robin, "email": _WRONG}),
    ]
    return [_record(position, first, now, about, fields) for position, (about, fields) in enumerate(told, 1)]


def _record(position: int, first: int, now: datetime, about: str, fields: dict[str, Any]) -> LeadRecord:
    number = str(first + position - 1)
    plain = {"id": number, "message": "Do you ship to Austin?", "source": "website", "created_at": now}
    repeated = position == 9
    return LeadRecord(
        position,
        f"enquiry {number}",
        about,
        number,
        3 if repeated else 1,
        in_trouble=repeated,
        unknown="e-mail address" if fields.get("email") == _WRONG else "",
        lead=Lead(**(plain | fields)),
    )

"""Contracts: what goes well, what goes wrong, and the odd cases between."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from bellwire.events import Signer
from bellwire.flows import Flow
from bellwire.ledger import ExceptionRow
from bellwire.practice.pilot.kinds.kind import Happened, Kind, Record
from bellwire.practice.pilot.vendors import Vendors, Wanted
from bellwire.practice.roles import Signing
from bellwire.practice.simulator import Simulator
from bellwire.practice.stage import Stage

_NO_MAILBOX, _MAILBOX = "unknown@example.com", "robin@example.com"
_ROBIN, _DANA = Signer(name="Robin Hill", email="robin@example.com"), Signer(name="Dana", email="dana@example.com")


@dataclass(frozen=True, kw_only=True)
class ContractRecord(Record):
    title: str
    reference: str
    signers: Sequence[Signer]


class Contracts(Kind[ContractRecord]):
    event_types: ClassVar[Sequence[str]] = ("contract.signed", "contract.declined")
    on_sandbox: ClassVar[Sequence[str]] = (
        "The contracts are made up, so your account doesn't know them. Mails went to made-up addresses at example.com."
        " What was made there stays there.",
    )

    def why_not(self, flow: Flow, simulator: type[Simulator]) -> str:
        return "" if issubclass(simulator, Signing) else "nothing can be signed there in practice"

    def records(self, first: int) -> list[ContractRecord]:
        return records(first)

    def happen(self, vendors: Vendors, record: ContractRecord) -> Happened:
        service = vendors.source
        assert isinstance(service, Signing)
        contract = service.send_out(record.title, record.reference, record.signers)
        if vendors.event_type == "contract.signed":
            service.sign(contract)
        else:
            service.decline(contract, "It is too long.")
        return Happened(contract, lambda: service.webhook(contract))

    def asks(self, record: ContractRecord, wanted: Wanted) -> bool:
        return bool(record.unknown and wanted.of("email.send_mail"))

    async def mend(self, stage: Stage, vendors: Vendors, record: ContractRecord, stuck: ExceptionRow) -> str:
        """Puts the address right."""
        await stage.put_right(stuck, "to", _MAILBOX, who="the pilot")
        return ""


def records(first: int) -> list[ContractRecord]:
    """Ten of them, numbered from `first` on."""
    abroad = Signer(
        name="Zoë Ångström-Müller y Þórdís O’Brien-Łukasiewicz, Мария Иванова, 王小明, محمد الأمين",
        email="zoe@example.com",
    )
    told: list[tuple[str, str, Sequence[Signer]]] = [
        ("an ordinary contract", "Care plan", [_ROBIN]),
        ("two sign it", "Supply contract", [_ROBIN, _DANA]),
        ("somebody who signed before", "Tasting course", [_ROBIN]),
        ("a signer without a name", "Care plan", [Signer(email="kim@example.com")]),
        ("a long name, in several scripts", "Wartungsvertrag für Übersee: 王小明 & Söhne", [abroad]),
        ("a long title", "Supply of tea, tins and machines, with all that belongs to it, " * 4, [_ROBIN]),
        ("without a title", "", [_ROBIN]),
        ("without a reference", "Care plan", [_ROBIN]),
        ("the same webhook three times", "Machine rental", [Signer(name="Mei Lin", email="mei@example.com")]),
        ("an address at which there is no mailbox", "Care plan", [Signer(name="Jo Okafor", email=_NO_MAILBOX)]),
    ]
    return [
        ContractRecord(
            position,
            f"contract C-{first + position - 1}",
            about,
            f"C-{first + position - 1}",
            3 if position == 9 else 1,
            in_trouble=position == 9,
            unknown=_NO_MAILBOX if signers[0].email == _NO_MAILBOX else "",
            title=title,
            reference="" if about == "without a reference" else f"C-{first + position - 1}",
            signers=signers,
        )
        for position, (about, title, signers) in enumerate(told, 1)
    ]

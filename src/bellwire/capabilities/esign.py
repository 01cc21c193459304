"""E-signature: contracts that people sign on a screen."""

from collections.abc import Mapping
from enum import StrEnum

from pydantic import Field

from bellwire.capabilities.base import Effect, Given, Operation, Result
from bellwire.events.bookings import Contract


class SendContract(Given):
    """Made from a template at the vendor, and sent to one signer."""

    template: str = Field(min_length=1)
    """Its name or id."""
    name: str = Field(min_length=1)
    """Who signs."""
    email: str = Field(pattern=r"^[^@\s]+@[^@\s]+$")
    reference: str = Field(min_length=1, max_length=100)
    """What people know it by; it is found again by it."""
    subject: str = Field(default="", max_length=100)
    """Of the e-mail; empty: as the template has it."""
    message: str = ""
    fields: Mapping[str, str] = Field(default_factory=dict)
    """What is filled in beforehand, by the template's names for it."""


class SentContract(Result):
    id: str
    url: str = ""


class ContractStatus(StrEnum):
    DRAFT = "draft"
    SENT = "sent"
    SIGNED = "signed"
    """By everybody."""
    DECLINED = "declined"
    WITHDRAWN = "withdrawn"


class ReadContract(Given):
    contract_id: str = Field(min_length=1)


class FoundContract(Result):
    contract: Contract
    status: ContractStatus


class WithdrawContract(Given):
    """Before everybody has signed: else it is refused."""

    contract_id: str = Field(min_length=1)
    reason: str = Field(min_length=1, max_length=200)
    """The signers read it."""


class WithdrawnContract(Result):
    id: str


SEND_CONTRACT = Operation(
    "esign", "send_contract", SendContract, SentContract, Effect.RECORD, "Send the contract to be signed"
)
READ_CONTRACT = Operation(
    "esign", "read_contract", ReadContract, FoundContract, Effect.NOTHING, "Look whether the contract is signed"
)
WITHDRAW_CONTRACT = Operation(
    "esign", "withdraw_contract", WithdrawContract, WithdrawnContract, Effect.RECORD, "Withdraw the contract"
)

OPERATIONS = (SEND_CONTRACT, READ_CONTRACT, WITHDRAW_CONTRACT)

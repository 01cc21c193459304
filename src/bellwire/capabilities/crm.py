"""CRM: the people one wants as customers, what they may buy, and whom to call when."""

from datetime import date, datetime
from typing import Self

from pydantic import AwareDatetime, Field, model_validator

from bellwire.capabilities.base import Effect, Given, Operation, Result
from bellwire.money import Money


class FindOrCreateContact(Given):
    """By the e-mail address; without one, by the phone number. What the CRM has is kept, and what it lacks is added."""

    name: str = ""
    email: str = ""
    phone: str = ""
    company: str = ""
    source: str = ""
    """Where they came from, where the CRM keeps that."""

    @model_validator(mode="after")
    def _known_by_something(self) -> Self:
        if not (self.email or self.phone):
            raise ValueError("a contact needs an e-mail address or a phone number")
        return self


class CrmContact(Result):
    id: str
    created: bool
    """Whether it was new to the CRM. Not after an attempt whose answer was lost: by then it is there."""
    url: str = ""


class CreateDeal(Given):
    name: str = Field(min_length=1, max_length=200)
    contact_id: str = Field(min_length=1)
    reference: str = Field(min_length=1, max_length=100)
    """What people know it by; it is found again by it."""
    amount: Money | None = None
    stage: str = ""
    """Empty: the first of the connection's pipeline."""
    closes_on: date | None = None


class CrmDeal(Result):
    id: str
    url: str = ""


class CreateCrmTask(Given):
    """Something to do about a contact."""

    contact_id: str = Field(min_length=1)
    subject: str = Field(min_length=1, max_length=200)
    due: AwareDatetime
    notes: str = ""
    owner: str = ""
    """The e-mail address of who is to do it; empty: nobody yet."""


class CrmTask(Result):
    id: str
    due: datetime
    """UTC."""
    url: str = ""


FIND_OR_CREATE_CONTACT = Operation(
    "crm", "find_or_create_contact", FindOrCreateContact, CrmContact, Effect.RECORD,
    "Find the person in the CRM, or add them",
)  # fmt: skip
CREATE_DEAL = Operation("crm", "create_deal", CreateDeal, CrmDeal, Effect.RECORD, "Note a sale that may come")
CREATE_TASK = Operation(
    "crm", "create_task", CreateCrmTask, CrmTask, Effect.RECORD, "Plan something to do for a contact"
)

OPERATIONS = (FIND_OR_CREATE_CONTACT, CREATE_DEAL, CREATE_TASK)

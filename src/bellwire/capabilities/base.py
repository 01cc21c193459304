"""What an operation is."""

from dataclasses import dataclass
from enum import StrEnum

from pydantic import BaseModel, ConfigDict


class Given(BaseModel):
    """The input of an operation, filled from a flow's `with`."""

    model_config = ConfigDict(frozen=True, extra="forbid", from_attributes=True)


class Result(BaseModel):
    """What an operation gives back; later actions refer to its fields. Stored as the action's checkpoint."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class Effect(StrEnum):
    """What happens in the world. Doing `NOTHING` or `MESSAGE` twice is harmless; the others are not."""

    NOTHING = "nothing"
    MESSAGE = "message"
    RECORD = "record"
    MONEY = "money"
    GOODS = "goods"

    @property
    def harmless(self) -> bool:
        return self in (Effect.NOTHING, Effect.MESSAGE)


@dataclass(frozen=True)
class Operation:
    """One thing that connectors with a capability can do, and flows can ask for."""

    capability: str
    name: str
    given: type[Given]
    result: type[Result]
    effect: Effect
    meaning: str
    """For people: `Create an invoice in the books`."""

    def __str__(self) -> str:
        return f"{self.capability}.{self.name}"

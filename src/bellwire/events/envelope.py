"""The envelope: CloudEvents 1.0 (https://github.com/cloudevents/spec/blob/v1.0.2/cloudevents/spec.md).

`business_key` is the CloudEvents `id`, the connection is its `source`: together they name one fact.
"""

from datetime import datetime
from enum import StrEnum
from typing import Any

from pydantic import BaseModel, ConfigDict, Field

OWN = "bellwire"
"""The connection of the events that Bellwire itself makes."""


class Environment(StrEnum):
    """Sandbox and production never mix; practice counts as sandbox."""

    SANDBOX = "sandbox"
    PRODUCTION = "production"


class FreeForm(BaseModel):
    """Data of an event that isn't in the dictionary: whatever fields it came with."""

    model_config = ConfigDict(frozen=True, extra="allow")


class Event(BaseModel):
    """An immutable fact. `data` is an instance of the model that the dictionary gives for `type`."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    type: str = Field(pattern=r"^[a-z][a-z0-9_]*(\.[a-z0-9_]+)+$")
    connection: str
    environment: Environment
    business_key: str
    """What makes two deliveries the same fact: `shop/order/1001/paid`."""
    subject: str
    """What it is about: `order/1001`. Events of one subject are handled in order."""
    time: datetime
    """When it happened, UTC."""
    version: datetime | None = None
    """Which state of the subject `data` shows (its update time). None when the vendor doesn't say."""
    data: Any

    def cloudevent(self) -> dict[str, Any]:
        """The CloudEvents 1.0 JSON form, ready for a JSON encoder."""
        return {
            "specversion": "1.0",
            "id": self.business_key,
            "source": f"bellwire/{self.environment.value}/{self.connection}",
            "type": self.type,
            "subject": self.subject,
            "time": self.time.isoformat(),
            "datacontenttype": "application/json",
            "data": self.data.model_dump(mode="json"),
        }


def whole_subject(connection: str, subject: str) -> str:
    """A subject, told from those of other connections: `shop/order/1001`."""
    return f"{connection}/{subject}"

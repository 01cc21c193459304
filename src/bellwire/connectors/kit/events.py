"""Events of a connection: what all of them say alike, and what tells two states of a thing apart."""

import hashlib
from datetime import datetime
from typing import Any

from pydantic import BaseModel

from bellwire.connectors.kit.connection import Connection
from bellwire.events import Event


def event_of(
    connection: Connection,
    event_type: str,
    key: str,
    subject: str,
    time: datetime,
    data: BaseModel,
    *,
    version: datetime | None = None,
) -> Event:
    """What happened at a connection. `key` is its business key there, made of the vendor's ids: `order/1001/paid`."""
    return Event(
        type=event_type,
        connection=connection.name,
        environment=connection.environment,
        business_key=f"{connection.name}/{key}",
        subject=subject,
        time=time,
        version=version,
        data=data,
    )


def state_key(updated_at: datetime, data: BaseModel, *, exclude: Any = None) -> str:
    """The end of a state's business key where times of change have whole seconds, in which two things can change: the
    data is part of it. `exclude`, as pydantic takes it: what the vendor tells differently about one state."""
    told = data.model_dump_json(exclude=exclude)
    return f"{updated_at.isoformat()}/{hashlib.sha256(told.encode()).hexdigest()[:12]}"

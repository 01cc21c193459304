"""What people are told of, and whether it reaches them."""

from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Path, Response
from pydantic import BaseModel, Field

from bellwire.desk.api.doors import Doors, Manage, Managing, See
from bellwire.desk.api.shapes import KEPT, Body
from bellwire.desk.configuring import THE_ALERTS, adding, removing
from bellwire.desk.gate import in_thread
from bellwire.errors import BellwireError
from bellwire.ledger import AlertRow, MessageRow, Rows, alerts, audit
from bellwire.watch import REMEDY, addresses, read_channels, try_channels


class Message(BaseModel):
    channel: str
    kind: str
    at: datetime
    error: str = Field(description="Why it hasn't arrived; empty once it has.")


class Alert(BaseModel):
    id: int
    topic: str
    title: str
    text: str
    opened_at: datetime
    told: int = Field(description="How often people were told.")
    next_at: datetime | None = Field(description="When they are told again.")
    messages: list[Message]

    @classmethod
    def of(cls, row: AlertRow, messages: list[MessageRow]) -> "Alert":
        told = [Message(channel=each.channel, kind=each.kind.value, at=each.at, error=each.error) for each in messages]
        return cls(
            id=row.id,
            topic=row.topic,
            title=row.title,
            text=row.text,
            opened_at=row.opened_at,
            told=row.told,
            next_at=row.next_at,
            messages=told,
        )


class Alerts(BaseModel):
    items: list[Alert]
    channels: list[str] = Field(description="Where alerts go, by the kind alone.")


class NewChannel(Body):
    address: str = Field(
        min_length=1,
        max_length=2000,
        pattern=KEPT,
        description="The webhook of a chat, or a URL as Apprise has it. It is never told.",
    )


class Channel(BaseModel):
    channel: str = Field(description="What it is called here; when another one goes, its number may change.")


class Tried(BaseModel):
    channel: str
    went_through: bool
    error: str


class Trial(BaseModel):
    items: list[Tried]


def router(doors: Doors) -> APIRouter:
    routes = APIRouter(tags=["alerts"], prefix="/alerts")
    site = doors.site

    @routes.get("")
    async def list_alerts(caller: See) -> Alerts:
        """Those that are open, the oldest first."""
        channels = await in_thread(read_channels, site.vault, site.environ) if site.vault else []

        def query(rows: Rows) -> list[Alert]:
            return [Alert.of(alert, alerts.messages(rows, alert.id)) for alert in alerts.open_ones(rows)]

        return Alerts(items=await site.ledger.read(query), channels=[channel.name for channel in channels])

    # Without a key: nothing that hangs on a secret is kept with an answer.
    @routes.post("/channels", status_code=201)
    async def add_channel(caller: Manage, given: NewChannel) -> Channel:
        """Have alerts go there, too, from the next one on. Sent again it is refused, as they go there already."""
        add = adding(site, await addresses.plain(given.address), caller.name)
        return Channel(channel=(await site.ledger.write(add)).name)

    @routes.delete("/channels/{channel}", response_model=Channel)
    async def remove_channel(channel: Annotated[str, Path(max_length=40)], write: Managing) -> Response:
        """Have alerts no longer go there; gives which one that was."""
        remove = removing(site, channel, write.who)
        return await write(lambda rows: Channel(channel=remove(rows).name))

    @routes.post("/test", response_model=Trial)
    async def test(write: Managing) -> Response:
        """Send a test message to every channel now, and say for each whether it went through."""

        async def work() -> Trial:
            channels = await in_thread(read_channels, site.vault, site.environ) if site.vault else []
            if not channels:
                raise BellwireError("Alerts reach nobody: no channel is set.", remedy=REMEDY)
            now, name = site.clock(), write.who
            errors = await try_channels(site.ledger, channels, site.business, now)
            await site.ledger.write(lambda rows: audit.record(rows, name, "test", THE_ALERTS, now))
            tried = [Tried(channel=each, went_through=not error, error=error) for each, error in errors.items()]
            return Trial(items=tried)

        return await write.beyond(work)

    return routes

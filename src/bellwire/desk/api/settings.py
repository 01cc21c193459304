"""What of the settings may change while Bellwire runs."""

from typing import Annotated, Any

from fastapi import APIRouter, Response
from pydantic import BaseModel, Field

from bellwire.clock import in_one_unit
from bellwire.desk.api.doors import Doors, Managing, See, Write
from bellwire.desk.api.shapes import KEPT, WHOLE, Body, Flag
from bellwire.desk.configuring import live_of, saving
from bellwire.ledger import Rows
from bellwire.settings import AlertSettings, KeepSettings
from bellwire.settings.live import LiveSettings, Part

Days = Annotated[int, Field(ge=1, le=36_500), WHOLE]
Length = Annotated[str, Field(pattern=r"^[0-9]{1,6} ?[smhd]$", examples=["4h"])]
Hours = Annotated[str, Field(pattern=r"^[0-9]{1,2}:[0-9]{2} ?- ?[0-9]{1,2}:[0-9]{2}$", examples=["22:00-07:00"])]


class Keep(BaseModel):
    payloads: int = Field(description="Days that webhooks are kept as they arrived.")
    details: int = Field(description="Days that the data of events is kept, and what their actions brought.")
    requests: bool = Field(description="Whether what other systems are asked and answer is kept.")

    @classmethod
    def of(cls, settings: KeepSettings) -> "Keep":
        return cls(**dict(settings))


class When(BaseModel):
    reminders: list[str] = Field(description="How long after each message another one comes; the last repeats.")
    quiet_hours: str | None = Field(description="When no alert is sent, such as 22:00-07:00; null: there are none.")

    @classmethod
    def of(cls, settings: AlertSettings) -> "When":
        reminders = [f"{count}{unit}" for count, unit in map(in_one_unit, settings.reminders)]
        return cls(reminders=reminders, quiet_hours=str(settings.quiet_hours) if settings.quiet_hours else None)


class Told(BaseModel):
    version: str = Field(description="Of the settings file: another one after each change.")
    keep: Keep
    alerts: When

    @classmethod
    def of(cls, live: LiveSettings) -> "Told":
        found = live.read()
        return cls(version=found.version, keep=Keep.of(found.table.keep), alerts=When.of(found.table.alerts))


class Changed(Body):
    """What isn't given stays; null: as it is by itself."""

    version: str | None = Field(
        None, pattern=KEPT, description="As it was told: refused if the file was changed since. null: as it is now."
    )


class ChangedKeep(Changed):
    payloads: Days | None = None
    details: Days | None = None
    requests: Flag | None = None


class ChangedWhen(Changed):
    reminders: Annotated[list[Length], Field(max_length=20)] | None = None
    quiet_hours: Hours | None = None


def router(doors: Doors) -> APIRouter:
    routes = APIRouter(tags=["settings"], prefix="/settings")
    site = doors.site

    @routes.get("")
    async def read_settings(caller: See) -> Told:
        """As they are in the file just now."""
        return Told.of(live_of(site))

    @routes.patch("/keep", response_model=Told)
    async def change_what_is_kept(given: ChangedKeep, write: Managing) -> Response:
        """For how long what came in is kept. It holds from the next purge on."""
        return await save(write, Part.KEEP, given)

    @routes.patch("/alerts", response_model=Told)
    async def change_when_alerts_are_sent(given: ChangedWhen, write: Managing) -> Response:
        """When alerts are sent. It holds from the next message on."""
        return await save(write, Part.ALERTS, given)

    async def save(write: Write, part: Part, given: Changed) -> Response:
        values: dict[str, Any] = given.model_dump(exclude_unset=True, exclude={"version"})
        change, live = saving(site, part, values, write.who, given.version), live_of(site)

        def work(rows: Rows) -> Told:
            change(rows)
            return Told.of(live)

        return await write(work)

    return routes

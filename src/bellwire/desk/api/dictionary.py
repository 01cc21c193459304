"""What events carry, and each flow's runbook."""

from typing import Annotated

from fastapi import APIRouter, Path
from pydantic import BaseModel, Field

from bellwire.desk.api.doors import Doors, See
from bellwire.desk.gate import in_thread
from bellwire.errors import NotFound
from bellwire.flows import as_markdown, dictionary, runbook


class EventType(BaseModel):
    name: str
    meaning: str
    data: str = Field(description="The name of an entry of `data`; empty: whatever fields it came with.")


class DataField(BaseModel):
    name: str
    is_: str = Field(serialization_alias="is", description="Its type, in words.")
    meaning: str


class Data(BaseModel):
    name: str
    meaning: str
    fields_: list[DataField] = Field(serialization_alias="fields")


class Dictionary(BaseModel):
    events: list[EventType]
    data: list[Data]


class Runbook(BaseModel):
    flow: str
    text: str = Field(description="A page in Markdown.")


def router(doors: Doors) -> APIRouter:
    routes = APIRouter(tags=["help"])
    site = doors.site

    @routes.get("/dictionary")
    async def read_dictionary(caller: See) -> Dictionary:
        """Every type of event, and every field that a flow can use."""
        found = await in_thread(dictionary)
        return Dictionary(
            events=[EventType(name=event.name, meaning=event.meaning, data=event.data) for event in found.events],
            data=[
                Data(
                    name=entry.name,
                    meaning=entry.meaning,
                    fields_=[
                        DataField(name=field.name, is_="".join(word.text for word in field.kind), meaning=field.meaning)
                        for field in entry.fields
                    ],
                )
                for entry in found.data
            ],
        )

    @routes.get("/flows/{flow}/runbook")
    async def read_runbook(
        caller: See,
        flow: Annotated[str, Path(max_length=200)],
    ) -> Runbook:
        """What whoever looks after a flow has to know."""
        found = site.flows.get(flow)
        if found is None:
            raise NotFound(f"There is no flow '{flow}'.")
        connectors = {name: connection.connector for name, connection in site.connections.items()}
        return Runbook(flow=flow, text=as_markdown(await in_thread(runbook, found, connectors)))

    return routes

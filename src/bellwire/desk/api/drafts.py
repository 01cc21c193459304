"""Flows that are being edited: check a text, see what it would do, publish it."""

from collections.abc import Callable
from typing import Annotated

from fastapi import APIRouter, Path, Query, Response
from pydantic import BaseModel, Field

from bellwire.desk.api.doors import Doors, Manage, Managing, Write
from bellwire.desk.api.paging import Listed
from bellwire.desk.api.shapes import KEPT, LARGEST, WHOLE, Body
from bellwire.desk.drafting import State as DraftState
from bellwire.desk.drafting import changed_by, checked, connectors_of, folder_of, keep, publish, state_of, tried
from bellwire.engine import shown
from bellwire.errors import BellwireError
from bellwire.flows import Finding, version_of
from bellwire.ledger import Rows, audit, drafts

FlowId = Annotated[
    str, Path(pattern=r"^[a-z][a-z0-9_]{0,59}$", description="The name of the flow's file, without .yaml.")
]


class Text(Body):
    text: str = Field(min_length=1, pattern=KEPT, description="A flow, as its file has it: YAML.")


class Written(Text):
    state: Annotated[int, Field(ge=0, le=LARGEST), WHOLE] | None = Field(
        None, description="The number of the state that it was made from; null: whichever it is."
    )


class Tried(Text):
    event: Annotated[int, Field(ge=1, le=LARGEST), WHOLE] | None = Field(
        None, description="The event to try it with; null: the newest."
    )


class Found(BaseModel):
    line: int
    where: list[str] = Field(description="The keys that lead to what it is about.")
    sentence: str
    suggestion: str
    severity: str = Field(description="`error`: the flow can't run like this. `warning`: it can.")


class Checked(BaseModel):
    findings: list[Found]


class PreviewedAction(BaseModel):
    name: str
    wanted: bool = Field(description="Whether its `if` holds.")
    inputs: dict[str, str] = Field(description="What it would be given, as people read it.")
    problems: dict[str, str] = Field(description="By input: why it can't be worked out, or doesn't fit.")


class Previewed(Checked):
    event: int | None = Field(description="The event that it was tried with; null: a made-up one, or none.")
    actions: list[PreviewedAction]


class Draft(BaseModel):
    flow: str
    text: str
    state: int = Field(description="The number of the draft's state; 0: the text is that of the file.")
    who: str = Field(description="Who made it so.")
    base: str = Field(description="The version of the file that the draft began with; empty: a new flow.")
    file: str = Field(description="The version that is in the file now; empty: there is none.")
    overtaken: bool = Field(description="Whether something else changed the file since the draft began.")
    undoable: bool
    redoable: bool


class DraftOf(BaseModel):
    flow: str


class Published(BaseModel):
    flow: str
    version: str


def router(doors: Doors) -> APIRouter:
    routes, site = APIRouter(prefix="/drafts", tags=["drafts"]), doors.site

    @routes.get("")
    async def list_drafts(_: Manage) -> Listed[DraftOf]:
        """The flows that have a draft, by name: there is one page."""
        return Listed(items=[DraftOf(flow=flow) for flow in await site.ledger.read(drafts.flows)])

    @routes.get("/{flow}")
    async def read_draft(caller: Manage, flow: FlowId) -> Draft:
        """The draft of a flow; where there is none, what is in its file."""
        return _draft(await site.ledger.read(lambda rows: state_of(rows, folder_of(site), flow)))

    async def changed(write: Write, flow: str, change: Callable[[Rows, DraftState], None]) -> Response:
        """Have a draft changed that is there already."""
        folder = folder_of(site)

        def work(rows: Rows) -> Draft:
            state = state_of(rows, folder, flow)
            if not state.seen:
                raise BellwireError("There is no draft of this flow.")
            change(rows, state)
            return _draft(state_of(rows, folder, flow))

        return await write(work)

    @routes.put("/{flow}", response_model=Draft)
    async def put_draft(flow: FlowId, given: Written, write: Managing) -> Response:
        """Change the draft of a flow, or begin one. The flow goes on as it was until the draft is published. 409, if
        somebody else changed it since the state that is named."""
        folder = folder_of(site)

        def work(rows: Rows) -> Draft:
            known = drafts.find(rows, flow) is not None or folder.text(flow) is not None
            state = state_of(rows, folder, flow) if known else DraftState(flow, "", "")
            if given.state not in (None, state.seen):
                raise changed_by(state)
            if given.text != state.text:
                keep(rows, site, state, given.text, write.who)
            return _draft(state_of(rows, folder, flow))

        return await write(work)

    @routes.delete("/{flow}", response_model=Draft)
    async def discard_draft(flow: FlowId, write: Managing) -> Response:
        """Throw the draft of a flow away; gives what it was."""

        def work(rows: Rows) -> Draft:
            state = state_of(rows, folder_of(site), flow)
            if not state.seen:
                raise BellwireError("There is no draft of this flow.")
            drafts.drop(rows, flow)
            audit.record(rows, write.who, "discard draft", f"flow {flow}", site.clock())
            return _draft(state)

        return await write(work)

    @routes.post("/{flow}/undo", response_model=Draft)
    async def undo_draft(flow: FlowId, write: Managing) -> Response:
        """Go back to the state before. 409, where there is none."""

        def undo(rows: Rows, state: DraftState) -> None:
            if not drafts.undo(rows, state.flow):
                raise BellwireError("There is nothing more to go back to.")

        return await changed(write, flow, undo)

    @routes.post("/{flow}/redo", response_model=Draft)
    async def redo_draft(flow: FlowId, write: Managing) -> Response:
        """Go on to the state that was undone last. 409, where there is none."""

        def redo(rows: Rows, state: DraftState) -> None:
            if not drafts.redo(rows, state.flow):
                raise BellwireError("Nothing was undone.")

        return await changed(write, flow, redo)

    @routes.post("/{flow}/rebase", response_model=Draft)
    async def rebase_draft(flow: FlowId, write: Managing) -> Response:
        """Have publishing replace what is in the file now, where something else changed that since the draft began."""
        return await changed(
            write, flow, lambda rows, state: drafts.rebase(rows, state.flow, version_of(state.on_disk))
        )

    @routes.post("/{flow}/check")
    async def check_text(caller: Manage, flow: FlowId, given: Text) -> Checked:
        """What is wrong or doubtful about a text; nothing is kept."""
        _, findings = checked(given.text, flow, connectors_of(site))
        return Checked(findings=[_finding(each) for each in findings])

    @routes.post("/{flow}/preview")
    async def preview_text(caller: Manage, flow: FlowId, given: Tried) -> Previewed:
        """What a text would do for an event; nothing is sent, and nothing kept."""
        found, findings = checked(given.text, flow, connectors_of(site))
        seen, row = await tried(site, found, given.event) if found else (None, None)
        return Previewed(
            findings=[_finding(each) for each in findings],
            event=row.id if row else None,
            actions=[
                PreviewedAction(
                    name=name,
                    wanted=step.wanted,
                    inputs={each: shown(value) for each, value in step.inputs.items()},
                    problems=dict(step.problems),
                )
                for name, step in (seen.steps if seen else {}).items()
            ],
        )

    @routes.post("/{flow}/publish", response_model=Published)
    async def publish_draft(
        flow: FlowId,
        write: Managing,
        state: Annotated[
            int | None, Query(ge=1, le=LARGEST, description="Which one is meant: refused, if it is another by now.")
        ] = None,
    ) -> Response:
        """Write the draft of a flow into its file; it holds from the next event on. Refused if it has mistakes, or if
        something else changed the file since the draft was begun."""

        async def work() -> Published:
            done = await publish(site, flow, write.who, state)
            return Published(flow=done.id, version=done.hash)

        return await write.beyond(work)

    return routes


def _draft(state: DraftState) -> Draft:
    return Draft(
        flow=state.flow,
        text=state.text,
        state=state.seen,
        who=state.who,
        base=state.base,
        file=version_of(state.on_disk),
        overtaken=state.overtaken,
        undoable=state.undoable,
        redoable=state.redoable,
    )


def _finding(found: Finding) -> Found:
    return Found(
        line=found.line,
        where=list(found.where),
        sentence=found.sentence,
        suggestion=found.suggestion,
        severity=found.severity.value,
    )

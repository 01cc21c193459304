"""A flow's runbook: what whoever looks after it has to know, made from the flow and its connectors."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from bellwire.clock import duration
from bellwire.connectors.kit import Connector
from bellwire.connectors.refusals import Refusal, known_refusals
from bellwire.docstrings import meaning
from bellwire.events import DICTIONARY
from bellwire.flows.model import Flow, FlowAction, Retry
from bellwire.flows.picture import picture


@dataclass(frozen=True)
class Given:
    """What a person needs to do an action by hand."""

    name: str
    meaning: str


@dataclass(frozen=True)
class Step:
    name: str
    does: str
    system: str
    """The vendor's name; empty: nobody is asked for anything."""
    after: Sequence[str]
    notes: Sequence[str]
    """Sentences: on what condition, how often, who is asked before."""
    given: Sequence[Given]


@dataclass(frozen=True)
class Runbook:
    flow: str
    name: str
    starts: str
    ends: Sequence[str]
    owner: str
    contact: str
    steps: Sequence[Step]
    good: Sequence[str]
    refusals: Mapping[str, Sequence[Refusal]]
    """By the vendor's name."""


def runbook(flow: Flow, connectors: Mapping[str, Connector]) -> Runbook:
    """`connectors` by the name of the connection."""
    titles = {name: connector.manifest.title for name, connector in connectors.items()}
    boxes = {box.name: box.meaning for box in picture(flow).boxes}
    asked = dict.fromkeys(action.connection for action in flow.actions.values() if action.connection in connectors)
    known = {titles[name]: known_refusals(connectors[name]) for name in asked}
    return Runbook(
        flow=flow.id,
        name=flow.name,
        starts=_start(flow, titles),
        ends=[
            f"{_told(ending.event_type)} ({titles.get(ending.connection, ending.connection)})"
            for ending in flow.ends_on
        ],
        owner=flow.owner.name if flow.owner else "",
        contact=flow.owner.contact if flow.owner else "",
        steps=[_step(action, boxes[name], titles, connectors) for name, action in flow.actions.items()],
        good=_good(flow),
        refusals={title: refusals for title, refusals in known.items() if refusals},
    )


def as_markdown(book: Runbook) -> str:
    return "\n".join(_lines(book))


def _lines(book: Runbook) -> Iterator[str]:
    yield f"# Runbook: {book.name}\n"
    yield f"Who looks after it, and is called: {_who(book)}\n"
    yield f"It starts when: {book.starts}"
    for ending in book.ends:
        yield f"\nWhile it waits, it ends when: {ending}"
    yield "\n## What it does\n"
    for number, step in enumerate(book.steps, 1):
        yield f"{number}. **{step.name}**: {step.does}{f', in {step.system}' if step.system else ''}."
        for note in [*([f"After {', '.join(step.after)}."] if step.after else []), *step.notes]:
            yield f"   - {note}"
    yield "\n## What counts as good\n"
    yield from [f"- {each}" for each in book.good] or ["The flow doesn't say."]
    yield "\n## When something goes wrong\n"
    yield "What a command is named for is done on the desk as well, under Connections, Exceptions and Flows.\n"
    yield from [f"- {each}" for each in ALWAYS]
    for system, refusals in book.refusals.items():
        yield f"\n### {system}\n"
        yield "| what it says | what to do |\n| --- | --- |"
        for refusal in refusals:
            yield f"| {_cell(refusal.sentence)} | {_cell(refusal.remedy)} |"
    yield "\n## By hand\n"
    yield BY_HAND.format(flow=book.flow)
    for step in book.steps:
        if step.system and step.given:
            yield f"\n**{step.name}**: {step.does}, in {step.system}. With:\n"
            yield from [f"- {each.name}{f': {each.meaning}' if each.meaning else ''}" for each in step.given]


ALWAYS = (
    "A system that doesn't answer, or asks to wait, is tried again by itself, with longer and longer waits. Nothing is"
    " to be done.",
    "A system that no longer lets us in holds what needs it. `bellwire connect` signs in there again; then everything"
    " goes on by itself.",
    "A system that refuses needs a person: it is under Exceptions on the desk, with what to do. Put it right there, or"
    " in the system, then have it tried again; what is done isn't done twice.",
)
BY_HAND = (
    "If the flow is not to act, it is switched to people: `bellwire flow mode {flow} manual` does that. Each action is"
    " then a to-do with its values ready to copy. What people mark as done, the flow takes as done; switched back to"
    " live, it goes on from there."
)


def _who(book: Runbook) -> str:
    return (
        f"{book.owner}{f', {book.contact}' if book.contact else ''}." if book.owner else "nobody is named in the flow."
    )


def _start(flow: Flow, titles: Mapping[str, str]) -> str:
    if flow.schedule:
        return f"{flow.schedule.in_words()}."
    return f"{_told(flow.event_type)} ({titles.get(flow.connection, flow.connection)})"


def _told(event_type: str) -> str:
    entry = DICTIONARY.get(event_type)
    return entry.meaning if entry else event_type


def _step(action: FlowAction, does: str, titles: Mapping[str, str], connectors: Mapping[str, Connector]) -> Step:
    return Step(
        action.name,
        does,
        titles.get(action.connection, action.connection),
        sorted(action.needs),
        list(_notes(action)),
        _given(action, connectors.get(action.connection)),
    )


def _notes(action: FlowAction) -> Iterator[str]:
    if action.condition is not True:
        yield f"Only on a condition. Else: {action.otherwise}" if action.otherwise else "Only on a condition."
    if action.for_each:
        yield "Once for each item."
    if action.wait is not None:
        yield f"It waits for {duration(action.wait)} first."
    if action.wait_until is not None:
        yield "It waits until a time that the event says."
    if action.approval is not None:
        who = action.approval.by or "the owner"
        yield f"It may ask first: {who} has {duration(action.approval.within)} to say yes."
    if action.connection and action.retry != Retry():
        yield f"Tried up to {action.retry.attempts} times while the system is unwell."


def _given(action: FlowAction, connector: Connector | None) -> list[Given]:
    able = connector.actions.values() if connector else ()
    models = [each.operation.given for each in able if each.operation.name == action.operation_name]
    words = [(str(key), meaning(models[0], str(key)) if models else "") for key in action.given]
    return [Given(name.replace("_", " ").capitalize(), text) for name, text in words]


def _good(flow: Flow) -> list[str]:
    found = []
    if flow.success and flow.success.within is not None:
        found.append(f"A run is done within {duration(flow.success.within)}.")
    if flow.success and flow.success.error_rate is not None:
        found.append(
            f"At most {flow.success.error_rate * 100:f}".rstrip("0").rstrip(".") + "% of the runs need a person."
        )
    return found


def _cell(text: str) -> str:
    return " ".join(text.split()).replace("|", "\\|")

"""What each field of a flow comes to for the event that is shown, in words: by field of the form."""

from collections.abc import Iterator
from datetime import timedelta

from bellwire.clock import duration
from bellwire.desk.words import plural
from bellwire.engine import Preview, Step, shown
from bellwire.errors import FlowError
from bellwire.events import Event
from bellwire.flows import Flow, Retry


def outcomes(flow: Flow | None, preview: Preview | None) -> dict[str, str]:
    """`preview`: of this flow; None: there is no event to show it for."""
    found: dict[str, str] = {}
    if flow is not None:
        found |= {f"{name}.retry": _tries(action.retry) for name, action in flow.actions.items()}
    if flow is not None and preview is not None:
        found |= dict(_together(flow, preview.scope["meta"]))
        for name, step in preview.steps.items():
            found |= dict(_of_step(name, step))
    return found


def _tries(retry: Retry) -> str:
    """The longest that it takes, if nothing else holds it up."""
    if retry.attempts == 1:
        return "It is tried once."
    waits = [min(retry.longest, retry.first * 2 ** min(at, 32)) for at in range(retry.attempts - 1)]
    return f"Tried {retry.attempts} times, the last at most {duration(sum(waits, timedelta()))} after the first."


def _together(flow: Flow, event: Event) -> Iterator[tuple[str, str]]:
    if flow.gather is not None and flow.gather.by is not None:
        try:
            yield "gather.by", f"For this one: {flow.gather.key(event) or 'nothing'}"
        except FlowError as error:
            yield "gather.by", f"For this one it can't be worked out: {error.sentence.rpartition(': ')[2]}"
    for at, ending in enumerate(flow.ends_on):
        if not ending.same:
            yield f"ends_on.{at}.same", f"For this one: {event.subject}"
        elif key := ending.key(event):
            yield f"ends_on.{at}.same", f"For this one: {key.partition('=')[2]}"
        else:
            yield f"ends_on.{at}.same", "This one doesn't say, so nothing ends it by this."


def _of_step(name: str, step: Step) -> Iterator[tuple[str, str]]:
    if "if" not in step.problems:
        yield f"{name}.if", "It is done." if step.wanted else "It is left out."
    for key, value in step.inputs.items():
        yield from _parts(f"{name}.with.{key}", value)
    if step.question:
        yield f"{name}.approve.ask", step.question
    if step.until:
        yield f"{name}.wait_until", f"Until {step.until}."
    if step.entries is not None:
        more = " The first of them is shown." if step.entries > 1 else ""
        yield f"{name}.for_each", f"Done {plural(step.entries, 'time')}.{more}"


def _parts(name: str, value: object) -> Iterator[tuple[str, str]]:
    """What was put together, also part by part, as the form may show it."""
    yield name, shown(value)
    parts = value if isinstance(value, dict) else dict(enumerate(value)) if isinstance(value, list) else {}
    for key, part in parts.items():
        yield from _parts(f"{name}.{key}", part)

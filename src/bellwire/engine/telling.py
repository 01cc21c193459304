"""Failures in words: what the ledger keeps of an error, for the owner and for the developer."""

import traceback
from dataclasses import dataclass

from pydantic import ValidationError

from bellwire.connectors.kit import Action, Connection
from bellwire.errors import BellwireError, FlowError, OutcomeUnknown, VendorError
from bellwire.flows import FlowAction


@dataclass(frozen=True)
class Told:
    """A failure in words, for the ledger."""

    cause: str
    sentence: str
    remedy: str
    detail: str


def tell(error: Exception, what: str) -> Told:
    """What happened to an attempt, or to a whole run, why, and what to do. `what` begins a sentence: `The action
    'label'`."""
    match error:
        case VendorError():
            return Told(error.cause, error.sentence, error.remedy, error.detail)
        case FlowError():
            return Told(error.cause, error.sentence, error.remedy, error.detail)
        case BellwireError():
            return Told(type(error).__name__, error.sentence, error.remedy, "")
        case TimeoutError():
            return Told("no-answer", f"{what} got no answer in time.", "", "")
        case _:
            return Told(
                f"bug-{type(error).__name__}",
                f"{what} failed because of a fault in Bellwire, not in what you did.",
                "Do it by hand and resolve this, or update Bellwire and retry.",
                "".join(traceback.format_exception_only(error)).strip(),
            )


def wrong_input(action: FlowAction, error: ValidationError) -> FlowError:
    """For an action that can't be given what its flow says."""
    first = error.errors(include_url=False, include_context=False, include_input=False)[0]
    place = ".".join(map(str, first["loc"]))
    return FlowError(
        f"The action '{action.name}' can't be done here: what the flow gives it as '{place}' doesn't fit"
        f" ({first['msg']}).",
        cause=f"input:{action.name}:{place}",
        remedy="Mend the flow; then `bellwire run retry RUN --as-now` retries with the flow as it is now.",
    )


def ask_a_person(act: Action, connection: Connection) -> OutcomeUnknown:
    """For an action that must not be sent again on a guess."""
    title = connection.manifest.title
    return OutcomeUnknown(
        f"It isn't known whether {title} did this: {act.operation.meaning.lower()}.",
        cause="look-there",
        remedy=f"Look in {title}. If it is there, resolve this; if not, retry.",
    )

"""The errors of Bellwire: one class for each decision that somebody has to take.

BellwireError
├── ConfigurationError      a file or setting is wrong: where, what, what to write instead
│   └── MissingCredential   names the variable and the command that sets it
├── Refusal                 a delivery that isn't taken in: carries its HTTP status
├── CannotNormalise         a delivery that can't be read: it becomes a dead letter, its bytes are kept
├── FlowError               an expression or an input failed while a run was going on
├── LedgerBusy              the ledger can't take more just now
├── NotFound                what was asked for by name or number isn't there
└── VendorError             a call to another system failed
    ├── Transient           wait, try again
    ├── SignedOut           sign in again, then try again
    ├── Refused             the vendor said no and will say it again
    └── OutcomeUnknown      it may have happened
"""

from datetime import timedelta
from pathlib import Path

PACED = "rate-limited"
"""The cause of failures that only ask to wait."""


class BellwireError(Exception):
    """What happened, in a sentence; `remedy` says what to do next."""

    def __init__(self, sentence: str, *, remedy: str = "") -> None:
        super().__init__(sentence)
        self.sentence = sentence
        self.remedy = remedy

    def __str__(self) -> str:
        return f"{self.sentence} {self.remedy}".rstrip()


class ConfigurationError(BellwireError):
    """A setting or a file of the project is wrong. `path` and `line` (from 1) say where, if it is in a file."""

    def __init__(self, sentence: str, *, path: Path | None = None, line: int | None = None, remedy: str = "") -> None:
        super().__init__(sentence, remedy=remedy)
        self.path = path
        self.line = line

    def __str__(self) -> str:
        place = f"{self.path}:{self.line}: " if self.path and self.line else f"{self.path}: " if self.path else ""
        return place + super().__str__()


class MissingCredential(ConfigurationError):
    """A connection has no value for a credential; the message names the variable and the command that set it."""

    def __init__(self, connection: str, field: str, variable: str) -> None:
        super().__init__(
            f"Connection '{connection}' has no {field}.",
            remedy=f"`bellwire secrets set {connection} {field}` takes it; so does the variable {variable}.",
        )
        self.connection = connection
        self.field = field


class Refusal(BellwireError):
    """A delivery is not taken in. `status` is the HTTP status, `reason` a short word that is counted."""

    def __init__(
        self, sentence: str, *, status: int, reason: str, retry_after: timedelta | None = None, remedy: str = ""
    ) -> None:
        super().__init__(sentence, remedy=remedy)
        self.status = status
        self.reason = reason
        self.retry_after = retry_after


class CannotNormalise(BellwireError):
    """A delivery is authentic but can't be turned into events; it is kept and shown as an exception."""


class FlowError(BellwireError):
    """An expression, a condition or an input of a flow failed for this event. `cause` groups equal failures; `detail`
    is for the developer."""

    def __init__(self, sentence: str, *, cause: str = "flow", remedy: str = "", detail: str = "") -> None:
        super().__init__(sentence, remedy=remedy)
        self.cause = cause
        self.detail = detail


class LedgerBusy(BellwireError):
    """The ledger has more waiting to be written than it may have, or can't write now."""


class NotFound(BellwireError):
    """There is no such thing: no such run, flow, connection …"""


class VendorError(BellwireError):
    """A call to another system failed.

    `cause` is a short, stable word that groups equal failures (`unknown-sku`); failures that one remedy mends share
    it. `detail` is the vendor's own wording, for the developer.
    """

    def __init__(self, sentence: str, *, cause: str, detail: str = "", remedy: str = "") -> None:
        super().__init__(sentence, remedy=remedy)
        self.cause = cause
        self.detail = detail


class Transient(VendorError):
    """Nothing happened there. Wait `retry_after`, or back off, and try again."""

    def __init__(
        self,
        sentence: str,
        *,
        cause: str = "unavailable",
        detail: str = "",
        remedy: str = "",
        retry_after: timedelta | None = None,
    ) -> None:
        super().__init__(sentence, cause=cause, detail=detail, remedy=remedy)
        self.retry_after = retry_after


class SignedOut(VendorError):
    """The vendor no longer takes the credentials: refresh once, then park the connection's work and alert."""

    def __init__(self, sentence: str, *, cause: str = "signed-out", detail: str = "", remedy: str = "") -> None:
        super().__init__(sentence, cause=cause, detail=detail, remedy=remedy)


class Refused(VendorError):
    """The vendor said no and will say it again: a dead letter now."""


class OutcomeUnknown(VendorError):
    """It may have happened: the same key again, look first, or ask a person; the action's `repeat` decides."""

    def __init__(self, sentence: str, *, cause: str = "outcome-unknown", detail: str = "", remedy: str = "") -> None:
        super().__init__(sentence, cause=cause, detail=detail, remedy=remedy)

"""What a calendar server's refusals mean: RFC 4918, 4791 (preconditions), 6578 (tokens)."""

from bellwire.connectors.caldav.xml import CAL, DAV, parse
from bellwire.connectors.kit import Answer
from bellwire.errors import Refused, SignedOut, VendorError

MISSING, CHANGED, CONFLICT, TOKEN_LOST, TAKEN = "missing", "changed", "conflict", "token-lost", "uid-taken"


class Moved(Refused):
    """It is at another address, says the server."""

    def __init__(self, location: str) -> None:
        super().__init__(
            "The calendar server has moved.",
            cause="moved",
            detail=location,
            remedy="Set its new address as url of this connection in connections.toml.",
        )
        self.location = location


def explain(answer: Answer) -> VendorError | None:
    """None leaves it to the status."""
    status, detail = answer.status, f"{answer.method} {answer.path}: {answer.status} {answer.text[:300]}"
    if answer.ok:
        return None
    if 300 <= status < 400:
        return Moved(answer.headers.get("location", ""))
    root = parse(answer.body) if b"<" in answer.body else None
    if root is not None and root.tag == f"{DAV}error":
        if root.find(f".//{DAV}valid-sync-token") is not None:
            return Refused("The calendar server has forgotten where we were.", cause=TOKEN_LOST, detail=detail)
        if root.find(f".//{CAL}no-uid-conflict") is not None:
            return Refused("The calendar has this appointment under another name.", cause=TAKEN, detail=detail)
    match status:
        case 401:
            return SignedOut(
                "The calendar server doesn't accept the sign-in.",
                detail=detail,
                remedy="Many servers want an app password, and refuse the account's own. `bellwire secrets set NAME …` "
                "takes username and password anew.",
            )
        case 403:
            return Refused(
                "The calendar account may not do this.",
                cause="not-allowed",
                detail=detail,
                remedy="Have the calendar shared with this account so that it may change it; then retry.",
            )
        case 404 | 410:
            return Refused(
                "The calendar server doesn't have this.",
                cause=MISSING,
                detail=detail,
                remedy="Look whether the calendar is still there under its name; then retry.",
            )
        case 409:
            return Refused(
                "The calendar isn't where it was, or doesn't take this appointment.",
                cause=CONFLICT,
                detail=detail,
                remedy="Look whether the calendar is still there under its name; then retry.",
            )
        case 412:
            return Refused("Somebody else changed the appointment at the same time.", cause=CHANGED, detail=detail)
        case 507:
            return Refused(
                "The calendar server has no room left.",
                cause="full",
                detail=detail,
                remedy="Make room there, then retry.",
            )
    return None

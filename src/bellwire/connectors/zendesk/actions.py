"""Opening tickets, answering on them, reading them."""

from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any

from bellwire.capabilities.helpdesk import (
    COMMENT,
    CREATE_TICKET,
    READ_TICKET,
    CommentTicket,
    CreateTicket,
    FoundTicket,
    HelpTicket,
    ReadTicket,
    TicketComment,
)
from bellwire.clock import parse_time
from bellwire.connectors.kit import Account, Answer, Call, Compared, LookUp, Seen, Unkeyed, action
from bellwire.connectors.zendesk.manifest import API_TOKENS_END, ZendeskSettings
from bellwire.errors import Refused, SignedOut
from bellwire.events import Environment, TicketStatus

Record = dict[str, Any]

STATUSES = {
    "new": TicketStatus.OPEN,
    "open": TicketStatus.OPEN,
    "pending": TicketStatus.WAITING,
    "hold": TicketStatus.WAITING,
    "solved": TicketStatus.SOLVED,
    "closed": TicketStatus.CLOSED,
}
_SET_TO = {
    TicketStatus.OPEN: "open",
    TicketStatus.WAITING: "pending",
    TicketStatus.SOLVED: "solved",
    TicketStatus.CLOSED: "closed",
}
_MARGIN = timedelta(minutes=5)
"""What two clocks may differ."""
_MARK = "bellwire_key"
"""What an audit's metadata holds our key under."""


async def find_ticket(call: Call, given: CreateTicket) -> HelpTicket | None:
    """The ticket of an earlier attempt: of those with its reference the one that was made with this call's key.

    Zendesk knows an Idempotency-Key for two hours only, and an `external_id` may belong to several.
    """
    found = [record async for record in pages(call, "tickets", "tickets", external_id=given.reference)]
    for record in sorted(found, key=lambda each: int(each["id"])):
        if await _marked(call, str(record["id"])):
            return _ticket(call, record)
    return None


async def find_comment(call: Call, given: CommentTicket) -> HelpTicket | None:
    """The ticket, if an earlier attempt changed it."""
    if not await _marked(call, given.ticket_id):
        return None
    return _ticket(call, (await _asked(call, "GET", given.ticket_id)).json()["ticket"])


async def look_for_ticket(call: Call, given: CreateTicket) -> Seen | None:
    """The ticket with this reference; else one for this customer, made since the flow would have made it by somebody
    other than the customer, the newest."""
    found = [record async for record in pages(call, "tickets", "tickets", external_id=given.reference)]
    if not found:
        found = [record async for record in _made_for(call, given.email)]
    if not found:
        return None
    ticket = max(found, key=lambda each: int(each["id"]))
    result = _ticket(call, ticket)
    compared = (
        Compared("subject", given.subject, ticket.get("subject") or ""),
        Compared("priority", given.priority.value, ticket.get("priority") or ""),
    )
    return Seen(f"ticket {result.id}", compared, result.url, result)


@action(CREATE_TICKET, repeat=LookUp(find_ticket), look=look_for_ticket)
async def create_ticket(call: Call, given: CreateTicket) -> HelpTicket:
    """`POST tickets`: https://developer.zendesk.com/api-reference/ticketing/tickets/tickets/#create-ticket

    A public text reaches the customer by Zendesk's own notifications. Who isn't known there yet becomes a user.
    """
    ticket = {
        "subject": given.subject,
        "comment": {"body": given.text, "public": given.public},
        "requester": {"name": given.name or given.email, "email": given.email},
        "external_id": given.reference,
        "priority": given.priority.value,
        "tags": list(given.tags),
        "metadata": {_MARK: call.key},
    }
    made = await call.api.post("tickets", {"ticket": ticket}, headers={"Idempotency-Key": call.key})
    return _ticket(call, made.json()["ticket"])


@action(COMMENT, repeat=LookUp(find_comment))
async def comment(call: Call, given: CommentTicket) -> HelpTicket:
    """`PUT tickets/…`, which takes no key: a repeat looks for it in the ticket's audits. What HTTP repeats by itself,
    when a connection breaks, is refused: the ticket isn't as it was read any more (`safe_update`)."""
    read = (await _asked(call, "GET", given.ticket_id)).json()["ticket"]
    change: Record = {
        "comment": {"body": given.text, "public": given.public},
        "metadata": {_MARK: call.key},
        "safe_update": True,
        "updated_stamp": read["updated_at"],
    }
    if given.status:
        change["status"] = _SET_TO[given.status]
    changed = await _asked(call, "PUT", given.ticket_id, {"ticket": change})
    return _ticket(call, changed.json()["ticket"])


@action(READ_TICKET, repeat=Unkeyed("It only reads."))
async def read_ticket(call: Call, given: ReadTicket) -> FoundTicket:
    """The ticket with all its comments, oldest first; who wrote them by name."""
    record = (await _asked(call, "GET", given.ticket_id)).json()["ticket"]
    names: dict[int, str] = {}
    comments = []
    listing = pages(call, f"tickets/{given.ticket_id}/comments", "comments", names, include="users", sort="created_at")
    async for each in listing:
        author = names.get(each["author_id"], str(each["author_id"]))
        comments.append(
            TicketComment(author=author, text=each.get("plain_body") or each["body"], public=each["public"])
        )
    return FoundTicket(
        id=str(record["id"]),
        subject=record.get("subject") or "",
        status=STATUSES[record["status"]],
        reference=record.get("external_id") or "",
        comments=tuple(comments),
    )


async def sign_in(call: Call) -> Account:
    """`GET users/me`: as whom. Raises SignedOut when that is nobody."""
    settings: ZendeskSettings = call.settings
    me = (await call.api.get("users/me")).json()["user"]
    if not me.get("id"):
        raise SignedOut("Zendesk takes the sign-in for nobody's.", detail="users/me: an anonymous user")
    scopes = await _scopes(call)
    warnings = []
    if scopes is None:
        warnings.append(
            f"It signs in with an API token, and Zendesk ends all of them on {API_TOKENS_END:%d %B %Y}: make an OAuth "
            "client in the Admin Center, and set client_id and client_secret."
        )
    if me.get("role") != "admin":
        warnings.append(f"{me['name']} is no admin: what webhooks miss can't be listed.")
    if settings.user_id != str(me["id"]):
        told = f"`user_id` says {settings.user_id}" if settings.user_id else "`user_id` isn't set"
        warnings.append(f'{told}: with user_id = "{me["id"]}" what Bellwire does itself starts no flow.')
    if call.connection.environment is Environment.SANDBOX:
        warnings.append(
            f"Zendesk doesn't tell whether {settings.subdomain} is a sandbox. A copy of real customers gets real mail."
        )
    return Account(settings.subdomain, f"{me['name']}, {me['role']}, user {me['id']}", scopes, tuple(warnings))


ACTIONS = (create_ticket, comment, read_ticket)


async def pages(
    call: Call, path: str, items: str, names: dict[int, str] | None = None, **query: str
) -> AsyncIterator[Record]:
    """All records of a list, to its last page; the names of users that come with it go into `names`.

    https://developer.zendesk.com/api-reference/introduction/pagination/
    """
    after = ""
    while True:
        given = {**query, "page[size]": "100", **({"page[after]": after} if after else {})}
        page = (await call.api.get(path, params=given)).json()
        if names is not None:
            names |= {user["id"]: user["name"] for user in page.get("users", ())}
        for record in page[items]:
            yield record
        if not page["meta"]["has_more"]:
            return
        after = page["meta"]["after_cursor"]


async def _made_for(call: Call, email: str) -> AsyncIterator[Record]:
    """The tickets that others made for a user since the flow would have."""
    users = (await call.api.get("users/search", params={"query": f"email:{email}"})).json()["users"]
    for user in users:
        async for ticket in pages(call, f"users/{user['id']}/tickets/requested", "tickets"):
            recent = call.since is None or parse_time(ticket["created_at"]) >= call.since - _MARGIN
            if recent and ticket["submitter_id"] != user["id"]:
                yield ticket


async def _asked(call: Call, method: str, ticket_id: str, body: Record | None = None) -> Answer:
    if not ticket_id.isdecimal():
        raise Refused(
            f"'{ticket_id[:50]}' is no number of a Zendesk ticket.",
            cause="unknown-ticket",
            remedy="See which field the flow takes the ticket's id from.",
        )
    paced_by = ticket_id if method == "PUT" else ""
    return await call.api.request(method, f"tickets/{ticket_id}", json=body, paced_by=paced_by)


async def _marked(call: Call, ticket_id: str) -> bool:
    """Whether one of the ticket's audits has this call's key."""
    async for audit in pages(call, f"tickets/{ticket_id}/audits", "audits"):
        if ((audit.get("metadata") or {}).get("custom") or {}).get(_MARK) == call.key:
            return True
    return False


async def _scopes(call: Call) -> tuple[str, ...] | None:
    """What the token is for; None: it is no OAuth token."""
    if call.connection.credentials.find("client_id") is None and call.connection.credentials.find("api_token"):
        return None
    return tuple((await call.api.get("oauth/tokens/current")).json()["token"]["scopes"])


def _ticket(call: Call, record: Record) -> HelpTicket:
    subdomain = call.settings.subdomain
    return HelpTicket(id=str(record["id"]), url=f"https://{subdomain}.zendesk.com/agent/tickets/{record['id']}")

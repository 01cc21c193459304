"""Asana's webhooks: one for each project, each with a secret of its own.

https://developers.asana.com/docs/webhooks-guide
"""

from collections.abc import AsyncIterator, Mapping, Sequence

from bellwire.connectors.asana.api import Record, listed
from bellwire.connectors.asana.faults import UNKNOWN
from bellwire.connectors.asana.manifest import MANIFEST, settings_of
from bellwire.connectors.kit import Call, Subscribing, Subscription
from bellwire.errors import Refused

TOPIC = "task"
_FIELDS = ("active", "target", "resource", "failure_deletion_timestamp", "last_failure_content")
_FILTERS = [
    {"resource_type": "task", "action": each} for each in ("added", "changed", "deleted", "removed", "undeleted")
]


async def listing(call: Call) -> Sequence[Subscription]:
    """Tasks come to an address once each of the connection's projects has a webhook there that is well: until then none
    of them says so."""
    webhooks = [(each, _trouble(call, each)) async for each in _webhooks(call)]
    wanted = set(settings_of(call).projects)
    covered: dict[str, set[str]] = {}
    for each, trouble in webhooks:
        if not trouble:
            covered.setdefault(each["target"], set()).add(each["resource"]["gid"])
    return [
        Subscription(
            id=each["gid"],
            url=each["target"],
            topics=(TOPIC,) if wanted <= covered.get(each["target"], set()) else (),
            trouble=trouble,
        )
        for each, trouble in webhooks
    ]


async def create(call: Call, url: str, topics: Sequence[str]) -> Mapping[str, str]:
    """A webhook for each project that has none. Each secret is kept as soon as it is known: it is told only once.

    Asana wants an answer from the address before it gives its own: raises Refused (address-unreachable, no-projects).
    """
    assert tuple(topics) == (TOPIC,), topics
    field, credentials = MANIFEST.webhook_credential, call.connection.credentials
    if not settings_of(call).projects:
        raise Refused(
            "Asana sends what happens in projects, and the settings name none.",
            cause="no-projects",
            remedy=f"Name some in `projects` in [{call.connection.name}.settings] of connections.toml.",
        )
    there = {each["resource"]["gid"] async for each in _webhooks(call) if each["target"] == url}
    for project in settings_of(call).projects:
        if project not in there:
            wanted = {"resource": project, "target": url, "filters": _FILTERS}
            made = (await call.api.post("webhooks", {"data": wanted})).json()
            known = credentials.find(field) or ""
            credentials.store({field: f"{known} {made['X-Hook-Secret']}".strip()})
    return {field: credentials.get(field)}


async def remove(call: Call, subscription: Subscription) -> None:
    try:
        await call.api.request("DELETE", f"webhooks/{subscription.id}")
    except Refused as error:
        if error.cause != UNKNOWN:
            raise


def _webhooks(call: Call) -> AsyncIterator[Record]:
    return listed(call, "webhooks", _FIELDS, workspace=settings_of(call).workspace)


def _trouble(call: Call, webhook: Record) -> str:
    if not webhook["active"]:
        return "Asana has turned it off."
    if ends := webhook.get("failure_deletion_timestamp"):
        said = str(webhook.get("last_failure_content") or "no answer").partition("\n")[0][:100]
        return f"Asana can't deliver, and deletes it on {ends[:10]}: {said}"
    if not call.connection.credentials.find(MANIFEST.webhook_credential):
        return "Bellwire doesn't have its secret, which Asana tells only once."
    return ""


SUBSCRIBING = Subscribing(listing, create, remove)

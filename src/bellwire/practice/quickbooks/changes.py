"""What changed in the company: as a list, and as webhooks."""

import base64
import hmac
import uuid
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

import orjson

from bellwire.practice.quickbooks.books import Company
from bellwire.practice.quickbooks.queries import FILTERABLE
from bellwire.practice.quickbooks.refusals import bad_query
from bellwire.practice.simulator import Webhook

Record = dict[str, Any]

_HAPPENED = {"Create": "created", "Update": "updated", "Delete": "deleted"}
_CHANGES = 1000
"""The most that a list of changes has, of all entities together."""
_WINDOW = timedelta(days=30)


def changes(query: Mapping[str, str], company: Company) -> Record:
    """The list of changes, deleted records among them.

    https://developer.intuit.com/app/developer/qbo/docs/learn/explore-the-quickbooks-online-api/change-data-capture
    """
    entities, since = query.get("entities", "").split(","), _since(query)
    if wrong := [entity for entity in entities if entity not in FILTERABLE]:
        raise bad_query(f"{', '.join(wrong)} can't be asked for changes")
    if company.clock() - since > _WINDOW:
        raise bad_query("changedSince can be 30 days back at most")
    left, parts = _CHANGES, []
    for entity in entities:
        every = [*company.records[entity].values(), *company.deleted[entity].values()]
        found = [r for r in every if datetime.fromisoformat(r["MetaData"]["LastUpdatedTime"]) >= since][:left]
        left -= len(found)
        parts.append({entity: found, "startPosition": 1, "maxResults": len(found)} if found else {})
    return {"CDCResponse": [{"QueryResponse": parts}]}


def _since(query: Mapping[str, str]) -> datetime:
    try:
        return datetime.fromisoformat(query["changedSince"])
    except (KeyError, ValueError):
        raise bad_query("changedSince has to be a time") from None


def webhook(realm: str, verifier: str, company: Company, *, legacy: bool = False) -> Webhook:
    """All that happened since the last one, signed: as CloudEvents, or in the form before them."""
    told, company.untold = company.untold, []
    body: Any = [_cloud_event(realm, *each) for each in told]
    if legacy:
        entities = [
            {"name": entity, "id": record_id, "operation": operation, "lastUpdated": f"{time.astimezone(UTC):%FT%TZ}"}
            for entity, record_id, operation, time in told
        ]
        body = {"eventNotifications": [{"realmId": realm, "dataChangeEvent": {"entities": entities}}]}
    text = orjson.dumps(body)
    digest = base64.b64encode(hmac.digest(verifier.encode(), text, "sha256")).decode()
    kind = "application/json" if legacy else "application/cloudevents-batch+json"
    return Webhook("events", {"intuit-signature": digest, "Content-Type": kind}, text)


def _cloud_event(realm: str, entity: str, record_id: str, operation: str, time: datetime) -> Record:
    return {
        "specversion": "1.0",
        "id": str(uuid.uuid4()),
        "source": "intuit.practice",
        "type": f"qbo.{entity.lower()}.{_HAPPENED[operation]}.v1",
        "datacontenttype": "application/json",
        "time": f"{time.astimezone(UTC):%FT%T.%f}000Z",
        "intuitentityid": record_id,
        "intuitaccountid": realm,
        "data": {},
    }

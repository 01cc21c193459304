"""What suppliers bring: a script of ours in NetSuite says that something came in, and the list says what.

NetSuite sends nothing by itself; `receipts.js` beside this file is the script.
"""

import asyncio
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from bellwire.clock import parse_time
from bellwire.connectors.kit import Call, Connection, Listed, Normalised, Page, Poll, Triggers, event_of, polled
from bellwire.connectors.netsuite.api import select_page
from bellwire.connectors.netsuite.manifest import settings_of
from bellwire.errors import CannotNormalise, Refused
from bellwire.events import Delivery, Event, PurchaseReceipt, ReceivedLine, what_is_wrong

_RECEIVED = "purchase.received"
_POLL = "receipts"
_PAGE = 50
"""Each receipt is read by itself."""


def normalise(delivery: Delivery, connection: Connection) -> Normalised:
    """Of what the script sent, that it is time to look; of a receipt that was listed, what came in. Raises
    CannotNormalise when that can't be read."""
    try:
        body = delivery.json
        if not polled(delivery):
            return Normalised(
                reason=f"NetSuite says: {body['recordType']} {body['id']}, {body['type']}.", wake=(_POLL,)
            )
        return Normalised((_event(body, connection),))
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise CannotNormalise(
            f"The receipt isn't what NetSuite describes: {what_is_wrong(error)}.",
            remedy="Its bytes are kept: replay it after an update of Bellwire.",
        ) from error


def belongs(delivery: Delivery, connection: Connection) -> str:
    """A refreshed sandbox has production's script, with the address that stands in it: its account tells."""
    try:
        told = str(delivery.json["account"])
    except (KeyError, TypeError, ValueError):
        return ""  # reading it will fail, and say so
    ours = settings_of(connection).account
    return "" if told == ours else f"It is from the account {told}, not {ours}."


async def list_received(call: Call, since: datetime, cursor: str) -> Page:
    """Item receipts for purchase orders that changed since, by their ids. The cursor is the last id of a page."""
    statement = """
        SELECT t.id FROM transaction t
        WHERE t.type = 'ItemRcpt' AND t.lastmodifieddate >= :since AND t.id > :last
        AND EXISTS (
            SELECT 1 FROM transactionline l JOIN transaction o ON o.id = l.createdfrom
            WHERE l.transaction = t.id AND o.type = 'PurchOrd'
        )
        ORDER BY t.id
        """
    rows, more = await select_page(call, statement, _PAGE, since=since, last=int(cursor or "0"))
    read = await asyncio.gather(*(_read(call, row["id"]) for row in rows))
    return Page(tuple(each for each in read if each), next_cursor=rows[-1]["id"] if more else "")


async def _read(call: Call, receipt_id: str) -> Listed | None:
    """`GET itemReceipt/{id}`. None: it was deleted meanwhile."""
    try:
        answer = await call.api.get(f"record/v1/itemReceipt/{receipt_id}", params={"expandSubResources": "true"})
    except Refused as error:
        if error.cause != "no-such-record":
            raise
        return None
    return Listed(f"{receipt_id}/{answer.json().get('lastModifiedDate', '')}", answer.body)


def _event(receipt: Mapping[str, Any], connection: Connection) -> Event:
    subject, time = f"receipt/{receipt['id']}", parse_time(receipt["createdDate"])
    order, supplier = receipt.get("createdFrom") or {}, receipt.get("entity") or {}
    return event_of(
        connection,
        _RECEIVED,
        key=subject,
        subject=subject,
        time=time,
        data=PurchaseReceipt(
            id=receipt["id"],
            purchase_order_id=order.get("id", ""),
            # `Purchase Order #PO123`
            number=order.get("refName", "").rpartition("#")[2],
            supplier_id=supplier.get("id", ""),
            supplier_name=supplier.get("refName", ""),
            lines=tuple(
                ReceivedLine(sku=_name(line["item"]["refName"]), quantity=int(line["quantity"]))
                for line in receipt["item"]["items"]
                if line.get("itemReceive", True)
            ),
            received_at=time,
        ),
    )


def _name(told: str) -> str:
    """An item below another is told with that: `Tea : TEA-100`."""
    return told.rpartition(" : ")[2]


TRIGGERS = Triggers(
    event_types=(_RECEIVED,),
    normalise=normalise,
    belongs=belongs,
    topics=("itemReceipt",),
    polls=(Poll(_POLL, list_received, (_RECEIVED,)),),
)

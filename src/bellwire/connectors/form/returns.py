"""What comes back, as a customer announces it and as the warehouse finds it."""

import re
from collections import defaultdict
from datetime import datetime

from bellwire.connectors.form.fields import Fields
from bellwire.events import Condition, Customer, Return, ReturnLine

_OF_A_LINE = re.compile(r"(sku|product|line_id|quantity|reason|condition)(?:_(\d+))?")
_NAMES = ("sku", "product", "line_id")
_OWN = {"return_id", "parcel", "order_id", "order_number", "payment_id", "refund_shipping", "notes"}
_YES_OR_NO = {"yes": True, "true": True, "on": True, "1": True, "no": False, "false": False, "off": False, "0": False}


def fact_of(filled: Fields, event_type: str, form_id: str) -> tuple[str, str]:
    """The return's id, and what of it the form tells: that it comes, or that it (or a parcel of it) is back."""
    if event_type == "return.created":
        return filled.get("return_id", form_id), "created"
    parcel = filled.get("parcel", "")
    return filled["return_id"], f"received/{parcel}" if parcel else "received"


def return_of(
    filled: Fields, event_type: str, return_id: str, customer: Customer, known: set[str], time: datetime
) -> Return:
    """`known`: the fields that all forms have. Raises KeyError or ValueError when it isn't one."""
    received = event_type == "return.received"
    rows: defaultdict[str, dict[str, str]] = defaultdict(dict)
    others: list[str] = []
    for name, text in filled.items():
        if of_a_line := _OF_A_LINE.fullmatch(name):
            rows[of_a_line[2] or ""][of_a_line[1]] = text
        elif name not in known | _OWN:
            others.append(f"{name}: {text}")
    named = [row for row in rows.values() if not row.keys().isdisjoint(_NAMES)]
    if not named:
        raise KeyError("sku")
    if "order_id" not in filled and "order_number" not in filled:
        raise KeyError("order_id")
    return Return(
        id=return_id,
        number="/".join(filter(None, (return_id, filled.get("parcel", "")))),
        order_id=filled.get("order_id", ""),
        order_number=filled.get("order_number", "").removeprefix("#"),
        customer=customer if customer != Customer() else None,
        lines=tuple(_line(row, received) for row in named if row.get("quantity") != "0"),
        refund_shipping=_yes_or_no(filled["refund_shipping"]) if "refund_shipping" in filled else None,
        payment_id=filled.get("payment_id", ""),
        received_at=time if received else None,
        notes="\n".join(([filled["notes"]] if "notes" in filled else []) + others),
        updated_at=time,
    )


def _line(row: dict[str, str], received: bool) -> ReturnLine:
    return ReturnLine(
        line_id=row.get("line_id", ""),
        sku=row.get("sku", ""),
        name=row.get("product", ""),
        quantity=int(row.get("quantity", "1")),
        reason=row.get("reason", ""),
        condition=Condition(row["condition"].lower()) if received else Condition.UNKNOWN,
    )


def _yes_or_no(text: str) -> bool:
    try:
        return _YES_OR_NO[text.lower()]
    except KeyError:
        raise ValueError(f"`refund_shipping` is {text!r}, and may be yes or no") from None

"""Its arithmetic: two decimals, whatever the currency, and what a payment does to an invoice."""

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

from bellwire.practice.quickbooks.refusals import Refusal, broken, unknown

Record = dict[str, Any]

PAYABLE = {"Invoice": "invoice", "CreditMemo": "credit memo"}
"""What a payment can be linked to."""
_LONGEST = {
    "DisplayName": 500,
    "CompanyName": 100,
    "Address": 100,
    "FreeFormNumber": 30,
    "DocNumber": 21,
    "PaymentRefNum": 21,
    "PrivateNote": 4000,
    "Description": 4000,
    "PostalCode": 30,
    "City": 255,
    "CountrySubDivisionCode": 255,
    "Country": 255,
    **{f"Line{index}": 500 for index in range(1, 6)},
}


@dataclass(frozen=True)
class Applied:
    """What a payment does to one invoice, or with one credit memo."""

    record: Record
    entity: str
    kind: str
    amount: Decimal

    @classmethod
    def of(cls, line: Record, records: Mapping[str, Mapping[str, Record]], customer: Record) -> "Applied":
        (linked,) = line["LinkedTxn"]
        kind, amount = PAYABLE.get(linked["TxnType"], ""), decimal(line["Amount"])
        record = records[linked["TxnType"]].get(linked["TxnId"]) if kind else None
        if record is None:
            raise unknown("TxnId", linked["TxnId"])
        if record["CustomerRef"]["value"] != customer["Id"]:
            raise broken(f"The {kind} is another customer's.")
        if amount < 0:
            raise broken("The amount of a line must be 0 or greater.")
        return cls(record, linked["TxnType"], kind, amount)

    @property
    def sign(self) -> int:
        return 1 if self.kind == PAYABLE["Invoice"] else -1

    @property
    def left(self) -> Decimal:
        return decimal(self.record["Balance"])


def checked_amount(line: Record) -> Decimal:
    detail, amount = line["SalesItemLineDetail"], decimal(line["Amount"])
    worked_out = _seven(detail.get("Qty", 1)) * _seven(detail.get("UnitPrice", line["Amount"]))
    if cents(worked_out) != amount:
        raise Refusal(
            "6070",
            "Amount calculation incorrect in the request.",
            f"Amount is not equal to UnitPrice * Qty. Supplied value:{amount}",
        )
    return amount


def check_lengths(value: Any, name: str = "") -> None:
    if isinstance(value, dict):
        for key, inner in value.items():
            check_lengths(inner, key)
    elif isinstance(value, list):
        for inner in value:
            check_lengths(inner, name)
    elif isinstance(value, str) and len(value) > _LONGEST.get(name, 4000):
        raise Refusal("2050", "String length is either shorter or longer than supported by specification", name)


def decimal(number: Any) -> Decimal:
    """Two decimals are all that is kept, whatever the currency."""
    return cents(Decimal(str(number)))


def cents(amount: Decimal) -> Decimal:
    return amount.quantize(Decimal("0.01"), ROUND_HALF_UP)


def _seven(number: Any) -> Decimal:
    return Decimal(str(number)).quantize(Decimal("0.0000001"), ROUND_HALF_UP)

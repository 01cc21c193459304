"""Its query language, and what it can be asked for."""

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from bellwire.practice.quickbooks.refusals import Refusal, bad_query

Record = dict[str, Any]

_TIMES = {"MetaData.LastUpdatedTime", "MetaData.CreateTime"}

FILTERABLE = {
    "Item": {"Id", "Name", "Sku", "Type", "Active"},
    "Customer": {"Id", "DisplayName", "PrimaryEmailAddr", "CompanyName", "Active"},
    "Vendor": {"Id", "DisplayName", "Active"},
    "Employee": {"Id", "DisplayName", "Active"},
    "Invoice": {"Id", "DocNumber", "CustomerRef", "TxnDate", "Balance"},
    "SalesReceipt": {"Id", "DocNumber", "CustomerRef", "TxnDate"},
    "RefundReceipt": {"Id", "DocNumber", "CustomerRef", "TxnDate"},
    "CreditMemo": {"Id", "DocNumber", "CustomerRef", "TxnDate"},
    "Payment": {"Id", "PaymentRefNum", "CustomerRef", "TxnDate"},
    "TaxCode": {"Id", "Name", "Active"},
    "Account": {"Id", "Name", "AccountType", "AccountSubType", "Active"},
    "Preferences": {"Id"},
    "CompanyInfo": {"Id"},
}


@dataclass(frozen=True)
class Query:
    """Enough of the query language: conditions joined by AND, with =, IN, LIKE and comparisons, and an order."""

    entity: str
    conditions: Sequence[tuple[str, str, Sequence[str]]]
    start: int = 1
    most: int = 100
    order: str = "Id"

    @classmethod
    def parse(cls, text: str) -> "Query":
        words = iter(_words(text))
        try:
            if [next(words).upper(), next(words), next(words).upper()] != ["SELECT", "*", "FROM"]:
                raise bad_query(text)
            entity = next(words)
            if entity not in FILTERABLE:
                raise bad_query(f"{entity} can't be queried")
            conditions: list[tuple[str, str, Sequence[str]]] = []
            numbers = {"STARTPOSITION": 1, "MAXRESULTS": 100}
            order = "Id"
            for word in words:
                if word.upper() == "ORDERBY":
                    order = next(words)
                elif word.upper() in ("WHERE", "AND"):
                    conditions.append(_condition(entity, words))
                elif word.upper() in numbers:
                    numbers[word.upper()] = int(next(words))
                else:
                    raise bad_query(text)
        except (StopIteration, ValueError) as error:
            raise bad_query(text) from error
        if not 1 <= numbers["MAXRESULTS"] <= 1000 or numbers["STARTPOSITION"] < 1:
            raise bad_query("MAXRESULTS goes from 1 to 1000, STARTPOSITION from 1")
        if order not in FILTERABLE[entity] | _TIMES:
            raise bad_query(f"{order} can't be sorted by")
        return cls(entity, conditions, numbers["STARTPOSITION"], numbers["MAXRESULTS"], order)

    def page(self, records: Iterable[Record]) -> list[Record]:
        """The part of those that fit."""
        found = sorted(filter(self.fits, records), key=lambda record: _sortable(_value(record, self.order)))
        return found[self.start - 1 : self.start - 1 + self.most]

    def fits(self, record: Record) -> bool:
        """Inactive records are only found when they are asked for."""
        if not record["Active"] and all(name != "Active" for name, _, _ in self.conditions):
            return False
        return all(
            _holds(_value(record, name), operator, [_instant(each) for each in wanted] if name in _TIMES else wanted)
            for name, operator, wanted in self.conditions
        )


_TOKEN = re.compile(r"\s*(?:('(?:\\.|[^'\\])*')|([\w.]+|[*(),]|<=|>=|[=<>]))", re.DOTALL)


def _words(text: str) -> Iterator[str]:
    position = 0
    while position < len(text.rstrip()):
        match = _TOKEN.match(text, position)
        if match is None:
            raise bad_query(text)
        yield match[1] or match[2]
        position = match.end()


def _condition(entity: str, words: Iterator[str]) -> tuple[str, str, Sequence[str]]:
    name, operator = next(words), next(words).upper()
    if name not in FILTERABLE[entity] | _TIMES:
        raise Refusal("4001", "Invalid query", f"Property {name} not found or not filterable for Entity {entity}")
    if operator != "IN":
        return name, operator, (_literal(next(words)),)
    values: list[str] = []
    if next(words) != "(":
        raise ValueError
    while True:
        values.append(_literal(next(words)))
        if (word := next(words)) == ")":
            return name, operator, values
        if word != ",":
            raise ValueError


def _literal(word: str) -> str:
    if word.startswith("'"):
        return re.sub(r"\\(.)", r"\1", word[1:-1], flags=re.DOTALL)
    if word.lower() in ("true", "false"):
        return word.lower()
    raise ValueError


def _value(record: Record, name: str) -> str:
    if name in _TIMES:
        return _instant(record.get("MetaData", {}).get(name.partition(".")[2], "1970-01-01T00:00:00+00:00"))
    value = record.get(name, "")
    if isinstance(value, dict):
        value = value.get("Address", value.get("value", ""))
    return str(value).casefold()


def _sortable(value: str) -> tuple[int, str]:
    """Ids are numbers."""
    return int(value) if value.isdecimal() else 0, value


def _instant(text: str) -> str:
    """Times of different zones can be compared so."""
    return datetime.fromisoformat(text).astimezone(UTC).isoformat()


def _holds(value: str, operator: str, wanted: Sequence[str]) -> bool:
    folded = [each.casefold() for each in wanted]
    match operator:
        case "=" | "IN":
            return value in folded
        case "LIKE":
            return re.fullmatch(".*".join(map(re.escape, folded[0].split("%"))), value) is not None
        case "<":
            return value < folded[0]
        case ">":
            return value > folded[0]
        case "<=":
            return value <= folded[0]
        case ">=":
            return value >= folded[0]
        case _:
            raise bad_query(f"unknown operator {operator}")

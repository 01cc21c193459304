"""Money: a Decimal with its currency. Never a float."""

import re
from collections.abc import Iterable
from decimal import ROUND_HALF_UP, Decimal, InvalidOperation
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, GetPydanticSchema
from pydantic_core import core_schema

# ISO 4217 currencies whose minor unit isn't a hundredth.
_DIGITS = dict.fromkeys(
    (
        "BIF",
        "CLP",
        "DJF",
        "GNF",
        "ISK",
        "JPY",
        "KMF",
        "KRW",
        "PYG",
        "RWF",
        "UGX",
        "UYI",
        "VND",
        "VUV",
        "XAF",
        "XOF",
        "XPF",
    ),
    0,
) | dict.fromkeys(("BHD", "IQD", "JOD", "KWD", "LYD", "OMR", "TND"), 3)


_CURRENCY = re.compile("[A-Z]{3}")
_FIELDS = {"amount", "currency"}
_UNIT = tuple(Decimal(1).scaleb(-places) for places in range(4))


def digits(currency: str) -> int:
    """How many decimals `currency` has (ISO 4217)."""
    return _DIGITS.get(currency, 2)


_TEXT_OR_NUMBER = core_schema.union_schema(
    [core_schema.is_instance_schema(Decimal), core_schema.str_schema(strict=True), core_schema.int_schema(strict=True)],
    mode="left_to_right",
    custom_error_type="money",
    custom_error_message="money is a text such as 12.50 or a Decimal, never a float",
)
Amount = Annotated[
    Decimal,
    # Said in pydantic's own terms, it costs no call into Python for each amount.
    GetPydanticSchema(
        lambda _source, _handler: core_schema.chain_schema(
            [_TEXT_OR_NUMBER, core_schema.decimal_schema(allow_inf_nan=False)],
            serialization=core_schema.to_string_ser_schema(when_used="json"),
        )
    ),
]
"""A Decimal that refuses floats, infinities and NaN."""


class Money(BaseModel):
    """An amount in a currency. Adding different currencies raises ValueError."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    amount: Amount
    currency: str = Field(pattern=r"^[A-Z]{3}$")
    """ISO 4217, e.g. USD."""

    @classmethod
    def of(cls, amount: str | int | Decimal, currency: str) -> "Money":
        """`amount` of `currency`. Raises pydantic's ValidationError when it isn't a number."""
        if not isinstance(amount, float) and _CURRENCY.fullmatch(currency):
            try:
                value = Decimal(amount)
            except (InvalidOperation, TypeError, ValueError):
                pass
            else:
                if value.is_finite():
                    return _made(value, currency)
        return cls.model_validate({"amount": amount, "currency": currency})

    @classmethod
    def zero(cls, currency: str) -> "Money":
        return cls.of(0, currency)

    @classmethod
    def from_minor(cls, units: int, currency: str) -> "Money":
        """From cents (or whatever the currency's minor unit is)."""
        return cls.of(Decimal(units).scaleb(-digits(currency)), currency)

    @property
    def minor(self) -> int:
        """In cents (or whatever the currency's minor unit is), rounded half up."""
        return int(self.amount.scaleb(digits(self.currency)).quantize(Decimal(1), ROUND_HALF_UP))

    def rounded(self) -> "Money":
        """To the currency's minor unit, half up."""
        return self._with(self.amount.quantize(_UNIT[digits(self.currency)], ROUND_HALF_UP))

    def __add__(self, other: "Money") -> "Money":
        return self._with(self.amount + self._same(other))

    def __sub__(self, other: "Money") -> "Money":
        return self._with(self.amount - self._same(other))

    def __neg__(self) -> "Money":
        return self._with(-self.amount)

    def __mul__(self, factor: int | Decimal) -> "Money":
        return self._with(self.amount * factor)

    def __lt__(self, other: "Money") -> bool:
        return self.amount < self._same(other)

    def __le__(self, other: "Money") -> bool:
        return self.amount <= self._same(other)

    def __gt__(self, other: "Money") -> bool:
        return self.amount > self._same(other)

    def __ge__(self, other: "Money") -> bool:
        return self.amount >= self._same(other)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Money) and (self.amount, self.currency) == (other.amount, other.currency)

    def __hash__(self) -> int:
        return hash((self.amount, self.currency))

    def __bool__(self) -> bool:
        return bool(self.amount)

    def __str__(self) -> str:
        # Decimals have a negative zero; adding zero makes it an ordinary one.
        return f"{self.rounded().amount + 0:,} {self.currency}"

    def _with(self, amount: Decimal) -> "Money":
        return _made(amount, self.currency)

    def _same(self, other: "Money") -> Decimal:
        if self.currency != other.currency:
            raise ValueError(f"{self} and {other} are different currencies")
        return other.amount


def _made(amount: Decimal, currency: str) -> Money:
    """Money of values that are known to be valid. Orders are full of sums: validation, even `model_construct`, would
    be most of what reading one costs."""
    made = Money.__new__(Money)
    object.__setattr__(made, "__dict__", {"amount": amount, "currency": currency})
    object.__setattr__(made, "__pydantic_fields_set__", _FIELDS)
    object.__setattr__(made, "__pydantic_extra__", None)
    object.__setattr__(made, "__pydantic_private__", None)
    return made


def total(amounts: Iterable[Money], currency: str) -> Money:
    """The sum of `amounts`, all of which are in `currency`; zero when there are none."""
    result = None
    for each in amounts:
        if each.currency != currency:
            raise ValueError(f"{each} isn't in {currency}")
        result = each.amount if result is None else result + each.amount
    return Money.zero(currency) if result is None else _made(result, currency)

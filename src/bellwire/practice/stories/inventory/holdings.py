"""The simulated vendors of inventory."""

from dataclasses import dataclass

from bellwire.practice.roles import Chat, Purchasing, Warehouse, Window
from bellwire.practice.stage import Stage


@dataclass(frozen=True)
class Holdings:
    """The simulated vendors, by what they are."""

    stock: Warehouse
    buying: Purchasing
    shop: Window
    chat: Chat

    @classmethod
    def of(cls, stage: Stage) -> "Holdings":
        # The type checker takes no protocol for a type[R]: https://github.com/python/mypy/issues/4717
        return cls(
            stage.part("stock", Warehouse),  # type: ignore[type-abstract]
            stage.part("buying", Purchasing),  # type: ignore[type-abstract]
            stage.part("shop", Window),  # type: ignore[type-abstract]
            stage.part("chat", Chat),  # type: ignore[type-abstract]
        )

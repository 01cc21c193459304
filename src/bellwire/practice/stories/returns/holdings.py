"""What the story of returns looks at: the simulated vendors."""

from dataclasses import dataclass

from bellwire.practice.roles import Books, Helpdesk, Mailbox, Processor, Returns, Shop, Till
from bellwire.practice.stage import Stage


@dataclass(frozen=True)
class Holdings:
    """The simulated vendors, by what they are."""

    shop: Shop
    returns: Returns
    processor: Processor
    books: Books
    till: Till
    helpdesk: Helpdesk
    mailbox: Mailbox

    @classmethod
    def of(cls, stage: Stage) -> "Holdings":
        # The type checker takes no protocol for a type[R]: https://github.com/python/mypy/issues/4717
        return cls(
            stage.part("shop", Shop),  # type: ignore[type-abstract]
            stage.part("shop", Returns),  # type: ignore[type-abstract]
            stage.part("pay", Processor),  # type: ignore[type-abstract]
            stage.part("books", Books),  # type: ignore[type-abstract]
            stage.part("stock", Till),  # type: ignore[type-abstract]
            stage.part("helpdesk", Helpdesk),  # type: ignore[type-abstract]
            stage.part("mail", Mailbox),  # type: ignore[type-abstract]
        )

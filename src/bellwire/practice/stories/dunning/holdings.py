"""What the story of dunning looks at: the simulated vendors."""

from dataclasses import dataclass

from bellwire.practice.roles import Carrier, Chat, Helpdesk, Mailbox, Parcels, Processor, Shop, Subscriptions
from bellwire.practice.stage import Stage


@dataclass(frozen=True)
class Holdings:
    """The simulated vendors, by what they are."""

    shop: Shop
    pay: Subscriptions
    till: Processor
    carrier: Carrier
    parcels: Parcels
    chat: Chat
    mailbox: Mailbox
    helpdesk: Helpdesk

    @classmethod
    def of(cls, stage: Stage) -> "Holdings":
        # The type checker takes no protocol for a type[R]: https://github.com/python/mypy/issues/4717
        return cls(
            stage.part("shop", Shop),  # type: ignore[type-abstract]
            stage.part("pay", Subscriptions),  # type: ignore[type-abstract]
            stage.part("pay", Processor),  # type: ignore[type-abstract]
            stage.part("shipping", Carrier),  # type: ignore[type-abstract]
            stage.part("shipping", Parcels),  # type: ignore[type-abstract]
            stage.part("chat", Chat),  # type: ignore[type-abstract]
            stage.part("mail", Mailbox),  # type: ignore[type-abstract]
            stage.part("helpdesk", Helpdesk),  # type: ignore[type-abstract]
        )

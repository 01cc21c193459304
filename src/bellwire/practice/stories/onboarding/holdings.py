"""What the story of onboarding looks at: the simulated vendors."""

from dataclasses import dataclass

from bellwire.practice.roles import Chat, Crm, Mailbox, Projects, Signing, Teller
from bellwire.practice.stage import Stage


@dataclass(frozen=True)
class Holdings:
    """The simulated vendors, by what they are."""

    website: Teller
    crm: Crm
    signing: Signing
    projects: Projects
    mailbox: Mailbox
    chat: Chat

    @classmethod
    def of(cls, stage: Stage) -> "Holdings":
        # The type checker takes no protocol for a type[R]: https://github.com/python/mypy/issues/4717
        return cls(
            stage.part("forms", Teller),  # type: ignore[type-abstract]
            stage.part("crm", Crm),  # type: ignore[type-abstract]
            stage.part("esign", Signing),  # type: ignore[type-abstract]
            stage.part("projects", Projects),  # type: ignore[type-abstract]
            stage.part("mail", Mailbox),  # type: ignore[type-abstract]
            stage.part("chat", Chat),  # type: ignore[type-abstract]
        )

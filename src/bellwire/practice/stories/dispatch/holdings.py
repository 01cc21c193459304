"""What the story of dispatch looks at: the simulated vendors."""

from dataclasses import dataclass

from bellwire.practice.roles import Bookings, Books, Calendar, Chat, Fieldwork, Texts
from bellwire.practice.stage import Stage


@dataclass(frozen=True)
class Holdings:
    """The simulated vendors, by what they are."""

    bookings: Bookings
    calendar: Calendar
    texts: Texts
    field: Fieldwork
    books: Books
    chat: Chat

    @classmethod
    def of(cls, stage: Stage) -> "Holdings":
        # The type checker takes no protocol for a type[R]: https://github.com/python/mypy/issues/4717
        return cls(
            stage.part("booking", Bookings),  # type: ignore[type-abstract]
            stage.part("calendar", Calendar),  # type: ignore[type-abstract]
            stage.part("sms", Texts),  # type: ignore[type-abstract]
            stage.part("field", Fieldwork),  # type: ignore[type-abstract]
            stage.part("books", Books),  # type: ignore[type-abstract]
            stage.part("chat", Chat),  # type: ignore[type-abstract]
        )

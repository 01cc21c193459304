"""What a story is made of: what is told on the way, and the promises that are looked at."""

import re
from abc import ABC, abstractmethod
from collections import Counter
from collections.abc import AsyncIterator, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import ClassVar

from bellwire.practice.roles import Mailbox, Sent
from bellwire.practice.stage import Stage


@dataclass(frozen=True)
class Act:
    """What comes next has this title."""

    title: str


@dataclass(frozen=True)
class Verdict:
    """One promise, and whether it held."""

    promise: str
    held: bool
    found: str


@dataclass(frozen=True)
class Promises:
    """What the vendors hold by now, against what they have to."""

    title: str
    verdicts: Sequence[Verdict]


Told = Act | str | Promises
"""A title, a line below it, or promises."""


class Story(ABC):
    """A template's flows on a bad day, with what must be true afterwards."""

    template: ClassVar[str]
    """As `bellwire init --template` names it."""
    title: ClassVar[str]
    summary: ClassVar[Sequence[str]]
    """What the flows do, in a line or two."""
    files: ClassVar[Mapping[str, str]] = MappingProxyType({})
    """Further files of the project: name → text."""

    @abstractmethod
    def tell(self, stage: Stage) -> AsyncIterator[Told]:
        """What happens, as it happens. Raises TimeoutError when the stage doesn't come to rest."""


def mails_shown(mailbox: Mailbox) -> list[Sent]:
    """Of several with the same Message-ID a mailbox shows one."""
    return list({mail.id: mail for mail in mailbox.mails()}.values())


def each_once(what: str, expected: Collection[str], found: Iterable[str], of: str) -> Verdict:
    """There is one of it for each name that is expected, and no other; `of` says what is named (`order`)."""
    counts = Counter(found)
    missing = set(expected) - set(counts)
    extra = {name for name, count in counts.items() if count > 1 or name not in expected}
    named = of if len(expected) == 1 else re.sub("y$", "ie", of) + "s"
    told = f"{counts.total()} for {len(expected)} {named}"
    told += f"; missing: {', '.join(sorted(missing))}" if missing else ""
    told += f"; too many: {', '.join(sorted(extra))}" if extra else ""
    return Verdict(f"One {what} for each {of}", not (missing or extra), told)


def same(promise: str, expected: object, found: object) -> Verdict:
    """Both are the same."""
    return Verdict(promise, expected == found, str(found) if expected == found else f"{found}, and not {expected}")

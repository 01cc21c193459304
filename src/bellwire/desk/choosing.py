"""What the fields of a flow can be taken from: those of the event and of what earlier actions bring, and one's own
words."""

import inspect
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from enum import Enum
from functools import lru_cache
from typing import Any

from pydantic import BaseModel

from bellwire.desk.forms import Form
from bellwire.flows import element, fields_of, options
from bellwire.flows.editing import inline
from bellwire.flows.fitting import fits
from bellwire.money import Money

OWN_WORDS, NOTHING = "own", ""
_DEEPEST = 3
_PLAIN = (str, int, Enum)


@dataclass(frozen=True)
class Choice:
    """A field of the event, or of what an earlier action brings. `path` is how expressions call it."""

    path: str
    label: str
    kind: Any
    sample: str = ""


@dataclass(frozen=True)
class Group:
    label: str
    choices: Sequence[Choice]


@dataclass(frozen=True)
class Option:
    value: str
    label: str
    sample: str = ""


Offer = Sequence[tuple[str, Sequence[Option]]]
"""What can be chosen, in groups with their labels."""


@dataclass(frozen=True)
class Pick:
    """A field of the form whose value is one of those that are offered, or written in one's own words."""

    name: str
    picked: str
    own: str
    offered: Offer

    @classmethod
    def of(cls, name: str, text: str, offered: Offer, *, there: bool = False) -> "Pick":
        """`there`: the flow says something, be it nothing."""
        if text in values_of(offered):
            return cls(name, text, "", offered)
        own = re.sub(r"\r\n?", "\n", text)  # As browsers send it back.
        return cls(name, OWN_WORDS if text or there else NOTHING, own, offered)

    @classmethod
    def only(cls, name: str, text: str, offered: Offer) -> "Pick":
        """One without own words: what isn't offered, but in the file, is offered as well."""
        if text and text not in values_of(offered):
            offered = [("As the file has it", [Option(text, text)]), *offered]
        return cls(name, text, "", offered)

    def filled(self, form: Form) -> str | None:
        """What was chosen or written; None: it is as it was."""
        if self.name not in form:
            return None
        picked, own = form.text(self.name), form.text(f"{self.name}.own")
        if picked == self.picked and own != self.own and own:
            return own  # Who writes something means it, whatever is picked beside it.
        if picked == OWN_WORDS:
            return own if (picked, own) != (self.picked, self.own) else None
        return picked if picked != self.picked else None


def values_of(offered: Offer) -> set[str]:
    return {option.value for _, found in offered for option in found}


def offer(groups: Sequence[Group], chosen: Callable[[Group], Iterator[Option]]) -> Offer:
    found = [(group.label, list(chosen(group))) for group in groups]
    return [(label, options) for label, options in found if options]


def fields(path: str, kind: Any, sample: Callable[[str], str], before: str = "", depth: int = 1) -> Iterator[Choice]:
    """What is in a value of this type, and in its parts. `sample` gives what is at a path for the event that is
    shown."""
    models = [option for option in options(kind) if inspect.isclass(option) and issubclass(option, BaseModel)]
    for name, annotation in fields_of(models[0]).items() if models and Money not in models else ():
        label = f"{before}{words(name) if not before else words(name).lower()}"
        yield Choice(f"{path}.{name}", label, annotation, sample(f"{path}.{name}"))
        if depth < _DEEPEST and element(annotation) is None:
            yield from fields(f"{path}.{name}", annotation, sample, f"{label}: ", depth + 1)


def fitting(wanted: Any) -> Callable[[Group], Iterator[Option]]:
    """What can be given where something is wanted."""

    def chosen(group: Group) -> Iterator[Option]:
        for choice in group.choices:
            found = _filter(choice.kind, wanted, whole="." not in choice.path)
            if found is not None:
                yield Option(f"{{{{ {choice.path}{found} }}}}", choice.label, choice.sample)

    return chosen


def times(group: Group) -> Iterator[Option]:
    return (_itself(choice) for choice in group.choices if _is_time(choice.kind))


def lists(group: Group) -> Iterator[Option]:
    return (_itself(choice) for choice in group.choices if choice.kind is not Any and element(choice.kind))


def plain(group: Group) -> Iterator[Option]:
    """What two events can have in common: text and whole numbers."""
    for choice in group.choices:
        kinds = [option for option in options(choice.kind) if option is not type(None)]
        if all(inspect.isclass(kind) and issubclass(kind, _PLAIN) and kind is not bool for kind in kinds):
            yield _itself(choice)


def tested(group: Group) -> Iterator[Option]:
    """What a condition can be about."""
    for choice in group.choices:
        kinds = [option for option in options(choice.kind) if option is not type(None)]
        if kinds == [Money]:
            yield Option(f"{choice.path}.amount", choice.label, choice.sample)
        elif "." not in choice.path:
            if choice.path not in ("event", "events", "item"):
                yield Option(choice.path, "It was done", "")
        else:
            yield _itself(choice)


def fixed(wanted: Any) -> list[Option]:
    """The few values that something can have."""
    kinds = [option for option in options(wanted) if option is not type(None)]
    if kinds == [bool]:
        return [Option("true", "Yes"), Option("false", "No")]
    if len(kinds) == 1 and inspect.isclass(kinds[0]) and issubclass(kinds[0], Enum):
        return [Option(str(each.value), words(str(each.value))) for each in kinds[0]]
    return []


def written(value: Any) -> str:
    """As one writes it into a field."""
    if value is None:
        return ""
    return value if isinstance(value, str) else inline(value)


def words(name: str) -> str:
    """`tracking_number` → `Tracking number`."""
    text = name.replace("_", " ")
    return text[:1].upper() + text[1:]


def _itself(choice: Choice) -> Option:
    return Option(choice.path, choice.label, choice.sample)


@lru_cache(maxsize=8192)
def _filter(kind: Any, wanted: Any, *, whole: bool) -> str | None:
    """What makes a value of this type what is wanted, such as ` | money`; None: nothing does. `whole`: it is an event
    or a result as a whole."""
    kinds = [option for option in options(kind) if option is not type(None)]
    if kind is Any or (fits(kind, wanted) and not (wanted is Any and whole)):
        return ""
    takes_text = any(option is str for option in options(wanted))
    if takes_text and kinds == [Money]:
        return " | money"
    if takes_text and all(kind in (int, float, Decimal) for kind in kinds):
        return " | string"
    if _is_time(kind) and any(option is date for option in options(wanted)):
        return " | date"
    return None


def _is_time(kind: Any) -> bool:
    return any(inspect.isclass(option) and issubclass(option, datetime) for option in options(kind))

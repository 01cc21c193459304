"""The flow editor: a flow's text as fields to fill in, and what was filled in as changes of the text.

Every field is shown as the text has it, and only what somebody fills in otherwise becomes a change: so a flow that is
saved as it was stays as it was, whatever else is in its file.
"""

import inspect
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from enum import Enum
from pathlib import Path
from typing import Any

from jinja2 import nodes
from pydantic import BaseModel

from bellwire.capabilities import Operation
from bellwire.connectors.kit import Connector
from bellwire.desk.forms import Form
from bellwire.engine import shown
from bellwire.errors import BellwireError, ConfigurationError
from bellwire.events import DICTIONARY, OWN, data_model
from bellwire.flows import Change, Put, Remove, Rename, element, fields_of, options, read_values
from bellwire.flows.editing import Where, inline
from bellwire.flows.expressions import Place, compile_condition, is_dynamic, plain_path
from bellwire.flows.fitting import fits
from bellwire.money import Money

OWN_WORDS, NOTHING = "own", ""
COMPARISONS = {
    "": "is there, or yes",
    "not": "is missing, or no",
    "==": "is",
    "!=": "is not",
    ">": "is more than",
    ">=": "is at least",
    "<": "is less than",
    "<=": "is at most",
    "in": "contains",
}
_COMPARED = {"eq": "==", "ne": "!=", "gt": ">", "gteq": ">=", "lt": "<", "lteq": "<="}
_DEEPEST = 3
_SLUG = re.compile(r"[^a-z0-9]+")
_PLACE = Path("flow.yaml")


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


@dataclass(frozen=True)
class Input:
    """One field of what an action is given. `picked` is the value of one of the options, `own` what is written."""

    key: str
    name: str
    """Of the form's field."""
    label: str
    required: bool
    picked: str
    own: str
    groups: Sequence[tuple[str, Sequence[Option]]]
    meaning: str = ""


@dataclass(frozen=True)
class Condition:
    picked: str
    comparison: str
    value: str
    own: str


@dataclass(frozen=True)
class Card:
    """An action."""

    name: str
    does: str
    """`books.create_invoice`, or empty: it only waits, or makes an event."""
    title: str
    inputs: Sequence[Input]
    condition: Condition
    tested: Sequence[tuple[str, Sequence[Option]]]
    """What its condition can be about."""
    times: Sequence[tuple[str, Sequence[Option]]]
    """What it can wait for."""
    until: str
    until_own: str
    texts: Mapping[str, str]
    """The other fields, by form name without the action's."""
    needs: Sequence[str]
    others: Sequence[str]
    emits: str = ""


@dataclass
class Editor:
    """`values` is what the text says; `scope` what expressions see for the event that is shown."""

    values: Mapping[str, Any]
    connectors: Mapping[str, Connector]
    titles: Mapping[str, str]
    """What each connection's vendor is called."""
    scope: Mapping[str, Any] = field(default_factory=dict)

    @classmethod
    def of(cls, text: str, connectors: Mapping[str, Connector], titles: Mapping[str, str]) -> "Editor | None":
        """None when the text can't be shown as fields."""
        try:
            values = read_values(text, _PLACE)
        except ConfigurationError:
            return None
        actions = values.get("actions") if isinstance(values, dict) else None
        whole = isinstance(actions, dict) and all(isinstance(body, dict) for body in actions.values())
        return cls(values, connectors, titles) if whole else None

    @property
    def actions(self) -> Mapping[str, Mapping[str, Any]]:
        found: Mapping[str, Mapping[str, Any]] = self.values["actions"]
        return found

    # What is shown

    def at(self, *where: str) -> str:
        """A value as it is written."""
        found: Any = self.values
        for key in where:
            found = found.get(key) if isinstance(found, dict) else None
        return written(found)

    def triggers(self) -> list[tuple[str, list[Option]]]:
        """What a flow can begin with, by system."""
        return [
            (self.titles.get(name, name), [Option(f"{name}.{each}", _meaning(each)) for each in types])
            for name, connector in sorted(self.connectors.items())
            if (types := _event_types(connector))
        ]

    def operations(self) -> list[tuple[str, list[Option]]]:
        """What an action can do, by system."""
        found = []
        for name, connector in sorted(self.connectors.items()):
            able = [
                Option(f"{name}.{each.operation.name}", each.operation.meaning) for each in connector.actions.values()
            ]
            if able:
                found.append((self.titles.get(name, name), sorted(able, key=lambda option: option.label)))
        return found

    def event_type(self) -> tuple[str, str]:
        """Connection and type of the event it begins with; empty for one that begins by the clock."""
        trigger = self.values.get("trigger")
        connection, _, event_type = trigger.partition(".") if isinstance(trigger, str) else ("", "", "")
        return connection, event_type

    def cards(self) -> list[Card]:
        return [self._card(name, body) for name, body in self.actions.items()]

    def _card(self, name: str, body: Mapping[str, Any]) -> Card:
        operation = self._operation(body)
        groups = self.groups(name)
        given = body.get("with") if isinstance(body.get("with"), dict) else {}
        model: Any = operation.given if operation else data_model(body["emit"]) if body.get("emit") else None
        fields = dict(model.model_fields) if model is not None else {}
        keys = [*fields, *(key for key in given or {} if key not in fields)]
        inputs = []
        for key in keys:
            wanted = fields[key].annotation if key in fields else Any
            required = key in fields and fields[key].is_required()
            offered = [(group.label, _fitting(group, wanted)) for group in groups]
            offered = [(label, found) for label, found in offered if found]
            if fixed := _fixed(wanted):
                offered.insert(0, ("Always", fixed))
            text = written((given or {}).get(key))
            known = {option.value for _, found in offered for option in found}
            picked = text if text in known else OWN_WORDS if key in (given or {}) else NOTHING
            own = "" if picked != OWN_WORDS else text
            inputs.append(Input(key, f"{name}.with.{key}", words(key), required, picked, own, offered))
        approval = body.get("approve") if isinstance(body.get("approve"), dict) else {}
        until = written(body.get("wait_until"))
        times = [
            (group.label, [Option(c.path, c.label, c.sample) for c in group.choices if _is_time(c.kind)])
            for group in groups
        ]
        tested = [(group.label, list(_tested(group))) for group in groups]
        needs = body.get("needs") or []
        needed = [needs] if isinstance(needs, str) else [str(each) for each in needs]
        texts = {
            "otherwise": written(body.get("otherwise")),
            "for_each": written(body.get("for_each")),
            "wait": written(body.get("wait")),
            **{f"approve.{key}": written((approval or {}).get(key)) for key in ("ask", "by", "within")},
        }
        known_times = {option.value for _, found in times for option in found}
        known_tests = {option.value for _, found in tested for option in found}
        return Card(
            name,
            str(body.get("do") or ""),
            operation.meaning if operation else f"Say: {_meaning(body['emit'])}" if body.get("emit") else "Wait",
            inputs,
            _condition(body.get("if"), known_tests),
            [each for each in tested if each[1]],
            [each for each in times if each[1]],
            until if until in known_times else OWN_WORDS if until else NOTHING,
            "" if until in known_times else until,
            texts,
            needed,
            [other for other in self.actions if other != name],
            str(body.get("emit") or ""),
        )

    def groups(self, action: str) -> list[Group]:
        """What the inputs of an action can be taken from."""
        event = data_model(self.event_type()[1]) if self.event_type()[1] else data_model("schedule.x")
        found = [Group("From the event", self._choices("event", event, "The whole event"))]
        if self.actions[action].get("for_each"):
            kind = self._item(action, event)
            found.append(Group("From each entry of the list", self._choices("item", kind, "The whole entry")))
        for name, body in self.actions.items():
            operation = self._operation(body)
            if (
                name != action
                and operation is not None
                and not body.get("for_each")
                and not self._waits_for(name, action)
            ):
                title = f"From “{words(name)}”: {operation.meaning[:1].lower()}{operation.meaning[1:]}"
                found.append(Group(title.rstrip("."), self._choices(name, operation.result, "All of it")))
        return found

    def _item(self, action: str, event: Any) -> Any:
        path = written(self.actions[action].get("for_each")).strip("{} ").split(".")
        kind: Any = event if path[0] == "event" else Any
        for name in path[1:]:
            inner = [option for option in options(kind) if inspect.isclass(option) and issubclass(option, BaseModel)]
            kind = fields_of(inner[0]).get(name, Any) if inner else Any
        return element(kind) or Any

    def _waits_for(self, name: str, other: str) -> bool:
        """Whether `name` needs `other`'s result: then that can't need its own."""
        seen, open_ = set(), [name]
        while open_:
            each = open_.pop()
            if each == other:
                return True
            if each not in seen and each in self.actions:
                seen.add(each)
                text = inline(self.actions[each])
                open_ += [found for found in self.actions if found != each and re.search(rf"\b{found}\b", text)]
        return False

    def _operation(self, body: Mapping[str, Any]) -> Operation | None:
        connection, _, name = written(body.get("do")).partition(".")
        connector = self.connectors.get(connection)
        able = connector.actions.values() if connector else ()
        return next((each.operation for each in able if each.operation.name == name), None)

    def _choices(self, path: str, kind: Any, whole: str) -> list[Choice]:
        return [Choice(path, whole, kind, self._sample(path)), *self._inner(path, kind, "", 1)]

    def _inner(self, path: str, kind: Any, before: str, depth: int) -> Iterator[Choice]:
        models = [option for option in options(kind) if inspect.isclass(option) and issubclass(option, BaseModel)]
        for name, annotation in fields_of(models[0]).items() if models and Money not in models else ():
            label = f"{before}{words(name) if not before else words(name).lower()}"
            yield Choice(f"{path}.{name}", label, annotation, self._sample(f"{path}.{name}"))
            if depth < _DEEPEST and element(annotation) is None:
                yield from self._inner(f"{path}.{name}", annotation, f"{label}: ", depth + 1)

    def _sample(self, path: str) -> str:
        try:
            found = compile_condition(path, Place(_PLACE, 1, "", ""))(dict(self.scope)) if self.scope else None
        except BellwireError:
            return ""
        text = "" if found is None else shown(found)
        return text if len(text) <= 40 else text[:39] + "…"

    # What was filled in

    def changes(self, form: Form) -> list[Change]:
        """What is filled in otherwise than it stands in the text."""
        found = [*self._head(form)]
        renames: list[Change] = []
        for card in self.cards():
            found += self._of_card(card, form)
            to = slug(form.get(f"{card.name}.name", card.name))
            if to and to != card.name and f"{card.name}.name" in form:
                renames.append(Rename(card.name, to))
        return found + renames

    def _head(self, form: Form) -> Iterator[Change]:
        for where in (
            ("name",),
            ("owner", "name"),
            ("owner", "contact"),
            ("success", "within"),
            ("success", "error_rate"),
        ):
            yield from self._text(form, ".".join(where), where)
        if "manual_minutes" in form and form.get("manual_minutes") != self.at("manual_minutes"):
            yield _put(("manual_minutes",), _number(form.get("manual_minutes")))
        if (trigger := form.get("trigger")) and trigger not in (self.at("trigger"), "clock"):
            yield Put(("trigger",), trigger)
        if trigger == "clock":
            wanted = {
                "every": form.get("trigger.every") or "0 7 * * mon-fri",
                "zone": form.get("trigger.zone") or "UTC",
            }
            if wanted != self.values.get("trigger"):
                yield Put(("trigger",), wanted)

    def _text(self, form: Form, name: str, where: Where) -> Iterator[Change]:
        if name in form and form.text(name).strip() != self.at(*where).strip():
            yield _put(where, form.text(name).strip())

    def _of_card(self, card: Card, form: Form) -> Iterator[Change]:
        own: Where = ("actions", card.name)
        if (does := form.get(f"{card.name}.do")) and does != card.does and card.does:
            yield Put((*own, "do"), does)
        for each in card.inputs:
            if each.name in form:
                yield from _of_input(each, form, (*own, "with", each.key), self._wanted(card, each.key))
        for name in card.texts:
            yield from self._text(form, f"{card.name}.{name}", (*own, *name.split(".")))
        yield from _of_condition(card, form, (*own, "if"))
        if f"{card.name}.until" in form:
            picked, text = form.get(f"{card.name}.until"), form.get(f"{card.name}.until.own")
            wanted = text if picked == OWN_WORDS else picked
            if (picked, text) != (card.until, card.until_own) and wanted != self.at(*own, "wait_until"):
                yield _put((*own, "wait_until"), wanted)
        if f"{card.name}.needs.shown" in form and sorted(needs := form.all(f"{card.name}.needs")) != sorted(card.needs):
            yield _put((*own, "needs"), needs)

    def _wanted(self, card: Card, key: str) -> Any:
        operation = self._operation(self.actions[card.name])
        fields = operation.given.model_fields if operation else {}
        return fields[key].annotation if key in fields else Any


def _of_input(before: Input, form: Form, where: Where, wanted: Any) -> Iterator[Change]:
    picked, own = form.text(before.name), form.text(f"{before.name}.own")
    if (picked, own) == (before.picked, before.own):
        return
    if picked == before.picked and own != before.own and own:
        picked = OWN_WORDS  # Who writes something means it, whatever is picked beside it.
    if picked == OWN_WORDS:
        yield _put(where, _value(own, wanted))
    elif picked != before.picked:
        yield _put(where, _value(picked, wanted))


def _of_condition(card: Card, form: Form, where: Where) -> Iterator[Change]:
    name, shown = f"{card.name}.if", card.condition
    if name not in form:
        return
    filled = Condition(
        form.get(name), form.get(f"{name}.op"), form.get(f"{name}.value"), form.text(f"{name}.own").strip()
    )
    if filled.own and filled.own != shown.own and filled.picked == shown.picked:
        filled = Condition(OWN_WORDS, "", "", filled.own)
    if filled != shown and (text := _condition_text(filled)) != _condition_text(shown):
        yield _put(where, text)


def _condition_text(condition: Condition) -> str:
    path, value = condition.picked, condition.value
    if path == OWN_WORDS:
        return condition.own
    if not path or not condition.comparison:
        return path
    if condition.comparison == "not":
        return f"not {path}"
    number = re.fullmatch(r"-?[0-9]+(\.[0-9]+)?", value)
    said = (
        value if number or value in ("true", "false") else "'" + value.replace("\\", "\\\\").replace("'", "\\'") + "'"
    )
    return f"{said} in {path}" if condition.comparison == "in" else f"{path} {condition.comparison} {said}"


def _condition(found: Any, known: set[str]) -> Condition:
    text = written(found)
    own = Condition(OWN_WORDS, "", "", text)
    if not text:
        return Condition(NOTHING, "", "", "")
    try:
        tree = compile_condition(text, Place(_PLACE, 1, "", "if")).tree
    except ConfigurationError:
        return own
    comparison, value, about = "", "", tree
    if isinstance(tree, nodes.Not):
        comparison, about = "not", tree.node
    elif isinstance(tree, nodes.Compare) and len(tree.ops) == 1:
        operand = tree.ops[0]
        contained = operand.op == "in"
        constant, about = (tree.expr, operand.expr) if contained else (operand.expr, tree.expr)
        if not isinstance(constant, nodes.Const) or (operand.op not in _COMPARED and not contained):
            return own
        comparison = "in" if contained else _COMPARED[operand.op]
        value = written(constant.value)
    path = ".".join(plain_path(about))
    shown = Condition(path, comparison, value, "")
    return shown if path in known and _condition_text(shown) == text.strip("{} ") else own


def _put(where: Where, value: Any) -> Change:
    return Remove(where) if value in ("", None, []) else Put(where, value)


def _value(text: str, wanted: Any) -> Any:
    """What is written, as the text of a flow has it."""
    texts = any(inspect.isclass(option) and issubclass(option, str) for option in options(wanted))
    if not texts and text.strip()[:1] in ("[", "{") and not is_dynamic(text):
        try:
            return read_values(f"value: {text}", _PLACE)["value"]
        except ConfigurationError:
            return text
    return text if texts or is_dynamic(text) else _number(text)


def _number(text: str) -> Any:
    if re.fullmatch(r"-?(0|[1-9][0-9]{0,17})", text):
        return int(text)
    if re.fullmatch(r"-?[0-9]{1,18}\.[0-9]{1,18}", text):
        return Decimal(text)
    return {"true": True, "false": False}.get(text, text)


def written(value: Any) -> str:
    """As one writes it into a field."""
    if value is None:
        return ""
    return value if isinstance(value, str) else inline(value)


def words(name: str) -> str:
    """`tracking_number` → `Tracking number`."""
    text = name.replace("_", " ")
    return text[:1].upper() + text[1:]


def slug(text: str) -> str:
    """A name for a file or an action; empty when nothing of it can be used."""
    return _SLUG.sub("_", text.lower()).strip("_").lstrip("0123456789_")[:60]


def _meaning(event_type: str) -> str:
    entry = DICTIONARY.get(event_type)
    return entry.meaning if entry else words(event_type.replace(".", " "))


def _event_types(connector: Connector) -> Sequence[str]:
    found = connector.triggers.event_types if connector.triggers else ()
    if connector.name == OWN:
        found = ("inventory.low", "inventory.spiking")
    return [name for name in DICTIONARY if name in found or "*" in found] + [
        each for each in found if each not in DICTIONARY and "*" not in each
    ]


def _fitting(group: Group, wanted: Any) -> list[Option]:
    return [
        Option(text, choice.label, choice.sample)
        for choice in group.choices
        if (text := _expression(choice, wanted)) is not None
    ]


def _expression(choice: Choice, wanted: Any) -> str | None:
    """How a field becomes what is wanted; None: it can't."""
    kinds = [option for option in options(choice.kind) if option is not type(None)]
    if choice.kind is Any or (fits(choice.kind, wanted) and (wanted is not Any or "." in choice.path)):
        return "{{ " + choice.path + " }}"
    takes_text = any(option is str for option in options(wanted))
    if takes_text and kinds == [Money]:
        return "{{ " + choice.path + " | money }}"
    if takes_text and all(kind in (int, float, Decimal) for kind in kinds):
        return "{{ " + choice.path + " | string }}"
    if _is_time(choice.kind) and any(option is date for option in options(wanted)):
        return "{{ " + choice.path + " | date }}"
    return None


def _fixed(wanted: Any) -> list[Option]:
    kinds = [option for option in options(wanted) if option is not type(None)]
    if kinds == [bool]:
        return [Option("true", "Yes"), Option("false", "No")]
    if len(kinds) == 1 and inspect.isclass(kinds[0]) and issubclass(kinds[0], Enum):
        return [Option(str(each.value), words(str(each.value))) for each in kinds[0]]
    return []


def _is_time(kind: Any) -> bool:
    return any(
        option is datetime or (inspect.isclass(option) and issubclass(option, datetime)) for option in options(kind)
    )


def _tested(group: Group) -> Iterator[Option]:
    for choice in group.choices:
        kinds = [option for option in options(choice.kind) if option is not type(None)]
        if kinds == [Money]:
            yield Option(f"{choice.path}.amount", choice.label, choice.sample)
        elif "." not in choice.path:
            if choice.path not in ("event", "item"):
                yield Option(choice.path, "It was done", "")
        else:
            yield Option(choice.path, choice.label, choice.sample)

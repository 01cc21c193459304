"""The flow editor: a flow's text as fields to fill in, and what was filled in as changes of the text.

Every field is shown as the text has it, and only what somebody fills in otherwise becomes a change: so a flow that is
saved as it was stays as it was, whatever else is in its file.
"""

import inspect
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

from pydantic import BaseModel

from bellwire.capabilities import Operation
from bellwire.connectors.kit import Connector
from bellwire.desk.beginning import Beginning
from bellwire.desk.choosing import (
    Choice,
    Group,
    Offer,
    Option,
    Pick,
    fields,
    fitting,
    fixed,
    lists,
    offer,
    tested,
    times,
    values_of,
    words,
    written,
)
from bellwire.desk.conditions import Condition
from bellwire.desk.filled import line_change, list_changes, meaning, number, put, text_change
from bellwire.desk.forms import Form
from bellwire.engine import shown
from bellwire.errors import ConfigurationError
from bellwire.events import DICTIONARY, OWN, data_model
from bellwire.flows import Change, Emitted, Put, Remove, Rename, element, fields_of, options, read_values
from bellwire.flows.editing import Where, inline
from bellwire.flows.fields import list_of, read_field

WAIT, EMIT = "wait", "emit:"
FIRST_WAIT = "1h"
_TEXTS = ("otherwise", "wait", "approve.ask", "approve.by", "approve.within")
_RETRY = ("retry.attempts", "retry.first", "retry.longest")
_HEAD = (("name",), ("owner", "name"), ("owner", "contact"), ("success", "within"), ("success", "error_rate"))
_SLUG = re.compile(r"[^a-z0-9]+")
_KEY = re.compile(r"[A-Za-z_][\w-]{0,59}")
_PLACE = Path("flow.yaml")


@dataclass(frozen=True)
class Input:
    """One field of what an action is given, perhaps within another one."""

    where: Where
    """Below `with`."""
    label: str
    required: bool
    pick: Pick
    wanted: Any
    value: Any
    """What it is now."""


@dataclass(frozen=True)
class Card:
    """An action."""

    name: str
    does: Pick
    """`books.create_invoice`, `emit:` with the type of an event, or WAIT."""
    title: str
    inputs: Sequence[Input]
    free: bool
    """Whether it takes fields by any name."""
    condition: Condition
    asked_if: Condition
    until: Pick
    each: Pick
    texts: Mapping[str, str]
    """The other fields, by form name without the action's."""
    needs: Sequence[str]
    others: Sequence[str]


@dataclass
class Editor:
    """`values` is what the text says; `scope` what expressions see for the event that is shown."""

    values: Mapping[str, Any]
    connectors: Mapping[str, Connector]
    titles: Mapping[str, str]
    """What each connection's vendor is called."""
    emitted: Sequence[str] = ()
    """The types of the events that the project's flows make."""
    zone: str = "UTC"
    """That of the business."""
    scope: Mapping[str, Any] = field(default_factory=dict)

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

    @property
    def beginning(self) -> Beginning:
        return Beginning(self.values, self.triggers, self._sample, self.zone)

    @cached_property
    def triggers(self) -> Offer:
        """What a flow can begin with, by system."""
        return [
            (self.titles.get(name, name), [Option(f"{name}.{each}", _meaning(each)) for each in types])
            for name, connector in sorted(self.connectors.items())
            if (types := self._event_types(connector))
        ]

    @cached_property
    def deeds(self) -> Offer:
        """What an action can do, by system."""
        found = [("Only for the flow", [Option(WAIT, "Wait, or ask a person")])]
        for name, connector in sorted(self.connectors.items()):
            able = [
                Option(f"{name}.{each.operation.name}", each.operation.meaning) for each in connector.actions.values()
            ]
            if able:
                found.append((self.titles.get(name, name), sorted(able, key=lambda option: option.label)))
        types = [*DICTIONARY, *(each for each in self.emitted if each not in DICTIONARY)]
        found.append(("Say that something happened, for other flows", [Option(EMIT + t, _meaning(t)) for t in types]))
        return found

    def cards(self) -> list[Card]:
        return [self._card(name, body) for name, body in self.actions.items()]

    def places(self, cards: Sequence[Card]) -> list[str]:
        """The fields of the form at which it is said what is wrong."""
        found = [".".join(where) for where in _HEAD]
        found += ["manual_minutes", "trigger.every", "trigger.zone", "trigger"]
        found += ["gather.for", "gather.by", "gather.most"]
        for stop in self.beginning.stops:
            found += [stop.event.name, stop.same.name, stop.called.name]
        for card in cards:
            found += [card.does.name, card.condition.name, card.until.name, card.each.name, f"{card.name}.needs"]
            found += [each.pick.name for each in card.inputs]
            found += [f"{card.name}.{key}" for key in card.texts] + [card.asked_if.name]
        return found

    def _card(self, name: str, body: Mapping[str, Any]) -> Card:
        operation, groups = self._operation(body), self.groups(name)
        emits = written(body.get("emit"))
        model: Any = operation.given if operation else data_model(emits) if emits else None
        given = body.get("with") if isinstance(body.get("with"), dict) else {}
        approval = body.get("approve") if isinstance(body.get("approve"), dict) else {}
        needs = body.get("needs") or []
        needed = [written(each) for each in needs] if isinstance(needs, list) else [written(needs)]
        conditions, can_be = offer(groups, tested), offer(groups, times)
        return Card(
            name,
            Pick.only(f"{name}.do", written(body.get("do")) or (EMIT + emits if emits else WAIT), self.deeds),
            operation.meaning
            if operation
            else written(body.get("do")) or (f"Say: {_meaning(emits)}" if emits else "Wait"),
            list(self._inputs(f"{name}.with", (), given or {}, model, groups)),
            model is not None and model.model_config.get("extra") == "allow",
            Condition.of(f"{name}.if", body.get("if"), conditions),
            Condition.of(f"{name}.approve.if", (approval or {}).get("if"), conditions),
            Pick.of(f"{name}.wait_until", written(body.get("wait_until")), can_be),
            Pick.of(f"{name}.for_each", written(body.get("for_each")), offer(groups, lists)),
            {key: self.at("actions", name, *key.split(".")) for key in (*_TEXTS, *_RETRY)},
            needed,
            [other for other in dict.fromkeys([*self.actions, *needed]) if other != name],
        )

    def _inputs(
        self, name: str, where: Where, given: Mapping[str, Any], model: Any, groups: Sequence[Group], label: str = ""
    ) -> Iterator[Input]:
        """One for each field of the model, and for each that is given beyond those."""
        known = dict(model.model_fields) if model is not None else {}
        for key in [*known, *(key for key in given if key not in known)]:
            wanted = known[key].annotation if key in known else Any
            called = f"{label}: {words(key).lower()}" if label else words(key)
            required = key in known and known[key].is_required()
            there, value = key in given, given.get(key)
            yield from self._input(f"{name}.{key}", (*where, key), called, required, there, value, wanted, groups)

    def _input(
        self,
        name: str,
        where: Where,
        label: str,
        required: bool,
        there: bool,
        value: Any,
        wanted: Any,
        groups: Sequence[Group],
    ) -> Iterator[Input]:
        """What it is made of, where the flow says that part by part."""
        if isinstance(value, dict) and value:
            yield from self._inputs(name, where, value, _model(wanted), groups, label)
        elif isinstance(value, list) and any(isinstance(each, dict) for each in value):
            inner = element(next((each for each in options(wanted) if element(each)), Any)) or Any
            for at, each in enumerate([*value, None]):
                more = at == len(value)
                said = f"{label}, another one" if more else f"{label} {at + 1}"
                yield from self._input(
                    f"{name}.{at}", (*where, str(at)), said, False, not more, each, inner, () if more else groups
                )
        else:
            offered = offer(groups, fitting(wanted))
            if few := fixed(wanted):
                offered = [("Always", few), *offered]
            pick = Pick.of(name, written(value), offered, there=there)
            yield Input(where, label, required, pick, wanted, value)

    def groups(self, action: str) -> list[Group]:
        """What the inputs of an action can be taken from."""
        event, sample = self.beginning.model, self._sample
        found = [Group("From the event", self._choices("event", event, "The whole event"))]
        if self.values.get("gather"):
            every = Choice("events", "All of them", list_of(event), sample("events"))
            found.append(Group("From what was gathered", [every]))
        if self.actions[action].get("for_each"):
            kind = self._item(action, event)
            found.append(Group("From each entry of the list", self._choices("item", kind, "The whole entry")))
        asking = [name for name, body in self.actions.items() if body.get("approve")]
        links = [Choice(f"links.{name}", f"For “{words(name)}”", str, sample(f"links.{name}")) for name in asking]
        if links:
            found.append(Group("Links that answer what people are asked", links))
        for name, body in self.actions.items():
            if name != action and (result := self._result(body)) is not None and not self._waits_for(name, action):
                title, kind = result
                found.append(Group(f"From “{words(name)}”: {title}", self._choices(name, kind, "All of it")))
        return found

    def _result(self, body: Mapping[str, Any]) -> tuple[str, Any] | None:
        """What an action brings, and its type; None where nothing is known of it."""
        operation = self._operation(body)
        if operation is None and not body.get("emit"):
            return None
        title = f"{operation.meaning[:1].lower()}{operation.meaning[1:]}".rstrip(".") if operation else "what was said"
        kind: Any = operation.result if operation else Emitted
        return title, list_of(kind) if body.get("for_each") else kind

    def _item(self, action: str, event: Any) -> Any:
        path = written(self.actions[action].get("for_each")).strip("{} ").split(".")
        kind: Any = event if path[0] == "event" else list_of(event) if path == ["events"] else Any
        if path[0] in self.actions and (result := self._result(self.actions[path[0]])) is not None:
            kind = result[1]
        for name in path[1:]:
            inner = [option for option in options(kind) if inspect.isclass(option) and issubclass(option, BaseModel)]
            kind = fields_of(inner[0]).get(name, Any) if inner else Any
        return next((found for option in options(kind) if (found := element(option))), Any)

    def _waits_for(self, name: str, other: str) -> bool:
        """Whether `name` needs `other`'s result: then that can't need its own."""
        seen, open_ = set(), [name]
        while open_:
            each = open_.pop()
            if each == other:
                return True
            if each not in seen and each in self.actions:
                seen.add(each)
                open_ += self._mentioned[each]
        return False

    @cached_property
    def _mentioned(self) -> Mapping[str, Sequence[str]]:
        """The other actions that each one speaks of."""
        texts = {name: set(re.findall(r"\w+", inline(body))) for name, body in self.actions.items()}
        return {name: [each for each in self.actions if each != name and each in said] for name, said in texts.items()}

    def _operation(self, body: Mapping[str, Any]) -> Operation | None:
        connection, _, name = written(body.get("do")).partition(".")
        connector = self.connectors.get(connection)
        able = connector.actions.values() if connector else ()
        return next((each.operation for each in able if each.operation.name == name), None)

    def _event_types(self, connector: Connector) -> Sequence[str]:
        found: Sequence[str] = connector.triggers.event_types if connector.triggers else ()
        if connector.name == OWN:
            found = ("inventory.low", "inventory.spiking", *self.emitted)
        known = [name for name in DICTIONARY if name in found or "*" in found]
        return [*known, *dict.fromkeys(each for each in found if each not in DICTIONARY and "*" not in each)]

    def _choices(self, path: str, kind: Any, whole: str) -> list[Choice]:
        return [Choice(path, whole, kind, self._sample(path)), *fields(path, kind, self._sample)]

    def _sample(self, path: str) -> str:
        first, *rest = path.split(".")
        found = self.scope.get(first)
        for name in rest:
            found = read_field(found, name, None)
        text = "" if found is None else shown(found)
        return text if len(text) <= 40 else text[:39] + "…"

    # What was filled in

    def changes(self, form: Form) -> list[Change]:
        """What is filled in otherwise than it stands in the text."""
        found = [*self._head(form), *self.beginning.changes(form)]
        renames: list[Change] = []
        for card in self.cards():
            found += self._of_card(card, form)
            to = slug(form.get(f"{card.name}.name", card.name))
            if to and to != card.name and f"{card.name}.name" in form:
                renames.append(Rename(card.name, to))
        return found + renames

    def begun(self, form: Form, name: str) -> tuple[str, str] | None:
        """The key of a new action, and its value, of what was chosen in the field `name`; None: nothing was."""
        wanted = Pick.only(name, "", self.deeds).filled(form)
        return self._deed(wanted) if wanted else None

    def _deed(self, wanted: str) -> tuple[str, str]:
        """The key of an action, and its value. What isn't among the deeds is an event of one's own."""
        if wanted == WAIT:
            return "wait", FIRST_WAIT
        if wanted in values_of(self.deeds) and not wanted.startswith(EMIT):
            return "do", wanted
        return "emit", "".join(wanted.removeprefix(EMIT).split())

    def _head(self, form: Form) -> Iterator[Change]:
        for where in _HEAD:
            yield from line_change(form, ".".join(where), where, self.at(*where))
        yield from line_change(form, "manual_minutes", ("manual_minutes",), self.at("manual_minutes"), number)

    def _of_card(self, card: Card, form: Form) -> Iterator[Change]:
        own: Where = ("actions", card.name)
        yield from self._of_deed(card, form, own)
        yield from _of_inputs(card, form, (*own, "with"))
        key, given = form.get(f"{card.name}.with.new"), self.actions[card.name].get("with") or {}
        if card.free and _KEY.fullmatch(key) and key not in given:
            yield Put((*own, "with", key), "")
        yield from self._of_asking(card, form, own)
        yield from line_change(form, f"{card.name}.wait", (*own, "wait"), card.texts["wait"])
        for key in _RETRY:
            yield from line_change(form, f"{card.name}.{key}", (*own, *key.split(".")), card.texts[key], number)
        yield from text_change(form, f"{card.name}.otherwise", (*own, "otherwise"), card.texts["otherwise"])
        for key, filled in (
            ("if", card.condition.filled(form)),
            ("wait_until", card.until.filled(form)),
            ("for_each", card.each.filled(form)),
        ):
            if filled is not None:
                yield put((*own, key), filled.strip())
        if f"{card.name}.needs.shown" in form:
            yield from self._of_needs(card, form.all(f"{card.name}.needs"), (*own, "needs"))

    def _of_deed(self, card: Card, form: Form, own: Where) -> Iterator[Change]:
        wanted = card.does.filled(form)
        if not wanted:
            return
        key, does = self._deed(wanted)
        body = self.actions[card.name]
        if key != "wait" or not (body.get("wait") or body.get("wait_until")):
            yield Put((*own, key), does)
        yield from (Remove((*own, other)) for other in ("do", "emit") if other != key and other in body)

    def _of_asking(self, card: Card, form: Form, own: Where) -> Iterator[Change]:
        """Without a question, nobody is asked: the rest of it goes as well."""
        question = f"{card.name}.approve.ask"
        if card.texts["approve.ask"] and question in form and not form.get(question):
            yield Remove((*own, "approve"))
            return
        yield from text_change(form, question, (*own, "approve", "ask"), card.texts["approve.ask"])
        if (condition := card.asked_if.filled(form)) is not None:
            yield put((*own, "approve", "if"), condition)
        for key in ("by", "within"):
            where = (*own, "approve", key)
            yield from line_change(form, f"{card.name}.approve.{key}", where, card.texts[f"approve.{key}"])

    def _of_needs(self, card: Card, ticked: Sequence[str], where: Where) -> Iterator[Change]:
        if sorted(ticked) == sorted(card.needs):
            return
        stay = [each for each in card.needs if each in ticked]
        after = stay + [each for each in ticked if each not in stay]
        before = self.actions[card.name].get("needs")
        yield from list_changes(where, before, after) if isinstance(before, list) else [put(where, after)]


def _of_inputs(card: Card, form: Form, where: Where) -> Iterator[Change]:
    """What is taken out comes last, the last of it first: in lists, what is behind gets another number."""
    gone: list[Change] = []
    for each in card.inputs:
        changes = list(_of_input(each, form, (*where, *each.where)))
        if changes and all(isinstance(change, Remove) for change in changes):
            gone = [*changes, *gone]
        else:
            yield from changes
    yield from gone


def _of_input(each: Input, form: Form, where: Where) -> Iterator[Change]:
    filled = each.pick.filled(form)
    if filled is None:
        return
    value = meaning(filled, each.wanted)
    if isinstance(value, list) and isinstance(each.value, list):
        yield from list_changes(where, each.value, value)
    else:
        yield put(where, value)


def _model(wanted: Any) -> Any:
    """Of a mapping that is wanted; None: it may have any keys."""
    models = [each for each in options(wanted) if inspect.isclass(each) and issubclass(each, BaseModel)]
    return models[0] if models else None


def fields_in(text: str) -> Mapping[str, Any] | None:
    """What a flow's text says; None when it can't be shown as fields."""
    try:
        values = read_values(text, _PLACE)
    except ConfigurationError:
        return None
    actions = values.get("actions") if isinstance(values, dict) else None
    whole = isinstance(actions, dict) and all(isinstance(body, dict) for body in actions.values())
    return values if whole else None


def slug(text: str) -> str:
    """A name for a file or an action; empty when nothing of it can be used."""
    return _SLUG.sub("_", text.lower()).strip("_").lstrip("0123456789_")[:60]


def _meaning(event_type: str) -> str:
    entry = DICTIONARY.get(event_type)
    return entry.meaning if entry else words(event_type.replace(".", " "))

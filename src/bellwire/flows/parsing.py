"""From the text of a flow file to a Flow."""

import hashlib
import re
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from pathlib import Path
from types import MappingProxyType
from typing import Any
from zoneinfo import available_timezones

from bellwire.errors import ConfigurationError
from bellwire.events import OWN, SCHEDULED
from bellwire.flows.document import Key, Node, read_document
from bellwire.flows.expressions import Expression, Place, compile_condition, compile_text, is_dynamic
from bellwire.flows.model import Approval, Ending, Flow, FlowAction, Gathering, Owner, Retry, Success, Value
from bellwire.flows.order import in_order
from bellwire.flows.schedule import Schedule
from bellwire.flows.section import Section
from bellwire.flows.suggestions import nearest, spoken

FLOW_KEYS = ("name", "trigger", "gather", "ends_on", "owner", "success", "manual_minutes", "actions")
ACTION_KEYS = ("do", "emit", "with", "if", "otherwise", "for_each", "wait", "wait_until", "approve", "needs", "retry")
OTHERWISE = "Its condition wasn't met."

_RESERVED = (
    "event",
    "events",
    "links",
    "meta",
    "business",
    "item",
    "loop",
    "self",
    "true",
    "false",
    "none",
    "and",
    "or",
    "not",
    "in",
    "is",
    "if",
    "else",
)
_NAME = re.compile(r"[a-z][a-z0-9_]{0,59}")
_TRIGGER = re.compile(r"([a-z][a-z0-9_-]*)\.([a-z][a-z0-9_]*(?:\.[a-z0-9_]+)+)")
_DO = re.compile(r"([a-z][a-z0-9_-]*)\.([a-z][a-z0-9_]*)")
_EVENT_TYPE = re.compile(r"[a-z][a-z0-9_]*(?:\.[a-z0-9_]+)+")
_FIELD = re.compile(r"[a-z][a-z0-9_]*(?:\.[a-z][a-z0-9_]*)*")
_MOST_ACTIONS = 100
_MOST_GATHERED = 1000
_TIME_TO_DECIDE = timedelta(days=7)


@lru_cache(maxsize=64)
def pinned_flow(text: str, name: str) -> Flow:
    """The flow of a run, from the text that the ledger keeps of it. Raises ConfigurationError."""
    return parse_flow(text, Path(f"flows/{name}.yaml"))


def parse_flow(text: str, path: Path) -> Flow:
    """The flow in `text`; `path` gives its id and the place in messages, and isn't read. Raises ConfigurationError."""
    if not _NAME.fullmatch(path.stem):
        raise ConfigurationError(
            f"'{path.stem}' can't be a flow's name.",
            path=path,
            remedy="Rename the file, e.g. to order_to_cash.yaml: small letters, digits and _.",
        )
    top = Section(read_document(text, path), path, "a flow", FLOW_KEYS)
    name = top.text(top.need("name", "Order to cash"), "name")
    connection, event_type, schedule = _trigger(top, path)
    return Flow(
        name=name,
        id=path.stem,
        connection=connection,
        event_type=event_type,
        schedule=schedule,
        gather=_gather(top, path, f"Flow '{name}'"),
        ends_on=_ends_on(top, path),
        owner=_owner(top, path),
        success=_success(top, path),
        manual_minutes=top.number("manual_minutes", 0, 10_000),
        actions=MappingProxyType(in_order(_actions(top, path, f"Flow '{name}'"), path)),
        hash=hashlib.sha256(text.encode()).hexdigest()[:12],
        source=text,
        path=path,
        lines=_lines(top),
    )


def _split(section: Section, key: str, form: re.Pattern[str], example: str) -> tuple[str, str]:
    node = section.need(key, example)
    match = form.fullmatch(section.text(node, key))
    if not match:
        raise section.error(node.line, f"'{key}' can't be understood.", f"Write it like this: `{key}: {example}`.")
    return match[1], match[2]


def _trigger(top: Section, path: Path) -> tuple[str, str, Schedule | None]:
    """Connection, event type, and when it begins if that is by the clock."""
    node = top.find("trigger")
    if node is None or not isinstance(node.value, dict):
        return *_split(top, "trigger", _TRIGGER, "shop.order.paid"), None
    section = Section(node, path, "a schedule", ("every", "zone"))
    every, zone = section.need("every", '"0 7 * * mon-fri"'), section.need("zone", "Europe/Berlin")
    schedule = Schedule(section.text(every, "every"), section.text(zone, "zone"))
    if schedule.zone not in available_timezones():
        raise top.error(zone.line, f"There is no time zone '{schedule.zone}'.", "Write one such as Europe/Berlin.")
    try:
        schedule.next(datetime.now(UTC))
    except ValueError as error:
        remedy = 'Write minute, hour, day, month and weekday: "0 7 * * mon-fri" is 7:00 on working days.'
        raise top.error(every.line, f"{error}.", remedy) from None
    return OWN, f"{SCHEDULED}{path.stem}", schedule


def _gather(top: Section, path: Path, whose: str) -> Gathering | None:
    node = top.find("gather")
    if node is None:
        return None
    section = Section(node, path, "gather", ("for", "by", "most"))
    length, most = section.duration("for"), section.number("most", 2, _MOST_GATHERED)
    if length is None:
        raise section.error(node.line, "Gather needs 'for'.", "Write how long: `for: 1h`.")
    if most is not None and most % 1:
        raise section.error(node.line, "'most' has to be a whole number.")
    by = _expression(section, "by", path, whose)
    if by is not None and not by.names <= {"event", "meta"}:
        raise section.error(by.place.line, "'by' sees the event alone.", "Write e.g. `by: event.supplier_id`.")
    return Gathering(length, by, int(most or _MOST_GATHERED))


def _ends_on(top: Section, path: Path) -> tuple[Ending, ...]:
    node = top.find("ends_on")
    if node is None:
        return ()
    entries = node.value if isinstance(node.value, list) else [node]
    return tuple(_ending(entry, top, path) for entry in entries)


def _ending(entry: Node, top: Section, path: Path) -> Ending:
    """Either the event's name, or a mapping with it."""
    same = called = ""
    if isinstance(entry.value, dict):
        section = Section(entry, path, "what ends the run", ("event", "same", "as"))
        node = section.need("event", "shop.order.cancelled")
        same, called = _field(section, "same"), _field(section, "as")
        if called and not same:
            raise top.error(entry.line, "'as' needs 'same'.", "Name the field of the event that began the run.")
    else:
        node = entry
    match = _TRIGGER.fullmatch(top.text(node, "ends_on"))
    if not match:
        raise top.error(node.line, "'ends_on' can't be understood.", "Write it like this: `shop.order.cancelled`.")
    return Ending(match[1], match[2], same, called or same, node.line)


def _field(section: Section, key: str) -> str:
    """The name of a field of an event's data; empty when the key isn't there."""
    node = section.find(key)
    if node is None:
        return ""
    name = section.text(node, key)
    if not _FIELD.fullmatch(name):
        raise section.error(node.line, f"'{name}' is no field.", "Name one that both events have: invoice_id.")
    return name


def _owner(top: Section, path: Path) -> Owner | None:
    node = top.find("owner")
    if node is None:
        return None
    owner = Section(node, path, "an owner", ("name", "contact"))
    contact = owner.find("contact")
    return Owner(
        name=owner.text(owner.need("name", "Dana"), "name"),
        contact=owner.text(contact, "contact") if contact else "",
    )


def _success(top: Section, path: Path) -> Success | None:
    node = top.find("success")
    if node is None:
        return None
    success = Section(node, path, "success", ("within", "error_rate"))
    return Success(within=success.duration("within"), error_rate=success.percent("error_rate"))


def _actions(top: Section, path: Path, owner: str) -> dict[str, FlowAction]:
    node = top.need("actions", "{invoice: {do: books.create_invoice}}")
    if not isinstance(node.value, dict) or not node.value:
        raise top.error(node.line, "'actions' has to have actions in it.", "Write e.g. `invoice:` below it, indented.")
    if len(node.value) > _MOST_ACTIONS:
        raise top.error(node.line, f"A flow has at most {_MOST_ACTIONS} actions.", "Make several flows of it.")
    names = [str(key) for key in node.value]
    for key in node.value:
        if not _NAME.fullmatch(key) or key in _RESERVED:
            raise top.error(key.line, f"'{key}' can't be an action's name.", "Use small letters, digits and _.")
    return {str(key): _action(key, value, path, owner, names) for key, value in node.value.items()}


def _action(key: Key, node: Node, path: Path, owner: str, names: list[str]) -> FlowAction:
    whose = f"{owner}, action '{key}'"
    section = Section(node, path, f"action '{key}'", ACTION_KEYS)
    connection, operation, emits = _does(section)
    condition = _condition(section, path, whose)
    each = _expression(section, "for_each", path, whose)
    given = _given(section, path, whose)
    otherwise = section.find("otherwise")
    wait_until = _expression(section, "wait_until", path, whose)
    approval = _approval(section, path, whose)
    asked = [approval.question, approval.condition] if approval else []
    return FlowAction(
        name=str(key),
        connection=connection,
        operation_name=operation,
        emits=emits,
        wait=section.duration("wait"),
        wait_until=wait_until,
        approval=approval,
        needs=_needs(str(key), section, [condition, each, wait_until, *asked, *given.values()], names),
        retry=_retry(section, path),
        otherwise=section.text(otherwise, "otherwise") if otherwise else OTHERWISE,
        condition=condition,
        each=each,
        given=given,
        lines=_lines(section) | {"": key.line},
    )


def _approval(section: Section, path: Path, whose: str) -> Approval | None:
    node = section.find("approve")
    if node is None:
        return None
    if section.find("for_each") is not None:
        remedy = "Ask in an action of its own before it, such as a `wait` with `approve`."
        raise section.error(node.line, "A person can't be asked once for each item of 'for_each'.", remedy)
    own = Section(node, path, "approve", ("ask", "if", "by", "within"))
    question = own.need("ask", '"Give {{ event.total | money }} back?"')
    own.text(question, "ask")
    by = own.find("by")
    return Approval(
        question=_value(question, path, whose, "ask"),
        condition=_condition(own, path, whose),
        by=own.text(by, "by") if by else "",
        within=own.duration("within") or _TIME_TO_DECIDE,
    )


def _does(section: Section) -> tuple[str, str, str]:
    """Connection, operation, and the type of the event that is made: what it does is one of both, or only to wait."""
    until = section.find("wait_until")
    if until is not None and section.find("wait") is not None:
        raise section.error(until.line, "An action has either 'wait' or 'wait_until'.", "Keep one of them.")
    node = section.find("emit")
    if node is None and section.find("do") is None and (section.find("wait") or section.find("wait_until")):
        return "", "", ""
    if node is None:
        return *_split(section, "do", _DO, "books.create_invoice"), ""
    if section.find("do") is not None:
        raise section.error(node.line, "An action has either 'do' or 'emit'.", "Make two actions of it.")
    emits = section.text(node, "emit")
    if not _EVENT_TYPE.fullmatch(emits):
        raise section.error(node.line, f"'{emits}' can't be a type of event.", "Write it like this: `inventory.low`.")
    return "", "", emits


def _lines(section: Section) -> dict[str, int]:
    return {str(key): key.line for key in section.values}


def _condition(section: Section, path: Path, whose: str) -> Expression | bool:
    node = section.find("if")
    if node is None:
        return True
    if isinstance(node.value, bool):
        return node.value
    return _expression(section, "if", path, whose) or True


def _expression(section: Section, key: str, path: Path, whose: str) -> Expression | None:
    node = section.find(key)
    if node is None:
        return None
    return compile_condition(section.text(node, key), Place(path, node.line, whose, key, node.literal))


def _given(section: Section, path: Path, whose: str) -> Mapping[Key, Value]:
    node = section.find("with")
    if node is None:
        return {}
    if not isinstance(node.value, dict):
        raise section.error(
            node.line, "'with' has to have keys and values.", 'Write e.g. `order: "{{ event }}"` below it.'
        )
    return {key: _value(value, path, whose, str(key)) for key, value in node.value.items()}


def _value(node: Node, path: Path, whose: str, key: str) -> Value:
    content: Any = node.value
    if isinstance(content, dict):
        content = {inner: _value(value, path, whose, f"{key}.{inner}") for inner, value in content.items()}
    elif isinstance(content, list):
        content = [_value(value, path, whose, key) for value in content]
    elif isinstance(content, str) and is_dynamic(content):
        content = compile_text(content, Place(path, node.line, whose, key, node.literal))
    return Value(content, node.line)


def _needs(name: str, section: Section, parts: list[Any], names: list[str]) -> frozenset[str]:
    explicit = section.names("needs")
    for need, line in explicit.items():
        if need not in names:
            others = [other for other in names if other != name]
            raise section.error(line, f"'{name}' needs '{need}', which isn't here.", spoken(nearest(need, others)))
        if need == name:
            raise section.error(line, f"'{name}' needs itself.", "Take it out of 'needs'.")
    found = set(explicit)
    for expression in (expression for part in parts for expression in expressions_in(part)):
        if name in expression.names:
            line = expression.place.line
            raise section.error(line, f"'{name}' refers to its own result.", "Refer to an action before it.")
        found |= expression.names.intersection(names)
    return frozenset(found)


def expressions_in(part: Any) -> list[Expression]:
    """All expressions in an Expression, a Value, or whatever holds them."""
    if isinstance(part, Expression):
        return [part]
    if isinstance(part, Value):
        return expressions_in(part.content)
    inner = part.values() if isinstance(part, dict) else part if isinstance(part, list) else ()
    return [expression for value in inner for expression in expressions_in(value)]


def _retry(section: Section, path: Path) -> Retry:
    node = section.find("retry")
    if node is None:
        return Retry()
    own = Section(node, path, "retry", ("attempts", "first", "longest"))
    attempts = own.number("attempts", 1, 100)
    if attempts is not None and attempts % 1:
        raise own.error(own.line, "'attempts' has to be a whole number.")
    given = {"attempts": attempts, "first": own.duration("first"), "longest": own.duration("longest")}
    retry = Retry.model_validate({key: value for key, value in given.items() if value is not None})
    if retry.first > retry.longest:
        raise own.error(own.line, "'first' is longer than 'longest'.", "Make it shorter.")
    return retry

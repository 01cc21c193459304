"""The static check: a flow against its connections' connectors, before anything runs."""

import inspect
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from enum import StrEnum
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Annotated, Any

from jinja2 import nodes
from pydantic import BaseModel, TypeAdapter, ValidationError, create_model
from pydantic.fields import FieldInfo

from bellwire.business import BusinessCalendar
from bellwire.capabilities import Operation
from bellwire.connectors.kit import Connector
from bellwire.errors import ConfigurationError
from bellwire.events import OWN, Event, FreeForm, data_model
from bellwire.flows.document import Key
from bellwire.flows.expressions import Expression, plain_path
from bellwire.flows.fields import element, has_field, list_of, without_none
from bellwire.flows.fitting import fits, may_lack
from bellwire.flows.inference import Inference, called, paths_in, tested_paths
from bellwire.flows.model import Flow, FlowAction, Value
from bellwire.flows.parsing import expressions_in
from bellwire.flows.scope import BUSINESS
from bellwire.flows.suggestions import nearest, spoken
from bellwire.money import Money


class Severity(StrEnum):
    ERROR = "error"
    """The flow can't run."""
    WARNING = "warning"


@dataclass(frozen=True)
class Finding:
    """`flows/order_to_cash.yaml:14: order.paid has no field 'totl'; did you mean 'total'?`"""

    path: Path | None
    line: int
    sentence: str
    suggestion: str = ""
    severity: Severity = Severity.ERROR
    where: tuple[str, ...] = field(default=(), compare=False)
    """The keys that lead to what it is about, such as `("actions", "invoice", "with", "order")`."""

    def error(self) -> ConfigurationError:
        """The same as an exception."""
        return ConfigurationError(f"{self.sentence}.", path=self.path, line=self.line, remedy=spoken(self.suggestion))

    def __str__(self) -> str:
        place = f"{self.path}:{self.line}: " if self.path else f"line {self.line}: "
        return place + self.sentence + (f"; {self.suggestion}" if self.suggestion else "")


def check_flow(flow: Flow, connectors: Mapping[str, Connector]) -> list[Finding]:
    """Everything that is wrong with `flow`, or doubtful, in the order of its lines. `connectors` are those behind the
    project's connections, by connection name. Without an error among the findings, the flow can run."""
    return _Check(flow, connectors).findings()


def operation_for(action: FlowAction, connector: Connector) -> Operation:
    """What `action` does at this connector. Raises ConfigurationError with a suggestion when it can't do that."""
    operations = [able.operation for able in connector.actions.values()]
    found = [operation for operation in operations if operation.name == action.operation_name]
    if len(found) == 1:
        return found[0]
    if found:
        raise ConfigurationError(
            f"{connector.manifest.title} has several '{action.operation_name}': {', '.join(map(str, found))}.",
            remedy="Use a connection whose connector has only one.",
        )
    raise ConfigurationError(
        f"{connector.manifest.title} (connection '{action.connection}') has no '{action.operation_name}'.",
        remedy=spoken(nearest(action.operation_name, sorted(operation.name for operation in operations))),
    )


@dataclass(frozen=True)
class Sight:
    """What an expression can see: names with their types; and which paths the action asks for before it uses them."""

    names: Mapping[str, Any]
    tested: frozenset[str]


class _Check:
    def __init__(self, flow: Flow, connectors: Mapping[str, Connector]) -> None:
        self._flow = flow
        self._connectors = connectors
        self._found: list[Finding] = []
        self._operations: dict[str, Operation] = {}
        self._event: Any = data_model(flow.event_type)
        self._at: tuple[str, ...] = ()
        """What is looked at."""

    def findings(self) -> list[Finding]:
        self._at = ("trigger",)
        self._trigger()
        self._endings()
        self._at = ("gather", "by")
        if self._flow.gather and self._flow.gather.by:
            self._infer(self._flow.gather.by, Sight({"event": self._event, "meta": Event}, frozenset()))
        self._who_and_what()
        for action in self._flow.actions.values():
            self._operation(action)
        for action in self._flow.actions.values():
            self._action(action)
        unique = dict.fromkeys(self._found)
        return sorted(unique, key=lambda finding: finding.line)

    def _add(self, line: int, text: str, suggestion: str = "", *, error: bool = True) -> None:
        severity = Severity.ERROR if error else Severity.WARNING
        self._found.append(Finding(self._flow.path, line, text, suggestion, severity, self._at))

    def _connector(self, name: str, line: int) -> Connector | None:
        connector = self._connectors.get(name)
        if connector is None:
            self._add(line, f"there is no connection '{name}'", nearest(name, sorted(self._connectors)))
        return connector

    def _trigger(self) -> None:
        line, event_type = self._flow.lines["trigger"], self._flow.event_type
        if self._flow.connection == OWN:
            return
        connector = self._connector(self._flow.connection, line)
        if connector is None:
            return
        if not self._brings(connector, event_type, line):
            self._event = Any  # what the right one carries isn't known, and isn't what has to be mended

    def _brings(self, connector: Connector, event_type: str, line: int) -> bool:
        brought = connector.triggers.event_types if connector.triggers else None
        if brought is None:
            self._add(line, f"{connector.manifest.title} sends no events", "start the flow with another connection")
            return True
        brings = any(fnmatchcase(event_type, pattern) for pattern in brought)
        if not brings:
            self._add(line, f"{connector.manifest.title} brings no '{event_type}'", nearest(event_type, brought))
        return brings

    def _who_and_what(self) -> None:
        self._at = ("owner", "name")
        if self._flow.owner is None:
            self._add(1, "the flow has no owner", "say who hears about it when it fails: owner: {name: …}", error=False)
        self._at = ("success", "within")
        if self._flow.success is None:
            self._add(
                1, "the flow doesn't say what success is", "add success: {within: 2m, error_rate: 1%}", error=False
            )

    def _endings(self) -> None:
        for at, ending in enumerate(self._flow.ends_on):
            self._at = ("ends_on", str(at), "event")
            connector = None if ending.connection == OWN else self._connector(ending.connection, ending.line)
            if connector is not None:
                self._brings(connector, ending.event_type, ending.line)
            for key, event_type, name in (
                ("same", self._flow.event_type, ending.same),
                ("as", ending.event_type, ending.called),
            ):
                self._at = ("ends_on", str(at), key)
                if name and not has_field(data_model(event_type), name):
                    self._add(ending.line, f"{event_type} has no field '{name}'")

    def _operation(self, action: FlowAction) -> None:
        if not action.connection:
            return
        self._at = ("actions", action.name, "do")
        connector = self._connector(action.connection, action.lines["do"])
        if connector is None:
            return
        try:
            self._operations[action.name] = operation_for(action, connector)
        except ConfigurationError as error:
            self._add(action.lines["do"], error.sentence.rstrip("."), error.remedy.lower())

    def _action(self, action: FlowAction) -> None:
        see = Sight(self._scope(), _tested(action))
        own = ("actions", action.name)
        self._at = (*own, "if")
        if isinstance(action.condition, Expression):
            self._infer(action.condition, see)
        if never(action):
            self._add(action.lines["if"], f"'{action.name}' never runs: its 'if' is never true", error=False)
        self._at = (*own, "wait_until")
        if action.wait_until is not None:
            self._time(action.wait_until, see)
        if action.approval is not None:
            for key, part in (("ask", action.approval.question), ("if", action.approval.condition)):
                self._at = (*own, "approve", key)
                for expression in expressions_in(part):
                    self._infer(expression, see)
        self._at = (*own, "for_each")
        if action.each is not None:
            see = Sight({**see.names, "item": self._item(action.each, see)}, see.tested)
        self._at = (*own, "with")
        operation = self._operations.get(action.name)
        if operation is not None:
            self._given(action, operation, see)
        elif action.emits:
            line = action.lines.get("with", action.lines["emit"])
            self._filled(f"the event {action.emits}", line, action.given, data_model(action.emits), see)
        else:
            for expression in expressions_in(dict(action.given)):
                self._infer(expression, see)

    def _scope(self) -> dict[str, Any]:
        results = {name: self._result(action) for name, action in self._flow.actions.items()}
        known = {"event": self._event, "events": list_of(self._event), "meta": Event, BUSINESS: BusinessCalendar}
        asking: dict[str, Any] = {
            name: (str, "") for name, action in self._flow.actions.items() if action.approval is not None
        }
        return known | {"links": create_model("Links", **asking)} | results

    def _result(self, action: FlowAction) -> Any:
        operation = self._operations.get(action.name)
        if operation is None:
            result = action.own_result or Any
            return list_of(result) if action.for_each else result
        return list_of(operation.result) if action.for_each else operation.result

    def _infer(self, expression: Expression, see: Sight) -> Any:
        def report(node: nodes.Node, text: str, suggestion: str, error: bool) -> None:
            self._add(expression.place.line_of(node), text, suggestion, error=error)

        subjects = {
            "event": self._flow.event_type,
            "events": "what was gathered",
            "meta": "the event's envelope",
            "links": "the flow's questions",
            BUSINESS: "the business",
        }
        subjects |= {name: f"the result of '{name}'" for name in self._flow.actions}
        found = Inference(see.names, subjects, see.tested, report).of(expression.tree)
        return str if expression.is_text else found

    def _time(self, until: Expression, see: Sight) -> None:
        found = without_none(self._infer(until, see))
        if found is not Any and found is not datetime:
            self._add(until.place.line, f"'wait_until' needs a time, and this is {called(found)}")

    def _item(self, each: Expression, see: Sight) -> Any:
        sequence = without_none(self._infer(each, see))
        item = element(sequence)
        if item is None:
            self._add(each.place.line, f"'for_each' needs a list, and this is {called(sequence)}")
        return item or Any

    def _given(self, action: FlowAction, operation: Operation, see: Sight) -> None:
        subject = f"{action.connection}.{operation.name}"
        line = action.lines.get("with", action.lines["do"])
        self._filled(subject, line, action.given, operation.given, see)

    def _filled(self, subject: str, line: int, given: Mapping[Key, Value], wanted: type[BaseModel], see: Sight) -> None:
        """Check the fields that `given` fills against those that `wanted` has."""
        fields, around = wanted.model_fields, self._at
        for name, wanting in fields.items():
            self._at = (*around, name)
            if wanting.is_required() and name not in given:
                self._add(line, f"{subject} needs '{name}'", self._example(name, wanting))
        for key, value in given.items():
            self._at = (*around, str(key))
            if key not in fields and wanted.model_config.get("extra") != "allow":
                self._add(key.line, f"{subject} takes no '{key}'", nearest(key, fields))
            self._value(key, value, fields.get(key) or FieldInfo(annotation=Any), see)
        self._at = around

    def _example(self, name: str, field: FieldInfo) -> str:
        return f'add {name}: "{{{{ event }}}}"' if field.annotation is self._event else f"add '{name}'"

    def _value(self, key: str, value: Value, field: FieldInfo, see: Sight) -> None:
        content, wanted = value.content, without_none(field.annotation)
        if isinstance(content, Expression):
            found = self._infer(content, see)
            asked = ".".join(plain_path(content.tree)) in see.tested
            self._typed(key, value.line, without_none(found) if asked else found, field.annotation)
        elif not expressions_in(value):
            self._literal(key, value, field)
        elif isinstance(content, list):
            for item in content:
                self._value(key, item, FieldInfo(annotation=element(wanted) or Any), see)
        else:
            model = wanted if inspect.isclass(wanted) and issubclass(wanted, BaseModel) else FreeForm
            self._filled(f"'{key}'", value.line, content, model, see)

    def _typed(self, key: str, line: int, given: Any, wanted: Any) -> None:
        if not fits(given, wanted):
            hint = _way_out(without_none(given), wanted)
            self._add(
                line,
                f"'{key}' has to be {called(without_none(wanted))}, and this is {called(without_none(given))}",
                hint,
            )
        elif may_lack(given, wanted):
            self._add(line, f"'{key}' has to be given, and this may be missing", "ask for it in 'if'", error=False)

    def _literal(self, key: str, value: Value, field: FieldInfo) -> None:
        try:
            annotation: Any = Annotated[field.annotation, field]
            TypeAdapter(annotation).validate_python(value({}))
        except ValidationError as error:
            first = error.errors(include_url=False, include_input=False)[0]["msg"]
            self._add(value.line, f"'{key}' can't be this: {first[:1].lower()}{first[1:]}")


def never(action: FlowAction) -> bool:
    """Whether its `if` can be seen to be always false."""
    condition = action.condition
    if isinstance(condition, Expression):
        return isinstance(condition.tree, nodes.Const) and not condition.tree.value
    return not condition


def _tested(action: FlowAction) -> frozenset[str]:
    asked = [action.approval.question, action.approval.condition] if action.approval else []
    expressions = expressions_in([dict(action.given), *asked])
    found = {path for expression in expressions for path in tested_paths(expression.tree)}
    return frozenset(found | (paths_in(action.condition.tree) if isinstance(action.condition, Expression) else set()))


def _way_out(given: Any, wanted: Any) -> str:
    if given is datetime and without_none(wanted) is date:
        return "take its day: {{ … | date }}"
    if without_none(wanted) is not str:
        return ""
    if given is Money:
        return "write it as text: {{ … | money }}"
    return "write it as text: {{ … | string }}" if given in (int, float) else "name one of its fields"

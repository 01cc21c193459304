"""The static check: a flow against its connections' connectors, before anything runs."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Annotated, Any

from jinja2 import nodes
from pydantic import TypeAdapter, ValidationError
from pydantic.fields import FieldInfo

from bellwire.capabilities import Given, Operation
from bellwire.connectors.kit import Connector
from bellwire.errors import ConfigurationError
from bellwire.events import Event, data_model
from bellwire.flows.document import Key
from bellwire.flows.expressions import Expression
from bellwire.flows.fields import element, list_of, without_none
from bellwire.flows.fitting import fits, may_lack
from bellwire.flows.inference import Inference, called, paths_in, tested_paths
from bellwire.flows.model import Flow, FlowAction, Value
from bellwire.flows.parsing import expressions_in
from bellwire.flows.suggestions import nearest, sentence
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
        remedy=sentence(nearest(action.operation_name, sorted(operation.name for operation in operations))),
    )


class _Check:
    def __init__(self, flow: Flow, connectors: Mapping[str, Connector]) -> None:
        self._flow = flow
        self._connectors = connectors
        self._found: list[Finding] = []
        self._operations: dict[str, Operation] = {}

    def findings(self) -> list[Finding]:
        self._trigger()
        self._who_and_what()
        for action in self._flow.actions.values():
            self._operation(action)
        for action in self._flow.actions.values():
            self._action(action)
        unique = dict.fromkeys(self._found)
        return sorted(unique, key=lambda finding: finding.line)

    def _add(self, line: int, text: str, suggestion: str = "", *, error: bool = True) -> None:
        severity = Severity.ERROR if error else Severity.WARNING
        self._found.append(Finding(self._flow.path, line, text, suggestion, severity))

    def _connector(self, name: str, line: int) -> Connector | None:
        connector = self._connectors.get(name)
        if connector is None:
            self._add(line, f"there is no connection '{name}'", nearest(name, sorted(self._connectors)))
        return connector

    def _trigger(self) -> None:
        line, event_type = self._flow.lines["trigger"], self._flow.event_type
        connector = self._connector(self._flow.connection, line)
        if connector is None:
            return
        brought = connector.triggers.event_types if connector.triggers else None
        if brought is None:
            self._add(line, f"{connector.manifest.title} sends no events", "start the flow with another connection")
        elif brought and not any(fnmatchcase(event_type, pattern) for pattern in brought):
            self._add(line, f"{connector.manifest.title} brings no '{event_type}'", nearest(event_type, brought))

    def _who_and_what(self) -> None:
        if self._flow.owner is None:
            self._add(1, "the flow has no owner", "say who hears about it when it fails: owner: {name: …}", error=False)
        if self._flow.success is None:
            self._add(
                1, "the flow doesn't say what success is", "add success: {within: 2m, error_rate: 1%}", error=False
            )

    def _operation(self, action: FlowAction) -> None:
        connector = self._connector(action.connection, action.lines["do"])
        if connector is None:
            return
        try:
            self._operations[action.name] = operation_for(action, connector)
        except ConfigurationError as error:
            self._add(action.lines["do"], error.sentence.rstrip("."), error.remedy.lower())

    def _action(self, action: FlowAction) -> None:
        scope = self._scope()
        tested = _tested(action)
        if isinstance(action.condition, Expression):
            self._infer(action.condition, scope, tested)
        if never(action):
            self._add(action.lines["if"], f"'{action.name}' never runs: its 'if' is never true", error=False)
        if action.each is not None:
            scope["item"] = self._item(action.each, scope, tested)
        operation = self._operations.get(action.name)
        if operation is None:
            for expression in expressions_in(dict(action.given)):
                self._infer(expression, scope, tested)
        else:
            self._given(action, operation, scope, tested)

    def _scope(self) -> dict[str, Any]:
        results = {name: self._result(action) for name, action in self._flow.actions.items()}
        return {"event": data_model(self._flow.event_type), "meta": Event, **results}

    def _result(self, action: FlowAction) -> Any:
        operation = self._operations.get(action.name)
        if operation is None:
            return Any
        return list_of(operation.result) if action.for_each else operation.result

    def _infer(self, expression: Expression, scope: Mapping[str, Any], tested: Iterable[str]) -> Any:
        def report(node: nodes.Node, text: str, suggestion: str, error: bool) -> None:
            self._add(expression.place.line_of(node), text, suggestion, error=error)

        subjects = {"event": self._flow.event_type, "meta": "the event's envelope"}
        subjects |= {name: f"the result of '{name}'" for name in self._flow.actions}
        found = Inference(scope, subjects, tested, report).of(expression.tree)
        return str if expression.is_text else found

    def _item(self, each: Expression, scope: Mapping[str, Any], tested: Iterable[str]) -> Any:
        sequence = without_none(self._infer(each, scope, tested))
        item = element(sequence)
        if item is None:
            self._add(each.place.line, f"'for_each' needs a list, and this is {called(sequence)}")
        return item or Any

    def _given(self, action: FlowAction, operation: Operation, scope: Mapping[str, Any], tested: Iterable[str]) -> None:
        wanted = operation.given
        for name, field in wanted.model_fields.items():
            if field.is_required() and name not in action.given:
                line = action.lines.get("with", action.lines["do"])
                self._add(line, f"{action.connection}.{operation.name} needs '{name}'", self._example(name, field))
        for key, value in action.given.items():
            asked = wanted.model_fields.get(key)
            if asked is None:
                self._stray(action, operation, wanted, key)
            self._value(key, value, asked, scope, tested)

    def _example(self, name: str, field: FieldInfo) -> str:
        event = data_model(self._flow.event_type)
        return f'add {name}: "{{{{ event }}}}"' if field.annotation is event else f"add '{name}' to 'with'"

    def _stray(self, action: FlowAction, operation: Operation, wanted: type[Given], key: Key) -> None:
        if wanted.model_config.get("extra") != "allow":
            known = list(wanted.model_fields)
            self._add(key.line, f"{action.connection}.{operation.name} takes no '{key}'", nearest(key, known))

    def _value(
        self, key: str, value: Value, field: FieldInfo | None, scope: Mapping[str, Any], tested: Iterable[str]
    ) -> None:
        inside = expressions_in(value)
        if isinstance(value.content, Expression):
            given = self._infer(value.content, scope, tested)
            if field is not None:
                self._typed(key, value.line, given, field.annotation)
            return
        for expression in inside:
            self._infer(expression, scope, tested)
        if field is not None and not inside:
            self._literal(key, value, field)

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


def _tested(action: FlowAction) -> set[str]:
    found = {path for expression in expressions_in(dict(action.given)) for path in tested_paths(expression.tree)}
    return found | (paths_in(action.condition.tree) if isinstance(action.condition, Expression) else set())


def _way_out(given: Any, wanted: Any) -> str:
    if without_none(wanted) is not str:
        return ""
    if given is Money:
        return "write it as text: {{ … | money }}"
    return "write it as text: {{ … | string }}" if given in (int, float) else "name one of its fields"

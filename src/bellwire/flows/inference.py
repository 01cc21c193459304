"""What type an expression has, and what is wrong with it, told without running it."""

import inspect
import re
from collections.abc import Callable, Iterable, Mapping
from datetime import date, datetime
from decimal import Decimal
from functools import singledispatchmethod
from typing import Any

from jinja2 import nodes
from jinja2.runtime import LoopContext
from pydantic import AwareDatetime, BaseModel

from bellwire.flows.expressions import plain_path
from bellwire.flows.fields import TEXT_METHODS, element, fields_of, list_of, options, union, without_none
from bellwire.flows.sandbox import LOOP_LIMIT
from bellwire.flows.suggestions import nearest
from bellwire.flows.times import TIMES, TimeFilter
from bellwire.money import Money

Report = Callable[[nodes.Node, str, str, bool], None]
"""Takes the node, the sentence, the suggestion, and whether it is an error (else a warning)."""

_GIVES_TEXT = (
    "capitalize",
    "date",
    "join",
    "lower",
    "money",
    "phone",
    "replace",
    "string",
    "title",
    "trim",
    "truncate",
    "upper",
)
_GIVES = dict.fromkeys(_GIVES_TEXT, str) | {
    "count": int,
    "float": float,
    "int": int,
    "length": int,
    "round": Decimal,
}
_SAME_LIST = (LOOP_LIMIT, "list", "reject", "rejectattr", "select", "selectattr", "sort", "unique")
_ONE_OF_LIST = ("first", "last", "max", "min", "sum")
_ORDERING = ("lt", "lteq", "gt", "gteq")


class Inference:
    """`names` are the types of what the expression can see, `subjects` how to call them in messages (`order.paid`).
    `tested` are the paths that the flow asks for before it uses them, such as `event.customer`."""

    def __init__(
        self, names: Mapping[str, Any], subjects: Mapping[str, str], tested: Iterable[str], report: Report
    ) -> None:
        self._names = dict(names)
        self._subjects = subjects
        self._tested = frozenset(tested)
        self._report = report

    @singledispatchmethod
    def of(self, node: nodes.Node) -> Any:
        """The annotation of what `node` gives; Any when it can't be told. Reports what is wrong on the way."""
        for child in node.iter_child_nodes():
            self.of(child)
        return Any

    @of.register
    def _(self, node: nodes.Const) -> Any:
        return type(node.value)

    @of.register
    def _(self, node: nodes.Name) -> Any:
        if node.name not in self._names:
            self._error(node, f"there is no '{node.name}' here", nearest(node.name, self._names))
        return self._names.get(node.name, Any)

    @of.register
    def _(self, node: nodes.Getattr) -> Any:
        return self._field(node, node.node, node.attr)

    @of.register
    def _(self, node: nodes.Getitem) -> Any:
        if isinstance(node.arg, nodes.Const) and isinstance(node.arg.value, str):
            return self._field(node, node.node, node.arg.value)
        owner = self.of(node.node)
        self.of(node.arg)
        if isinstance(node.arg, nodes.Slice) or owner is str:
            return owner
        return element(without_none(owner)) or Any

    @of.register
    def _(self, node: nodes.CondExpr) -> Any:
        self.of(node.test)
        return union(self.of(node.expr1), self.of(node.expr2) if node.expr2 else type(None))

    @of.register(nodes.And)
    @of.register(nodes.Or)
    def _(self, node: nodes.BinExpr) -> Any:
        left, right = self.of(node.left), self.of(node.right)
        return union(without_none(left) if isinstance(node, nodes.Or) else left, right)

    @of.register(nodes.Test)
    @of.register(nodes.Not)
    def _(self, node: nodes.Expr) -> Any:
        for child in node.iter_child_nodes():
            self.of(child)
        return bool

    @of.register
    def _(self, node: nodes.Compare) -> Any:
        left = self.of(node.expr)
        for operand in node.ops:
            right = self.of(operand.expr)
            if operand.op in _ORDERING:
                self._ordered(node, left, right)
        return bool

    @of.register
    def _(self, node: nodes.Concat) -> Any:
        for part in node.nodes:
            self._printable(part, self.of(part))
        return str

    @of.register
    def _(self, node: nodes.Call) -> Any:
        method = node.node
        assert isinstance(method, nodes.Getattr)  # all that the sandbox lets through
        owner = without_none(self.of(method.node))
        for argument in node.args:
            self.of(argument)
        if owner is not Any and not _is_text(owner):
            self._error(node, f"'{method.attr}()' works on text only", "")
        return {"startswith": bool, "endswith": bool, "split": list[str]}.get(method.attr, str)

    @of.register
    def _(self, node: nodes.Filter) -> Any:
        if node.node is None:
            return Any
        given = self.of(node.node)
        for argument in (*node.args, *(keyword.value for keyword in node.kwargs)):
            self.of(argument)
        return self._filtered(node, given)

    @of.register
    def _(self, node: nodes.Output) -> Any:
        for part in node.nodes:
            self._printable(part, self.of(part))
        return str

    @of.register
    def _(self, node: nodes.TemplateData) -> Any:
        return str

    @of.register
    def _(self, node: nodes.For) -> Any:
        item = self._items(node.iter, self.of(node.iter))
        outer = self._names
        targets = node.target.items if isinstance(node.target, nodes.Tuple) else [node.target]
        inner = {name.name: item if len(targets) == 1 else Any for name in targets if isinstance(name, nodes.Name)}
        self._names = outer | inner | {"loop": LoopContext}
        for part in ([node.test] if node.test else []) + list(node.body):
            self.of(part)
        self._names = outer
        for part in node.else_:
            self.of(part)
        return str

    def _field(self, node: nodes.Node, owner_node: nodes.Node, name: str) -> Any:
        owner = self.of(owner_node)
        path = ".".join(plain_path(owner_node))
        present = without_none(owner)
        if present != owner and path not in self._tested:
            hint = f"write {path}.{name} if {path} else ''" if path else "ask for it first"
            self._warning(node, f"'{path or 'this'}' may be missing", hint)
        found = [_field_of(option, name) for option in options(present)]
        if None not in found:
            return union(*found)
        if present is str and name in TEXT_METHODS:
            return Any
        names = [field for option in options(present) if inspect.isclass(option) for field in fields_of(option)]
        subject = self._subjects.get(path) or (f"'{path}'" if path else called(present))
        self._error(
            node, f"{subject} has no field '{name}'", nearest(name, names) if names else f"it is {called(present)}"
        )
        return Any

    def _filtered(self, node: nodes.Filter, given: Any) -> Any:
        present = without_none(given)
        if node.name in _GIVES:
            if node.name == "money" and present not in (Any, Money):
                self._error(node, f"'money' needs an amount, and this is {called(present)}", "")
            if node.name == "date" and present is not Any and not _is(present, date):
                self._error(node, f"'date' needs a date, and this is {called(present)}", "")
            return _GIVES[node.name]
        if node.name in TIMES:
            return self._time(node, given, TIMES[node.name])
        if node.name in ("default", "d"):
            return union(present, self.of(node.args[0]) if node.args else str)
        if node.name in _SAME_LIST:
            item = self._items(node, given)
            return list_of(item)
        if node.name in _ONE_OF_LIST:
            return self._items(node, given)
        if node.name == "map":
            return self._mapped(node, self._items(node, given))
        return Any if node.name != "abs" else present

    def _time(self, node: nodes.Filter, given: Any, used: TimeFilter) -> Any:
        """A time for a time, and nothing for nothing. What stands in the flow as it is, is read as the run reads it."""
        present, taken = without_none(given), date if used.days else datetime
        if present is not Any and not all(_is(option, taken) for option in options(present)):
            self._error(node, f"'{node.name}' needs {used.wants}, and this is {called(present)}", "")
        try:
            arguments = used.bind(tuple(node.args), {str(keyword.key): keyword.value for keyword in node.kwargs})
            for name, argument in arguments.items():
                if isinstance(argument, nodes.Const):
                    used.arguments[name](argument.value)
        except ValueError as error:
            sentence, _, suggestion = str(error).partition("; ")
            self._error(node, sentence, suggestion)
        found = present if used.keeps else datetime
        return found if present == given else union(found, type(None))

    def _mapped(self, node: nodes.Filter, item: Any) -> Any:
        attribute = next((keyword.value for keyword in node.kwargs if keyword.key == "attribute"), None)
        if not isinstance(attribute, nodes.Const) or not isinstance(attribute.value, str):
            return Any
        for name in attribute.value.split("."):
            found = union(*(_field_of(option, name) or Any for option in options(without_none(item))))
            if found is Any and any(_field_of(option, name) is None for option in options(without_none(item))):
                names = fields_of(item) if inspect.isclass(item) else ()
                self._error(node, f"{called(item)} has no field '{name}'", nearest(name, names))
                return Any
            item = found
        return list_of(item)

    def _items(self, node: nodes.Node, sequence: Any) -> Any:
        present = without_none(sequence)
        item = element(present)
        if item is None and not _is_text(present):
            self._error(node, f"this is {called(present)}, not a list", "")
        return str if item is None and _is_text(present) else item or Any

    def _ordered(self, node: nodes.Node, left: Any, right: Any) -> None:
        kinds = {without_none(left), without_none(right)}
        if Money in kinds and kinds & {int, float, Decimal, str}:
            self._error(
                node, "money can't be compared with a number", "compare its 'amount', as in event.total.amount > 0"
            )

    def _printable(self, node: nodes.Node, given: Any) -> None:
        present = without_none(given)
        if element(present) not in (None, Any):
            self._error(node, "a list can't stand in a text", "join it: {{ … | join(', ') }}")
        elif _is(present, BaseModel) and present is not Money:
            self._error(node, f"{called(present)} can't stand in a text", "name one of its fields")

    def _error(self, node: nodes.Node, sentence: str, suggestion: str) -> None:
        self._report(node, sentence, suggestion, True)

    def _warning(self, node: nodes.Node, sentence: str, suggestion: str) -> None:
        self._report(node, sentence, suggestion, False)


def tested_paths(tree: nodes.Node) -> set[str]:
    """The plain paths that `tree` asks for in a condition."""
    conditions = [_asked(node) for node in (tree, *tree.find_all(nodes.Node))]
    return {path for condition in conditions if condition for path in paths_in(condition)}


def _asked(node: nodes.Node) -> nodes.Node | None:
    """What decides whether the rest of `node` is worked out at all."""
    if isinstance(node, nodes.CondExpr | nodes.If | nodes.For):
        return node.test
    return node.left if isinstance(node, nodes.And) else None


def paths_in(tree: nodes.Node) -> set[str]:
    found = [tree, *tree.find_all((nodes.Name, nodes.Getattr))]
    return {".".join(plain_path(node)) for node in found} - {""}


def called(annotation: Any) -> str:
    """A type as people call it: `text`, `an amount of money`, `a list`, `Order`."""
    if element(annotation) is not None and annotation is not Any:
        item = element(annotation)
        return "a list" if item is Any else f"a list, each item {called(item)}"
    if len(options(annotation)) > 1:
        return " or ".join(called(option) for option in options(annotation))
    words = {str: "text", int: "a number", float: "a number", Decimal: "a number", bool: "yes or no",
             Money: "an amount of money", AwareDatetime: "a time", type(None): "nothing",
             dict: "keys and values"}  # fmt: skip
    if annotation in words:
        return words[annotation]
    if _is(annotation, date):
        return "a time" if annotation is datetime else "a date"
    if _is(annotation, BaseModel):
        name = re.sub(r"(?<=[a-z])(?=[A-Z])", " ", annotation.__name__).lower()
        return f"{'an' if name[0] in 'aeiou' else 'a'} {name}"
    return getattr(annotation, "__name__", "anything")


def _field_of(owner: Any, name: str) -> Any:
    """The annotation of a field; None when there is none."""
    if owner is Any:
        return Any
    if not inspect.isclass(owner):
        return Any if element(owner) is None else None
    if name in fields_of(owner):
        return fields_of(owner)[name]
    free = owner is dict or (issubclass(owner, BaseModel) and owner.model_config.get("extra") == "allow")
    return Any if free or owner is object else None


def _is(annotation: Any, kind: type) -> bool:
    return inspect.isclass(annotation) and issubclass(annotation, kind)


def _is_text(annotation: Any) -> bool:
    return _is(annotation, str)

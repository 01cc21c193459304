"""The Jinja environment of expressions: reads fields, calls next to nothing, can't be made to run for long.

What an expression may be made of is an allow-list, checked when the flow is read. What it may touch is checked when
it runs, by `fields.read_field`.
"""

from decimal import Decimal
from typing import Any

from jinja2 import StrictUndefined, Undefined, nodes
from jinja2.exceptions import SecurityError
from jinja2.sandbox import ImmutableSandboxedEnvironment
from jinja2.tests import TESTS as JINJA_TESTS
from jinja2.utils import missing

from bellwire.flows.fields import TEXT_METHODS, read_field
from bellwire.flows.filters import FILTERS, few, printed
from bellwire.flows.scope import Foreseen
from bellwire.flows.suggestions import nearest, spoken
from bellwire.money import Money

TESTS = ("defined", "divisibleby", "even", "in", "none", "number", "odd", "string", "undefined")

LOOP_LIMIT = "_few"
"""The filter that `limit_loops` puts around what a loop goes over; no flow can name it."""
_DEEPEST_LOOP = 2
_COMPARISONS = (
    "==",
    "!=",
    "<",
    "<=",
    ">",
    ">=",
    "eq",
    "ne",
    "lt",
    "le",
    "gt",
    "ge",
    "equalto",
    "lessthan",
    "greaterthan",
)
_ALLOWED = (
    nodes.Template, nodes.Output, nodes.TemplateData, nodes.If, nodes.For,
    nodes.Name, nodes.Const, nodes.List, nodes.Tuple, nodes.Dict, nodes.Pair,
    nodes.Getattr, nodes.Getitem, nodes.Slice, nodes.Call, nodes.Keyword, nodes.Filter, nodes.Test,
    nodes.CondExpr, nodes.Compare, nodes.Operand, nodes.And, nodes.Or, nodes.Not, nodes.Neg, nodes.Pos,
    nodes.Add, nodes.Sub, nodes.Mul, nodes.Div, nodes.FloorDiv, nodes.Mod, nodes.Concat,
)  # fmt: skip


class Missing(StrictUndefined):
    """What isn't there. Using it, other than to ask whether it is there, fails in plain words."""

    __slots__ = ()

    @property
    def _undefined_message(self) -> str:
        if self._undefined_hint:
            return self._undefined_hint
        name: Any = self._undefined_name
        owner = self._undefined_obj
        if owner is missing:
            return f"there is no '{name}' here"
        if owner is None:
            return f"'{name}' is asked of something that this event doesn't have"
        if isinstance(name, int):
            return f"there is no item {name}"
        return f"there is no field '{name}' in {type(owner).__name__}"


def use(value: Any) -> None:
    """Fail, as any use does, when `value` is missing, or holds something that is. Raises UndefinedError."""
    if isinstance(value, Undefined):
        str(value)
    elif isinstance(value, list):
        for item in value:
            use(item)


class Sandbox(ImmutableSandboxedEnvironment):
    """Its globals are empty: no `range`, no `dict`. It loads, includes and imports nothing."""

    intercepted_binops = frozenset({"*", "%"})

    def __init__(self) -> None:
        super().__init__(undefined=Missing, finalize=printed, keep_trailing_newline=True, optimized=False, cache_size=0)
        self.globals.clear()
        self.filters = {**FILTERS, LOOP_LIMIT: few}
        self.tests = {name: JINJA_TESTS[name] for name in (*TESTS, *_COMPARISONS)}

    def getattr(self, obj: Any, attribute: str) -> Any:
        use(obj)
        found = read_field(obj, attribute, _ABSENT)
        return self.undefined(obj=obj, name=attribute) if found is _ABSENT else found

    def getitem(self, obj: Any, argument: Any) -> Any:
        if isinstance(argument, str):
            return self.getattr(obj, argument)
        use(obj)
        if isinstance(obj, Foreseen) and isinstance(argument, int):
            return obj[argument]
        if isinstance(obj, list | tuple | str) and isinstance(argument, int) and -len(obj) <= argument < len(obj):
            return obj[argument]
        return self.undefined(obj=obj, name=argument)

    def is_safe_callable(self, obj: Any) -> bool:
        return isinstance(getattr(obj, "__self__", None), str) and getattr(obj, "__name__", "") in TEXT_METHODS

    def call_binop(self, context: Any, operator: str, left: Any, right: Any) -> Any:
        """Only numbers (and money by a number) are multiplied, and only of a bearable size."""
        if not all(_is_small(operand) for operand in (left, right)):
            raise SecurityError(f"'{operator}' works with numbers only, of at most 30 digits")
        return super().call_binop(context, operator, left, right)


_ABSENT = object()
_MOST = 10**30


def _is_small(operand: Any) -> bool:
    amount = operand.amount if isinstance(operand, Money) else operand
    return isinstance(amount, int | float | Decimal) and -_MOST < amount < _MOST


def problem(tree: nodes.Node) -> tuple[str, str, int] | None:
    """Why `tree` isn't allowed, what to do instead, and the line within the expression; None when it is allowed."""
    for node, loops in _walk(tree, 0):
        found = _problem_of(node, loops)
        if found:
            return (*found, node.lineno)
    return None


def limit_loops(tree: nodes.Node) -> None:
    """Make every loop in `tree` fail when it would go over too many items."""
    for loop in tree.find_all(nodes.For):
        loop.iter = nodes.Filter(loop.iter, LOOP_LIMIT, [], [], None, None, lineno=loop.lineno)


def _walk(node: nodes.Node, loops: int) -> Any:
    loops += isinstance(node, nodes.For)
    yield node, loops
    for child in node.iter_child_nodes():
        yield from _walk(child, loops)


def _problem_of(node: nodes.Node, loops: int) -> tuple[str, str] | None:
    if not isinstance(node, _ALLOWED):
        return f"'{type(node).__name__.lower()}' isn't allowed in a flow", "Use {{ … }}, {% if %} and {% for %}."
    if isinstance(node, nodes.For) and (loops > _DEEPEST_LOOP or node.recursive):
        return f"loops can't be nested more than {_DEEPEST_LOOP} deep", ""
    if isinstance(node, nodes.Filter) and node.name not in FILTERS:
        return f"there is no filter '{node.name}'", spoken(nearest(node.name, FILTERS))
    if isinstance(node, nodes.Test) and node.name not in TESTS:
        return f"there is no test '{node.name}'", spoken(nearest(node.name, TESTS))
    if isinstance(node, nodes.Call) and not (isinstance(node.node, nodes.Getattr) and node.node.attr in TEXT_METHODS):
        return "a flow can't call this", f"Only these can be called, on text: {', '.join(sorted(TEXT_METHODS))}."
    if isinstance(node, nodes.Call) and (node.dyn_args or node.dyn_kwargs or node.kwargs):
        return "a flow can't call this with * or names", ""
    name = node.attr if isinstance(node, nodes.Getattr) else node.name if isinstance(node, nodes.Name) else ""
    if name.startswith("_"):
        return f"'{name}' is private", ""
    return None

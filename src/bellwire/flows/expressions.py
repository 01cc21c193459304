"""Expressions in flow files: compiled once, evaluated for every run.

`{{ … }}` alone gives the value itself, whatever it is; within other text it is written out. Text without `{{` or `{%`
is itself.
"""

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import Any

from jinja2 import Template, nodes
from jinja2.exceptions import SecurityError, TemplateError, TemplateSyntaxError, UndefinedError
from jinja2.meta import find_undeclared_variables

from bellwire.errors import ConfigurationError, FlowError
from bellwire.flows.fields import read_field
from bellwire.flows.filters import MOST_CHARACTERS
from bellwire.flows.sandbox import Sandbox, limit_loops, problem, use
from bellwire.flows.scope import Scope

_SANDBOX = Sandbox()
_MARK = re.compile(r"\{\{|\{%|\{#")
_CODE = re.compile(r"\{\{[\s\S]*?\}\}|\{%[\s\S]*?%\}")
_WORD = re.compile(r"""'(?:\\.|[^'\\])*'|"(?:\\.|[^"\\])*"|[A-Za-z_]\w*""")
"""Text in quotes, or a name."""
_LINKS = re.compile(r"(?<![\w.])links\s*\.$")
"""What goes by an action's name as well."""
_ABSENT = object()
_FAILURES = (ArithmeticError, AttributeError, LookupError, RecursionError, TemplateError, TypeError, ValueError)


@dataclass(frozen=True)
class Place:
    """Where an expression stands. `owner` is e.g. `Flow 'Order to cash', action 'bench'`, `key` e.g. `text`."""

    path: Path
    line: int
    owner: str
    key: str
    literal: bool = False
    """Each line of the text is a line of the file."""

    def line_of(self, node: nodes.Node) -> int:
        return self.line_at(node.lineno)

    def line_at(self, lineno: int) -> int:
        return self.line + lineno - 1 if self.literal else self.line


@dataclass(frozen=True, eq=False)
class Expression:
    """Call it with a scope. Raises FlowError when it can't be worked out for this event."""

    source: str
    place: Place
    tree: nodes.Expr | nodes.Template
    """An expression for `{{ … }}` alone, a template for text around expressions; for the static check."""
    names: frozenset[str]
    """What it refers to at the top: `event`, `label` …"""
    _evaluate: Callable[[Scope], Any] = field(repr=False)

    @property
    def is_text(self) -> bool:
        return isinstance(self.tree, nodes.Template)

    def __call__(self, scope: Scope) -> Any:
        try:
            return self._evaluate(scope)
        except (FlowError, *_FAILURES) as error:
            raise self._failed(_plainly(error), getattr(error, "remedy", "")) from error

    def _failed(self, why: str, remedy: str) -> FlowError:
        place, shown = self.place, self.source if len(self.source) <= 80 else self.source[:79] + "…"
        return FlowError(
            f"{place.owner}: `{place.key}: {shown}` can't be worked out: {why.rstrip('.')}.",
            cause="expression",
            remedy=remedy or f"Change it in {place.path}, line {place.line}.",
        )


def is_dynamic(text: str) -> bool:
    """Whether there is anything to work out in `text`."""
    return _MARK.search(text) is not None


@dataclass(frozen=True)
class _Compiled:
    """What an expression is wherever it stands."""

    tree: nodes.Expr | nodes.Template
    names: frozenset[str]
    evaluate: Callable[[Scope], Any]


class _Unclear(Exception):
    """It can't be understood, at this line of the text; the place is still to be said."""

    def __init__(self, why: str, remedy: str = "", lineno: int = 1) -> None:
        super().__init__(why)
        self.why, self.remedy, self.lineno = why, remedy, lineno


def compile_text(text: str, place: Place) -> Expression:
    """The value of a key that may be plain text around expressions. Raises ConfigurationError."""
    with _at(place):
        made = _text(text)
    return Expression(text, place, made.tree, made.names, made.evaluate)


def compile_condition(text: str, place: Place) -> Expression:
    """The value of a key that is always one expression; the braces may be left out. Raises ConfigurationError."""
    with _at(place):
        made = _alone(text if is_dynamic(text) else "{{ " + text + " }}")
    if made is None:
        raise ConfigurationError(
            f"`{place.key}` has to be one expression, without text around it.",
            path=place.path,
            line=place.line,
            remedy=f"Write e.g. `{place.key}: event.lines`.",
        )
    return Expression(text, place, made.tree, made.names, made.evaluate)


def renamed(text: str, old: str, new: str, *, alone: bool = False) -> str:
    """`text` with another name for what it calls `old`; `alone`: it is one expression, perhaps without its braces."""

    def within(match: re.Match[str]) -> str:
        code = match[0]

        def named(word: re.Match[str]) -> str:
            before = code[: word.start()].rstrip()
            own = before[-1:] not in (".", "|") or _LINKS.search(before)
            return new if word[0] == old and own else word[0]

        return _WORD.sub(named, code)

    return (re.compile(r"[\s\S]+") if alone and not is_dynamic(text) else _CODE).sub(within, text)


@contextmanager
def _at(place: Place) -> Iterator[None]:
    try:
        yield
    except _Unclear as error:
        raise ConfigurationError(
            f"`{place.key}` can't be understood: {error.why.rstrip('.')}.",
            path=place.path,
            line=place.line_at(error.lineno),
            remedy=error.remedy or "docs/flows.md shows what expressions can be.",
        ) from error


# While a flow is edited, all of it is checked at every stroke, and nearly all of it is as it was.
@lru_cache(maxsize=1024)
def _text(source: str) -> _Compiled:
    if alone := _alone(source):
        return alone
    tree = _parsed(source)
    names = frozenset(find_undeclared_variables(tree))
    limit_loops(tree)
    tree.set_environment(_SANDBOX)
    return _Compiled(tree, names, _text_evaluator(_template(tree)))


@lru_cache(maxsize=1024)
def _alone(source: str) -> _Compiled | None:
    """None: it isn't one expression and nothing but blanks around it."""
    tree = _only(_parsed(source))
    if tree is None:
        return None
    if path := plain_path(tree):
        return _Compiled(tree, frozenset(path[:1]), _reader(path))
    assign = nodes.Assign(nodes.Name("result", "store"), tree, lineno=1)
    whole = nodes.Template([assign], lineno=1)
    whole.set_environment(_SANDBOX)
    names = frozenset(find_undeclared_variables(whole))
    return _Compiled(tree, names, _native_evaluator(_template(whole)))


def _parsed(text: str) -> nodes.Template:
    try:
        template = _SANDBOX.parse(text)
        found = problem(template)
    except TemplateSyntaxError as error:
        raise _Unclear(error.message or "a part is missing", lineno=error.lineno) from error
    except (RecursionError, ValueError) as error:
        raise _Unclear("it is too long or too deeply nested") from error
    if found:
        raise _Unclear(*found)
    return template


def _only(template: nodes.Template) -> nodes.Expr | None:
    parts = [
        part for output in template.body for part in (output.nodes if isinstance(output, nodes.Output) else [output])
    ]
    real = [part for part in parts if not (isinstance(part, nodes.TemplateData) and not part.data.strip())]
    only = real[0] if len(real) == 1 else None
    return only if isinstance(only, nodes.Expr) and not isinstance(only, nodes.TemplateData) else None


def _template(tree: nodes.Template) -> Template:
    try:
        return _SANDBOX.from_string(tree)
    except TemplateSyntaxError as error:
        raise _Unclear(error.message or "a part is missing", lineno=error.lineno) from error
    except (RecursionError, SyntaxError, ValueError, MemoryError) as error:
        raise _Unclear("it is too long or too deeply nested") from error


def plain_path(tree: nodes.Node) -> tuple[str, ...]:
    """`("event", "total")` for `event.total`; empty for anything but names joined by dots."""
    if isinstance(tree, nodes.Name):
        return (tree.name,)
    if isinstance(tree, nodes.Getattr):
        start = plain_path(tree.node)
        return (*start, tree.attr) if start else ()
    return ()


def _reader(path: tuple[str, ...]) -> Callable[[Scope], Any]:
    """Reads a plain path without Jinja, to the same rules."""
    first, *rest = path

    def read(scope: Scope) -> Any:
        value = scope.get(first, _ABSENT)
        if value is _ABSENT:
            use(_SANDBOX.undefined(name=first))
        for name in rest:
            inner = read_field(value, name, _ABSENT)
            if inner is _ABSENT:
                use(_SANDBOX.undefined(obj=value, name=name))
            value = inner
        return value

    return read


def _native_evaluator(template: Template) -> Callable[[Scope], Any]:
    def evaluate(scope: Scope) -> Any:
        context = template.new_context(scope, shared=True)
        for _ in template.root_render_func(context):
            pass
        value = context.vars["result"]
        if isinstance(value, Iterator):
            value = list(value)
        use(value)
        if isinstance(value, str):
            _bounded(len(value))
        return value

    return evaluate


def _text_evaluator(template: Template) -> Callable[[Scope], Any]:
    def evaluate(scope: Scope) -> str:
        pieces, length = [], 0
        for piece in template.root_render_func(template.new_context(scope, shared=True)):
            length += len(piece)
            _bounded(length)
            pieces.append(piece)
        return "".join(pieces)

    return evaluate


def _bounded(length: int) -> None:
    if length > MOST_CHARACTERS:
        raise FlowError(f"its text is longer than {MOST_CHARACTERS} characters")


def _plainly(error: Exception) -> str:
    if isinstance(error, FlowError):
        return error.sentence
    if isinstance(error, UndefinedError | SecurityError):
        return str(error)
    if isinstance(error, ZeroDivisionError):
        return "it divides by zero"
    if isinstance(error, TypeError | AttributeError):
        return f"its parts don't go together ({error})"
    return str(error) or type(error).__name__

"""A condition as fields: what it is about, the comparison, and what it is compared with; or one's own expression."""

import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from jinja2 import nodes

from bellwire.desk.choosing import NOTHING, OWN_WORDS, Offer, values_of, written
from bellwire.desk.forms import Form
from bellwire.errors import ConfigurationError
from bellwire.flows.expressions import Place, compile_condition, plain_path

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
_NUMBER = re.compile(r"-?[0-9]+(\.[0-9]+)?")
_PLACE = Path("flow.yaml")


@dataclass(frozen=True)
class Condition:
    """`picked` is the path of what it is about."""

    name: str
    """Of the form's field; `.op`, `.value` and `.own` are beside it."""
    picked: str
    comparison: str = ""
    value: str = ""
    own: str = ""
    offered: Offer = field(default=(), compare=False)

    @classmethod
    def of(cls, name: str, found: Any, offered: Offer) -> "Condition":
        text = written(found)
        if not text:
            return cls(name, NOTHING, offered=offered)
        shown = _compared(name, text, offered)
        if shown and shown.picked in values_of(offered) and shown.text == text.strip("{} "):
            return shown
        return cls(name, OWN_WORDS, own=re.sub(r"\r\n?", "\n", text).strip(), offered=offered)

    @property
    def text(self) -> str:
        """The expression."""
        if self.picked == OWN_WORDS:
            return self.own
        if not self.picked or not self.comparison:
            return self.picked
        if self.comparison == "not":
            return f"not {self.picked}"
        plain = _NUMBER.fullmatch(self.value) or self.value in ("true", "false")
        quoted = self.value.replace("\\", "\\\\").replace("'", "\\'")
        said = self.value if plain else f"'{quoted}'"
        return f"{said} in {self.picked}" if self.comparison == "in" else f"{self.picked} {self.comparison} {said}"

    def filled(self, form: Form) -> str | None:
        """The expression of what was filled in; None: it is as it was."""
        if self.name not in form:
            return None
        filled = Condition(
            self.name,
            form.get(self.name),
            form.get(f"{self.name}.op"),
            form.text(f"{self.name}.value"),
            form.text(f"{self.name}.own").strip(),
        )
        if filled.own and filled.own != self.own and filled.picked == self.picked:
            filled = Condition(self.name, OWN_WORDS, own=filled.own)
        return filled.text if filled.text != self.text else None


def _compared(name: str, text: str, offered: Offer) -> Condition | None:
    try:
        tree = compile_condition(text, Place(_PLACE, 1, "", "if")).tree
    except ConfigurationError:
        return None
    comparison, value, about = "", "", tree
    if isinstance(tree, nodes.Not):
        comparison, about = "not", tree.node
    elif isinstance(tree, nodes.Compare) and len(tree.ops) == 1:
        operand = tree.ops[0]
        contained = operand.op == "in"
        constant, about = (tree.expr, operand.expr) if contained else (operand.expr, tree.expr)
        if not isinstance(constant, nodes.Const) or (operand.op not in _COMPARED and not contained):
            return None
        comparison = "in" if contained else _COMPARED[operand.op]
        value = written(constant.value)
    if not value.isprintable():
        return None
    return Condition(name, ".".join(plain_path(about)), comparison, value, "", offered)

"""What the sources say of a model's fields, for people who fill them in. Read only when it is asked for: pydantic's own
way reads the source of every model when it is imported, which takes a quarter of the start."""

import ast
import inspect
from functools import cache

from pydantic import BaseModel


def meaning(model: type[BaseModel], name: str) -> str:
    """The string that stands below a field, on one line; empty: there is none, or the source isn't there."""
    for each in model.__mro__:
        if name in inspect.get_annotations(each):
            return _below_fields(each).get(name, "")
    return ""


@cache
def _below_fields(model: type) -> dict[str, str]:
    try:
        lines, _ = inspect.getsourcelines(model)
    except (OSError, TypeError):
        return {}
    (statement,) = ast.parse(inspect.cleandoc("\n" + "".join(lines))).body
    assert isinstance(statement, ast.ClassDef)
    return {
        field.target.id: " ".join(below.value.value.split())
        for field, below in zip(statement.body, statement.body[1:], strict=False)
        if isinstance(field, ast.AnnAssign)
        and isinstance(field.target, ast.Name)
        and isinstance(below, ast.Expr)
        and isinstance(below.value, ast.Constant)
        and isinstance(below.value.value, str)
    }

"""Whether a value of one type can be given where another is asked for, as far as can be told beforehand."""

import inspect
from datetime import date, datetime
from decimal import Decimal
from enum import Enum
from typing import Any, get_args, get_origin

from pydantic import AwareDatetime, BaseModel

from bellwire.flows.fields import element, fields_of, options, without_none


def fits(given: Any, wanted: Any) -> bool:
    """Whether every value of type `given`, other than None, can be one of `wanted`; True when it can't be told."""
    if given is Any or wanted is Any:
        return True
    return all(any(_fits_one(option, choice) for choice in options(wanted)) for option in options(without_none(given)))


def may_lack(given: Any, wanted: Any) -> bool:
    """Whether it may be None where None isn't taken."""
    return given is not Any and type(None) in options(given) and wanted is not Any and type(None) not in options(wanted)


def _fits_one(given: Any, wanted: Any) -> bool:
    if wanted is AwareDatetime:  # all times of ours have their zone
        wanted = datetime
    if given is Any or wanted is Any or given == wanted:
        return True
    if element(wanted) is not None:
        return element(given) is not None and fits(element(given), element(wanted))
    if get_origin(wanted) is dict or wanted is dict:
        return given is dict or get_origin(given) is dict
    if not inspect.isclass(given) or not inspect.isclass(wanted):
        return not (inspect.isclass(wanted) and get_args(given))
    return _class_fits(given, wanted)


def _class_fits(given: type, wanted: type) -> bool:
    if wanted is bool or given is bool:
        return wanted is given
    if issubclass(wanted, date):  # from text, it shows when it runs
        return given is str or (issubclass(given, wanted) and issubclass(given, datetime) == (wanted is datetime))
    if issubclass(given, wanted):
        return True
    if wanted is Decimal:
        return given in (int, str)
    if issubclass(wanted, Enum):
        return given is str  # which text it is shows when it runs
    if issubclass(wanted, BaseModel):
        return given is dict or (issubclass(given, BaseModel) and _has_what_it_needs(given, wanted))
    return False


def _has_what_it_needs(given: type[BaseModel], wanted: type[BaseModel]) -> bool:
    """Whether `wanted` reads its fields from any object that has them, and `given` has them."""
    if not wanted.model_config.get("from_attributes"):
        return False
    there = fields_of(given)
    return all(
        fits(there[name], field.annotation) if name in there else not field.is_required()
        for name, field in wanted.model_fields.items()
    )

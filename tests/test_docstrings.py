"""What the sources say of a model's fields."""

from pydantic import BaseModel

from bellwire.docstrings import meaning
from bellwire.events import DICTIONARY


class Tea(BaseModel):
    """Leaves."""

    name: str
    """As it stands
    on the tin."""
    grams: int = 100
    origin: str = ""
    """Where it grew."""


class GreenTea(Tea):
    grams: int = 50
    """Of a tin."""


def test_it_is_what_stands_below_the_field_on_one_line() -> None:
    assert [meaning(Tea, name) for name in Tea.model_fields] == ["As it stands on the tin.", "", "Where it grew."]


def test_a_field_that_is_written_anew_has_its_own_and_the_others_theirs() -> None:
    assert meaning(GreenTea, "grams") == "Of a tin."
    assert meaning(GreenTea, "origin") == "Where it grew."


def test_nothing_is_said_of_what_isnt_a_field_or_has_no_source() -> None:
    assert meaning(Tea, "colour") == ""
    made = type("Made", (BaseModel,), {"__annotations__": {"name": str}, "__module__": "nowhere"})
    assert meaning(made, "name") == ""


def test_the_dictionary_says_what_its_fields_mean() -> None:
    models = {entry.data for entry in DICTIONARY.values()}
    assert sum(bool(meaning(model, name)) for model in models for name in model.model_fields) > 50

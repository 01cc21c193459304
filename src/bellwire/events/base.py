"""What all event data has in common."""

from pydantic import BaseModel, ConfigDict


class Fact(BaseModel):
    """Immutable event data. Unknown fields are refused, so that a typing error in a normaliser is seen at once."""

    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True)

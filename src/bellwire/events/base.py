"""What all event data has in common."""

from pydantic import BaseModel, ConfigDict, ValidationError


class Fact(BaseModel):
    """Immutable event data. Unknown fields are refused, so that a typing error in a normaliser is seen at once."""

    model_config = ConfigDict(frozen=True, extra="forbid")


def what_is_wrong(error: Exception) -> str:
    """In one line for a person: why a body couldn't be made into data. For what reading fields and models raises."""
    match error:
        case ValidationError():
            first = error.errors(include_url=False)[0]
            return f"{'.'.join(map(str, first['loc'])) or 'it'}: {first['msg']}"
        case KeyError():
            return f"{error.args[0]!r} is missing or unknown"
        case _:
            return str(error).partition("\n")[0] or type(error).__name__

"""Lists come in pages: each names where the next one begins."""

from typing import Annotated, Generic, TypeVar

from fastapi import Query
from pydantic import BaseModel

from bellwire.desk.api.shapes import LARGEST

T = TypeVar("T")
Limit = Annotated[int, Query(ge=1, le=200, description="How many at the most.")]
After = Annotated[int | None, Query(ge=0, le=LARGEST, description="The `next` of the page before.")]


class Listed(BaseModel, Generic[T]):
    items: list[T]
    next: int | None = None
    """Where the next page begins; null: this was the last."""

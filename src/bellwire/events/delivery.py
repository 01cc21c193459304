"""One webhook request as it arrived."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from typing import Any

import orjson


@dataclass(frozen=True)
class Delivery:
    """Raw bytes and headers. `headers` has lower-case names; `received_at` is UTC; `url` is the public address it
    was sent to, which some signature schemes cover."""

    connection: str
    headers: Mapping[str, str]
    body: bytes
    received_at: datetime
    url: str = ""

    @cached_property
    def json(self) -> Any:
        """The body as JSON. Raises ValueError when it isn't."""
        return orjson.loads(self.body)

    def knowing(self, value: Any) -> "Delivery":
        """The same; `value` is its body's JSON, which somebody has read already."""
        vars(self)["json"] = value
        return self

"""One webhook request as it arrived."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from typing import Any
from urllib.parse import parse_qsl

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

    @property
    def is_form(self) -> bool:
        """Whether its content type says that it is a form."""
        content_type = self.headers.get("content-type", "").partition(";")[0]
        return content_type.strip().lower() == "application/x-www-form-urlencoded"

    @cached_property
    def form(self) -> Mapping[str, str]:
        """The fields of a body that is a form (application/x-www-form-urlencoded, UTF-8). Raises ValueError when it
        isn't, or when a field comes twice."""
        pairs = parse_qsl(
            self.body.decode("ascii"), keep_blank_values=True, strict_parsing=True, errors="strict", max_num_fields=100
        )
        fields = dict(pairs)
        if len(fields) < len(pairs):
            raise ValueError("a field comes twice")
        return fields

    def knowing(self, value: Any) -> "Delivery":
        """The same; `value` is its body's JSON, which somebody has read already."""
        vars(self)["json"] = value
        return self

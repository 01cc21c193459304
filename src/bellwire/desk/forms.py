"""What was filled in: bounded, and plain text."""

from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import parse_qsl

from starlette.requests import Request

MOST_BYTES = 256 * 1024
_MOST_FIELDS = 2_000


@dataclass(frozen=True)
class Form:
    fields: Mapping[str, list[str]]

    def get(self, name: str, default: str = "") -> str:
        """One line, with single blanks."""
        return " ".join(self.text(name, default).split())

    def text(self, name: str, default: str = "") -> str:
        """As it was written, with plain line ends."""
        values = self.fields.get(name)
        return values[-1].replace("\r\n", "\n") if values else default

    def all(self, name: str) -> list[str]:
        return list(self.fields.get(name, ()))

    def numbers(self, name: str) -> list[int]:
        """Of boxes that were ticked; what isn't a number of a row is left out."""
        return [int(each) for each in self.all(name) if each.isascii() and each.isdigit() and int(each) < 2**63]

    def __contains__(self, name: object) -> bool:
        return name in self.fields


async def read_form(request: Request) -> Form | None:
    """Form fields (application/x-www-form-urlencoded); None when it is too much, or something else."""
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind not in ("application/x-www-form-urlencoded", ""):
        return None
    body = bytearray()
    async for part in request.stream():
        body += part
        if len(body) > MOST_BYTES:
            return None
    fields: dict[str, list[str]] = {}
    try:
        for name, value in parse_qsl(body.decode(), keep_blank_values=True, max_num_fields=_MOST_FIELDS):
            fields.setdefault(name, []).append(value)
    except ValueError:
        return None
    return Form(fields)


def form_of(request: Request) -> Form:
    """What the gate has read, of a POST."""
    form = request.scope["form"]
    assert isinstance(form, Form)
    return form

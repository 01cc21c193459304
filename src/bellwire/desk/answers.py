"""The page behind a link that answers what a flow asks: for whoever is asked, and doesn't see the desk.

The link is the permission: it is signed, and good for one question, as long as that is open. So this page is shown to
everybody who has it, also from elsewhere. Only a POST decides.
"""

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from typing import Any
from urllib.parse import parse_qs

from jinja2 import Environment
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response
from starlette.routing import Route

from bellwire.clock import Clock
from bellwire.desk.assets import Assets
from bellwire.desk.guard import HEADERS
from bellwire.desk.words import Words
from bellwire.engine import approve, decline, is_signed, values_of
from bellwire.errors import BellwireError
from bellwire.ledger import AskKind, AskRow, AskState, Database, Rows, asks

_MOST_BYTES = 8_192
_LONGEST_NAME, _LONGEST_REASON = 100, 500
_FILES = ("desk.css", "icon.svg")


@dataclass
class Answers:
    ledger: Database
    clock: Clock
    templates: Environment
    assets: Assets
    words: Words

    def routes(self) -> list[Route]:
        path = "/answers/{run:int}/{action}/{signature}"
        return [
            *(Route(f"/answers/{name}", partial(self._file, name)) for name in _FILES),
            Route(path, self._show, methods=["GET"]),
            Route(path, self._answer, methods=["POST"]),
        ]

    async def _show(self, request: Request) -> Response:
        ask = await self._asked(request)
        return self._page(ask) if ask else self._unknown()

    async def _answer(self, request: Request) -> Response:
        ask = await self._asked(request)
        if ask is None:
            return self._unknown()
        form = await _form(request)
        if form is None:
            return self._page(ask, wrong="That was too much text.", status=413)
        who, reason = form.get("who", ""), form.get("reason", "")
        answer = form.get("answer")
        wrong = _what_is_wrong(answer, who, reason)
        if wrong:
            return self._page(ask, wrong=wrong, given=form, status=400)
        now, name = self.clock(), f"{who}, by a link"

        def decide(rows: Rows) -> None:
            if answer == "yes":
                approve(rows, ask.id, now, who=name, reason=reason)
            else:
                decline(rows, ask.id, now, who=name, reason=reason)

        with suppress(BellwireError):  # If somebody was quicker, the page says who.
            await self.ledger.write(decide)
        decided = await self._asked(request)
        assert decided is not None
        return self._page(decided)

    async def _asked(self, request: Request) -> AskRow | None:
        """The question of a link; None when it isn't one of ours, or nothing has been asked yet."""
        run, action = request.path_params["run"], request.path_params["action"]
        signature = request.path_params["signature"]
        if run >= 2**63:
            return None

        def read(rows: Rows) -> AskRow | None:
            if not is_signed(asks.link_key(rows), run, action, signature):
                return None
            return asks.of_action(rows, run, action)

        found = await self.ledger.read(read)
        return found if found is not None and found.kind is AskKind.APPROVAL else None

    async def _file(self, name: str, _: Request) -> Response:
        response = self.assets.newest(name)
        response.headers.update({name: value for name, value in HEADERS.items() if name != "Cache-Control"})
        return response

    def _page(self, ask: AskRow, *, wrong: str = "", given: Mapping[str, str] = {}, status: int = 200) -> Response:
        return self._rendered(
            status,
            ask=ask,
            open=ask.state is AskState.OPEN,
            values=values_of(ask.given) if ask.given else [],
            wrong=wrong,
            filled={"who": ask.asked, "reason": "", **given},
            now=self.clock(),
        )

    def _unknown(self) -> Response:
        return self._rendered(404, ask=None, open=False, values=[], wrong="", filled={}, now=self.clock())

    def _rendered(self, status: int, **values: Any) -> Response:
        text = self.templates.get_template("answer.html").render(words=self.words, **values)
        return HTMLResponse(text, status, headers=HEADERS)


def _what_is_wrong(answer: str | None, who: str, reason: str) -> str:
    if answer not in ("yes", "no"):
        return "Choose Yes or No."
    if not who or len(who) > _LONGEST_NAME:
        return f"Write your name, in at most {_LONGEST_NAME} characters: it is kept with your answer."
    if len(reason) > _LONGEST_REASON:
        return f"Give the reason in at most {_LONGEST_REASON} characters."
    return "Say why not: the team reads it." if answer == "no" and not reason else ""


async def _form(request: Request) -> dict[str, str] | None:
    """What was filled in; None when it is too much."""
    body = bytearray()
    async for part in request.stream():
        body += part
        if len(body) > _MOST_BYTES:
            return None
    fields = parse_qs(body.decode("utf-8", "replace"), keep_blank_values=True, max_num_fields=10)
    return {name: " ".join(values[0].split()) for name, values in fields.items()}

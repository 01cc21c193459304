import asyncio
from typing import Any

from starlette.types import ASGIApp, Receive, Scope, Send

from bellwire.desk.mounting import OnceAsked


async def test_what_is_put_together_once_asked_is_so_once_for_many_and_not_before() -> None:
    made: list[ASGIApp] = []
    asked: list[Scope] = []

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        asked.append(scope)

    def make() -> ASGIApp:
        made.append(app)
        return app

    async def nothing(*_: object) -> Any:
        return None

    later = OnceAsked(make)
    assert made == []
    scopes = [{"path": f"/{number}"} for number in range(5)]
    await asyncio.gather(*(later(scope, nothing, nothing) for scope in scopes))
    await later({"path": "/5"}, nothing, nothing)
    assert made == [app]
    assert [scope["path"] for scope in asked] == [f"/{number}" for number in range(6)]

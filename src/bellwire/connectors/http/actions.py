"""Asking and sending."""

import base64
from typing import Any
from urllib.parse import unquote, urlsplit

import orjson

from bellwire.capabilities.requests import GET, SEND, GetRequest, HttpAnswer, SendRequest
from bellwire.connectors.http.manifest import HttpSettings
from bellwire.connectors.kit import Account, Answer, ByKey, Call, Unkeyed, action
from bellwire.errors import Refused


def _unkeyed(settings: HttpSettings) -> str:
    return "" if settings.knows_keys else "its settings don't say that the other system knows keys"


@action(GET, repeat=Unkeyed("it only reads"))
async def get(call: Call, given: GetRequest) -> HttpAnswer:
    path, headers = below(given.path), _signed_in(call)
    return _told(await call.api.request("GET", path, params=given.params, headers=headers))


@action(SEND, repeat=ByKey("the header that `key_header` names"), unkeyed=_unkeyed)
async def send(call: Call, given: SendRequest) -> HttpAnswer:
    """The key is always sent: it does no harm where nobody looks at it."""
    settings: HttpSettings = call.settings
    headers = {**_signed_in(call), settings.key_header: call.key}
    body = given.model_dump(mode="json")["body"]
    path, params = below(given.path), given.params
    return _told(await call.api.request(given.method, path, json=body, params=params, headers=headers))


async def sign_in(call: Call) -> Account:
    """A request that only reads. Whatever the address itself answers, it is there."""
    settings: HttpSettings = call.settings
    host = urlsplit(call.connection.base_url).netloc
    try:
        await call.api.request("GET", below(settings.check_path), headers=_signed_in(call))
    except Refused as refused:
        if settings.check_path or refused.cause == "bad-path":
            raise
        return Account(host, warnings=("Whether the sign-in is accepted isn't known: set check_path.",))
    return Account(host)


def below(path: str) -> str:
    """The path, as it goes below the connection's address. Raises Refused for one that might lead elsewhere: to
    another host, or up."""
    plain = unquote(unquote(path))
    parts = plain.replace("\\", "/").split("/")
    if any(part in (".", "..") for part in parts) or any(sign in plain for sign in "?#\\") or not plain.isprintable():
        raise Refused(
            f"{path!r} isn't a path below the connection's address.",
            cause="bad-path",
            remedy="Write it like `customers/7`; what comes after a question mark goes into `params`.",
        )
    return "/" + path.lstrip("/")


def _signed_in(call: Call) -> dict[str, str]:
    """The header that carries the credentials. Raises MissingCredential."""
    settings: HttpSettings = call.settings
    get = call.connection.credentials.get
    match settings.sign_in:
        case "bearer":
            return {"Authorization": f"Bearer {get('access_token')}"}
        case "header":
            return {settings.token_header: get("access_token")}
        case "basic":
            pair = f"{get('username')}:{get('password')}"
            return {"Authorization": "Basic " + base64.b64encode(pair.encode()).decode()}
        case "none":
            return {}


def _told(answer: Answer) -> HttpAnswer:
    return HttpAnswer(status=answer.status, body=_body(answer))


def _body(answer: Answer) -> Any:
    try:
        return orjson.loads(answer.body) if answer.body else None
    except ValueError:
        return answer.text

"""The files of a new connector in a project: small, but whole. They load, and their tests pass."""

from collections.abc import Iterator, Sequence
from string import Template

from bellwire.capabilities import CAPABILITIES, Operation


def files(name: str, title: str, capabilities: Sequence[str]) -> dict[str, str]:
    """Path below the project's `connectors/` → text."""
    operations = [operation for each in capabilities for operation in CAPABILITIES[each].values()]
    words = {
        "name": name,
        "title": title,
        "capabilities": "".join(f'"{each}", ' for each in capabilities).rstrip(),
        "imports": "".join(sorted(_imports(operations))),
        "actions": "".join(_action(operation, _function(operation, operations), title) for operation in operations),
        "listed": "".join(f"{_function(operation, operations)}, " for operation in operations).rstrip(),
        "classname": "".join(part.title() for part in name.split("_")),
    }
    texts = {
        f"{name}/__init__.py": _INIT,
        f"{name}/manifest.py": _MANIFEST,
        f"{name}/actions.py": _ACTIONS,
        f"{name}/triggers.py": _TRIGGERS,
        f"{name}/practice.py": _PRACTICE,
        f"tests/test_{name}.py": _TEST,
        "conftest.py": _CONFTEST,
    }
    return {path: Template(text).substitute(words) for path, text in texts.items()}


def _imports(operations: Sequence[Operation]) -> Iterator[str]:
    for capability in {operation.capability for operation in operations}:
        names = {
            name
            for operation in operations
            if operation.capability == capability
            for name in (operation.given.__name__, operation.result.__name__)
        }
        yield f"from bellwire.capabilities import {capability}\n"
        yield f"from bellwire.capabilities.{capability} import {', '.join(sorted(names))}\n"


def _function(operation: Operation, all_: Sequence[Operation]) -> str:
    """What its function is called: two capabilities may have an operation of the same name."""
    alone = sum(each.name == operation.name for each in all_) == 1
    return operation.name if alone else f"{operation.capability}_{operation.name}"


def _action(operation: Operation, function: str, title: str) -> str:
    constant = next(
        name for name, value in vars(_module(operation.capability)).items() if value is operation and name.isupper()
    )
    return f'''

@action({operation.capability}.{constant}, repeat=Unkeyed("what {title} offers against a repeat isn't looked up yet"))
async def {function}(call: Call, given: {operation.given.__name__}) -> {operation.result.__name__}:
    """{operation.meaning}."""
    raise Refused("{title} can't do this yet: its connector isn't finished.", cause="not-finished")
'''


def _module(capability: str) -> object:
    import importlib

    return importlib.import_module(f"bellwire.capabilities.{capability}")


_INIT = '''"""$title."""

from bellwire.connectors.kit import connector

from .actions import ACTIONS, explain, sign_in
from .manifest import MANIFEST
from .triggers import TRIGGERS

CONNECTOR = connector(MANIFEST, actions=ACTIONS, triggers=TRIGGERS, explain=explain, sign_in=sign_in)
'''

_MANIFEST = '''"""What is declared about $title."""

from datetime import timedelta

from bellwire.connectors.kit import Bearer, Credential, HmacSignature, Limit, Manifest
from bellwire.events import Environment

MANIFEST = Manifest(
    name="$name",
    title="$title",
    capabilities=($capabilities),
    base_urls={
        Environment.SANDBOX: "https://sandbox.$name.example",
        Environment.PRODUCTION: "https://api.$name.example",
    },
    auth=Bearer("access_token"),
    credentials=(
        Credential("access_token", "where the owner finds it"),
        Credential("webhook_secret", "where the owner finds it; only for webhooks", required=False),
    ),
    api_version="1",
    limits=(Limit(60, per=timedelta(minutes=1)),),
    webhook=HmacSignature("X-Signature", encoding="hex"),
)
'''

_ACTIONS = '''"""What $title can be asked to do."""

${imports}from bellwire.connectors.kit import Account, Answer, Call, Unkeyed, action
from bellwire.errors import Refused, VendorError
$actions

async def sign_in(call: Call) -> Account:
    """Whose account it is; changes nothing."""
    me = (await call.api.get("me")).json()
    return Account(me["name"])


def explain(answer: Answer) -> VendorError | None:
    """What its own errors mean; None leaves it to the HTTP status."""
    if answer.status == 422:
        return Refused("$title refused it.", cause="refused", detail=answer.text[:300])
    return None


ACTIONS = ($listed)
'''

_TRIGGERS = '''"""What $title sends, as events."""

from bellwire.clock import parse_time
from bellwire.connectors.kit import Connection, Normalised, Triggers, event_of
from bellwire.errors import CannotNormalise
from bellwire.events import Delivery, FreeForm


def normalise(delivery: Delivery, connection: Connection) -> Normalised:
    """One event. Raises CannotNormalise when a field is missing or isn't what it should be."""
    body = delivery.json
    try:
        event = event_of(
            connection,
            "$name.happened",
            key=f"thing/{body['id']}",
            subject=f"thing/{body['id']}",
            time=parse_time(body["at"]),
            data=FreeForm.model_validate(body),
        )
    except (KeyError, TypeError, ValueError) as error:
        raise CannotNormalise(f"What $title sent can't be read: {error}.") from error
    return Normalised((event,))


TRIGGERS = Triggers(event_types=("$name.happened",), normalise=normalise)
'''

_PRACTICE = '''"""A simulated $title: it keeps state, and refuses what the vendor would refuse."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

from bellwire.practice import Simulator
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Route


@dataclass
class $classname(Simulator):
    vendor: ClassVar[str] = "$name"
    credentials: ClassVar[Mapping[str, str]] = {"access_token": "practice", "webhook_secret": "practice"}

    def routes(self) -> Sequence[BaseRoute]:
        return [Route("/me", self._me)]

    def state(self) -> dict[str, Any]:
        return {}

    async def _me(self, request: Request) -> Response:
        if request.headers.get("authorization") != f"Bearer {self.credentials['access_token']}":
            return self.signed_out()
        return JSONResponse({"name": "Practice"})


SIMULATOR = $classname
'''

_TEST = '''"""The connector against its practice server."""

import asyncio

from bellwire.connectors.levels import shortfalls
from bellwire.practice import practising

from bellwire.connectors.$name import CONNECTOR


def test_it_keeps_the_rules_of_its_level() -> None:
    assert shortfalls(CONNECTOR) == {}


def test_it_signs_in() -> None:
    async def sign_in() -> str:
        async with practising("$name") as there:
            return (await CONNECTOR.sign_in(there.call())).name

    assert asyncio.run(sign_in()) == "Practice"


def test_a_delivery_is_one_fact_however_often_it_comes() -> None:
    async def keys() -> set[str]:
        async with practising("$name") as there:
            deliveries = [there.sent(b'{"id": 7, "at": "2026-01-31T09:30:00Z"}') for _ in range(2)]
            return {event.business_key for each in deliveries for event in there.events(each)}

    assert asyncio.run(keys()) == {"$name/thing/7"}
'''

_CONFTEST = '''"""Has Bellwire find the connectors of this project."""

from pathlib import Path

from bellwire.connectors import look_in

look_in(Path(__file__).parent)
'''

"""One attempt at an action: what it is given, under which key it is sent, and what is written down before."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import orjson
from pydantic import ValidationError
from pydantic_core import to_jsonable_python

from bellwire.capabilities import Given, Operation
from bellwire.connectors.kit import Call, Connection
from bellwire.connectors.kit.exchanges import Exchanges, collecting
from bellwire.connectors.kit.http import before_writing, has_written
from bellwire.engine.keys import idempotency_key
from bellwire.engine.means import Means
from bellwire.engine.progress import Part
from bellwire.engine.telling import ask_a_person, wrong_input
from bellwire.errors import FlowError
from bellwire.events import OWN, Event, data_model
from bellwire.flows import Flow, Foreseen, Scope

_LONGEST_CHAIN = 8
"""So many events may lead from one to the next."""


class LostClaim(Exception):
    """Another worker holds the run by now: nothing that this one does is written any more."""


@dataclass
class Sending:
    """Of one run."""

    means: Means
    event: Event
    flow: Flow
    nonce: str
    holds: Callable[[], bool] | None = None
    """Where other processes could take the run over: whether it is certain that none has."""
    edits: Mapping[tuple[str, int], str] = field(default_factory=dict)
    """By action and item: what it is given instead of what the flow says, as JSON."""

    async def send(self, part: Part, scope: Scope, begin: Callable[[], Awaitable[None]]) -> Any:
        """The result. `begin` writes down that the attempt begins: it is asked to just before the first request that
        changes something, if that has to be known after a crash. Raises BellwireError, LostClaim."""
        connection, act = self.means.of(part.action)
        self._keep_apart(connection)
        given = self._given(part, act.operation, scope)
        if part.unsure and not act.repeatable:
            raise ask_a_person(act, connection)
        guarded = act.announced or self.holds is not None
        before_writing.set(self._announcement(begin, announced=act.announced) if guarded else None)
        key = idempotency_key(
            self.flow.id, self.event.environment, self.event.business_key, part.action.name, part.item, self.nonce
        )
        call = Call(connection, self.means.crosswalk, self.means.clock, key, part.unsure, part.since)
        part.wrote = False
        has_written.set(part.has_written)
        part.exchanges = Exchanges() if self.means.exchanges() else None
        collecting.set(part.exchanges)
        # Without a time-out of its own: each request has one, and waiting for the account's turn may rightly be long.
        try:
            return await act(call, given)
        finally:
            collecting.set(None)

    def noted(self, part: Part, scope: Scope) -> str:
        """What it would be given, as JSON. Raises FlowError when that doesn't fit, unless it is only a part of it that
        isn't there as nothing was done."""
        inputs = part.action.inputs(scope, part.value)
        if part.action.connection and not holds_foreseen(inputs):
            operation = self.means.of(part.action)[1].operation
            return self._given(part, operation, scope).model_dump_json()
        return orjson.dumps(to_jsonable_python(inputs, fallback=str)).decode()

    def foresees(self, part: Part, scope: Scope) -> bool:
        """Whether it builds on what an action that was only noted would have given. Raises FlowError."""
        return holds_foreseen(part.action.inputs(scope, part.value))

    def event_of(self, part: Part, scope: Scope, now: datetime) -> Event:
        """What an action emits. The same, however often it is tried. Raises FlowError."""
        action = part.action
        key = f"{self.event.business_key}>{self.flow.id}.{action.name}.{part.item}{self.nonce and '.' + self.nonce}"
        if key.count(">") > _LONGEST_CHAIN:
            raise FlowError(
                f"Flows begin each other in a circle: '{action.name}' emits {action.emits}, which led to it.",
                cause=f"circle:{self.flow.id}",
                remedy="Give one of these flows a condition (`if`) that ends the circle.",
            )
        try:
            data = data_model(action.emits).model_validate(action.inputs(scope, part.value), from_attributes=True)
        except ValidationError as error:
            raise wrong_input(action, error) from error
        own_id, updated_at = getattr(data, "id", None), getattr(data, "updated_at", None)
        return Event(
            type=action.emits,
            connection=OWN,
            environment=self.event.environment,
            business_key=key,
            subject=f"{action.emits.partition('.')[0]}/{own_id}" if own_id else self.event.subject,
            time=now,
            version=updated_at if isinstance(updated_at, datetime) else None,
            data=data,
        )

    def _announcement(self, begin: Callable[[], Awaitable[None]], *, announced: bool) -> Callable[[], Awaitable[None]]:
        """Writes down, once, that the attempt begins, if that has to be; and has nothing sent by a process that may
        have lost the run."""
        begun = not announced

        async def announce() -> None:
            nonlocal begun
            if not begun:
                begun = True
                await begin()
            if self.holds is not None and not self.holds():
                raise LostClaim

        return announce

    def _given(self, part: Part, operation: Operation, scope: Scope) -> Given:
        edited = self.edits.get((part.action.name, part.item))
        try:
            if edited is not None:
                return operation.given.model_validate_json(edited)
            return operation.given.model_validate(part.action.inputs(scope, part.value), from_attributes=True)
        except ValidationError as error:
            raise wrong_input(part.action, error) from error

    def _keep_apart(self, connection: Connection) -> None:
        if connection.environment is not self.event.environment and connection.name != OWN:
            raise FlowError(
                f"It came from {self.event.environment}, but '{connection.name}' is a {connection.environment} account:"
                " the two never mix.",
                cause=f"environment:{connection.name}",
                remedy=f"Point '{connection.name}' at a {self.event.environment} account, then retry.",
            )


def holds_foreseen(value: Any) -> bool:
    """Whether an input builds on what another action, which was only noted, would have given."""
    if isinstance(value, dict):
        return any(holds_foreseen(each) for each in value.values())
    if isinstance(value, list | tuple):
        return any(holds_foreseen(each) for each in value)
    return isinstance(value, Foreseen) or (isinstance(value, str) and "‹" in value)

"""One attempt at an action: what it is given, under which key it is sent, and what is written down before."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from pydantic import ValidationError

from bellwire.capabilities import Given, Operation
from bellwire.connectors.kit import Call, Connection
from bellwire.connectors.kit.http import before_writing, has_written
from bellwire.engine.keys import idempotency_key
from bellwire.engine.means import Means
from bellwire.engine.progress import Part
from bellwire.engine.telling import ask_a_person, wrong_input
from bellwire.errors import FlowError
from bellwire.events import Event
from bellwire.flows import Flow, Scope


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
        # Without a time-out of its own: each request has one, and waiting for the account's turn may rightly be long.
        return await act(call, given)

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
        if connection.environment is not self.event.environment:
            raise FlowError(
                f"It came from {self.event.environment}, but '{connection.name}' is a {connection.environment} account:"
                " the two never mix.",
                cause=f"environment:{connection.name}",
                remedy=f"Point '{connection.name}' at a {self.event.environment} account, then retry.",
            )

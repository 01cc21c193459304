"""May a flow do real things? Only once its present text was tried and found ready, or somebody says why without.

With sandbox accounts nothing real happens: there it may run as it is.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime

from bellwire.engine.by_hand import switch
from bellwire.errors import BellwireError
from bellwire.events import Environment
from bellwire.flows import Flow
from bellwire.ledger import FlowMode, PilotRow, Rows, audit, modes, pilots


def environment_of(flow: Flow, connections: Mapping[str, Environment]) -> Environment:
    """That of the accounts which a flow works with; of all there are, if it works with none. Where they differ, the
    engine refuses to mix them."""
    found = {environment for name, environment in connections.items() if name in flow.connections}
    return Environment.PRODUCTION if Environment.PRODUCTION in (found or connections.values()) else Environment.SANDBOX


@dataclass(frozen=True)
class Standing:
    """How it stands with a flow."""

    flow: Flow
    environment: Environment
    decided: FlowMode | None
    """What somebody switched it to; None: nobody has."""
    pilot: PilotRow | None
    """The last one of its present text."""

    @property
    def mode(self) -> FlowMode:
        return self.decided or modes.undecided(self.environment)

    @property
    def tried(self) -> bool:
        """Whether its present text passed its last pilot."""
        return self.pilot is not None and self.pilot.ready

    @property
    def triable(self) -> bool:
        """Whether a pilot can try it: of one that begins by the clock there is no event that could be made up."""
        return self.flow.schedule is None

    @property
    def waits(self) -> bool:
        """For somebody to say that it may do real things; until then it does none."""
        return self.decided is None and self.environment is Environment.PRODUCTION

    @property
    def doubt(self) -> str:
        """What its pilot says against its going live, as a sentence; empty when nothing does."""
        if self.tried:
            return ""
        if self.pilot is None:
            return "Its present text hasn't been through a pilot."
        return (
            f"Its present text wasn't ready in its last pilot: {self.pilot.as_expected} of {self.pilot.records} records"
            " went as expected."
        )

    @property
    def needs_reason(self) -> bool:
        """Whether somebody has to say why it is to go live."""
        return self.environment is Environment.PRODUCTION and self.mode is not FlowMode.LIVE and not self.tried

    @property
    def told(self) -> str:
        """For one that `waits`: what that means."""
        return f"{self.flow.name} isn't live yet: what it would do is noted, and nothing is sent."

    @property
    def next_step(self) -> str:
        """What to do for it to go live."""
        live = f"`bellwire flow mode {self.flow.id} live` lets it act."
        if self.tried:
            return f"Its pilot passed: {live}"
        if not self.triable:
            return (
                "As it begins by the clock, no pilot can try it. `bellwire run list` shows what it noted; then"
                f' `bellwire flow mode {self.flow.id} live --reason "…"` lets it act.'
            )
        reason = 'Without a pilot, that takes a reason (`--reason "…"`).'
        return f"`bellwire pilot {self.flow.id}` tries it; then {live} {reason}"


def standings(rows: Rows, flows: Iterable[Flow], connections: Mapping[str, Environment]) -> list[Standing]:
    """Of each of these flows."""
    decided = modes.decided(rows)
    return [
        Standing(flow, environment_of(flow, connections), decided.get(flow.id), pilots.newest(rows, flow.id, flow.hash))
        for flow in flows
    ]


def switch_to(
    rows: Rows,
    flow: Flow,
    mode: FlowMode,
    connections: Mapping[str, Environment],
    now: datetime,
    *,
    who: str,
    reason: str,
) -> None:
    """Have a flow do everything or less; it holds at once. Raises what `go_live` does."""
    if mode is FlowMode.LIVE:
        go_live(rows, flow, connections, now, who=who, reason=reason)
    else:
        switch(rows, flow.id, mode, now, who=who, reason=reason)


def go_live(
    rows: Rows, flow: Flow, connections: Mapping[str, Environment], now: datetime, *, who: str, reason: str
) -> None:
    """Have a flow do everything; it holds at once. Raises BellwireError when it works with real accounts, its present
    text wasn't tried or found ready, and no `reason` is given."""
    (found,) = standings(rows, [flow], connections)
    if found.needs_reason and not reason:
        raise BellwireError(
            f"{flow.name} stays {found.mode}: it works with real accounts. {found.doubt}",
            remedy=found.next_step
            if not found.triable
            else f"`bellwire pilot {flow.id}` tries it. Without one that passed, say why:"
            f' `bellwire flow mode {flow.id} live --reason "…"` takes it.',
        )
    if found.environment is Environment.PRODUCTION or found.tried:
        modes.decide(rows, flow.id, FlowMode.LIVE, reason, now)
    else:
        # That says nothing about real accounts, should its connections change to such.
        modes.leave_open(rows, flow.id)
    passed = f"its pilot on {found.pilot.ran_on} passed" if found.pilot and found.tried else ""
    audit.record(rows, who, "switch live", f"flow {flow.id}", now, reason or passed)

"""The simulated vendors of a pilot: what they hold, and the trouble they make."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import TypeVar

from bellwire.flows import Flow, FlowAction
from bellwire.practice.faults import Fault, FaultKind
from bellwire.practice.simulator import Simulator

R = TypeVar("R")

_WRITING = "(?s)^(POST|PUT|PATCH|DELETE|MAIL) "
"""The requests that change something."""


@dataclass(frozen=True)
class Wanted:
    """How often each action of the flow was wanted for a record."""

    operations: Mapping[str, str]
    """Action → `capability.operation`."""
    times: Mapping[str, int]
    """Action → how often: 0 when its `if` said no, one for each item of a `for_each`."""

    def of(self, *operations: str) -> int:
        return sum(self.times[name] for name, operation in self.operations.items() if operation in operations)

    def asks_for(self, *operations: str) -> bool:
        """Whether the flow has such an action at all."""
        return any(operation in operations for operation in self.operations.values())


class Vendors:
    """The simulators behind a flow's connections. `simulators` is by connection name."""

    def __init__(self, flow: Flow, simulators: Mapping[str, Simulator]) -> None:
        self._flow = flow
        self._simulators = simulators

    @property
    def connection(self) -> str:
        """What the flow starts with comes from there."""
        return self._flow.connection

    @property
    def source(self) -> Simulator:
        """What tells of the records."""
        return self._simulators[self._flow.connection]

    @property
    def event_type(self) -> str:
        """What the flow starts with."""
        return self._flow.event_type

    def behind(self, connection: str) -> Simulator:
        return self._simulators[connection]

    def all_as(self, kind: type[R]) -> list[R]:
        """Those that are one, such as a `Shop`."""
        return [simulator for simulator in self._distinct if isinstance(simulator, kind)]

    def doing(self, kind: type[R], *operations: str) -> list[R]:
        """Those that are one, and do one of these (`refund`) in the flow: a vendor may be more than it is there for."""
        actions = self._flow.actions.values()
        names = dict.fromkeys(action.connection for action in actions if action.operation_name in operations)
        found = [self._simulators[name] for name in names if name in self._simulators]
        return [simulator for simulator in found if isinstance(simulator, kind)]

    @cached_property
    def _distinct(self) -> list[Simulator]:
        return list({id(simulator): simulator for simulator in self._simulators.values()}.values())

    def made(self) -> dict[tuple[str, str], frozenset[str]]:
        """What stands behind each connection that operations make, by connection and operation: ids."""
        return {
            (name, operation): frozenset(ids)
            for name, simulator in self._simulators.items()
            for operation, ids in simulator.made().items()
        }

    # Trouble

    def make_trouble(self, mark: str, actions: Iterable[tuple[FlowAction, bool]]) -> dict[FaultKind, str]:
        """Let one vendor do its part of a record and not say so, and another fail once before it does anything; gives
        what that is in words. `actions`: those that change something and can be sent again, and whether the record's
        `mark` stands in what each sends; the first loses its answer.
        """
        (losing, marked), *others = actions
        lost, loser = Fault(kind=FaultKind.LOST_ANSWER, match=_WRITING + f".*{mark}" * marked), losing.connection
        failer = next(
            (a.connection for a, _ in others if self._simulators[a.connection] is not self._simulators[loser]), loser
        )
        self._simulators[failer].faults.add(Fault(kind=FaultKind.FAILED, match=_WRITING))
        self._simulators[loser].faults.add(lost)
        return {
            FaultKind.FAILED: f"'{failer}' fails once",
            FaultKind.LOST_ANSWER: f"'{loser}' does its part without answering once",
        }

    def end_trouble(self) -> list[FaultKind]:
        """Take back the faults that nothing met; gives those that were met since the beginning."""
        for simulator in self._distinct:
            simulator.faults.clear()
        return [FaultKind(call.fault) for each in self._distinct for call in each.received if call.fault]

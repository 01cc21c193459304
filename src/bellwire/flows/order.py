"""The order that dependencies ask for."""

from collections.abc import Mapping
from pathlib import Path

from bellwire.errors import ConfigurationError
from bellwire.flows.model import FlowAction


def in_order(actions: Mapping[str, FlowAction], path: Path) -> dict[str, FlowAction]:
    """Each action after those it needs, otherwise as they come. Raises ConfigurationError that names a circle."""
    done: dict[str, FlowAction] = {}
    while len(done) < len(actions):
        ready = next((a for a in actions.values() if a.name not in done and a.needs <= done.keys()), None)
        if ready is None:
            raise _circle({name: action for name, action in actions.items() if name not in done}, path)
        done[ready.name] = ready
    return done


def _circle(waiting: Mapping[str, FlowAction], path: Path) -> ConfigurationError:
    """Every one of `waiting` needs another of them, so following their needs leads round."""
    walked = [next(iter(waiting))]
    while (follower := next(name for name in waiting if name in waiting[walked[-1]].needs)) not in walked:
        walked.append(follower)
    circle = [*walked[walked.index(follower) :], follower]
    return ConfigurationError(
        f"These actions wait for each other: {' → '.join(circle)}.",
        path=path,
        line=waiting[follower].lines[""],
        remedy="Take one out of the other's 'needs', or out of its texts.",
    )


def layers(actions: Mapping[str, FlowAction]) -> dict[str, int]:
    """How many actions come, at most, before each one; `actions` are in order."""
    depth: dict[str, int] = {}
    for action in actions.values():
        depth[action.name] = 1 + max((depth[need] for need in action.needs), default=-1)
    return depth

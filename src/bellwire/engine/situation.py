"""How it stands with a run that needs a person: what is done elsewhere, what waits, what each choice leads to."""

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

import orjson

from bellwire.engine.loading import flow_of
from bellwire.errors import FlowError
from bellwire.flows import Flow, picture, uses
from bellwire.ledger import ExceptionRow, Rows, edits, exceptions, runs


def situation(rows: Rows, row: ExceptionRow, today: Mapping[str, Flow]) -> dict[str, Any]:
    """Of an exception about a run: `done` (a list of actions that are settled), `to_come` (names of actions),
    `also_stuck` (the same), `used_later` (which fields of its result, by action), `flow_changed` (whether `today`'s
    flow isn't the one that the run began with), `run_state`, `edits`. Empty for one about a delivery."""
    run = runs.find(rows, row.run or 0)
    if run is None:
        return {}
    try:
        flow = flow_of(rows, run)
    except FlowError:
        flow = None
    boxes = {box.name: box for box in picture(flow).boxes} if flow else {}
    settled = [each for each in runs.attempts(rows, run.id) if each.outcome.settled]
    stuck = {each.action for each in exceptions.open_ones(rows, run=run.id) if each.action}
    over = {each.action for each in settled} - stuck
    return {
        "done": [
            {
                "action": each.action,
                "item": each.item,
                "meaning": boxes[each.action].meaning if each.action in boxes else "",
                "connection": boxes[each.action].connection if each.action in boxes else "",
                "outcome": each.outcome.value,
                "result": in_short(each.result),
                "why": each.sentence,
            }
            for each in settled
        ],
        "to_come": [name for name in flow.actions if name not in over | stuck] if flow else [],
        "also_stuck": sorted(stuck - {row.action}),
        "used_later": uses(flow, row.action) if flow and row.action else {},
        "flow_changed": run.flow in today and today[run.flow].hash != run.flow_hash,
        "run_state": run.state.value,
        "edits": edits_of(rows, run.id),
    }


def edits_of(rows: Rows, run: int) -> list[dict[str, Any]]:
    """What people changed of its input, without what they changed it to."""
    found = [asdict(edit) for edit in edits.of_run(rows, run)]
    return [{name: value for name, value in edit.items() if name != "given"} for edit in found]


def in_short(result: str | None) -> str:
    """The numbers that a person would look for, out of an action's result."""
    values = orjson.loads(result or "{}")
    shown = dict.fromkeys(("number", "tracking_number", "id", "to", "channel"))
    shown |= dict.fromkeys(key for key in values if key.endswith("_id"))
    return ", ".join(f"{key.replace('_', ' ')} {values[key]}" for key in shown if values.get(key))

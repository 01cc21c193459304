"""How it stands with a run that needs a person: what is done elsewhere, what waits, what each choice leads to."""

from collections.abc import Mapping
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from bellwire.cli.base import say
from bellwire.cli.run import in_short

if TYPE_CHECKING:
    from bellwire.flows import Flow
    from bellwire.ledger import ExceptionRow, Rows


def situation(rows: "Rows", row: "ExceptionRow", today: "Mapping[str, Flow]") -> dict[str, Any]:
    """What `exception show` tells of an exception about a run."""
    from bellwire.engine import flow_of
    from bellwire.errors import FlowError
    from bellwire.flows import picture, uses
    from bellwire.ledger import exceptions, runs

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


def edits_of(rows: "Rows", run: int) -> list[dict[str, Any]]:
    """What people changed of its input, without what they changed it to."""
    from bellwire.ledger import edits

    found = [asdict(edit) for edit in edits.of_run(rows, run)]
    return [{name: value for name, value in edit.items() if name != "given"} for edit in found]


def said_of_edit(edit: Mapping[str, Any]) -> str:
    from bellwire.cli.lasting import when

    part = f"The input of '{edit['action']}'" + (f", item {edit['item'] + 1}," if edit["item"] else "")
    return f"{part} was edited by {edit['who'] or 'somebody'}, {when(edit['set_at'])}: {', '.join(edit['fields'])}."


def say_done(found: Mapping[str, Any]) -> None:
    """What was done already elsewhere."""
    done = [each for each in found["done"] if each["outcome"] != "skipped"]
    say(f"Done already{':' if done else ': nothing.'}")
    for each in done:
        item = f", item {each['item'] + 1}" if each["item"] else ""
        by = ", by a person" if each["outcome"] == "by hand" else ""
        result = f": {each['result']}" if each["result"] else ""
        say(f"  {each['action']}{item}  {each['meaning']} ({each['connection']}{by}){result}")
    for each in found["done"]:
        if each["outcome"] == "skipped":
            say(f"  {each['action']}  not needed. {each['why']}".rstrip())


def say_choices(number: int, found: Mapping[str, Any]) -> None:
    """What can be done about a run, and what happens then."""
    if not found["action"]:
        _say_choices_of_run(number, found)
        return
    after = f", then {_listed(found['to_come'])}" if found["to_come"] else ""
    wanted = sorted({field for fields in found["used_later"].values() for field in fields})
    told = f" Later actions use its {_listed(wanted)}." if wanted else ""
    say("What happens next is your choice:")
    say(f"  bellwire exception retry {number}")
    say(f"      '{found['action']}' is tried again{after}. What is done isn't done again.")
    if found["flow_changed"]:
        say(f"  bellwire exception retry {number} --as-now")
        say("      The same with the flow as it is now: it was changed since.")
    say(f"  bellwire exception retry {number} --set FIELD=VALUE   or   --edit")
    say("      The same with another input than the flow gives it, for this run alone.")
    others = f" once {_listed(found['also_stuck'])} is dealt with, too" if found["also_stuck"] else ""
    say(
        f"  bellwire exception resolve {number} --id ID"
        + "".join(f" --with {name}=…" for name in wanted if name != "id")
    )
    say(f"      You did it by hand; ID is what the system gave. The run goes on{others}{after}.{told}")
    undone = _listed([found["action"], *found["also_stuck"], *found["to_come"]])
    say(f"  bellwire exception dismiss {number} --reason WHY")
    say(f"      The run ends as skipped: {undone} not done, what is done stays done.")


def _say_choices_of_run(number: int, found: Mapping[str, Any]) -> None:
    """The same where no single action is in the way."""
    say("What happens next is your choice:")
    say(f"  bellwire exception retry {number}")
    say("      The run is taken up once more. What is done isn't done again.")
    if found["flow_changed"]:
        say(f"  bellwire exception retry {number} --as-now")
        say("      The same with the flow as it is now: it isn't the one that the run began with.")
    say(f"  bellwire exception dismiss {number} --reason WHY")
    say("      The run ends as skipped: what is done stays done, nothing more is.")


def say_choices_of_delivery(number: int) -> None:
    """The same for a delivery that couldn't be read."""
    say("What happens next is your choice:")
    say(f"  bellwire exception retry {number}")
    say("      The delivery is read once more, and starts what it should have started.")
    say(f"  bellwire exception dismiss {number} --reason WHY")
    say("      The delivery ends as skipped; it is kept.")


def _listed(names: list[str]) -> str:
    return " and ".join([", ".join(names[:-1]), names[-1]]) if len(names) > 1 else "".join(names)

"""How it stands with a run that needs a person, in words: what is done elsewhere, what each choice leads to."""

from collections.abc import Mapping
from typing import Any

from bellwire.cli.base import say


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

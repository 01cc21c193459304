"""What a flow in shadow would have done, beside what people did: looked up, and shown."""

from collections import Counter
from collections.abc import Sequence
from datetime import datetime
from typing import Any

from bellwire.cli.base import counted, print_rows, say
from bellwire.cli.lasting import means
from bellwire.engine import Comparison, Verdict, all_noted, compare
from bellwire.flows import Flow
from bellwire.ledger import Database
from bellwire.settings import Settings

_IN_WORDS = {
    Verdict.SAME: "as Bellwire would have done it",
    Verdict.DIFFERS: "done otherwise",
    Verdict.MISSING: "not found",
    Verdict.UNKNOWN: "not comparable",
}


async def compared(ledger: Database, settings: Settings, flow: Flow, since: datetime, limit: int) -> list[Comparison]:
    """Of the flow's newest `limit` runs `since` then. Asks the vendors. Raises ConfigurationError."""
    noted = await ledger.read(lambda rows: all_noted(rows, flow.id, since, limit=limit))
    using = means(ledger, settings)
    try:
        return [each async for each in compare(using, noted)]
    finally:
        for connection in using.connections.values():
            await connection.api.close()


def in_json(found: Comparison) -> dict[str, Any]:
    """For programs. `verdict` is same, differs, missing or unknown."""
    noted, seen = found.noted, found.seen
    return {
        "run": noted.run.id,
        "subject": noted.event.subject,
        "action": noted.attempt.action,
        "item": noted.attempt.item,
        "does": found.meaning,
        "verdict": found.verdict,
        "told": found.told,
        "found": seen.label if seen else None,
        "url": seen.url if seen else "",
        "fields": [
            {"name": each.name, "ours": each.ours, "theirs": each.theirs, "same": each.same}
            for each in (seen.compared if seen else ())
        ],
    }


def show(found: Sequence[Comparison], flow: Flow) -> None:
    """A line for each, and how many there are of each kind."""
    columns = {"run": "Run", "subject": "About", "action": "Action", "told": ""}
    print_rows(
        [in_json(each) for each in found],
        columns,
        as_json=False,
        empty=f"{flow.name} has noted nothing in that time. `bellwire flow mode {flow.id} shadow` has it note.",
    )
    count = Counter(each.verdict for each in found)
    if found:
        told = ", ".join(f"{count[verdict]} {words}" for verdict, words in _IN_WORDS.items() if count[verdict])
        say(f"{counted(len(found), 'action')}: {told}.")

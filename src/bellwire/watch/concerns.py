"""What people have to be told of, as it is now.

Alerts leave the house, so nothing personal is in one: systems, flows, counts, order numbers, and of a cause only its
kind. The sentences of exceptions, which may name a customer, stay on the desk.
"""

import shutil
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

import orjson

from bellwire.ledger import (
    HealthRow,
    PollRow,
    Rows,
    Trouble,
    alerts,
    asks,
    events,
    exceptions,
    figures,
    health,
    polls,
    runs,
)

_TOO_LONG = timedelta(hours=1)
_SHORT_OUTAGE = timedelta(minutes=2)
"""A system that doesn't answer for less than this is nothing to disturb anybody for."""
_NEARLY_FULL = 500_000_000
"""Bytes; five times what has to be free for webhooks to be taken."""
EXCEPTIONS, CONNECTIONS = "exceptions/", "connection/"
"""The topics of groups of open exceptions, and of connections that are out of order, begin so."""
UNWRITABLE = (
    "ledger",
    "The ledger can't be written",
    "Senders of webhooks are asked to come again, and no flow goes on. Is the disk full, or read-only?",
)
"""Topic, title and text of the concern that can't be read from the ledger."""
SECRET_DAYS, SECRET_WARNING = 90, 75
"""After how many days a secret should be replaced, and when that is said first."""
_NAMED = 5
_GROUPS = 10_000


@dataclass(frozen=True)
class Concern:
    """`topic` stays the same as long as it lasts. `describe` gives the text: it costs more than the title."""

    topic: str
    title: str
    describe: Callable[[Rows], str]


def concerns(rows: Rows, now: datetime, systems: Mapping[str, str]) -> Iterator[Concern]:
    """All that the ledger knows of. `systems`: connection → what its vendor is called."""
    for group in figures.open_groups(rows, limit=_GROUPS):
        yield _stuck(group, systems.get(group.connection, group.connection))
    for row in health.out_of_order(rows):
        if row.state is Trouble.SIGNED_OUT or now - row.since >= _SHORT_OUTAGE:
            yield _out_of_order(row, systems.get(row.connection, row.connection))
    for poll in polls.everything(rows):
        if poll.failing_since is not None and now - poll.failing_since >= _TOO_LONG:
            yield _unread(poll, systems.get(poll.connection, poll.connection))
    for flow, count in asks.count_open(rows):
        title = f"{flow}: {_plural(count, 'to-do')} for a person"
        yield Concern(f"asks/{flow}", title, _always("Runs wait for the answers. `bellwire todo list` shows them."))
    for late in alerts.late_runs(rows, now, _TOO_LONG):
        text = f"They wait for their next try or for their turn. `bellwire run list --flow {late.flow}` shows them."
        title = f"{late.flow}: {_plural(late.count, 'run')} waiting for more than an hour"
        yield Concern(f"late/{late.flow}", title, _always(text))


def disk_concern(folder: Path | None) -> Concern | None:
    """Whether the disk that the ledger is on has little room left; nothing when that isn't on this machine."""
    if folder is None or shutil.disk_usage(folder).free >= _NEARLY_FULL:
        return None
    text = "When it is full, no webhook can be taken any more. Make room on it."
    title = f"The disk has less than {_NEARLY_FULL // 1_000_000} MB left"
    return Concern("disk", title, _always(text))


def announced(connection: str, system: str, source: str, said: str) -> Concern:
    """A vendor announces that something of its API ends or changes."""
    text = f"It says ({source}): {said}. See whether there is a newer Bellwire; `bellwire check` tells more."
    return Concern(f"announced/{connection}/{source}", f"{system} announces a change", _always(text))


def not_taken_over(flow: str, wrong: str) -> Concern:
    """The file of a flow was changed, and has mistakes."""
    text = f"{wrong} Until that is mended, the flow works as it was before. `bellwire flow check` looks at it again."
    return Concern(f"flow/{flow}", f"The changed flow '{flow}' has mistakes and isn't used", _always(text))


def not_used(file: str, wrong: str) -> Concern:
    """A file with settings was changed, and has mistakes."""
    text = f"{wrong} Until that is mended, what it said before holds."
    return Concern(f"settings/{file}", f"The changed {file} has mistakes and isn't used", _always(text))


def old_secret(connection: str, system: str, field: str, days: int) -> Concern:
    """A credential has been the same for long."""
    text = f"Make a new one at {system}; `bellwire secrets set {connection} {field}` takes it."
    title = f"The {field} of '{connection}' is {days} days old, of at most {SECRET_DAYS}"
    return Concern(f"secret/{connection}/{field}", title, _always(text))


def is_old(field: str, set_at: datetime, now: datetime) -> bool:
    """Whether it is time to think of replacing a credential."""
    return expires(field) and (now - set_at).days >= SECRET_WARNING


def expires(field: str) -> bool:
    """Whether a credential is to be replaced after SECRET_DAYS: what is no secret may stay."""
    return field != "client_id"


def _stuck(group: figures.OpenGroup, system: str) -> Concern:
    kind = group.cause.partition(":")[0].replace("-", " ")
    title = f"{system or 'Something'} needs you: {kind} ({_plural(group.count, 'time')})"

    def describe(rows: Rows) -> str:
        named = [_name(rows, number) for number in figures.of_group(rows, group, limit=_NAMED)]
        more = f" and {group.count - len(named)} more" if group.count > len(named) else ""
        return f"{', '.join(named)}{more}. `bellwire exception list` says what to do."

    return Concern(f"{EXCEPTIONS}{group.connection}/{group.cause}", title, describe)


def _name(rows: Rows, exception: int) -> str:
    """By the order's number where there is one."""
    found = exceptions.find(rows, exception)
    run = runs.find(rows, found.run) if found and found.run else None
    event = events.find(rows, run.event) if run else None
    if event and event.type.startswith("order."):
        data = orjson.loads(event.data or "{}")
        if isinstance(data, dict) and data.get("number"):
            return f"order {data['number']}"
    return f"run {run.id}" if run else f"exception {exception}"


def _out_of_order(row: HealthRow, system: str) -> Concern:
    name = row.connection
    if row.state is Trouble.SIGNED_OUT:
        title = f"{system} doesn't let us in"
        text = f"Its work waits. `bellwire connect {name}` signs it in again; then it goes on by itself."
    else:
        title = f"{system} doesn't answer"
        text = "Its work waits, and goes on by itself once it answers."
    return Concern(f"{CONNECTIONS}{name}/{row.state}", title, _always(text))


def _unread(poll: PollRow, system: str) -> Concern:
    text = f"What its webhooks don't bring isn't noticed meanwhile. `bellwire reconcile {poll.connection}` says why."
    title = f"{system} can't be asked what happened ({poll.name})"
    return Concern(f"polls/{poll.connection}/{poll.name}", title, _always(text))


def _always(text: str) -> Callable[[Rows], str]:
    return lambda _: text


def _plural(count: int, one: str) -> str:
    return f"{count:,} {one}" if count == 1 else f"{count:,} {one}s"

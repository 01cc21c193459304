"""What people are asked: to decide on an action of a run, or to do it."""

from collections import Counter
from datetime import datetime

from bellwire.ledger.database import Rows
from bellwire.ledger.rows import AskKind, AskRow, AskState, ask_row, stamp

_COLUMNS = "id, run, flow, action, item, kind, text, given, asked, asked_at, expires_at, state, who, decided_at, reason"


def ask(
    rows: Rows,
    *,
    run: int,
    flow: str,
    action: str,
    item: int,
    kind: AskKind,
    text: str,
    given: str,
    asked: str,
    now: datetime,
    expires_at: datetime | None,
) -> None:
    rows.run(
        "INSERT INTO asks (run, flow, action, item, kind, text, given, asked, asked_at, expires_at, state)"
        " VALUES (:run, :flow, :action, :item, :kind, :text, :given, :asked, :now, :expires_at, 'open')",
        {
            "run": run,
            "flow": flow,
            "action": action,
            "item": item,
            "kind": kind.value,
            "text": text,
            "given": given,
            "asked": asked,
            "now": stamp(now),
            "expires_at": None if expires_at is None else stamp(expires_at),
        },
    )


def find(rows: Rows, number: int) -> AskRow | None:
    row = rows.one(f"SELECT {_COLUMNS} FROM asks WHERE id = :id", {"id": number})  # noqa: S608
    return ask_row(row) if row else None


def open_ones(
    rows: Rows, *, run: int | None = None, flow: str = "", kind: str = "", after: int = 0, limit: int = 1000
) -> list[AskRow]:
    """Oldest first; those with a higher number than `after`."""
    found = rows.all(
        f"SELECT {_COLUMNS} FROM asks WHERE state = 'open' AND id > :after AND (:flow = '' OR flow = :flow)"  # noqa: S608
        " AND (:kind = '' OR kind = :kind) AND (CAST(:run AS bigint) IS NULL OR run = :run) ORDER BY id LIMIT :limit",
        {"run": run, "flow": flow, "kind": kind, "after": after, "limit": limit},
    )
    return [ask_row(row) for row in found]


def closed_ones(
    rows: Rows,
    *,
    flow: str = "",
    kind: str = "",
    since: datetime | None = None,
    before: int | None = None,
    limit: int = 1000,
) -> list[AskRow]:
    """Those decided, done or withdrawn last come first: not before `since`, and earlier than the one with the number
    `before`."""
    wanted = ["decided_at IS NOT NULL"]
    wanted += ["decided_at >= :since"] * (since is not None)
    wanted += ["(decided_at, id) < (SELECT decided_at, id FROM asks WHERE id = :before)"] * (before is not None)
    found = rows.all(
        f"SELECT {_COLUMNS} FROM asks WHERE {' AND '.join(wanted)} AND (:flow = '' OR flow = :flow)"  # noqa: S608
        " AND (:kind = '' OR kind = :kind) ORDER BY decided_at DESC, id DESC LIMIT :limit",
        {
            "flow": flow,
            "kind": kind,
            "since": None if since is None else stamp(since),
            "before": before,
            "limit": limit,
        },
    )
    return [ask_row(row) for row in found]


def count_open(rows: Rows) -> list[tuple[str, int]]:
    """How many are open, by flow."""
    return sorted(Counter(row[0] for row in rows.all("SELECT flow FROM asks WHERE state = 'open'")).items())


def of_run(rows: Rows, run: int) -> list[AskRow]:
    found = rows.all(f"SELECT {_COLUMNS} FROM asks WHERE run = :run ORDER BY id", {"run": run})  # noqa: S608
    return [ask_row(row) for row in found]


def close(rows: Rows, number: int, state: AskState, now: datetime, *, who: str, reason: str = "") -> bool:
    """False when somebody was quicker."""
    return bool(
        rows.run(
            "UPDATE asks SET state = :state, decided_at = :now, who = :who, reason = :reason"
            " WHERE id = :id AND state = 'open'",
            {"id": number, "state": state.value, "now": stamp(now), "who": who, "reason": reason},
        )
    )


def link_key(rows: Rows) -> str | None:
    """What links to questions are signed with; None before the first engine has begun."""
    row = rows.one("SELECT key FROM link_keys WHERE purpose = 'answers'")
    return row[0] if row else None


def keep_link_key(rows: Rows, fresh: str) -> str:
    """The same; `fresh`, if there is none yet."""
    rows.run("INSERT INTO link_keys (purpose, key) VALUES ('answers', :key) ON CONFLICT DO NOTHING", {"key": fresh})
    return link_key(rows) or fresh


def of_action(rows: Rows, run: int, action: str) -> AskRow | None:
    """The newest question about an action."""
    row = rows.one(
        f"SELECT {_COLUMNS} FROM asks WHERE run = :run AND action = :action ORDER BY id DESC LIMIT 1",  # noqa: S608
        {"run": run, "action": action},
    )
    return ask_row(row) if row else None


def withdraw(rows: Rows, run: int, now: datetime, action: str = "") -> None:
    """What a run asked, or one action of it, isn't asked any more."""
    rows.run(
        "UPDATE asks SET state = 'withdrawn', decided_at = :now WHERE run = :run AND state = 'open'"
        " AND (:action = '' OR action = :action)",
        {"run": run, "now": stamp(now), "action": action},
    )

"""What attempts asked of vendors, and what was answered: packed by whoever asked, kept as long as webhooks are."""

from bellwire.ledger.database import Rows
from bellwire.ledger.rows import AttemptRow


def keep(rows: Rows, attempt: AttemptRow, packed: bytes) -> None:
    """In the transaction of the attempt's checkpoint."""
    rows.run(
        "INSERT INTO exchanges (run, action, item, number, packed) VALUES (:run, :action, :item, :number, :packed)"
        " ON CONFLICT (run, action, item, number) DO UPDATE SET packed = excluded.packed",
        {
            "run": attempt.run,
            "action": attempt.action,
            "item": attempt.item,
            "number": attempt.number,
            "packed": packed,
        },
    )


def of_run(rows: Rows, run: int) -> dict[tuple[str, int, int], bytes]:
    """By action, item and number of the attempt."""
    found = rows.all("SELECT action, item, number, packed FROM exchanges WHERE run = :run", {"run": run})
    return {(row[0], row[1], row[2]): row[3] for row in found}

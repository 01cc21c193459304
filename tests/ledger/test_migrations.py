"""What a newer schema does with the rows of an older one."""

from pathlib import Path

import pytest
from alembic import command as migrations
from alembic.config import Config
from sqlalchemy import create_engine

import bellwire.ledger
from bellwire.ledger import FlowMode, Rows, finding, modes, open_ledger, versions
from tests.ledgers import POSTGRES, SQLITE, Ledgers, change
from tests.samples import order

FOLDER = Path(bellwire.ledger.__file__).parent / "migrations"


def before(name: str) -> str:
    """The revision before the one with this name."""
    (file,) = (FOLDER / "versions").glob(f"*_{name}.py")
    return f"{int(file.name[:4]) - 1:04}"


@pytest.fixture(params=[SQLITE, POSTGRES])
def url(request: pytest.FixtureRequest, ledgers: Ledgers, tmp_path: Path) -> str:
    """Where there is no ledger yet."""
    return f"sqlite:///{tmp_path / 'old.db'}" if request.param == SQLITE else ledgers.database()


def make(url: str, revision: str) -> None:
    """An empty ledger as an older release made it."""
    engine = create_engine(url.replace("postgresql:", "postgresql+psycopg:"))
    with engine.begin() as connection:
        config = Config()
        config.set_main_option("script_location", str(FOLDER))
        config.attributes["connection"] = connection
        migrations.upgrade(config, revision)
    engine.dispose()


async def test_flows_that_have_run_with_real_accounts_stay_live_and_others_are_left_open(url: str) -> None:
    make(url, before("pilots"))
    for number, environment in enumerate(("production", "sandbox", "production"), 1):
        change(
            url,
            "INSERT INTO events (id, environment, business_key, time, recorded_at)"  # noqa: S608
            f" VALUES ({number}, '{environment}', '{number}', 0, 0)",
        )
    for flow, event in (("cash", 1), ("cash", 3), ("tried", 2), ("by_hand", 1)):
        change(
            url,
            "INSERT INTO runs (event, flow, state, created_at, received_at)"  # noqa: S608
            f" VALUES ({event}, '{flow}', 'done', 0, 0)",
        )
    change(url, "INSERT INTO flow_modes (flow, mode, set_at) VALUES ('by_hand', 'manual', 0)")
    async with open_ledger(url) as ledger:
        assert await ledger.read(modes.decided) == {"cash": FlowMode.LIVE, "by_hand": FlowMode.MANUAL}


async def test_events_that_are_there_already_are_found_by_number_and_those_without_data_are_left_out(url: str) -> None:
    make(url, before("people"))
    for number, (kind, data) in enumerate(
        (("order.paid", order(number="1001").model_dump_json()), ("order.paid", ""), ("order.paid", "{}")), 1
    ):
        change(
            url,
            "INSERT INTO events (id, type, business_key, time, recorded_at, data)"  # noqa: S608
            f" VALUES ({number}, '{kind}', '{number}', 0, 0, '{data}')",
        )

    def found(rows: Rows) -> list[int]:
        return list(finding.events_with(rows, "1001"))

    async with open_ledger(url) as ledger:
        assert await ledger.read(found) == [1]
        assert len(await ledger.read(lambda rows: rows.all("SELECT DISTINCT event FROM terms"))) == 1


async def test_flows_that_shared_a_text_get_a_history_each_and_their_runs_keep_it(url: str) -> None:
    make(url, before("people"))
    insert = "INSERT INTO flow_versions (hash, flow, source, recorded_at) VALUES"
    for number, values in enumerate(("'a1', 'cash', 'old', 1", "'b2', 'cash', 'new', 2"), 1):
        change(url, f"{insert} ({values})")
        change(
            url,
            "INSERT INTO events (id, business_key, time, recorded_at)"  # noqa: S608
            f" VALUES ({number}, '{number}', 0, 0)",
        )
    for event, flow, flow_hash, at in ((1, "cash", "a1", 1), (1, "copy", "a1", 3), (2, "copy", "a1", 4)):
        change(
            url,
            "INSERT INTO runs (event, flow, flow_hash, state, created_at, received_at)"  # noqa: S608
            f" VALUES ({event}, '{flow}', '{flow_hash}', 'done', {at}, 0)",
        )

    def histories(rows: Rows) -> list[list[tuple[str, str, int]]]:
        every = [versions.of_flow(rows, flow, limit=5) for flow in ("cash", "copy")]
        return [[(each.hash, each.source, each.runs) for each in found] for found in every]

    async with open_ledger(url) as ledger:
        assert await ledger.read(histories) == [[("b2", "new", 0), ("a1", "old", 1)], [("a1", "old", 2)]]

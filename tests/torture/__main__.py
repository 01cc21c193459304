"""`make torture`: kill -9 at random, under load, on a bad day; exit code 1 if a promise was broken."""

import argparse
import asyncio
import tempfile
from contextlib import ExitStack, closing
from pathlib import Path
from random import SystemRandom

from rich.console import Console
from rich.table import Table

from tests.postgres import Server
from tests.running import town
from tests.torture.campaign import Campaign, Plan
from tests.torture.many import ACTIONS, many
from tests.torture.shared import SharedCampaign


def main() -> int:
    parser = argparse.ArgumentParser(prog="make torture", description=__doc__)
    parser.add_argument("--minutes", type=float, default=2.0, help="how long webhooks come and processes die")
    parser.add_argument("--seed", type=int, default=None, help="what happens at random; another one each time if left")
    parser.add_argument("--workers", type=int, default=0, help="so many of them beside an intake, on PostgreSQL")
    parser.add_argument(
        "--runs", type=int, default=0, help="instead: so many, for the workers, on vendors that are instant"
    )
    given = parser.parse_args()
    if given.runs:
        return asyncio.run(side_by_side(given.runs, given.workers or 8))
    seed = SystemRandom().randrange(1_000_000) if given.seed is None else given.seed
    return asyncio.run(torture(Plan(given.minutes * 60, seed), given.workers))


async def torture(plan: Plan, workers: int) -> int:
    console = Console(highlight=False, soft_wrap=True)
    console.print(f"{plan.seconds / 60:g} minutes, --seed {plan.seed}")
    with tempfile.TemporaryDirectory(prefix="bellwire-torture-") as folder:
        async with town(Path(folder)) as place:
            with ExitStack() as stack:
                if workers:
                    server = stack.enter_context(closing(Server(durable=True)))
                    campaign: Campaign = SharedCampaign(place, plan, console.print, server=server, workers=workers)
                else:
                    campaign = Campaign(place, plan, console.print)
                await campaign.run()
                table = Table(show_header=False)
                for name, found in campaign.table():
                    table.add_row(name, str(found))
                console.print(table)
                violations = campaign.violations()
    for words in violations:
        console.print(f"[red]✗[/] {words}")
    console.print("[red]A promise was broken.[/]" if violations else "[green]Every promise held.[/]")
    return 1 if violations else 0


async def side_by_side(runs: int, workers: int) -> int:
    console = Console(highlight=False, soft_wrap=True)
    with closing(Server(durable=True)) as server:
        server.start()
        server.run("CREATE DATABASE ledger")
        found = await many(server.url("ledger"), workers, runs, console.print, patience=360)
    console.print(f"{runs} runs in {found.seconds:.1f} s: {runs / found.seconds:.0f} a second.")
    console.print(f"{ACTIONS} actions each; by worker: {', '.join(map(str, found.by_worker))}.")
    console.print(f"Not done: {found.missing}. Done again: {found.doubled}.")
    return 1 if found.missing or found.doubled else 0


if __name__ == "__main__":
    raise SystemExit(main())

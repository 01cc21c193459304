"""`make torture`: kill -9 at random, under load, on a bad day; exit code 1 if a promise was broken."""

import argparse
import asyncio
import tempfile
from pathlib import Path
from random import SystemRandom

from rich.console import Console
from rich.table import Table

from tests.running import town
from tests.torture.campaign import Campaign, Plan


def main() -> int:
    parser = argparse.ArgumentParser(prog="make torture", description=__doc__)
    parser.add_argument("--minutes", type=float, default=2.0, help="how long webhooks come and processes die")
    parser.add_argument("--seed", type=int, default=None, help="what happens at random; another one each time if left")
    given = parser.parse_args()
    seed = SystemRandom().randrange(1_000_000) if given.seed is None else given.seed
    return asyncio.run(torture(Plan(given.minutes * 60, seed)))


async def torture(plan: Plan) -> int:
    console = Console(highlight=False, soft_wrap=True)
    console.print(f"{plan.seconds / 60:g} minutes, --seed {plan.seed}")
    with tempfile.TemporaryDirectory(prefix="bellwire-torture-") as folder:
        async with town(Path(folder)) as place:
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


if __name__ == "__main__":
    raise SystemExit(main())

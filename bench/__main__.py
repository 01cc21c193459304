"""`make bench`: prints a table; writes bench/latest.json and, as a plot, bench/latest.svg."""

import argparse
import tempfile
import time
from collections.abc import Awaitable, Callable, Collection
from dataclasses import replace
from pathlib import Path

from bench import cost, desk, growth, latency, recovery, scaleout, size, start, throughput, timers
from bench.figures import Figures
from bench.plot import plot
from bench.setting import QUICK, Counts, Setting
from bench.showing import as_json, markdown, pages, show

MEASUREMENTS: dict[str, Callable[[Setting], Awaitable[None]]] = {
    "throughput": throughput.measure,
    "latency": latency.measure,
    "growth": growth.measure,
    "desk": desk.measure,
    "recovery": recovery.measure,
    "timers": timers.measure,
    "size": size.measure,
    "start": start.measure,
    "scaleout": scaleout.measure,
    "cost": cost.measure,
}
HERE = Path(__file__).parent


async def measure(counts: Counts, only: Collection[str]) -> Figures:
    figures = Figures()
    with tempfile.TemporaryDirectory(prefix="bellwire-bench-") as folder:
        for name, one in MEASUREMENTS.items():
            if only and name not in only:
                continue
            print(f"Measuring {name} …", flush=True)
            began = time.perf_counter()
            await one(Setting(Path(folder), counts, figures))
            print(f"… {time.perf_counter() - began:.0f} s", flush=True)
    return figures


def main() -> None:
    import uvloop

    parser = argparse.ArgumentParser(prog="make bench", description=__doc__)
    parser.add_argument("--only", nargs="+", choices=MEASUREMENTS, metavar="NAME", help=", ".join(MEASUREMENTS))
    parser.add_argument("--quick", action="store_true", help="smaller counts, one round: to see that it works")
    parser.add_argument("--rounds", type=int, help="how often each is measured")
    parser.add_argument("--markdown", action="store_true", help="print the table as Markdown")
    arguments = parser.parse_args()
    counts = QUICK if arguments.quick else Counts()
    if arguments.rounds:
        counts = replace(counts, rounds=arguments.rounds)
    figures = uvloop.run(measure(counts, arguments.only or ()))
    if arguments.markdown:
        print(markdown(figures))
    else:
        show(figures)
    for line in pages(figures):
        print(line)
    if not (arguments.quick or arguments.only):
        (HERE / "latest.json").write_text(as_json(figures))
        (HERE / "latest.svg").write_text(plot(figures))
        print(f"Written to {HERE / 'latest.json'} and latest.svg beside it.")


if __name__ == "__main__":
    main()

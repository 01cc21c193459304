"""The figures as a table: for the terminal, in Markdown, and as JSON."""

import json
import os
import platform
import statistics
from collections.abc import Callable
from typing import Any

from rich.console import Console
from rich.table import Table

from bench.figures import KINDS, Figures, Took


def number(value: float) -> str:
    """Three digits that matter: `0.612`, `23.4`, `5,430`."""
    if value >= 1000:
        return f"{value:,.0f}"
    return f"{value:.{2 if value < 10 else 1 if value < 100 else 0}f}"


def spread(figures: Figures, name: str) -> str:
    """The least and the most of all rounds; empty when there was one."""
    least, most = figures.range(name)
    return f"{number(least)}–{number(most)}" if len(figures.values[name]) > 1 else ""


def verdict(figures: Figures, name: str) -> str:
    aim = KINDS[name].aim
    if aim is None:
        return ""
    return "met" if aim.met(figures.median(name)) else "missed"


_COLUMNS: dict[str, Callable[[Figures, str], str]] = {
    "figure": lambda _, name: name,
    "what": lambda _, name: KINDS[name].means,
    "median": lambda figures, name: number(figures.median(name)),
    "rounds": spread,
    "aim": lambda _, name: str(KINDS[name].aim or ""),
    "": verdict,
}


_WIDTH = 150


def show(figures: Figures) -> None:
    table = Table(box=None, pad_edge=False)
    for title in _COLUMNS:
        right = title in ("median", "rounds", "aim")
        table.add_column(title, justify="right" if right else "left", no_wrap=True)
    styles = {"met": "green", "missed": "red", "": ""}
    for name in figures:
        *cells, met = [cell(figures, name) for cell in _COLUMNS.values()]
        table.add_row(*cells, f"[{styles[met]}]{met}[/]" if met else "")
    console = Console()
    console.width = max(console.width, _WIDTH)
    console.print(table)


def markdown(figures: Figures) -> str:
    """Ready to be pasted into a document."""
    lines = ["| " + " | ".join(_COLUMNS) + " |", "| --- | --- | ---: | ---: | ---: | --- |"]
    for name in figures:
        cells = [cell(figures, name) for cell in _COLUMNS.values()]
        lines.append("| " + " | ".join([f"`{cells[0]}`", *cells[1:]]) + " |")
    return "\n".join(lines)


def pages(figures: Figures) -> list[str]:
    """The desk's pages as a table in Markdown, the slowest first."""
    if not figures.pages:
        return []
    found = sorted(_of_pages(figures).items(), key=lambda page: -page[1].many)
    rows = [
        f"| `{path}` | {number(took.few)} | {number(took.many)} | {number(took.largest)} | {number(took.processor)} |"
        for path, took in found
    ]
    return [
        "| page or list | with one day (ms) | with the long history (ms) | at the most (ms) | processor (ms) |",
        "| --- | ---: | ---: | ---: | ---: |",
        *rows,
    ]


def _of_pages(figures: Figures) -> dict[str, Took]:
    """Medians of the rounds, and the largest of all."""
    return {
        path: Took(
            statistics.median(took.few for took in found),
            statistics.median(took.many for took in found),
            max(took.largest for took in found),
            statistics.median(took.processor for took in found),
        )
        for path, found in figures.pages.items()
    }


def as_json(figures: Figures) -> str:
    """Each figure's median under its own name; `rounds` has all values behind it."""
    found: dict[str, Any] = {name: round(figures.median(name), 4) for name in figures}
    found["aims"] = {name: str(kind.aim) for name in figures if (kind := KINDS[name]).aim}
    found["rounds"] = {name: [round(value, 4) for value in figures.values[name]] for name in figures}
    found["pages"] = {
        path: {name: round(value, 2) for name, value in vars(took).items()} for path, took in _of_pages(figures).items()
    }
    found["machine"] = {"python": platform.python_version(), "cores": os.cpu_count()}
    return json.dumps(found, indent=2) + "\n"

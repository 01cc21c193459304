"""The report as a page that needs nothing else: no script, no picture, no network."""

from datetime import datetime
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from bellwire import __version__
from bellwire.clock import duration
from bellwire.practice.pilot.report import Report


def page(report: Report) -> str:
    """HTML."""
    environment = Environment(
        loader=FileSystemLoader(Path(__file__).parent),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {"duration": duration, "moment": _moment}
    return environment.get_template("report.html").render(report=report, version=__version__)


def _moment(time: datetime) -> str:
    """`November 24, 2026, 9:30 UTC`."""
    return f"{time:%B} {time.day}, {time.year}, {time.hour}:{time:%M} UTC"

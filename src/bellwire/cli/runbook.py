"""`bellwire runbook`: what whoever looks after a flow has to know, as a page."""

import typer

from bellwire.cli.base import HERE, Project, read_project, say
from bellwire.cli.flow import FlowName, connectors_of, find_flow


def register(app: typer.Typer) -> None:
    app.command()(runbook)


def runbook(flow: FlowName, project: Project = HERE) -> None:
    """Print the runbook of a flow: what it does, what can go wrong, what to do then, who is called.

    Example: bellwire runbook order_to_cash

    It is a page in Markdown. The desk has the same under Help, ready to be printed.
    """
    from bellwire.flows import as_markdown
    from bellwire.flows import runbook as book_of

    settings = read_project(project)
    say(as_markdown(book_of(find_flow(settings, flow), connectors_of(settings))))

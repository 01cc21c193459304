"""`bellwire flow`: the flows of a project, as their files say."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Annotated, Any

import typer

from bellwire.cli.base import FAILED, HERE, Json, Limit, Project, new_group, print_json, print_rows, read_project, say
from bellwire.errors import NotFound

if TYPE_CHECKING:
    from bellwire.connectors.kit import Connector
    from bellwire.flows import Finding, Flow
    from bellwire.settings import Settings

group = new_group("See, check and switch the flows.")

FlowName = Annotated[str, typer.Argument(metavar="FLOW", help="As `bellwire flow list` names it.")]


def register(app: typer.Typer) -> None:
    app.add_typer(group, name="flow")


@group.command("list")
def list_(project: Project = HERE, as_json: Json = False) -> None:
    """Show the flows of the project.

    Example: bellwire flow list
    """
    from bellwire.cli.going_live import in_json, say_what_waits, standings_of
    from bellwire.cli.lasting import with_ledger
    from bellwire.engine import Standing
    from bellwire.ledger import Database

    async def read(ledger: Database, settings: "Settings") -> list[Standing]:
        flows = _flows(settings)
        return await ledger.read(lambda rows: standings_of(rows, settings, flows))

    found = with_ledger(project, read)
    rows = [_row(each.flow) | in_json(each) for each in found]
    columns = {
        "flow": "Flow",
        "name": "Name",
        "mode": "Mode",
        "trigger": "Starts when",
        "steps": "Steps",
        "owner": "Owner",
    }
    print_rows(rows, columns, as_json=as_json, empty="There is no flow yet: put one into the folder flows/.")
    if not as_json:
        say_what_waits(found)


@group.command()
def show(flow: FlowName, project: Project = HERE, as_json: Json = False) -> None:
    """Show the steps of a flow, and what each waits for.

    Example: bellwire flow show order_to_cash
    """
    found = _find(_flows(read_project(project)), flow)
    steps = _steps(found)
    if as_json:
        print_json(_row(found) | {"file": found.path, "actions": steps})
        return
    say(f"{found.name}: starts when {found.trigger}")
    columns = {"action": "Step", "does": "What it does", "with": "With", "waits_for": "Waits for", "note": ""}
    print_rows(steps, columns, as_json=False)


@group.command()
def check(
    flow: Annotated[str | None, typer.Argument(metavar="FLOW", help="Only this one.")] = None,
    project: Project = HERE,
    as_json: Json = False,
) -> None:
    """Check the flows against their connections.

    Example: bellwire flow check

    Every reference and every input is looked at, before anything runs.
    """
    settings = read_project(project)
    flows = _flows(settings)
    findings = check_flows([_find(flows, flow)] if flow else flows, settings)
    if as_json:
        print_json([_finding(finding) for finding in findings])
    else:
        for finding in findings:
            say(f"{finding.severity}: {finding}")
        say(f"{len(flows if not flow else [flow])} checked, {len(findings)} to look at.")
    if any(finding.severity == "error" for finding in findings):
        raise typer.Exit(FAILED)


@group.command()
def mode(
    flow: FlowName,
    wanted: Annotated[
        str, typer.Argument(metavar="off|shadow|manual|live", help="What to switch it to; without it, say it.")
    ] = "",
    reason: Annotated[str, typer.Option(help="Why; it stays on record.")] = "",
    project: Project = HERE,
) -> None:
    """Switch a flow; it holds at once, also for a running `bellwire up`.

    Example: bellwire flow mode order_to_cash manual --reason "the books are being moved"

    live does everything. With real accounts that takes a pilot of the flow as it is now that passed (`bellwire pilot`),
    or a --reason. manual makes a to-do of each action (`bellwire todo list`), also in runs that have begun: it is the
    way back at any time. shadow notes what would be sent, and sends nothing. While a flow is off, its events are kept
    and shown as skipped, and runs that have begun go on; `bellwire event replay` runs it for an event of that time.
    """
    from bellwire.cli.going_live import environments, say_what_waits, standings_of
    from bellwire.cli.lasting import person, with_ledger
    from bellwire.clock import system_clock
    from bellwire.engine import Standing, switch_to
    from bellwire.ledger import Database, FlowMode, Rows

    found = _find(_flows(read_project(project)), flow)
    if wanted not in ("", *FlowMode):
        raise typer.BadParameter(f"there is no mode '{wanted}': write {', '.join(FlowMode)}")

    async def switch(ledger: Database, settings: "Settings") -> list[Standing]:
        def write(rows: Rows) -> None:
            accounts = environments(settings)
            switch_to(rows, found, FlowMode(wanted), accounts, system_clock(), who=person(), reason=reason)

        if wanted:
            await ledger.write(write)
        return await ledger.read(lambda rows: standings_of(rows, settings, [found]))

    (standing,) = stands = with_ledger(project, switch)
    say(f"{found.name} is {standing.mode.value}.")
    say_what_waits(stands)


@group.command()
def compare(
    flow: FlowName,
    since: Annotated[str, typer.Option(help="Only runs that began since: 3d ago, or a day or time.")] = "7d",
    limit: Limit = 100,
    project: Project = HERE,
    as_json: Json = False,
) -> None:
    """Compare what a flow in shadow would have done with what people did.

    Example: bellwire flow compare order_to_cash --since 3d

    Each action that was noted is looked for at its vendor, by what people know it by, such as the order's number.
    Nothing is changed there. --limit is how many of the flow's newest runs are looked at.
    """
    from bellwire.cli.comparing import compared, in_json, show
    from bellwire.cli.lasting import moment, with_ledger
    from bellwire.engine import Comparison
    from bellwire.ledger import Database

    found = _find(_flows(read_project(project)), flow)
    earliest = moment(since)
    if earliest is None:
        raise typer.BadParameter("write e.g. 3d, 2026-01-31 or 2026-01-31T14:00", param_hint="--since")

    async def look(ledger: Database, settings: "Settings") -> list[Comparison]:
        return await compared(ledger, settings, found, earliest, limit)

    comparisons = with_ledger(project, look)
    if as_json:
        print_json([in_json(each) for each in comparisons])
    else:
        show(comparisons, found)


def check_flows(flows: "list[Flow]", settings: "Settings") -> "list[Finding]":
    """What is wrong or doubtful about them. Raises ConfigurationError when a connection names no connector."""
    from bellwire.flows import check_flow

    connectors = connectors_of(settings)
    return [finding for flow in flows for finding in check_flow(flow, connectors)]


def connectors_of(settings: "Settings") -> "Mapping[str, Connector]":
    """By connection name. Raises ConfigurationError."""
    from bellwire.connectors.opening import connector_of, own_connector

    return {name: connector_of(connection) for name, connection in settings.connections.items()} | own_connector()


def find_flow(settings: "Settings", name: str) -> "Flow":
    """Raises NotFound, with the name that may be meant; ConfigurationError."""
    return _find(_flows(settings), name)


def _flows(settings: "Settings") -> "list[Flow]":
    from bellwire.flows import load_flows

    return load_flows(settings.flows)


def _find(flows: "list[Flow]", name: str) -> "Flow":
    from bellwire.settings import suggestion

    found = {flow.id: flow for flow in flows}.get(name.replace("-", "_"))
    if found is None:
        remedy = suggestion(name, [flow.id for flow in flows]) if flows else "There is no flow in this project yet."
        raise NotFound(f"There is no flow '{name}'.", remedy=remedy)
    return found


def _row(flow: "Flow") -> dict[str, Any]:
    return {
        "flow": flow.id,
        "name": flow.name,
        "trigger": flow.trigger,
        "steps": len(flow.actions),
        "owner": flow.owner.name if flow.owner else None,
        "hash": flow.hash,
    }


def _steps(flow: "Flow") -> list[dict[str, Any]]:
    from bellwire.flows import picture

    boxes = picture(flow).boxes[1:]
    return [
        {
            "action": box.name,
            "does": box.meaning,
            "with": box.connection,
            "operation": flow.actions[box.name].operation_name,
            "needs": sorted(flow.actions[box.name].needs),
            "waits_for": ", ".join(sorted(flow.actions[box.name].needs)),
            "conditional": box.conditional,
            "repeated": box.repeated,
            "note": ", ".join(["on a condition"] * box.conditional + ["for each"] * box.repeated),
        }
        for box in boxes
    ]


def _finding(finding: "Finding") -> dict[str, Any]:
    return {
        "level": finding.severity,
        "file": finding.path,
        "line": finding.line,
        "sentence": finding.sentence,
        "remedy": finding.suggestion,
    }

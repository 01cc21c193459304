"""`bellwire check`: everything before going live."""

import asyncio
import os
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from bellwire.cli.base import FAILED, HERE, Json, Project, counted, print_json, say

if TYPE_CHECKING:
    from bellwire.watch.finding import Finding


def register(app: typer.Typer) -> None:
    app.command("check")(check)


def check(
    project: Project = HERE,
    offline: Annotated[bool, typer.Option("--offline", help="Sign in nowhere.")] = False,
    as_json: Json = False,
) -> None:
    """Check everything before going live.

    Example: bellwire check

    Files, flows, credentials, the sign-in of each connection, its scopes, and versions that are about to end.
    Ends with exit code 1 when there is an error; warnings alone are no reason to stop.
    """
    from bellwire.cli.findings import Check
    from bellwire.clock import system_clock

    findings = asyncio.run(Check(project, os.environ, system_clock, offline=offline).findings())
    if as_json:
        print_json([vars(finding) for finding in findings])
    else:
        _show(findings, project)
    if any(finding.level == "error" for finding in findings):
        raise typer.Exit(FAILED)


def _show(findings: "Sequence[Finding]", project: Path) -> None:
    for finding in findings:
        say(f"{finding.level:<8}{finding.about}: {_place(finding, project)}{finding.sentence}")
        if finding.remedy:
            say(f"{'':<8}{finding.remedy}")
    count = {level: sum(finding.level == level for finding in findings) for level in ("ok", "warning", "error")}
    warnings, errors = counted(count["warning"], "warning"), counted(count["error"], "error")
    say(f"\n{count['ok']} ok, {warnings}, {errors}.")


def _place(finding: "Finding", project: Path) -> str:
    """`connections.toml:12: `, as seen from the project's folder."""
    if finding.path is None:
        return ""
    path = finding.path
    inside = path.relative_to(project.absolute()) if path.is_relative_to(project.absolute()) else path
    return f"{inside}:{finding.line}: " if finding.line else f"{inside}: "

"""`bellwire connector`: which vendors can be connected, how well, and a new one of one's own."""

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from bellwire.cli.base import HERE, Json, Project, new_group, print_json, print_rows, read_project, say
from bellwire.errors import ConfigurationError

if TYPE_CHECKING:
    from bellwire.connectors.kit import Action, Connector, Limit

group = new_group("Which vendors can be connected, and how well.")

Name = Annotated[str, typer.Argument(metavar="NAME", help="As `bellwire connector list` shows it.")]


def register(app: typer.Typer) -> None:
    app.add_typer(group, name="connector")


@group.command("list")
def list_(
    project: Project = HERE,
    as_json: Json = False,
    page: Annotated[bool, typer.Option("--page", help="Print a page in Markdown that says all of each.")] = False,
) -> None:
    """Show every connector: its level, and what it is good for.

    Example: bellwire connector list

    The project's own are among them.
    """
    from bellwire.connectors import all_connectors

    _look_in(project)
    connectors = all_connectors()
    if page:
        say("\n".join(_page(connectors)))
        return
    rows = [_row(connector) for connector in connectors]
    shown = [row | {"capabilities": ", ".join(row["capabilities"])} for row in rows]
    columns = {"name": "Name", "title": "Vendor", "level": "Level", "capabilities": "Good for", "version": "Version"}
    print_rows(rows if as_json else shown, columns, as_json=as_json)


@group.command("show")
def show(name: Name, project: Project = HERE, as_json: Json = False) -> None:
    """Show one connector: the rules of each level, and which of them it keeps.

    Example: bellwire connector show acme
    """
    from bellwire.connectors import find_connector
    from bellwire.connectors.kit import Level
    from bellwire.connectors.levels import RULES, rules_of, shortfalls

    _look_in(project)
    connector = find_connector(name)
    kept = {rule.name for rule in rules_of(connector.manifest.level)}
    lacking, exempt = shortfalls(connector, Level.GOLD), connector.manifest.exempt
    if as_json:
        print_json(_row(connector) | {"rules": [_rule(rule, kept, lacking, exempt) for rule in RULES]})
        return
    say("\n".join(_section(connector)).strip())
    say(f"\nIt states the level {connector.manifest.level}.")
    for rule in RULES:
        mark = "–" if rule.name in exempt else "✓" if rule.name in kept and rule.name not in lacking else "✗"
        why = exempt.get(rule.name) or lacking.get(rule.name, "")
        say(f"{mark} {rule.level}  {rule.name}: {rule.meaning}{f' [{why}]' if why else ''}")


@group.command("new")
def new(
    name: Annotated[str, typer.Argument(metavar="NAME", help="In small letters, e.g. acme.")],
    capability: Annotated[
        list[str] | None, typer.Option(help="What it is good for, e.g. chat; can be given several times.")
    ] = None,
    title: Annotated[str, typer.Option(help="The vendor as it writes itself.")] = "",
    project: Project = HERE,
) -> None:
    """Begin a connector of your own: its folder in the project, tests, and a practice server.

    Example: bellwire connector new acme --capability chat --title "Acme Chat"

    What it writes can be loaded and tested at once; docs/connectors.md goes on from there.
    """
    from bellwire.capabilities import CAPABILITIES
    from bellwire.cli.new_connector import files
    from bellwire.connectors.registry import connector_names
    from bellwire.settings import suggestion

    settings = read_project(project)
    if not name.isidentifier() or name != name.lower():
        raise ConfigurationError(f"'{name}' can't be the name of a connector.", remedy="Small letters, digits and _.")
    if name in connector_names():
        raise ConfigurationError(f"There is a connector '{name}' already.", remedy="Choose another name.")
    wanted = tuple(capability or ())
    if unknown := [each for each in wanted if each not in CAPABILITIES]:
        raise ConfigurationError(
            f"There is no capability '{unknown[0]}'.", remedy=suggestion(unknown[0], list(CAPABILITIES))
        )
    for path, text in files(name, title or name.replace("_", " ").title(), wanted).items():
        place = settings.connectors / path
        if place.exists():
            continue
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_text(text, encoding="utf-8")
    where = settings.connectors / name
    say(f"{where} is there. Its tests pass already: python -m pytest {settings.connectors}")
    say("Next: manifest.py, where everything that can be declared is declared.")


def _look_in(project: Path) -> None:
    """In a project its own connectors count too; elsewhere there is none."""
    from bellwire.settings import SETTINGS_FILE

    if (project / SETTINGS_FILE).exists():
        read_project(project)


def _row(connector: "Connector") -> dict[str, Any]:
    manifest, triggers = connector.manifest, connector.triggers
    return {
        "name": connector.name,
        "title": manifest.title,
        "level": manifest.level.value,
        "capabilities": list(manifest.capabilities),
        "version": manifest.api_version,
        "sunset": manifest.sunset,
        "triggers": list(triggers.event_types) if triggers else [],
        "signed": bool(triggers and manifest.webhook),
        "subscriptions": bool(triggers and triggers.subscribing),
        "lists": [poll.name for poll in triggers.polls] if triggers else [],
        "actions": {name: way(action) for name, action in connector.actions.items()},
        "limits": [_limit(limit) for limit in manifest.limits],
        "scopes": list(manifest.scopes),
        "environments": [environment.value for environment in manifest.base_urls],
        "exempt": dict(manifest.exempt),
        "docs": manifest.docs,
    }


def _rule(rule: Any, kept: set[str], lacking: Any, exempt: Any) -> dict[str, Any]:
    return {
        "name": rule.name,
        "level": rule.level.value,
        "meaning": rule.meaning,
        "kept": rule.name in kept and rule.name not in lacking and rule.name not in exempt,
        "why_not": exempt.get(rule.name) or lacking.get(rule.name, ""),
    }


def way(action: "Action") -> str:
    """What an action does about a repeat, in a few words."""
    from bellwire.connectors.kit import ByKey, LookUp, Upsert

    match action.repeat:
        case ByKey(where):
            return f"sends the same key: {where}"
        case Upsert(on):
            return f"sets what is set already, by {on}"
        case LookUp():
            return "looks first"
    if not action.repeatable:
        return "asks a person"
    return "only reads" if action.operation.effect.value == "nothing" else "may send a message twice"


def _limit(limit: "Limit") -> str:
    seconds = limit.per.total_seconds()
    units = {1: "a second", 60: "a minute", 3600: "an hour", 86400: "a day"}
    per = units.get(int(seconds), f"in {seconds:g} seconds") if seconds >= 1 else f"in {seconds:g} seconds"
    of = f" of {limit.of}" if limit.of else ""
    return f"{limit.count:,} {per}{of}{', each apart' if limit.apart else ''}"


def _page(connectors: list["Connector"]) -> Iterator[str]:
    yield "# All connectors"
    yield "\nWritten by `bellwire connector list --page`. [What the levels mean](connectors.md#levels).\n"
    yield "| connector | level | good for | webhooks | lists what happened | version | ends |"
    yield "| --- | --- | --- | --- | --- | --- | --- |"
    for row in map(_row, connectors):
        hooks = "made over its API" if row["subscriptions"] else "signed" if row["signed"] else "none"
        yield (
            f"| [{row['title']}](#{row['name']}) | {row['level']} | {_codes(row['capabilities'])} | {hooks}"
            f" | {', '.join(row['lists']) or 'no'} | {row['version'] or 'none'} | {row['sunset'] or ''} |"
        )
    for connector in connectors:
        yield from _section(connector)


def _section(connector: "Connector") -> Iterator[str]:
    row = _row(connector)
    yield f"\n## {row['name']}\n"
    yield f"{row['title']}: {row['docs']}\n" if row["docs"] else f"{row['title']}\n"
    if row["actions"]:
        yield "| action | repeated |\n| --- | --- |"
        yield from (f"| `{name}` | {repeats} |" for name, repeats in row["actions"].items())
        yield ""
    if row["triggers"]:
        yield f"- **Brings**: {_codes(row['triggers'])}"
    if row["limits"]:
        yield f"- **Limits**: {'; '.join(row['limits'])}"
    if row["scopes"]:
        yield f"- **Scopes**: {_codes(row['scopes'])}"
    yield f"- **Environments**: {', '.join(row['environments'])}"
    yield from (f"- Not `{rule}`: {why}" for rule, why in row["exempt"].items())


def _codes(names: list[str]) -> str:
    return ", ".join(f"`{name}`" for name in names) or "none"

"""`bellwire practice`: the simulated vendors alone."""

import asyncio
from typing import TYPE_CHECKING, Annotated, Any

import typer

from bellwire.cli.base import Json, print_json, say
from bellwire.errors import ConfigurationError

if TYPE_CHECKING:
    from bellwire.practice import Practice


def register(app: typer.Typer) -> None:
    app.command("practice")(practice)


def practice(
    vendors: Annotated[list[str] | None, typer.Argument(metavar="VENDOR", help="Only these; without one, all.")] = None,
    port: Annotated[int, typer.Option(min=0, max=65535, help="Where they listen; 0 takes a free port.")] = 9001,
    as_json: Json = False,
) -> None:
    """Run the simulated vendors until Ctrl-C.

    Example: bellwire practice --port 9001

    They speak the vendors' APIs, and move no real money or goods. Their page shows what they received.
    """
    asyncio.run(_serve(vendors or None, port, as_json))


async def _serve(vendors: list[str] | None, port: int, as_json: bool) -> None:
    from bellwire.practice import Practice

    practice = Practice(vendors, port=port)
    try:
        await practice.__aenter__()
    except OSError as error:
        raise ConfigurationError(
            f"Port {port} can't be used: {error.strerror}.", remedy="Choose another one with --port."
        ) from None
    try:
        print_json(_addresses(practice)) if as_json else _show(practice)
        await asyncio.Event().wait()
    finally:
        await practice.__aexit__()


def _addresses(practice: "Practice") -> list[dict[str, Any]]:
    return [
        {
            "vendor": name,
            "base_url": practice.base_url(name),
            "settings": dict(simulator.settings),
            "credentials": dict(simulator.credentials),
        }
        for name, simulator in practice.simulators.items()
    ]


def _show(practice: "Practice") -> None:
    say(f"What they hold and what they received: {practice.url}/")
    for vendor in _addresses(practice):
        say(f"\n{vendor['vendor']}")
        say(f'  base_url = "{vendor["base_url"]}"')
        for kind in ("settings", "credentials"):
            for name, value in vendor[kind].items():
                say(f"  {kind}: {name} = {value}")
    say("\nCtrl-C stops them.")

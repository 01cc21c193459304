"""`bellwire demo`: the whole of order to cash on practice vendors, told as it happens."""

import asyncio
import os
import tempfile
from collections.abc import Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from bellwire.cli.base import counted
from bellwire.errors import BellwireError

if TYPE_CHECKING:
    from rich.console import Console

    from bellwire.app import Bellwire
    from bellwire.practice import Practice
    from bellwire.practice.story import Chapter, Holdings, Verdict

_PATIENCE = 120.0
"""Seconds until the demo gives up waiting for its own runs."""
_FLOW = "order_to_cash"


def register(app: typer.Typer) -> None:
    app.command()(demo)


def demo(
    once: Annotated[bool, typer.Option("--once", help="Exit at the end, instead of keeping the desk open.")] = False,
    shop: Annotated[str | None, typer.Option(help="The connector of the shop.")] = None,
    books: Annotated[str | None, typer.Option(help="The connector of the accounting.")] = None,
    stock: Annotated[str | None, typer.Option(help="The connector of the stock.")] = None,
    shipping: Annotated[str | None, typer.Option(help="The connector of the shipping.")] = None,
    chat: Annotated[str | None, typer.Option(help="The connector of the chat.")] = None,
    mail: Annotated[str | None, typer.Option(help="The connector of the mail.")] = None,
) -> None:
    """Show order to cash on simulated vendors, on a bad day: ten orders, with repeats, disorder and failures.

    Example: bellwire demo --once

    Nothing real is called. It ends with exit code 0 only if every promise held.
    """
    import uvloop

    from bellwire.cli.logs import set_up

    set_up(os.environ.get("BELLWIRE_LOG_LEVEL", "error"))
    wanted = {"shop": shop, "books": books, "stock": stock, "shipping": shipping, "chat": chat, "mail": mail}
    if not uvloop.run(_demo(wanted, once=once)):
        raise BellwireError("Not every promise held: see above.")


async def _demo(wanted: dict[str, str | None], *, once: bool) -> bool:
    from rich.console import Console

    from bellwire.app import running
    from bellwire.cli.roles import choose_connectors
    from bellwire.flows import bundled
    from bellwire.practice import Practice
    from bellwire.practice.project import write_project
    from bellwire.settings import load_settings

    console = Console(highlight=False, emoji=False, soft_wrap=True)
    chosen = choose_connectors({_FLOW: bundled(_FLOW)}, wanted)
    roles = {name: connector.name for name, connector in chosen.items()}
    async with AsyncExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="bellwire-demo-")))
        practice = await stack.enter_async_context(Practice(set(roles.values())))
        secrets = write_project(folder, practice, roles, {f"{_FLOW}.yaml": bundled(_FLOW)})
        settings = load_settings(folder, {"BELLWIRE_PORT": os.environ.get("BELLWIRE_PORT", "0" if once else "8787")})
        bellwire = await stack.enter_async_context(running(settings, secrets))
        held = await _Telling(console, bellwire, practice, roles).tell()
        if not once:
            console.print(f"\nThe desk stays open at [bold]{bellwire.url}/[/], the practice vendors at {practice.url}/")
            console.print("Ctrl-C ends it all; nothing of it is kept.")
            await _interrupted()
    return held


async def _interrupted() -> None:
    import signal

    stop = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    await stop.wait()


@dataclass
class _Telling:
    """The demo, act by act."""

    console: "Console"
    bellwire: "Bellwire"
    practice: "Practice"
    roles: dict[str, str]
    """Connection → vendor."""
    placed: dict[str, str] = field(default_factory=dict)
    """The shop's id of each order, by its number."""

    async def tell(self) -> bool:
        from bellwire.practice.story import UNKNOWN_SKU, chapters

        told, holdings = chapters(), self._holdings()
        stock_before = holdings.till.stock()
        self._introduce()
        await self._send(told, holdings)
        await self._until_quiet(len(told))
        await self._tell_retries()
        await self._tell_exceptions()
        first = self._verdicts(told, holdings, stock_before, unbooked={"1006"})
        exceptions = await self._exceptions_are("One exception, and its sentence names the SKU", 1, UNKNOWN_SKU)
        self._show("What the vendors hold now", [*first, exceptions])
        await self._mend(holdings, UNKNOWN_SKU)
        second = self._verdicts(told, holdings, stock_before, unbooked=set())
        exceptions_left = await self._exceptions_are("No exception is left", 0)
        balance = await self._balance()
        self._show("After the mending", [*second, exceptions_left, balance])
        self._tell_holdings(holdings, stock_before)
        held = all(verdict.held for verdict in (*first, exceptions, *second, exceptions_left, balance))
        self.console.print("\n[bold green]Every promise held.[/]" if held else "\n[bold red]A promise was broken.[/]")
        return held

    # Acts

    def _introduce(self) -> None:
        titles = [f"{self.bellwire.project.connections[name].manifest.title} ({name})" for name in self.roles]
        self.console.print(
            "[bold]Order to cash, on a bad day.[/] A paid order becomes an invoice, less stock, a label,"
        )
        self.console.print("a mail to the customer and a word to the packing bench.")
        self.console.print(f"Simulated here, over real HTTP: {', '.join(titles)}.")

    async def _send(self, told: "Sequence[Chapter]", holdings: "Holdings") -> None:
        import aiohttp

        from bellwire.practice.driving import post
        from bellwire.practice.story import deliveries

        for chapter in told:
            if chapter.books_fault:
                self.practice.simulators[self.roles["books"]].faults.add(chapter.books_fault)
            if chapter.shipping_fault:
                self.practice.simulators[self.roles["shipping"]].faults.add(chapter.shipping_fault)
        about = {chapter.sale.number: chapter.about for chapter in told}
        self.console.print("\n[bold]What arrives[/]")
        async with aiohttp.ClientSession() as session:
            for delivery in deliveries(holdings.shop, list(told), self.placed):
                webhook = delivery.webhook
                answer = await post(session, f"{self.bellwire.url}/hooks/shop", webhook.headers, webhook.body)
                note = delivery.note or about.pop(delivery.number, "")
                self.console.print(f"  order {delivery.number}  {answer!s:<28} {note}")

    async def _until_quiet(self, orders: int) -> None:
        """Show how far the runs are until nothing is left to do."""
        from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

        from bellwire.practice.driving import until_quiet

        columns = TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn()
        away = not self.console.is_terminal  # there it would leave nothing but an empty line
        with Progress(*columns, console=self.console, transient=True, disable=away) as progress:
            bar = progress.add_task("Runs that came to an end", total=orders)
            await until_quiet(
                self.bellwire.ledger,
                self.bellwire.engine,
                _PATIENCE,
                lambda left: progress.update(bar, completed=max(0, orders - left)),
            )

    async def _tell_retries(self) -> None:
        from bellwire.ledger import Outcome, Rows, events, runs

        def query(rows: Rows) -> list[tuple[str, str, str, bool]]:
            return [
                (event.subject, attempt.action, attempt.sentence, attempt.outcome is Outcome.UNKNOWN)
                for run in reversed(runs.newest(rows, limit=100))
                if (event := events.find(rows, run.event))
                for attempt in runs.attempts(rows, run.id)
                if attempt.next_at is not None
            ]

        numbers = {f"order/{order_id}": number for number, order_id in self.placed.items()}
        self.console.print("\n[bold]What was tried again, and why[/]")
        for subject, action, sentence, unknown in await self.bellwire.ledger.read(query):
            after = self._how_repeated(action) if unknown else "Waited as asked, then sent it again."
            self.console.print(f"  order {numbers.get(subject, subject)}  {action:<9} {sentence} {after}")

    def _how_repeated(self, name: str) -> str:
        from bellwire.connectors.kit import ByKey, LookUp
        from bellwire.flows import operation_for

        action = self.bellwire.project.flows[0].actions[name]
        connector = self.bellwire.project.connections[action.connection].connector
        match connector.actions[str(operation_for(action, connector))].repeat:
            case ByKey():
                return "Sent it again with the same key, so that it can't be done twice."
            case LookUp():
                return "Looked first: it was there, so it wasn't done again."
            case _:
                return "Sent it again: a repeat does no harm."

    async def _tell_exceptions(self) -> None:
        from bellwire.ledger import exceptions

        self.console.print("\n[bold]What needs a person[/]")
        for exception in await self.bellwire.ledger.read(lambda rows: exceptions.open_ones(rows)):
            self.console.print(f"  exception {exception.id}: {exception.sentence}")
            self.console.print(f"  what to do:  {exception.remedy}")

    async def _mend(self, holdings: "Holdings", sku: str) -> None:
        from functools import partial

        from bellwire.clock import system_clock
        from bellwire.engine import retry
        from bellwire.ledger import crosswalk, exceptions

        item = holdings.books.item_for(sku)
        assert item is not None, "the practice books have an item to map to"
        ledger, now = self.bellwire.ledger, system_clock()
        open_ones = await ledger.read(lambda rows: exceptions.open_ones(rows))
        await ledger.write(lambda rows: crosswalk.put(rows, crosswalk.Mapping("books", "product", sku, item), now))
        for exception in open_ones:
            await ledger.write(partial(retry, exception=exception.id, now=now, who="the demo"))
        self.console.print(f"\n[bold]The owner maps {sku}[/] to an item of the books, and retries that one action.")
        await self._until_quiet(len(open_ones))

    def _tell_holdings(self, holdings: "Holdings", stock_before: dict[str, int]) -> None:
        booked, now = holdings.books.booked(), holdings.till.stock()
        gone = sum(before - now[sku] for sku, before in stock_before.items())
        held = {
            "shop": f"{len(self.placed)} orders, {len(holdings.shop.fulfilled())} of them shown as sent",
            "books": f"{len(booked)} invoices, {sum(each.paid for each in booked)} of them paid",
            "stock": f"{gone} units fewer than before",
            "shipping": f"{len(holdings.carrier.labels())} labels",
            "mail": f"{len(holdings.mailbox.mails())} mails to customers",
            "chat": f"{len(holdings.chat.messages())} messages in the packing channel",
        }
        self.console.print("\n[bold]What each system holds[/]")
        for name, words in held.items():
            self.console.print(f"  {self.bellwire.project.connections[name].manifest.title:<20} {words}")

    # Checks

    def _holdings(self) -> "Holdings":
        from bellwire.practice import Books, Carrier, Chat, Mailbox, Shop, Till
        from bellwire.practice.driving import in_role
        from bellwire.practice.story import Holdings

        simulators = {name: self.practice.simulators[vendor] for name, vendor in self.roles.items()}
        # The type checker takes no protocol for a type[R]: https://github.com/python/mypy/issues/4717
        return Holdings(
            in_role(simulators["shop"], Shop),  # type: ignore[type-abstract]
            in_role(simulators["books"], Books),  # type: ignore[type-abstract]
            in_role(simulators["stock"], Till),  # type: ignore[type-abstract]
            in_role(simulators["shipping"], Carrier),  # type: ignore[type-abstract]
            in_role(simulators["chat"], Chat),  # type: ignore[type-abstract]
            in_role(simulators["mail"], Mailbox),  # type: ignore[type-abstract]
        )

    def _verdicts(
        self, told: "list[Chapter]", holdings: "Holdings", stock_before: dict[str, int], *, unbooked: set[str]
    ) -> "list[Verdict]":
        from bellwire.practice.story import verdicts

        return verdicts(told, holdings, placed=self.placed, stock_before=stock_before, unbooked=unbooked)

    async def _exceptions_are(self, promise: str, count: int, word: str = "") -> "Verdict":
        from bellwire.ledger import exceptions
        from bellwire.practice.story import Verdict

        found = await self.bellwire.ledger.read(lambda rows: exceptions.open_ones(rows))
        held = len(found) == count and all(word in each.sentence and each.remedy for each in found)
        return Verdict(promise, held, "; ".join(each.sentence for each in found) or "none")

    async def _balance(self) -> "Verdict":
        from datetime import timedelta

        from bellwire.clock import system_clock
        from bellwire.ledger import figures
        from bellwire.practice.story import Verdict

        now = system_clock()
        since, until = now - timedelta(days=1), now + timedelta(minutes=1)
        arrived = await self.bellwire.ledger.read(lambda rows: figures.delivery_counts(rows, since, until))
        balances = await self.bellwire.ledger.read(lambda rows: figures.balances(rows, since, until))
        (flow,) = [balance for balance in balances if balance.flow]
        told = (
            f"{flow.received} events for the flow = {flow.done} done + {flow.waiting} waiting + {flow.dead} exceptions"
            f" + {flow.skipped} skipped; {counted(arrived.copies, 'repeat')} of {arrived.received} deliveries"
            " recognised"
        )
        held = arrived.balanced and all(balance.balanced for balance in balances) and flow.done == len(self.placed)
        return Verdict("The books balance", held, told)

    def _show(self, title: str, found: "Sequence[Verdict]") -> None:
        from rich.table import Table

        table = Table("", "Promise", "Found", title=f"\n{title}", title_justify="left", title_style="bold")
        for verdict in found:
            table.add_row("[green]✓[/]" if verdict.held else "[red]✗[/]", verdict.promise, verdict.found)
        self.console.print(table)

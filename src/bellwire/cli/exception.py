"""`bellwire exception`: what needs a person."""

from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated, Any

import typer

from bellwire.cli.base import HERE, Json, Limit, Project, new_group, print_json, print_rows, say
from bellwire.cli.choosing import (
    About,
    Cause,
    Chosen,
    Everything,
    NewerThan,
    Numbers,
    OfConnection,
    OfFlow,
    OlderThan,
    chosen,
    go_through,
    say_refused,
)
from bellwire.cli.telling import Id, With, pair, require, result_of
from bellwire.errors import NotFound

if TYPE_CHECKING:
    from bellwire.engine import Edited, Input, Told
    from bellwire.ledger import Database, Rows
    from bellwire.ledger.figures import OpenGroup
    from bellwire.settings import Settings

group = new_group("What needs a person: the dead letters.")

Number = Annotated[int, typer.Argument(metavar="EXCEPTION", help="Its number, as `bellwire exception list` shows it.")]
Reason = Annotated[str, typer.Option(help="Why; it stays on record.", prompt="Why")]


def register(app: typer.Typer) -> None:
    app.add_typer(group, name="exception")


@group.command("list")
def list_(
    singly: Annotated[bool, typer.Option("--each", help="Each by itself, oldest first, not by cause.")] = False,
    cause: Cause = "",
    flow: OfFlow = "",
    connection: OfConnection = "",
    about: About = "",
    older_than: OlderThan = "",
    newer_than: NewerThan = "",
    limit: Limit = 50,
    project: Project = HERE,
    as_json: Json = False,
) -> None:
    """Show what is open, by cause: one remedy mends all of a group.

    Example: bellwire exception list --older-than 1d
    """
    from bellwire.cli.lasting import when, with_ledger
    from bellwire.ledger import exceptions, figures

    wanted = chosen(None, cause, flow, connection, about, older_than, newer_than)

    async def read(ledger: "Database", _: object) -> list[dict[str, Any]]:
        if singly:
            found = await ledger.read(lambda rows: exceptions.chosen(rows, wanted.choice, limit=limit))
            return [asdict(each) | {"since": when(each.opened_at)} for each in found]
        groups = await ledger.read(lambda rows: figures.open_groups(rows, choice=wanted.choice, limit=limit))
        return [asdict(each) | {"opened": when(each.since), "numbers": _span(each)} for each in groups]

    listed = with_ledger(project, read)
    titles = {"sentence": "What happened", "remedy": "What to do", "cause": "Cause"}
    columns = (
        {"id": "No.", "since": "Since", "run": "Run", "action": "Action", **titles}
        if singly
        else {"count": "How many", "opened": "Since", "connection": "Concerns", **titles, "numbers": "Numbers"}
    )
    print_rows(listed, columns, as_json=as_json, empty=wanted.none)
    if listed and not as_json:
        say("`bellwire exception show NO.` says what to do.")
        if not singly:
            say("`bellwire exception list --each` shows each by itself; --cause takes all of a group.")


@group.command("show")
def show(number: Number, project: Project = HERE, as_json: Json = False) -> None:
    """Show one: what happened, what is done already elsewhere, and what happens next.

    Example: bellwire exception show 3
    """
    from bellwire.cli.lasting import when, with_ledger
    from bellwire.cli.situation import said_of_edit, say_choices, say_choices_of_delivery, say_done
    from bellwire.engine import situation
    from bellwire.flows import load_flows
    from bellwire.ledger import exceptions

    async def read(ledger: "Database", settings: "Settings") -> dict[str, Any]:
        today = {flow.id: flow for flow in load_flows(settings.flows)}

        def query(rows: "Rows") -> dict[str, Any]:
            row = exceptions.find(rows, number)
            if row is None:
                raise NotFound(f"There is no exception {number}.", remedy="`bellwire exception list` shows them.")
            return asdict(row) | (situation(rows, row, today) if row.run is not None else {})

        return await ledger.read(query)

    shown = with_ledger(project, read)
    if as_json:
        print_json(shown)
        return
    say(shown["sentence"])
    if shown["remedy"]:
        say(f"What to do: {shown['remedy']}")
    if shown["state"] == "open":
        say(f"Open since {when(shown['opened_at'])}.")
    else:
        closed = f"{shown['state']} {when(shown['closed_at'])}"
        say(f"Opened {when(shown['opened_at'])}, {closed}. {shown['reason']}".rstrip())
    if shown["run"]:
        where = f"at the action '{shown['action']}'" if shown["action"] else "as a whole"
        say(f"It stopped run {shown['run']} {where}.")
        say_done(shown)
        for edit in shown["edits"]:
            say(said_of_edit(edit))
    if shown["detail"]:
        say(f"For your developer: {shown['cause']}; {shown['detail']}")
    if shown["state"] == "open":
        say_choices(number, shown) if shown["run"] else say_choices_of_delivery(number)


@group.command("retry")
def retry(
    numbers: Numbers = None,
    cause: Cause = "",
    flow: OfFlow = "",
    connection: OfConnection = "",
    about: About = "",
    older_than: OlderThan = "",
    newer_than: NewerThan = "",
    everything: Everything = False,
    as_now: Annotated[bool, typer.Option("--as-now", help="With the flow as it is now, not as it was.")] = False,
    set_: Annotated[
        list[str] | None,
        typer.Option("--set", metavar="FIELD=VALUE", help="Another input, e.g. customer.email=robin@example.com."),
    ] = None,
    edit: Annotated[bool, typer.Option("--edit", help="Change the input in your editor.")] = False,
    project: Project = HERE,
) -> None:
    """Try again from the action that failed; what is done is not done again.

    Example: bellwire exception retry --cause unknown-sku:TEA-250

    With --set or --edit, the action is given another input than its flow says, for these runs alone: it is checked
    first, and kept. A field is named as in `lines[0].sku`.
    """
    from bellwire.cli.editor import in_editor
    from bellwire.cli.lasting import means, person, with_ledger
    from bellwire.clock import system_clock
    from bellwire.engine import edit as edit_one
    from bellwire.engine import input_of, still_open
    from bellwire.engine import retry as retry_one
    from bellwire.flows import load_flows

    wanted = chosen(numbers, cause, flow, connection, about, older_than, newer_than, everything).needed()
    changes = [pair(text, "--set") for text in set_ or ()]
    if edit and (changes or wanted.by_filter or len(wanted.numbers) != 1):
        raise typer.BadParameter("--edit is for one exception, and without --set")

    async def work(ledger: "Database", settings: "Settings") -> "Told":
        now, who = system_clock(), person()
        today = {each.id: each for each in load_flows(settings.flows)} if as_now else None
        known = means(ledger, settings) if changes or edit else None

        def seen(rows: "Rows", number: int) -> "Input":
            assert known is not None
            return input_of(rows, known, still_open(rows, number), today)

        def edited(rows: "Rows", number: int) -> "Edited | None":
            return seen(rows, number).with_changes(changes) if changes else by_person

        def keep(rows: "Rows", number: int, edited: "Edited | None") -> None:
            if edited is not None:
                edit_one(rows, number, edited, now, who=who)

        def act(rows: "Rows", number: int) -> None:
            retry_one(rows, number, now, who=who, today=today)

        by_person = in_editor(await ledger.read(lambda rows: seen(rows, wanted.numbers[0]))) if edit else None
        return await go_through(ledger, wanted, now, act, prepare=edited, first=keep, doing="Retrying")

    told = with_ledger(project, work)
    _say_done(told, wanted, f"{told.done} tried again; a running `bellwire up` takes them up at once.")


@group.command("resolve")
def resolve(
    numbers: Numbers = None,
    id_: Id = "",
    with_: With = None,
    reason: Annotated[str, typer.Option(help="A note; it stays on record.")] = "Done by hand.",
    cause: Cause = "",
    flow: OfFlow = "",
    connection: OfConnection = "",
    about: About = "",
    older_than: OlderThan = "",
    newer_than: NewerThan = "",
    everything: Everything = False,
    project: Project = HERE,
) -> None:
    """Say that you did it by hand; the run goes on with what you tell it.

    Example: bellwire exception resolve 3 --id 1045 --with customer_id=58

    If a later action can't be done without more, it says so, and nothing is changed.
    """
    from bellwire.cli.lasting import means, person, with_ledger
    from bellwire.clock import system_clock
    from bellwire.engine import lacking, still_open
    from bellwire.engine import resolve as resolve_one

    wanted = chosen(numbers, cause, flow, connection, about, older_than, newer_than, everything).needed()
    if id_ and (wanted.by_filter or len(wanted.numbers) != 1):
        raise typer.BadParameter("each has an id of its own: tell them one by one")
    result = result_of(id_, with_)

    async def work(ledger: "Database", settings: "Settings") -> "Told":
        now, who, known = system_clock(), person(), means(ledger, settings)

        def enough(rows: "Rows", number: int) -> None:
            row = still_open(rows, number)
            if row.action:
                require(row.action, lacking(rows, known, row, result))

        def act(rows: "Rows", number: int) -> None:
            resolve_one(rows, number, now, who=who, result=result, reason=reason)

        return await go_through(ledger, wanted, now, act, prepare=enough, doing="Noting")

    told = with_ledger(project, work)
    _say_done(told, wanted, "Noted. The run goes on." if told.done == 1 else f"{told.done} noted. Their runs go on.")


@group.command("dismiss")
def dismiss(
    reason: Reason,
    numbers: Numbers = None,
    cause: Cause = "",
    flow: OfFlow = "",
    connection: OfConnection = "",
    about: About = "",
    older_than: OlderThan = "",
    newer_than: NewerThan = "",
    everything: Everything = False,
    project: Project = HERE,
) -> None:
    """Leave it: nothing more is done about it.

    Example: bellwire exception dismiss 3 --reason "the customer cancelled by phone"
    """
    from bellwire.cli.lasting import person, with_ledger
    from bellwire.clock import system_clock
    from bellwire.engine import dismiss as dismiss_one

    wanted = chosen(numbers, cause, flow, connection, about, older_than, newer_than, everything).needed()

    async def work(ledger: "Database", _: object) -> "Told":
        now, who = system_clock(), person()

        def act(rows: "Rows", number: int) -> None:
            dismiss_one(rows, number, now, who=who, reason=reason)

        return await go_through(ledger, wanted, now, act, prepare=lambda *_: None, doing="Dismissing")

    told = with_ledger(project, work)
    _say_done(told, wanted, "Dismissed." if told.done == 1 else f"{told.done} dismissed.")


def _say_done(told: "Told", wanted: Chosen, sentence: str) -> None:
    """What was done; then, with exit code 1, what couldn't be, and why."""
    if told.done:
        say(sentence)
    elif not told.refused:
        say(wanted.none)
    say_refused(told)


def _span(group: "OpenGroup") -> str:
    return f"{group.oldest}" if group.count == 1 else f"{group.oldest} to {group.newest}"

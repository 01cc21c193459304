"""The flow editor: forms, and beside each field what it would be for a real event."""

from collections.abc import Sequence
from functools import partial
from typing import Any

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from bellwire.access import Right
from bellwire.desk.drafting import (
    State,
    changed_by,
    checked,
    connectors_of,
    folder_of,
    keep,
    past_events,
    publish,
    state_of,
    tried,
)
from bellwire.desk.editor import COMPARISONS, Editor, slug
from bellwire.desk.forms import Form, form_of
from bellwire.desk.site import Page, Site
from bellwire.desk.visitor import visitor_of
from bellwire.engine import Preview, shown
from bellwire.errors import BellwireError, ConfigurationError, NotFound
from bellwire.flows import Finding, Put, Remove, Severity, edited, version_of
from bellwire.flows.editing import inline
from bellwire.ledger import Rows, audit, drafts

_GONE = {"undo": drafts.undo, "redo": drafts.redo}


def pages(site: Site) -> Sequence[Page]:
    if site.folder is None:
        return []
    return [
        Page("/flows/new", partial(_new, site), Right.MANAGE),
        Page("/flows/new", partial(_begin, site), Right.MANAGE, "POST"),
        Page("/flows/{flow}/edit", partial(_show, site), Right.MANAGE),
        Page("/flows/{flow}/edit", partial(_step, site), Right.MANAGE, "POST"),
        Page("/flows/{flow}/preview", partial(_preview, site), Right.MANAGE, "POST"),
    ]


# A new one


async def _new(site: Site, request: Request) -> Response:
    return _new_page(site, request, Form({}))


def _new_page(site: Site, request: Request, form: Form, problem: str = "") -> Response:
    editor = Editor({"actions": {}}, connectors_of(site), _titles(site))
    return site.page(request, "flow_new.html", 400 if problem else 200, form=form, problem=problem, editor=editor)


async def _begin(site: Site, request: Request) -> Response:
    form, folder, who = form_of(request), folder_of(site), visitor_of(request).name
    name, trigger, does = form.get("name"), form.get("trigger"), form.get("do")
    flow = slug(name)
    if not flow:
        return _new_page(site, request, form, "Give it a name with letters in it.")
    if not trigger or not does:
        return _new_page(site, request, form, "Choose what it begins with, and what it does first.")
    action = slug(form.get("action")) or slug(does.partition(".")[2]) or "first"
    owner = inline({"name": form.get("owner") or who})
    text = (
        f"name: {inline(name)}\ntrigger: {inline(trigger)}\nowner: {owner}\n"
        f"\nactions:\n  {action}:\n    do: {inline(does)}\n"
    )

    def write(rows: Rows) -> str:
        taken = {"new", *site.flows, *drafts.flows(rows)}
        free = next(each for each in (flow, *(f"{flow[:50]}_{n}" for n in range(2, 1000))) if each not in taken)
        if folder.text(free) is not None:
            raise BellwireError(f"There is a file {free}.yaml already.", remedy="Give the flow another name.")
        drafts.put(rows, free, text, "", who=who, now=site.clock())
        return free

    return site.go(f"/flows/{await site.ledger.write(write)}/edit")


# Editing


async def _show(site: Site, request: Request) -> Response:
    folder, flow = folder_of(site), request.path_params["flow"]
    state = await _found(site, flow)
    asked = request.query_params.get("event", "")
    number = int(asked) if asked.isascii() and asked.isdigit() and int(asked) < 2**63 else None
    connectors = connectors_of(site)
    editor = Editor.of(state.text, connectors, _titles(site))
    found, findings = checked(state.text, flow, connectors)
    seen, row, past = None, None, []
    if editor is not None:
        if found is not None:
            seen, row = await tried(site, found, number)
        past = await site.ledger.read(lambda rows: past_events(rows, *editor.event_type()))
        editor.scope = seen.scope if seen else {}
    told = _told(findings, seen)
    cards = editor.cards() if editor else []
    known = _known(cards) if editor else set()
    return site.page(
        request,
        "flow_edit.html",
        state=state,
        editor=editor,
        cards=cards,
        found=found,
        told=told,
        general=[each for place, list_ in told.items() if place not in known for each in list_],
        wrong=any(each.severity is Severity.ERROR for each in findings),
        preview=seen,
        values=_values(seen),
        event=row,
        past=past,
        comparisons=COMPARISONS,
        others=state.who and state.who != visitor_of(request).name,
        is_new=not state.base,
        current=site.flows.get(flow),
        folder=folder,
    )


async def _step(site: Site, request: Request) -> Response:
    form, flow, who = form_of(request), request.path_params["flow"], visitor_of(request).name
    folder, step = folder_of(site), form.get("step", "show")
    kind, _, about = step.partition(":")
    back = f"/flows/{flow}/edit" + (f"?event={form.get('event')}" if form.get("event").isdigit() else "")

    def write(rows: Rows) -> str:
        state = state_of(rows, folder, flow)
        if form.get("seen", "0") != str(state.seen):
            raise changed_by(state)
        if kind == "discard":
            drafts.drop(rows, flow)
            audit.record(rows, who, "discard draft", f"flow {flow}", site.clock())
            return "The draft is gone."
        if kind == "overwrite":
            drafts.rebase(rows, flow, version_of(folder.text(flow)))
            return "Publishing it now replaces what is in the file."
        if kind in _GONE:
            _save(rows, site, state, form, who)
            return "" if _GONE[kind](rows, flow) else "There is nothing more to go back to."
        _save(rows, site, state, form, who, kind, about)
        return ""

    try:
        said = await site.ledger.write(write)
    except NotFound as error:
        raise HTTPException(404) from error
    except BellwireError as error:
        return site.go(back, str(error))
    if kind == "publish":
        try:
            done = await publish(site, flow, who)
        except BellwireError as error:
            return site.go(back, str(error))
        return site.go(f"/flows/{flow}", f"“{done.name}” is published: it holds for the next event.")
    if kind == "discard" and folder.text(flow) is None:
        return site.go("/", said)
    return site.go(back + (f"#{slug(about)}" if kind == "add" else ""), said)


def _save(
    rows: Rows, site: Site, state: State, form: Form, who: str, kind: str = "", about: str = ""
) -> tuple[str, int]:
    """Take over what was filled in, and the step. Gives the text, and the number of the draft's state. Raises
    BellwireError."""
    text = _filled(site, state, form, kind, about)
    return text, state.seen if text == state.text else keep(rows, site, state, text, who)


def _filled(site: Site, state: State, form: Form, kind: str = "", about: str = "") -> str:
    path = folder_of(site).file(state.flow)
    if kind == "text":
        return form.text("text").rstrip() + "\n" if form.text("text").rstrip() != state.text.rstrip() else state.text
    editor = Editor.of(state.text, connectors_of(site), _titles(site))
    if editor is None:
        return state.text
    text = edited(state.text, editor.changes(form), path)
    if kind == "add" and (does := form.get("new.do")):
        wanted = slug(form.get("new.name")) or slug(does.partition(".")[2]) or "wait"
        names = (wanted, *(f"{wanted[:50]}_{n}" for n in range(2, 200)))
        name = next(each for each in names if each not in editor.actions)
        text = edited(text, [Put(("actions", name), {"wait": "1h"} if does == "wait" else {"do": does})], path)
    if kind == "remove" and about in editor.actions and len(editor.actions) > 1:
        text = edited(text, [Remove(("actions", about))], path)
    return text


async def _preview(site: Site, request: Request) -> Response:
    """What the fields, as they are filled in by now, would give; with `keep`, they are kept as well."""
    form, flow, who = form_of(request), request.path_params["flow"], visitor_of(request).name
    folder = folder_of(site)

    def work(rows: Rows) -> tuple[State, str, int]:
        state = state_of(rows, folder, flow)
        if form.get("seen", "0") != str(state.seen):
            raise changed_by(state)
        if form.get("keep"):
            return state, *_save(rows, site, state, form, who)
        return state, _filled(site, state, form), state.seen

    try:
        _, text, seen = await (site.ledger.write(work) if form.get("keep") else site.ledger.read(work))
    except NotFound as error:
        raise HTTPException(404) from error
    except ConfigurationError as error:
        return JSONResponse({"problem": error.sentence}, 400)
    except BellwireError as error:
        return JSONResponse({"problem": str(error)}, 409)
    found, findings = checked(text, flow, connectors_of(site))
    asked = form.get("event")
    preview = (await tried(site, found, int(asked) if asked.isdigit() else None))[0] if found else None
    return JSONResponse(
        {
            "seen": seen,
            "values": _values(preview),
            "findings": [{"at": at, **each} for at, told in _told(findings, preview).items() for each in told],
        }
    )


async def _found(site: Site, flow: str) -> State:
    folder = folder_of(site)
    try:
        return await site.ledger.read(lambda rows: state_of(rows, folder, flow))
    except NotFound as error:
        raise HTTPException(404) from error


def _titles(site: Site) -> dict[str, str]:
    return {name: f"{each.manifest.title} ({name})" for name, each in site.connections.items()} | {
        "bellwire": "Bellwire itself"
    }


def _place(finding: Finding) -> str:
    """The field of the form that it is about."""
    where = finding.where[1:] if finding.where[:1] == ("actions",) else finding.where
    return ".".join(where[:3])


def _spoken(finding: Finding) -> str:
    text = finding.sentence[:1].upper() + finding.sentence[1:]
    hint = finding.suggestion[:1].upper() + finding.suggestion[1:]
    return f"{text}. {hint}{'' if hint.endswith(('?', '.')) or not hint else '.'}".strip()


def _told(findings: Sequence[Finding], preview: Preview | None) -> dict[str, list[dict[str, str]]]:
    """What is wrong with each field of the form; what is wrong with it for the event only, where nothing else is."""
    told: dict[str, list[dict[str, str]]] = {}
    for each in findings:
        told.setdefault(_place(each), []).append({"text": _spoken(each), "kind": each.severity.value})
    for name, step in preview.steps.items() if preview else ():
        for key, problem in step.problems.items():
            own = {"if": "if", "wait_until": "wait_until", "for_each": "for_each", "ask": "approve.ask"}
            told.setdefault(f"{name}.{own.get(key) or f'with.{key}'}", [{"text": problem, "kind": "warning"}])
    return told


def _known(cards: Sequence[Any]) -> set[str]:
    """The places of the form at which findings are shown."""
    known = {"name", "trigger", "owner.name", "success.within", "success.error_rate", "manual_minutes"}
    for card in cards:
        known |= {
            f"{card.name}.{key}" for key in ("do", "if", "wait", "wait_until", "for_each", "needs", "approve.ask")
        }
        known |= {each.name for each in card.inputs}
    return known


def _values(preview: Preview | None) -> dict[str, str]:
    """By field of the form: what it is for the event that is shown."""
    found: dict[str, str] = {}
    for name, step in preview.steps.items() if preview else ():
        if "if" not in step.problems:
            found[f"{name}.if"] = "It is done." if step.wanted else "It is left out."
        found |= {f"{name}.with.{key}": shown(value) for key, value in step.inputs.items()}
        if step.question:
            found[f"{name}.approve.ask"] = step.question
        if step.until:
            found[f"{name}.wait_until"] = f"Until {step.until}."
    return found

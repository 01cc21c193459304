"""The flow editor: forms, and beside each field what it would be for a real event."""

from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from bellwire.access import Right
from bellwire.desk.conditions import COMPARISONS
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
from bellwire.desk.editor import Editor, fields_in, slug
from bellwire.desk.forms import Form, form_of
from bellwire.desk.outcomes import outcomes
from bellwire.desk.site import Page, Site
from bellwire.desk.visitor import visitor_of
from bellwire.engine import Preview
from bellwire.errors import BellwireError, ConfigurationError, NotFound
from bellwire.flows import Change, Finding, Put, Remove, Rename, Retry, Severity, Swap, edited, version_of
from bellwire.flows.editing import inline
from bellwire.ledger import Rows, audit, drafts

_STEPS = {"earlier": -1, "later": 1}
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
    editor = _editor(site, {"actions": {}})
    return site.page(request, "flow_new.html", 400 if problem else 200, form=form, problem=problem, editor=editor)


async def _begin(site: Site, request: Request) -> Response:
    form, folder, who = form_of(request), folder_of(site), visitor_of(request).name
    name = form.get("name")
    flow = slug(name)
    if not flow:
        return _new_page(site, request, form, "Give it a name with letters in it.")
    editor = _editor(site, {"actions": {}})
    trigger, first = editor.beginning.wanted(form), editor.begun(form, "do")
    if not trigger or not first:
        return _new_page(site, request, form, "Choose what it begins with, and what it does first.")
    action = slug(form.get("action")) or _called(*first)
    text = (
        f"name: {inline(name)}\ntrigger: {inline(trigger)}\nowner: {inline({'name': who})}\n"
        f"\nactions:\n  {action}:\n    {first[0]}: {inline(first[1])}\n"
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
    values = fields_in(state.text)
    editor = _editor(site, values) if values else None
    found, findings = checked(state.text, flow, connectors_of(site))
    seen, row, past = None, None, []
    if editor is not None:
        if found is not None:
            seen, row = await tried(site, found, number)
        past = await site.ledger.read(lambda rows: past_events(rows, *editor.beginning.event_type))
        editor.scope = seen.scope if seen else {}
    cards = editor.cards() if editor else []
    places = editor.places(cards) if editor else []
    told = _told(findings, seen, places)
    return site.page(
        request,
        "flow_edit.html",
        state=state,
        editor=editor,
        cards=cards,
        found=found,
        told=told,
        general=[each for place, list_ in told.items() if place not in places for each in list_],
        wrong=any(each.severity is Severity.ERROR for each in findings),
        preview=seen,
        values=outcomes(found, seen),
        event=row,
        past=past,
        comparisons=COMPARISONS,
        usual=Retry(),
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
    landing = ""

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
        nonlocal landing
        landing = _save(rows, site, state, form, who, kind, about)[2]
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
    return site.go(back + landing, said)


def _save(
    rows: Rows, site: Site, state: State, form: Form, who: str, kind: str = "", about: str = ""
) -> tuple[str, int, str]:
    """Take over what was filled in, and the step. Gives the text, the number of the draft's state, and where on the
    page the step leads to. Raises BellwireError."""
    text, landing = _filled(site, state, form, kind, about)
    return text, state.seen if text == state.text else keep(rows, site, state, text, who), landing


def _filled(site: Site, state: State, form: Form, kind: str = "", about: str = "") -> tuple[str, str]:
    path = folder_of(site).file(state.flow)
    if kind == "text":
        text = form.text("text").rstrip() + "\n"
        return (text if text.rstrip() != state.text.rstrip() else state.text), ""
    values = fields_in(state.text)
    if values is None:
        return state.text, ""
    editor = _editor(site, values)
    names, changes, landing = list(editor.actions), editor.changes(form), ""
    if kind == "add" and (first := editor.begun(form, "new.do")):
        wanted = slug(form.get("new.name")) or _called(*first)
        name = next(each for each in (wanted, *(f"{wanted[:50]}_{n}" for n in range(2, 200))) if each not in names)
        changes, landing = [*changes, Put(("actions", name), dict([first]))], f"#{name}"
    if kind == "remove" and about in names and len(names) > 1:
        changes = [Remove(("actions", about)), *(each for each in changes if not _is_about(each, about))]
    if kind in _STEPS and about in names:
        at = names.index(about) + _STEPS[kind]
        swap = [Swap(about, names[at])] if 0 <= at < len(names) else []
        changes, landing = [*swap, *changes], f"#{about}"
    return edited(state.text, changes, path), landing


def _is_about(change: Change, action: str) -> bool:
    match change:
        case Put(where) | Remove(where):
            return where[:2] == ("actions", action)
        case Rename(renamed):
            return renamed == action
    return False


async def _preview(site: Site, request: Request) -> Response:
    """What the fields, as they are filled in by now, would give; with `keep`, they are kept as well."""
    form, flow, who = form_of(request), request.path_params["flow"], visitor_of(request).name
    folder = folder_of(site)

    def work(rows: Rows) -> tuple[str, int]:
        state = state_of(rows, folder, flow)
        if form.get("seen", "0") != str(state.seen):
            raise changed_by(state)
        if form.get("keep"):
            return _save(rows, site, state, form, who)[:2]
        return _filled(site, state, form)[0], state.seen

    try:
        text, seen = await (site.ledger.write(work) if form.get("keep") else site.ledger.read(work))
    except NotFound as error:
        raise HTTPException(404) from error
    except ConfigurationError as error:
        return JSONResponse({"problem": error.sentence}, 400)
    except BellwireError as error:
        return JSONResponse({"problem": str(error)}, 409)
    found, findings = checked(text, flow, connectors_of(site))
    values = fields_in(text)
    editor = _editor(site, values) if values else None
    places = editor.places(editor.cards()) if editor else []
    asked = form.get("event")
    preview = (await tried(site, found, int(asked) if asked.isdigit() else None))[0] if found else None
    return JSONResponse(
        {
            "seen": seen,
            "values": outcomes(found, preview),
            "findings": [{"at": at, **each} for at, told in _told(findings, preview, places).items() for each in told],
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


def _editor(site: Site, values: Mapping[str, Any]) -> Editor:
    emitted = {action.emits for flow in site.flows.values() for action in flow.actions.values() if action.emits}
    return Editor(values, connectors_of(site), _titles(site), sorted(emitted), str(site.zone))


def _called(key: str, does: str) -> str:
    """What an action is called, unless somebody says otherwise."""
    return "wait" if key == "wait" else slug(does.partition(".")[2]) or "first"


def _place(where: Sequence[str], places: Sequence[str]) -> str:
    """The field of the form that something is about: the nearest there is."""
    about = where[1:] if where[:1] == ("actions",) else where
    around = [".".join(about[:length]) for length in range(len(about), 0, -1)]
    found = next((each for each in around if each in places), None)
    if found is not None or not around:
        return found or ""
    return next((each for each in places if each.startswith(f"{around[0]}.")), around[0])


def _spoken(finding: Finding) -> str:
    text = finding.sentence[:1].upper() + finding.sentence[1:]
    hint = finding.suggestion[:1].upper() + finding.suggestion[1:]
    return f"{text}. {hint}{'' if hint.endswith(('?', '.')) or not hint else '.'}".strip()


def _told(
    findings: Sequence[Finding], preview: Preview | None, places: Sequence[str]
) -> dict[str, list[dict[str, str]]]:
    """What is wrong with each field of the form; what is wrong with it for the event only, where nothing else is."""
    told: dict[str, list[dict[str, str]]] = {}
    for each in findings:
        told.setdefault(_place(each.where, places), []).append({"text": _spoken(each), "kind": each.severity.value})
    own = {"if": ("if",), "wait_until": ("wait_until",), "for_each": ("for_each",), "ask": ("approve", "ask")}
    for name, step in preview.steps.items() if preview else ():
        for key, problem in step.problems.items():
            place = _place(("actions", name, *own.get(key, ("with", key))), places)
            told.setdefault(place, [{"text": problem, "kind": "warning"}])
    return told

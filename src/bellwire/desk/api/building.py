"""The API, put together."""

from collections.abc import Sequence
from types import ModuleType

from fastapi import APIRouter, FastAPI
from fastapi.routing import APIRoute
from starlette.responses import JSONResponse
from starlette.routing import Route

from bellwire import __version__
from bellwire.desk.api import (
    alerts,
    asks,
    audit,
    connections,
    credentials,
    deliveries,
    dictionary,
    drafts,
    events,
    exceptions,
    flows,
    me,
    people,
    pilots,
    runs,
    settings,
    today,
    tokens,
)
from bellwire.desk.api.doors import DESCRIPTION, Doors, Entrance
from bellwire.desk.api.problems import PROBLEMS, answer_problems
from bellwire.desk.mounting import OnceAsked
from bellwire.desk.site import Site

RESOURCES = (
    alerts,
    asks,
    audit,
    connections,
    credentials,
    deliveries,
    dictionary,
    drafts,
    events,
    exceptions,
    flows,
    me,
    people,
    pilots,
    runs,
    settings,
    today,
    tokens,
)


_ABOUT = """\
Everything that the desk does, for programs: the same functions, the same rights.

- **Who calls** shows a token, `Authorization: Bearer …`: the desk's settings or `bellwire token new` make one. Each operation names the right that it needs.
- **Lists** come in pages: `next` of one is `after` of the one that follows; null: it was the last.
- **Writes** may come twice: with an `Idempotency-Key`, the second time within a day brings the first answer. What changes nothing the second time, or holds a secret, has no key.
- **Long work** is answered with 202, and goes on in the background: its answer says where to look how far it is.
- **Failures** are problems (RFC 9457): `title` says what happened, `detail` what to do next.
- **Moments** have their offset, and come in UTC; **money** is a text with its currency.
"""  # noqa: E501
_TAGS = {
    "today": "The figures of the day, and of the last two weeks.",
    "exceptions": "What needs a person, one by one and many at once, with every way out.",
    "asks": "Approvals and to-dos: what flows ask of people.",
    "flows": "What each flow is, how it does, its mode, its versions and pilots.",
    "drafts": "Flows that are being edited: check a text, try it, publish it.",
    "runs": "Each execution of a flow for an event, with every attempt.",
    "events": "What happened, in canonical form; sent through again on purpose.",
    "deliveries": "What arrived, as it arrived, and what was turned away.",
    "connections": "The accounts at other systems: how each is, tried and mended.",
    "alerts": "What people are told of, and whether it reaches them.",
    "settings": "What of the settings may change while Bellwire runs.",
    "people": "Who may use the desk, and as what.",
    "tokens": "What programs show to be let in here.",
    "audit": "Who did what.",
    "help": "What events carry, and what one has to know of each flow.",
    "me": "Who calls.",
}


def api(site: Site, resources: Sequence[ModuleType] = RESOURCES) -> FastAPI:
    app = FastAPI(
        title="Bellwire",
        version=__version__,
        summary="What came in, what was done about it, and what needs a person.",
        description=_ABOUT,
        openapi_tags=[{"name": name, "description": text} for name, text in _TAGS.items()],
        openapi_url=None,
        docs_url=None,
        redoc_url=None,
        servers=[{"url": "/api/v1"}],
        root_path_in_servers=False,
        redirect_slashes=False,
        generate_unique_id_function=_name_of,
        responses=PROBLEMS,
    )
    doors = Doors(site)
    for module in resources:
        app.include_router(_summed_up(module.router(doors)))
    # It takes a second to make, for which nobody else is to wait.
    app.router.routes.append(Route(DESCRIPTION, OnceAsked(lambda: JSONResponse(app.openapi())), methods=["GET"]))
    answer_problems(app)
    app.add_middleware(Entrance, doors=doors)
    return app


def _summed_up(routes: APIRouter) -> APIRouter:
    """The first sentence of what an operation does is its summary."""
    for route in routes.routes:
        if isinstance(route, APIRoute):
            summary, _, more = route.description.partition(".")
            route.summary, route.description = f"{' '.join(summary.split())}.", " ".join(more.split())
    return routes


def _name_of(route: APIRoute) -> str:
    return route.name

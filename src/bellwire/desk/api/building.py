"""The API, put together."""

from collections.abc import Sequence
from types import ModuleType

from fastapi import FastAPI
from fastapi.routing import APIRoute

from bellwire import __version__
from bellwire.desk.api import (
    alerts,
    asks,
    audit,
    connections,
    deliveries,
    dictionary,
    drafts,
    events,
    exceptions,
    flows,
    me,
    people,
    runs,
    settings,
    tokens,
)
from bellwire.desk.api.doors import Doors, Entrance
from bellwire.desk.api.problems import PROBLEMS, answer_problems
from bellwire.desk.site import Site

RESOURCES = (
    alerts,
    asks,
    audit,
    connections,
    deliveries,
    dictionary,
    drafts,
    events,
    exceptions,
    flows,
    me,
    people,
    runs,
    settings,
    tokens,
)


def api(site: Site, resources: Sequence[ModuleType] = RESOURCES) -> FastAPI:
    app = FastAPI(
        title="Bellwire",
        version=__version__,
        summary="What came in, what was done about it, and what needs a person.",
        openapi_url="/openapi.json",
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
        app.include_router(module.router(doors))
    answer_problems(app)
    app.add_middleware(Entrance, doors=doors)
    return app


def _name_of(route: APIRoute) -> str:
    return route.name

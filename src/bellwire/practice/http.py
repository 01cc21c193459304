"""A simulated API of somebody's own: collections of records in JSON, below `/v1`, and keys that it knows again."""

import base64
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar

import orjson
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import BaseRoute, Route

from bellwire.practice.simulator import Simulator


@dataclass
class HttpSimulator(Simulator):
    vendor: ClassVar[str] = "http"
    credentials: ClassVar[Mapping[str, str]] = {
        "access_token": "practice",
        "username": "practice",
        "password": "practice",
    }
    settings: ClassVar[Mapping[str, Any]] = {"url": "http://127.0.0.1/v1", "knows_keys": True}

    records: dict[str, dict[str, Any]] = field(default_factory=dict)
    """By path, e.g. `customers/1`."""
    answers: dict[str, dict[str, Any]] = field(default_factory=dict)
    """By idempotency key: the first answer."""

    def routes(self) -> Sequence[BaseRoute]:
        return [
            Route("/me", self._me),
            Route("/large", self._large),
            Route("/hello", self._hello),
            Route("/{collection}", self._collection, methods=["GET", "POST"]),
            Route("/{collection}/{number}", self._record, methods=["GET", "PUT", "PATCH", "DELETE"]),
        ]

    def state(self) -> dict[str, Any]:
        return {"records": self.records}

    def _refusal(self, request: Request) -> Response | None:
        known = {
            f"Bearer {self.credentials['access_token']}",
            "Basic " + base64.b64encode(b"practice:practice").decode(),
        }
        given = request.headers.get("authorization")
        own = request.headers.get("x-api-key") == self.credentials["access_token"]
        return None if given in known or own else self.signed_out()

    async def _me(self, request: Request) -> Response:
        return self._refusal(request) or JSONResponse({"name": "Practice"})

    async def _large(self, request: Request) -> Response:
        return self._refusal(request) or Response(b"[" + b" " * 1_000_000 + b"]", media_type="application/json")

    async def _hello(self, request: Request) -> Response:
        return self._refusal(request) or PlainTextResponse("Hello")

    async def _collection(self, request: Request) -> Response:
        if refusal := self._refusal(request):
            return refusal
        collection = request.path_params["collection"]
        if request.method == "GET":
            wanted = request.query_params
            found = [
                record
                for path, record in self.records.items()
                if path.startswith(f"{collection}/") and all(str(record.get(k)) == v for k, v in wanted.items())
            ]
            return JSONResponse(found)
        key = request.headers.get("idempotency-key", "")
        if key and key in self.answers:
            return JSONResponse(self.answers[key], 201)
        number = 1 + sum(path.startswith(f"{collection}/") for path in self.records)
        made = self.records[f"{collection}/{number}"] = {"id": number, **orjson.loads(await request.body())}
        self.answers[key] = made
        return JSONResponse(made, 201)

    async def _record(self, request: Request) -> Response:
        if refusal := self._refusal(request):
            return refusal
        path = "{collection}/{number}".format_map(request.path_params)
        if path not in self.records:
            return JSONResponse({"error": f"There is no {path}."}, 404)
        match request.method:
            case "DELETE":
                del self.records[path]
                return Response(status_code=204)
            case "PUT" | "PATCH":
                kept = self.records[path] if request.method == "PATCH" else {"id": self.records[path]["id"]}
                self.records[path] = kept | orjson.loads(await request.body())
        return JSONResponse(self.records[path])


SIMULATOR = HttpSimulator

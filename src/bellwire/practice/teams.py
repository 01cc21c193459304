"""A simulated team: workflows that post to its channels, and an outgoing webhook.

As with the real ones, a workflow says that it began and no more: one that fails later leaves a note in its history.
"""

import base64
import hmac
import math
import secrets
from collections.abc import Collection, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from itertools import count
from typing import Any, ClassVar

import orjson
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Route

from bellwire.practice.quota import Quota
from bellwire.practice.roles import Sent, mentioned_order
from bellwire.practice.simulator import Simulator, Webhook

_ORIGIN = "https://default0practice.00.environment.api.powerplatform.com:443"
_PATH = "/powerautomate/automations/direct/workflows/{workflow}/triggers/manual/paths/invoke"
_LARGEST = 28 * 1024
"""Bytes of a message that Teams posts."""
_CARD = "application/vnd.microsoft.card.adaptive"
_THREAD = "19:practice@thread.tacv2"


class _Error(Exception):
    """Power Automate's `{"error": {"code": …, "message": …}}`."""

    def __init__(self, status: int, code: str, message: str) -> None:
        super().__init__(code)
        self.answer = JSONResponse({"error": {"code": code, "message": message}}, status)


@dataclass
class Workflow:
    """Posts to one channel what it is sent. `state` is `Enabled`, `Disabled` or `Deleted`."""

    channel: str
    id: str
    signature: str
    state: str = "Enabled"
    anyone: bool = True
    """Whether its URL is enough; else it wants a sign-in."""

    @property
    def url(self) -> str:
        query = f"api-version=1&sp=%2Ftriggers%2Fmanual%2Frun&sv=1.0&sig={self.signature}"
        return f"{_ORIGIN}{_PATH.format(workflow=self.id)}?{query}"


@dataclass(frozen=True)
class Posted:
    channel: str
    text: str
    """As people read it."""
    tracking_id: str


@dataclass(frozen=True)
class FailedRun:
    """What a workflow's history says of a run that posted nothing."""

    channel: str
    reason: str


def _workflows() -> list[Workflow]:
    names = (
        "packing",
        "orders",
        "alerts",
        "Packing bench 2",
        "sales",
        "onboarding",
        "billing",
        "support",
        "dispatch",
        "buying",
    )
    return [Workflow(name, f"{number:032x}", f"practice-{number}-_sig") for number, name in enumerate(names, 1)]


def _quotas() -> list[Quota]:
    """What a channel took from the connectors of old; for workflows nothing is published."""
    of = r"/workflows/(\w+)/"
    return [Quota(4, 1, of), Quota(60, 30, of)]


@dataclass
class TeamsSimulator(Simulator):
    vendor: ClassVar[str] = "teams"
    credentials: ClassVar[Mapping[str, str]] = {
        "workflows": " ".join(f"{workflow.channel}={workflow.url}" for workflow in _workflows()),
        "webhook_secret": base64.b64encode(b"practice security token").decode(),
    }
    secret_params: ClassVar[frozenset[str]] = frozenset({"sig"})

    quotas: list[Quota] = field(default_factory=_quotas)
    workflows: list[Workflow] = field(default_factory=_workflows)
    posted: list[Posted] = field(default_factory=list)
    failed_runs: list[FailedRun] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._message_ids = count(1_769_853_600_000)

    def routes(self) -> Sequence[BaseRoute]:
        return [Route(_PATH, self._invoke, methods=["POST"]), Route("/{rest:path}", _no_workflow, methods=["POST"])]

    def state(self) -> dict[str, Any]:
        return {
            "workflows": {workflow.channel: workflow.state for workflow in self.workflows},
            "messages": [asdict(message) for message in self.posted],
            "failed_runs": [asdict(run) for run in self.failed_runs],
        }

    def made(self) -> Mapping[str, Collection[str]]:
        return {"chat.post_message": [sent.id for sent in self.messages()]}

    def messages(self) -> list[Sent]:
        """Two posts of one message have the same id."""
        return [Sent(m.tracking_id, mentioned_order(m.text), m.text) for m in self.posted]

    def mention(self, text: str, *, sender: str = "Robin Hill", at: datetime | None = None) -> Webhook:
        """What the outgoing webhook sends when somebody writes `@Bellwire` and this text."""
        number = str(next(self._message_ids))
        activity = {
            "type": "message",
            "id": number,
            "timestamp": (at or datetime.now(UTC)).isoformat(),
            "serviceUrl": "https://smba.trafficmanager.net/emea/",
            "channelId": "msteams",
            "from": {"id": "29:1practice", "name": sender, "aadObjectId": "b1f9c3a0-0000-4000-8000-000000000001"},
            "conversation": {"isGroup": True, "id": f"{_THREAD};messageid={number}"},
            "text": f"<at>Bellwire</at>&nbsp;{text}\n",
            "textFormat": "plain",
            "attachments": [],
            "entities": [{"type": "clientInfo", "locale": "en-US", "country": "US", "platform": "Web"}],
            "channelData": {
                "teamsChannelId": _THREAD,
                "teamsTeamId": _THREAD,
                "channel": {"id": _THREAD},
                "team": {"id": _THREAD},
                "tenant": {"id": "practice"},
            },
        }
        body = orjson.dumps(activity)
        digest = hmac.digest(base64.b64decode(self.credentials["webhook_secret"]), body, "sha256")
        headers = {
            "Content-Type": "application/json; charset=utf-8",
            "Authorization": f"HMAC {base64.b64encode(digest).decode()}",
        }
        return Webhook("message", headers, body)

    def rate_limited(self, seconds: float) -> Response:
        said = {"error": {"code": "TooManyRequests", "message": "The rate of requests is too high. Try again later."}}
        return JSONResponse(said, 429, {"Retry-After": str(math.ceil(seconds))})

    def failed(self) -> Response:
        return _Error(500, "InternalServerError", "Encountered internal server error.").answer

    def signed_out(self) -> Response:
        return _no_sign_in().answer

    async def _invoke(self, request: Request) -> Response:
        try:
            workflow = self._workflow(request)
            message = await _json(request)
        except _Error as error:
            return error.answer
        if reason := _why_not(message, len(await request.body())):
            self.failed_runs.append(FailedRun(workflow.channel, reason))
        else:
            tracking_id = request.headers.get("x-ms-client-tracking-id") or secrets.token_hex(16)
            texts = "\n".join(_text(each["content"]) for each in message["attachments"])
            self.posted.append(Posted(workflow.channel, texts, tracking_id))
        return Response(status_code=202, headers={"x-ms-workflow-run-id": secrets.token_hex(16)})

    def _workflow(self, request: Request) -> Workflow:
        """The one that is asked for; raises what it says instead of beginning."""
        wanted = request.path_params["workflow"]
        found = next((workflow for workflow in self.workflows if workflow.id == wanted), None)
        if found is None:
            raise _Error(404, "WorkflowNotFound", f"The workflow '{wanted}' could not be found.")
        if not request.query_params.get("sig") or not found.anyone:
            raise _no_sign_in()
        if request.query_params.get("sig") != found.signature or request.query_params.get("sv") != "1.0":
            raise _Error(401, "AuthorizationFailed", "The authentication credentials are not valid.")
        if request.query_params.get("api-version") != "1":
            raise _Error(400, "InvalidApiVersionParameter", "The api-version is invalid. The supported version is '1'.")
        if found.state != "Enabled":
            said = f"Could not execute workflow '{wanted}' trigger 'manual' with state '{found.state}'."
            raise _Error(400, "WorkflowTriggerIsNotEnabled", said)
        return found


SIMULATOR = TeamsSimulator


async def _no_workflow(_: Request) -> Response:
    return _Error(404, "ResourceNotFound", "The requested resource could not be found.").answer


def _no_sign_in() -> _Error:
    said = "The request to the Direct API URL has no valid authentication. An OAuth authorization scheme is required."
    return _Error(401, "DirectApiAuthorizationRequired", said)


async def _json(request: Request) -> dict[str, Any]:
    if request.headers.get("content-type", "").partition(";")[0] != "application/json":
        raise _Error(400, "TriggerInputSchemaMismatch", "The input body for trigger 'manual' is not JSON.")
    try:
        given = orjson.loads(await request.body())
    except ValueError:
        raise _Error(400, "InvalidRequestContent", "The request content could not be deserialized.") from None
    if not isinstance(given, dict) or not isinstance(given.get("attachments"), list):
        raise _Error(
            400, "TriggerInputSchemaMismatch", "The input body for trigger 'manual' does not match its schema."
        )
    return given


def _why_not(message: dict[str, Any], size: int) -> str:
    """Why the step that posts fails; empty when it doesn't."""
    if size > _LARGEST:
        return "Request Entity too large"
    if message.get("type") != "message" or not message["attachments"]:
        return "There is no card to post."
    for attachment in message["attachments"]:
        if attachment.get("contentType") != _CARD or not isinstance(attachment.get("content"), dict):
            return "The attachment is no Adaptive Card."
        content = attachment["content"]
        if content.get("type") != "AdaptiveCard" or content.get("version") not in ("1.2", "1.3", "1.4", "1.5"):
            return "The card says no type and version that Teams knows."
        if not content.get("body") or not all(isinstance(b, dict) and _is_block(b) for b in content["body"]):
            return "A block of the card is empty or unknown."
    return ""


def _is_block(block: dict[str, Any]) -> bool:
    """Whether it is one of the two kinds of text, and says something."""
    if block.get("type") == "TextBlock":
        return bool(block.get("text"))
    inlines = block.get("inlines", []) if block.get("type") == "RichTextBlock" else []
    return bool(inlines) and all(run.get("type") == "TextRun" and run.get("text") for run in inlines)


def _text(content: dict[str, Any]) -> str:
    """What people read, line by line."""
    lines = (block.get("text") or "".join(run["text"] for run in block["inlines"]) for block in content["body"])
    return "\n".join(line.replace("\u00a0", "") for line in lines)

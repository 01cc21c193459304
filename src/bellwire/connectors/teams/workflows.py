"""The workflows that post: one for each channel, known by its URL. Whoever has the URL can post, so it is a secret."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from urllib.parse import parse_qsl, urlsplit

from bellwire.connectors.kit import Connection
from bellwire.errors import Refused, SignedOut

CREDENTIAL = "workflows"

_ENTRY = re.compile(r"\s*(?:#?([^=]*?)\s*=\s*)?(https://\S+)\s*")
"""`packing=https://…`, or a URL alone. A channel's name may have spaces in it."""
_HOSTS = (".environment.api.powerplatform.com", ".logic.azure.com")
_OLD_HOST = ".logic.azure.com"
"""Such URLs stopped at the end of November 2025; each workflow has another one now."""
_RETIRED = (".office.com", ".office365.com")
"""Connectors of Microsoft 365, which were the way before."""
_ANYONE = "In the workflow, let anyone trigger it, and copy its URL again."


@dataclass(frozen=True)
class Workflow:
    """`channel` is empty for the one that posts to all channels that have none of their own."""

    channel: str
    _url: str = field(repr=False)

    @cached_property
    def address(self) -> str:
        """The URL without its query, which holds the signature."""
        return self._url.partition("?")[0]

    @cached_property
    def query(self) -> Mapping[str, str]:
        return dict(parse_qsl(urlsplit(self._url).query))

    @property
    def outdated(self) -> bool:
        return self._host.endswith(_OLD_HOST)

    @property
    def title(self) -> str:
        """For sentences: `#packing`, `all other channels`."""
        return f"#{self.channel}" if self.channel else "all other channels"

    @property
    def _host(self) -> str:
        return urlsplit(self._url).hostname or ""

    def wrong(self) -> tuple[str, str]:
        """Why the URL can't be a workflow's, and what to do; two empty texts when it can."""
        if f".{self._host}".endswith(_RETIRED):
            return (
                f"The URL for {self.title} is a connector's of Microsoft 365; those have ended.",
                "Make a workflow for the channel in Teams, and take its URL.",
            )
        if not self._host.endswith(_HOSTS):
            return (
                f"The URL for {self.title} isn't a workflow's: its host doesn't end in {' or '.join(_HOSTS)}.",
                "Copy it again from the workflow in Teams.",
            )
        if not self.query.get("sig"):
            return f"The URL for {self.title} has no signature (sig=…) at its end.", _ANYONE
        return "", ""


def read_workflows(connection: Connection) -> list[Workflow]:
    """All that the connection has. Raises MissingCredential, or SignedOut when one can't be used."""
    text = connection.credentials.get(CREDENTIAL)
    found: dict[str, Workflow] = {}
    position = 0
    while position < len(text):
        entry = _ENTRY.match(text, position)
        if entry is None:
            raise _unusable(connection, f"The credential {CREDENTIAL} can't be read.", "Write packing=https://… in it.")
        workflow = Workflow(entry[1] or "", entry[2])
        sentence, remedy = workflow.wrong()
        if not sentence and workflow.channel.casefold() in found:
            sentence, remedy = f"There are two URLs for {workflow.title}.", "Leave one of them out."
        if sentence:
            raise _unusable(connection, sentence, remedy)
        found[workflow.channel.casefold()] = workflow
        position = entry.end()
    return list(found.values())


def find_workflow(connection: Connection, channel: str) -> Workflow:
    """The one that posts to a channel, by its name with or without `#`. Raises Refused when there is none, and what
    `read_workflows` raises."""
    workflows = {workflow.channel.casefold(): workflow for workflow in read_workflows(connection)}
    found = workflows.get(channel.removeprefix("#").casefold()) or workflows.get("")
    if found is None:
        raise Refused(
            f"There is no workflow that posts to the channel #{channel.removeprefix('#')}.",
            cause="unknown-channel",
            remedy=f"Make one in Teams; `bellwire secrets set {connection.name} {CREDENTIAL}` takes all URLs. Or "
            "correct the channel in the flow. Then retry.",
        )
    return found


def _unusable(connection: Connection, sentence: str, remedy: str) -> SignedOut:
    return SignedOut(
        sentence,
        cause="unusable-url",
        remedy=f"{remedy} `bellwire secrets set {connection.name} {CREDENTIAL}` takes all URLs.",
    )

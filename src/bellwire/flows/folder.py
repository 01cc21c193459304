"""The flows of a project, as its files are now: read anew when they change.

What has mistakes isn't taken over: of such a file, the last good text stays at work, and it is said what is wrong.
"""

import asyncio
import hashlib
from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

import structlog

from bellwire.connectors.kit import Connector
from bellwire.errors import BellwireError, ConfigurationError
from bellwire.files import replace
from bellwire.flows.checking import Severity, check_flow
from bellwire.flows.loading import FlowErrors, load_flow, load_flows
from bellwire.flows.model import Flow

log = structlog.get_logger()

EVERY = 2.0
"""Seconds between two looks at the files."""
Follower = Callable[[tuple[Flow, ...]], Awaitable[None]]


class ChangedMeanwhile(BellwireError):
    """Somebody else changed the file. `text` is what is in it now; empty: it isn't there any more."""

    def __init__(self, flow: str, text: str) -> None:
        super().__init__(
            f"The file of '{flow}' was changed by something else since you began.",
            remedy="Look at the difference, then take over the one or the other.",
        )
        self.text = text


class FlowFolder:
    """`connectors` are those behind the project's connections, by name; of the flows, if so asked, `only` the one with
    this id. Raises FlowErrors with all that is wrong with any of them: to begin with, all have to be good."""

    def __init__(self, path: Path, connectors: Mapping[str, Connector], *, only: str | None = None) -> None:
        self.path = path
        self.connectors = connectors
        self.wrong: Mapping[str, ConfigurationError] = {}
        """What is wrong with the newest text of some files, by flow; the flows in use are older."""
        self._only = only
        self._stamps = self._look()
        self._flows = {flow.id: flow for flow in load_flows(path) if only in (None, flow.id)}
        self._told = self._flows
        """Those that the followers know of."""
        self._followers: list[Follower] = []
        self._renewing = asyncio.Lock()
        errors = [error for flow in self._flows.values() if (error := self._mistakes(flow))]
        if errors:
            raise FlowErrors([each for error in errors for each in error.errors])

    @property
    def flows(self) -> tuple[Flow, ...]:
        """Those in use, by name of file."""
        return tuple(self._flows[name] for name in sorted(self._flows))

    def follow(self, follower: Follower) -> None:
        """Have it told of the flows whenever they have changed."""
        self._followers.append(follower)

    async def watch(self) -> None:
        """Look at the files again and again."""
        while True:
            await asyncio.sleep(EVERY)
            try:
                await self.renew()
            except Exception:
                log.exception("changed flows couldn't be taken over, and are tried again")

    async def renew(self) -> None:
        """Take over what has changed in the files. Raises what its followers raise."""
        async with self._renewing:
            await asyncio.to_thread(self._read)
            found = self._flows
            if differing := _differing(self._told, found):
                log.info("the flows have changed", flows=sorted(differing))
                for follower in self._followers:
                    await follower(self.flows)
                self._told = found

    def text(self, flow: str) -> str | None:
        """What is in a flow's file now; None when there is none. Raises ConfigurationError when it can't be read."""
        try:
            content = self.file(flow).read_bytes()
        except FileNotFoundError:
            return None
        except OSError as error:
            raise ConfigurationError(f"The file can't be read: {error.strerror}.", path=self.file(flow)) from error
        return content.decode("utf-8-sig", "replace")

    def file(self, flow: str) -> Path:
        return self.path / f"{flow}.yaml"

    def write(self, flow: str, text: str, base: str) -> None:
        """Put a flow's text into its file: all of it, or nothing. `base` is the version (`version_of`) that it was made
        from; empty: there was no file. Writing what is there already changes nothing. Raises ChangedMeanwhile, and
        ConfigurationError when it can't be written."""
        found = self.text(flow)
        if found == text:
            return
        if version_of(found) != base:
            raise ChangedMeanwhile(flow, found or "")
        try:
            self.path.mkdir(exist_ok=True)
            replace(self.file(flow).resolve(), text.encode())
        except OSError as error:
            raise ConfigurationError(
                f"The file can't be written: {error.strerror}.",
                path=self.file(flow),
                remedy="Let the user that runs Bellwire write in this folder.",
            ) from error

    def _look(self) -> dict[Path, Any]:
        """What tells that a file is another one than before."""
        stamps = {}
        for path in sorted(self.path.glob("*.yaml")):
            with suppress(OSError):
                about = path.stat()
                stamps[path] = about.st_mtime_ns, about.st_size, about.st_ino
        return stamps

    def _read(self) -> None:
        """Read the files that have changed since the last look."""
        stamps = self._look()
        if stamps == self._stamps:
            return
        wrong, flows = dict(self.wrong), dict(self._flows)
        for path in {*stamps, *self._stamps}:
            if path not in stamps:
                flows.pop(path.stem, None)
                wrong.pop(path.stem, None)
            elif stamps[path] != self._stamps.get(path) and self._only in (None, path.stem):
                wrong.pop(path.stem, None)
                try:
                    flow = load_flow(path)
                    if mistakes := self._mistakes(flow):
                        raise mistakes
                    known = flows.get(flow.id)
                    flows[flow.id] = known if known and known.source == flow.source else flow
                except ConfigurationError as error:
                    wrong[path.stem] = error
                    log.error("a changed flow isn't taken over", flow=path.stem, reason=str(error))
        self._flows, self.wrong, self._stamps = flows, wrong, stamps

    def _mistakes(self, flow: Flow) -> FlowErrors | None:
        found = [each.error() for each in check_flow(flow, self.connectors) if each.severity is Severity.ERROR]
        return FlowErrors(found) if found else None


def version_of(text: str | None) -> str:
    """As `Flow.hash` has it; empty where there is no text."""
    return "" if text is None else hashlib.sha256(text.encode()).hexdigest()[:12]


def _differing(before: Mapping[str, Flow], after: Mapping[str, Flow]) -> set[str]:
    return {name for name in {*before, *after} if before.get(name) is not after.get(name)}

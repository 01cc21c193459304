"""Signatures that cover when a delivery was sent, so that it can't be sent again much later by somebody else."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from bellwire.clock import parse_time
from bellwire.connectors.kit.webhooks import BadSignature, HmacSignature
from bellwire.events import Delivery

_UNIX = re.compile(r"\d{1,12}", re.ASCII)


@dataclass(frozen=True)
class TimedSignature(HmacSignature):
    """An HMAC over `lead`, the time, `between` and the body. The time stands in a header of its own, or (with none)
    beside the signature: `t=1706695200,v1=5257a8…`, of which there may be several."""

    time_header: str = ""
    lead: bytes = b""
    between: bytes = b"."
    iso: bool = False
    """The time is ISO 8601, else seconds since 1970."""
    tolerance: timedelta = timedelta(minutes=5)

    def verify(self, delivery: Delivery, secrets: Sequence[str], now: datetime) -> None:
        sent, given = self._told(delivery)
        self._look_at_the_time(sent, now)
        message = self._message(sent, delivery.body)
        digests = [digest for text in given if (digest := self._read(text)) is not None]
        # A list, not a generator: every secret is tried, so that timing doesn't tell which one fits.
        if not any([self._made_by(secret, digest, message) for digest in digests for secret in secrets]):  # noqa: C419
            raise BadSignature(
                f"None of the secrets of connection '{delivery.connection}' made this signature.",
                remedy="If the secret was changed at the sender, set the new one here too.",
            )

    def sign(self, body: bytes, secret: str, *, delivery_id: str, now: datetime, url: str = "") -> dict[str, str]:
        sent = now.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ") if self.iso else str(int(now.timestamp()))
        text = self.prefix + self._encode(self._digest(self._message(sent, body), secret))
        if self.time_header:
            headers = {self.header: text, self.time_header: sent}
        else:
            headers = {self.header: f"t={sent},v1={text}"}
        return headers | {self.id_header: delivery_id} if self.id_header else headers

    def _message(self, sent: str, body: bytes) -> bytes:
        return self.lead + sent.encode() + self.between + body

    def _told(self, delivery: Delivery) -> tuple[str, list[str]]:
        """The time as it stands there, and the signatures."""
        header = delivery.headers.get(self.header.lower())
        if not header:
            raise BadSignature(f"The header {self.header} is missing.", reason="signature-missing")
        if self.time_header:
            sent, given = delivery.headers.get(self.time_header.lower(), ""), [header]
        else:
            parts = [part.strip().partition("=") for part in header.split(",")]
            sent = next((value for name, _, value in parts if name == "t"), "")
            given = [value for name, _, value in parts if name == "v1"]
        if not sent:
            raise BadSignature(f"{self.time_header or self.header} doesn't say when.", reason="signature-missing")
        return sent, given

    def _look_at_the_time(self, sent: str, now: datetime) -> None:
        try:
            if not self.iso and not _UNIX.fullmatch(sent):
                raise ValueError("not a number of seconds")
            time = parse_time(sent) if self.iso else datetime.fromtimestamp(int(sent), UTC)
        except (OverflowError, ValueError) as error:
            raise BadSignature("The time of the signature is malformed.", reason="signature-malformed") from error
        age = now - time
        if abs(age) > self.tolerance:
            which = "old" if age > timedelta() else "far in the future"
            raise BadSignature(
                f"The signature is too {which}: {abs(age)} from now.",
                reason="timestamp",
                remedy="If every delivery says so, one of the two clocks is wrong.",
            )

    def _read(self, text: str) -> bytes | None:
        try:
            return self._decode(text.removeprefix(self.prefix)) if text.startswith(self.prefix) else None
        except ValueError:
            return None

"""How Connect signs: a header for each secret key of the account, of which one has to be right.

https://developers.docusign.com/platform/webhooks/connect/hmac/
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from bellwire.connectors.kit import BadSignature, HmacSignature
from bellwire.connectors.kit.webhooks import body_hash
from bellwire.events import Delivery

_HEADER = "X-DocuSign-Signature-"


def _identify(delivery: Delivery) -> str:
    """What happened to which envelope, and when: there is no id, and a repeat counts itself in its body."""
    try:
        body = delivery.json
        data, event = body["data"], body["event"]
        happened = (data.get("envelopeSummary") or {}).get("statusChangedDateTime") or body["generatedDateTime"]
        return f"{event}/{data['envelopeId']}/{data.get('recipientId', '')}/{happened}"
    except (KeyError, TypeError, ValueError, AttributeError):
        return body_hash(delivery)


@dataclass(frozen=True)
class ConnectSignature(HmacSignature):
    def verify(self, delivery: Delivery, secrets: Sequence[str], now: datetime) -> None:
        given = [value for name, value in delivery.headers.items() if name.startswith(_HEADER.lower())]
        if not given:
            raise BadSignature(
                f"The header {self.header} is missing.",
                reason="signature-missing",
                remedy="DocuSign › Settings › Connect › your configuration: tick 'Include HMAC Signature'.",
            )
        refusals = [refusal for value in given if (refusal := self._refusal(value, delivery, secrets, now))]
        if len(refusals) == len(given):
            raise refusals[0]

    def _refusal(self, value: str, delivery: Delivery, secrets: Sequence[str], now: datetime) -> BadSignature | None:
        try:
            super().verify(replace(delivery, headers={self.header.lower(): value}), secrets, now)
        except BadSignature as error:
            return error
        return None


SIGNATURE = ConnectSignature(f"{_HEADER}1", identify=_identify)

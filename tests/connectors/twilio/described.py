"""Twilio's own description of its API of 2010; its messaging services are another API."""

from dataclasses import replace

from bellwire.practice import Received
from tests.openapi import described

_NO_APPLICATION = "SmsApplicationSid="
"""Twilio takes none for "no application any more", which its description leaves out."""


def problems(received: Received) -> list[str]:
    """With a request and its answer."""
    if not received.path.startswith("/2010-04-01/"):
        return []
    fields = [each for each in str(received.body or "").split("&") if each != _NO_APPLICATION]
    return described("twilio_api_v2010").problems(replace(received, body="&".join(fields)))

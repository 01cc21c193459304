"""Requests and answers, held against what DocuSign's own library and its sample of a delivery know of.

The library's models are made from DocuSign's description of the API, which isn't among ours.
"""

import re
import warnings
from collections.abc import Iterator
from typing import Any

from bellwire.practice import Received
from tests.shared import spec

with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    from docusign_esign import models

MODELS = {
    ("POST", "envelopes"): ("EnvelopeDefinition", "EnvelopeSummary"),
    ("GET", "envelopes"): ("", "EnvelopesInformation"),
    ("GET", "envelopes/id"): ("", "Envelope"),
    ("PUT", "envelopes/id"): ("Envelope", "EnvelopeUpdateSummary"),
    ("GET", "templates"): ("", "EnvelopeTemplateResults"),
    ("GET", "connect"): ("", "ConnectConfigResults"),
    ("POST", "connect"): ("ConnectCustomConfiguration", "ConnectCustomConfiguration"),
}
"""Call → models of its request and of its answer."""


_CALLS = re.compile(r"/restapi/v2\.1/accounts/[^/]+/(\w+)(/[^/]+)?")


def problems(received: Received) -> list[str]:
    """With a request and its answer; signing in is described elsewhere, and what is deleted has no model."""
    call = _CALLS.fullmatch(received.path)
    if not call or received.method == "DELETE" or received.fault:
        return []
    place = received.method, call[1] + ("/id" if call[2] else "")
    if place not in MODELS:
        return [f"{received.method} {received.path}: there is no such call"]
    request, answer = MODELS[place]
    found = [*differences(request, received.body)] if request else []
    return found + ([*differences(answer, received.answer)] if received.status in (200, 201) else [])


def differences(model: str, value: Any, place: str = "") -> Iterator[str]:
    """Where a value isn't of a model, as sentences."""
    place = place or model
    if value is None:
        return
    if listed := re.fullmatch(r"list\[(.+)\]", model):
        if not isinstance(value, list):
            yield f"{place} isn't a list"
            return
        for index, each in enumerate(value):
            yield from differences(listed[1], each, f"{place}[{index}]")
    elif model in ("str", "int", "bool", "float"):
        if not isinstance(value, {"str": str, "int": int, "bool": bool, "float": float}[model]):
            yield f"{place} isn't {model}: {value!r}"
    elif model not in ("object", "dict(str, str)"):
        known = getattr(models, model)
        types = {theirs: known.swagger_types[ours] for ours, theirs in known.attribute_map.items()}
        for name, each in value.items():
            if name in types:
                yield from differences(types[name], each, f"{place}.{name}")
            else:
                yield f"{model} has no {name}"


def unknown(value: Any, sample: Any, place: str = "delivery") -> Iterator[str]:
    """Fields that the sample doesn't have."""
    if isinstance(value, dict):
        for name, each in value.items():
            if name not in sample:
                yield f"{place} has no {name}"
            else:
                yield from unknown(each, sample[name], f"{place}.{name}")
    elif isinstance(value, list) and sample:
        for each in value:
            yield from unknown(each, sample[0], place)


def delivery_sample() -> Any:
    return spec("docusign_connect_v2")

"""Signatures that vendors made themselves."""

import json

import pytest

from bellwire.connectors.kit import BadSignature, Connection
from bellwire.events import Delivery
from tests.samples import NOW
from tests.shared import FOLDER


def assert_takes_the_vector_only(account: Connection, header: str) -> None:
    """The vendor's example fits with its secret; changed, unsigned or with another secret it doesn't."""
    known = json.loads((FOLDER / "payloads/signature_vectors_business.json").read_bytes())
    (vector,) = [each for each in known if each["vendor"] == account.connector.name]
    scheme, signature, text = account.webhook, vector["headers"][header], vector["body"].encode()
    assert scheme is not None
    other = "0" if signature[0] != "0" else "1"

    def delivery(body: bytes, *signed: str) -> Delivery:
        return Delivery(account.name, {header.lower(): each for each in signed}, body, NOW)

    scheme.verify(delivery(text, signature), ["another secret", vector["secret"]], NOW)
    for wrong in (delivery(text + b" ", signature), delivery(text, other + signature[1:]), delivery(text)):
        with pytest.raises(BadSignature):
            scheme.verify(wrong, [vector["secret"]], NOW)
    with pytest.raises(BadSignature):
        scheme.verify(delivery(text, signature), ["another secret"], NOW)

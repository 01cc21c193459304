"""What Odoo says when something fails, as classes and sentences."""

import orjson
import pytest

from bellwire.connectors.kit import Answer
from bellwire.connectors.odoo.faults import explain
from bellwire.errors import Refused, SignedOut, Transient, VendorError
from bellwire.practice import Fault, FaultKind
from bellwire.practice.odoo import OdooSimulator
from tests.connectors.odoo.conftest import Connect

pytestmark = pytest.mark.proves("errors")
ASKED = "search_read"


def said(status: int, name: str, message: str = "No.") -> VendorError | None:
    told = {"name": name, "message": message, "arguments": [message], "context": {}, "debug": "Traceback s3cret"}
    return explain(Answer(status, {}, orjson.dumps(told), "POST", "/json/2/purchase.order/create"))


@pytest.mark.parametrize(
    ("status", "name", "kind", "cause"),
    [
        (401, "werkzeug.exceptions.Unauthorized", SignedOut, "signed-out"),
        (403, "odoo.exceptions.AccessDenied", SignedOut, "signed-out"),
        (403, "odoo.exceptions.AccessError", Refused, "missing-rights"),
        (404, "werkzeug.exceptions.NotFound", Refused, "missing-app"),
        (404, "odoo.exceptions.MissingError", Refused, "refused-404"),
        (422, "odoo.exceptions.UserError", Refused, "refused-422"),
        (422, "odoo.exceptions.ValidationError", Refused, "refused-422"),
        (500, "builtins.ValueError", Refused, "refused-500"),
        (500, "psycopg2.errors.SerializationFailure", Transient, "conflict"),
        (409, "odoo.exceptions.LockError", Transient, "conflict"),
        (500, "psycopg2.OperationalError", Transient, "vendor-failed"),
        (503, "builtins.MemoryError", Transient, "vendor-failed"),
    ],
)
def test_each_error_has_its_class(status: int, name: str, kind: type[VendorError], cause: str) -> None:
    """What Odoo answers with an error of its own wasn't done: a call is one transaction."""
    error = said(status, name)
    assert type(error) is kind
    assert error.cause == cause
    assert "s3cret" not in error.detail and name in error.detail


def test_it_is_said_in_odoos_words_in_one_line() -> None:
    error = said(422, "odoo.exceptions.ValidationError", "Missing required value for\n\nthe field 'Vendor'.")
    assert error is not None
    assert error.sentence == "Odoo refused it: Missing required value for the field 'Vendor'."


@pytest.mark.parametrize(("status", "body"), [(200, b"[]"), (429, b"<html>"), (502, b"<html>"), (503, b"[1]")])
def test_the_rest_goes_by_status(status: int, body: bytes) -> None:
    assert explain(Answer(status, {}, body, "POST", "/json/2/res.partner/read")) is None


def test_an_address_without_the_api_says_which_version_it_needs() -> None:
    error = explain(Answer(404, {}, b"<html>Not Found</html>", "POST", "/json/2/res.partner/read"))
    assert isinstance(error, Refused) and error.cause == "no-api"
    assert "Odoo 19" in error.remedy


@pytest.mark.asyncio(loop_scope="module")
async def test_reads_wait_for_a_proxy_that_asks_to_slow_down(connect: Connect, odoo: OdooSimulator) -> None:
    odoo.faults.add(Fault(kind=FaultKind.RATE_LIMITED, seconds=0))
    odoo.faults.add(Fault(kind=FaultKind.FAILED))
    api = connect().api
    with pytest.raises(Transient):
        await api.request("POST", f"res.partner/{ASKED}", json={}, writes=False)
    with pytest.raises(Transient) as failed:
        await api.request("POST", f"res.partner/{ASKED}", json={}, writes=False)
    assert failed.value.cause == "vendor-failed"

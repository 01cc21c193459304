"""DocuSign's own library drives the practice account."""

import asyncio
import warnings
from collections.abc import AsyncIterator
from typing import Any

import pytest

from bellwire.practice import Practice
from bellwire.practice.docusign import DocuSign

with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    import docusign_esign as library

pytestmark = pytest.mark.proves("sdk")

ACCOUNT = DocuSign.settings["account_id"]
(TEMPLATE,) = DocuSign().templates
HOST = "account-d.docusign.com"


@pytest.fixture
async def practice() -> AsyncIterator[Practice]:
    async with Practice(["docusign"]) as running:
        yield running


def client(practice: Practice) -> Any:
    """The library insists on https for signing in: what it asks of DocuSign's host is asked of practice."""

    class Client(library.ApiClient):  # type: ignore[misc]
        def request(self, method: str, url: str, *args: Any, **more: Any) -> Any:
            return super().request(method, url.replace(f"https://{HOST}", practice.base_url("docusign")), *args, **more)

    made = Client(host=f"{practice.base_url('docusign')}/restapi", oauth_host_name=HOST)
    known = DocuSign.credentials
    made.request_jwt_user_token(
        known["client_id"], known["user_id"], HOST, known["private_key"].encode(), 3600, ("signature", "impersonation")
    )
    return made


async def test_the_library_signs_in_and_sends(practice: Practice) -> None:
    simulator = practice.simulators["docusign"]
    assert isinstance(simulator, DocuSign)
    simulator.expire()

    def drive() -> None:
        api = client(practice)
        (account,) = api.get_user_info(api.default_headers["Authorization"].removeprefix("Bearer ")).accounts
        assert (account.account_id, account.base_uri) == (ACCOUNT, "https://demo.docusign.net")
        envelopes = library.EnvelopesApi(api)
        role = library.TemplateRole(role_name="Signer", name="Robin", email="robin@example.com")
        wanted = library.EnvelopeDefinition(template_id=TEMPLATE, template_roles=[role], status="sent")
        sent = envelopes.create_envelope(ACCOUNT, envelope_definition=wanted)
        simulator.sign(sent.envelope_id)
        found = envelopes.list_status_changes(ACCOUNT, from_date="2026-01-01T00:00:00Z", include="recipients")
        assert [(each.envelope_id, each.status) for each in found.envelopes] == [(sent.envelope_id, "completed")]
        assert found.envelopes[0].recipients.signers[0].email == "robin@example.com"
        with pytest.raises(library.ApiException, match="ENVELOPE_CANNOT_VOID_INVALID_STATE"):
            envelopes.update(ACCOUNT, sent.envelope_id, envelope=library.Envelope(status="voided", voided_reason="No"))

    await asyncio.to_thread(drive)


async def test_the_library_sets_up_connect(practice: Practice) -> None:
    def drive() -> None:
        connect = library.ConnectApi(client(practice))
        wanted = library.ConnectCustomConfiguration(url_to_publish_to="https://x.example/", events=["envelope-sent"])
        made = connect.create_configuration(ACCOUNT, connect_custom_configuration=wanted)
        (found,) = connect.list_configurations(ACCOUNT).configurations
        assert (found.connect_id, found.events) == (made.connect_id, ["envelope-sent"])
        connect.delete_configuration(ACCOUNT, made.connect_id)
        assert connect.list_configurations(ACCOUNT).total_records == "0"

    await asyncio.to_thread(drive)

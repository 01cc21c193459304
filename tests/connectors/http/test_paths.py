"""What a connection's settings may be, and that no path leads off its address."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError
from yarl import URL

from bellwire.connectors.http.actions import below
from bellwire.connectors.http.manifest import HttpSettings
from bellwire.errors import Refused


@given(st.text(alphabet=st.sampled_from("ab./\\%25e2fF:@?#; \t\n\u2024\uff0e"), max_size=12))
def test_no_path_leaves_the_address(path: str) -> None:
    try:
        whole = URL("https://api.example.com/v1" + below(path))
    except Refused:
        return
    assert (whole.scheme, whole.host, whole.port, whole.user) == ("https", "api.example.com", 443, None)
    assert whole.path.startswith("/v1/")
    assert not whole.query_string and not whole.fragment


@pytest.mark.parametrize(
    "settings",
    [
        {"url": "api.example.com"},
        {"url": "http://api.example.com"},
        {"url": "https://api.example.com/v1?x=1"},
        {"url": "https://user:pass@api.example.com"},
        {"url": "https://api.example.com", "sign_in": "header"},
        {"url": "https://api.example.com", "key_header": "Bad Header"},
    ],
)
def test_settings_that_cant_be(settings: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        HttpSettings.model_validate(settings)


def test_a_system_in_the_owners_network_may_be_asked_unencrypted_when_that_is_said() -> None:
    assert HttpSettings(url="http://nas.lan/api", unencrypted=True).unencrypted
    assert not HttpSettings(url="http://127.0.0.1:8080").unencrypted

"""What QuickBooks is told of a person, without a server."""

from hypothesis import given
from hypothesis import strategies as st

from bellwire.connectors.quickbooks.customers import address, mailable
from bellwire.events import Address
from tests.strategies import addresses


@given(addresses())
def test_addresses_fit_quickbooks_fields(place: Address) -> None:
    made = address(place)
    assert all(0 < len(value) <= (500 if key.startswith("Line") else 255) for key, value in made.items())
    assert len(made.get("PostalCode", "")) <= 30


@given(st.text(max_size=20), st.integers(0, 200))
def test_an_e_mail_that_quickbooks_would_refuse_is_left_out(start: str, length: int) -> None:
    sent = mailable(start + "x" * length)
    assert sent == "" or ("@" in sent and len(sent) <= 100)

"""What Xero is told of a person, without a server."""

from hypothesis import given
from hypothesis import strategies as st

from bellwire.connectors.xero.contacts import address, mailable
from bellwire.events import Address
from tests.samples import ADDRESS
from tests.strategies import addresses


def test_an_address_goes_into_the_fields_that_there_are() -> None:
    assert address(ADDRESS) == {
        "AttentionTo": "Robin Hill",
        "AddressLine1": "1 Main St",
        "City": "Austin",
        "Region": "TX",
        "PostalCode": "78701",
        "Country": "US",
    }


@given(addresses())
def test_addresses_fit_xeros_fields(place: Address) -> None:
    made = address(place)
    longest = {"PostalCode": 50, "Country": 50, "City": 255, "Region": 255, "AttentionTo": 255}
    assert all(0 < len(value) <= longest.get(key, 500) for key, value in made.items())


def test_spaces_and_letters_that_xero_has_not_in_an_e_mail_make_it_none() -> None:
    found = [mailable(text) for text in ("jo@example.com", "jo hill@example.com", "jo@exämple.com", "jo", "")]
    assert found == ["jo@example.com", "", "", "", ""]


@given(st.text(max_size=20), st.integers(0, 300))
def test_an_e_mail_that_xero_would_refuse_or_not_find_is_left_out(start: str, length: int) -> None:
    sent = mailable(start + "x" * length)
    assert sent == "" or ("@" in sent and len(sent) <= 255 and '"' not in sent)

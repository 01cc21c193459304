"""What vendors say of credentials is told without them."""

from bellwire.desk.accounts import without
from bellwire.watch.finding import Finding, Level


def test_what_was_typed_in_isnt_told_though_the_vendor_repeats_it() -> None:
    said = Finding(Level.ERROR, "books", "It says: no such token t0p-s3cret.", "Is t0p-s3cret right?")
    assert without({"access_token": "t0p-s3cret"}, [said]) == [
        Finding(Level.ERROR, "books", "It says: no such token ….", "Is … right?")
    ]

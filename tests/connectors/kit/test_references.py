import pytest

from bellwire.connectors.kit.references import reference_of, says_reference, with_reference


@pytest.mark.parametrize("text", ["", "Ring twice", "Reference: other\nRing twice"])
def test_a_reference_is_found_again_in_the_text_that_carries_it(text: str) -> None:
    marked = with_reference(text, "B-1")
    assert marked.startswith(text) and marked.endswith("Reference: B-1")
    assert says_reference(marked, "B-1")
    assert reference_of(marked) == "B-1"


def test_only_a_whole_line_is_one() -> None:
    for text in (None, "", "Reference: B-10", "See Reference: B-1", "B-1"):
        assert not says_reference(text, "B-1")
    assert reference_of(None) == reference_of("See Reference: B-1") == ""

"""Passwords: kept so that they can't be read, and not the ones that everybody tries."""

from hypothesis import given
from hypothesis import strategies as st

from bellwire.access import fits, hashed, made_up, nobodys, too_weak


def test_a_password_fits_its_own_hash_and_no_other() -> None:
    kept = hashed("four words that fit")
    assert kept.startswith("$argon2id$") and "words" not in kept
    assert fits(kept, "four words that fit")
    assert not fits(kept, "four words that fit ")
    assert not fits(nobodys(), "four words that fit")
    assert not fits("no hash", "four words that fit")
    assert hashed("four words that fit") != kept


def test_weak_passwords_are_told_why() -> None:
    assert "at least 12" in too_weak("x" * 11)
    assert "at most 200" in too_weak("x1y2z" * 41)
    assert "few different" in too_weak("abcabcabcabcabc")
    assert "your name or address" in too_weak("dana@example.com", "Dana", "dana@example.com")
    assert "your name or address" in too_weak("DanaHillDanaHill", "danahill")
    assert too_weak("four words that fit", "Dana", "dana@example.com") == ""


@given(st.text(max_size=300))
def test_whatever_is_typed_is_answered_with_a_sentence_or_taken(password: str) -> None:
    wrong = too_weak(password, "Dana")
    assert wrong == "" or wrong.endswith(".")
    assert wrong or 12 <= len(password) <= 200


def test_made_up_ones_are_strong_and_all_different() -> None:
    found = {made_up() for _ in range(200)}
    assert len(found) == 200
    assert all(too_weak(each) == "" for each in found)

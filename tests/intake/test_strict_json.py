"""Strict JSON, held against the standard library's reader."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bellwire.intake.strict_json import BadJson, check

KEYS = st.one_of(st.sampled_from(["a", "b", 'q"', 'x":', ":", "\\", "", "é", "☕", "\n"]), st.text(max_size=4))
_SCALARS = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-(2**53), 2**53),
    st.floats(allow_nan=False, allow_infinity=False, width=32),
    st.sampled_from(['":', '{"a":1,"a":2}', '\\":', '" :', "::", '"']),
    st.text(max_size=8).filter(lambda text: not any("\ud800" <= character <= "\udfff" for character in text)),
)
VALUES = st.recursive(
    _SCALARS, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(KEYS, inner, max_size=4), max_leaves=20
)
SPACES = st.sampled_from([b"", b" ", b"\t", b"\n", b"\r\n", b"  "])


@st.composite
def written(draw: st.DrawFn, value: Any, *, twice: bool = False) -> bytes:
    """`value` as some sender may write it: with spaces anywhere and characters escaped or not. `twice`: the first
    object that has a key has it once more."""
    left = twice

    def text(given: str) -> bytes:
        plain = json.dumps(given, ensure_ascii=draw(st.booleans()))
        if draw(st.booleans()) and given:
            escaped = "".join(f"\\u{ord(c):04x}" if ord(c) < 0x10000 else c for c in given)
            plain = f'"{escaped}"'
        return plain.encode()

    def pair(key: str, each: Any) -> bytes:
        return draw(SPACES) + text(key) + draw(SPACES) + b":" + draw(SPACES) + write(each) + draw(SPACES)

    def write(given: Any) -> bytes:
        nonlocal left
        if isinstance(given, dict):
            pairs = [pair(key, each) for key, each in given.items()]
            if given and left:
                left = False
                again = pair(draw(st.sampled_from(sorted(given))), draw(_SCALARS))
                pairs.insert(draw(st.integers(0, len(pairs))), again)
            return b"{" + b",".join(pairs) + b"}"
        if isinstance(given, list):
            return b"[" + b",".join(draw(SPACES) + write(each) + draw(SPACES) for each in given) + b"]"
        return text(given) if isinstance(given, str) else json.dumps(given).encode()

    return draw(SPACES) + write(value) + draw(SPACES)


@given(st.data(), VALUES)
def test_it_reads_what_the_standard_library_reads(data: st.DataObject, value: Any) -> None:
    body = data.draw(written(value))
    assert check(body) == json.loads(body) == value


@given(st.data(), st.dictionaries(KEYS, VALUES, min_size=1, max_size=4))
def test_a_key_that_comes_twice_is_always_found(data: st.DataObject, value: dict[str, Any]) -> None:
    body = data.draw(written([value], twice=True))
    with pytest.raises(BadJson, match="comes twice"):
        check(body)


@given(st.binary(max_size=60) | st.text(max_size=60).map(lambda text: text.encode(errors="surrogatepass")))
def test_anything_else_is_refused_in_words(body: bytes) -> None:
    try:
        check(body)
    except BadJson as error:
        assert str(error).endswith((".", ").")), error


@pytest.mark.parametrize("depth", [50, 200, 254, 255, 600, 1_024, 1_025, 50_000])
@pytest.mark.parametrize(("start", "end"), [(b"[", b"]"), (b'{"a":', b"}"), (b'[{"a":', b"}]")])
def test_depth_is_either_read_or_refused_in_words(depth: int, start: bytes, end: bytes) -> None:
    body = start * depth + b"1" + end * depth
    if depth == 50:
        check(body)
    else:
        try:
            check(body)
        except BadJson as error:
            assert "deep" in str(error) or "valid JSON" in str(error)


@given(st.integers(1, 90).flatmap(lambda depth: st.just(b'{"a":' * depth + b'{"b":1,"b":2}' + b"}" * depth)))
def test_a_key_that_comes_twice_is_found_however_deep(body: bytes) -> None:
    with pytest.raises(BadJson, match="'b' comes twice"):
        check(body)

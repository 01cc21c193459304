"""Changes of a flow's text: they do what they say, and nothing else in the file is touched."""

from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bellwire.errors import ConfigurationError
from bellwire.flows import bundled, bundled_names, parse_flow, read_values
from bellwire.flows.editing import Change, Put, Remove, Rename, Swap, edited, line_of, where_is

PATH = Path("flow.yaml")
TEXT = """\
# About the whole file.
name: Orders   # what people call it
trigger: shop.order.paid
owner: {name: Dana}

actions:
  # The invoice.
  invoice:
    do: books.create_invoice
    with:
      order: "{{ event }}"   # all of it

  # A word to the bench.
  # Two lines of it.
  bench:
    do: chat.post_message
    if: invoice.number and event.invoice
    with:
      channel: packing
      text: |   # what they read
        Invoice {{ invoice.number }}
          # this is text

  last:
    needs: [invoice, bench]
    do: chat.post_message
    with: {channel: packing, text: 'It''s done'}
# The end.
"""


def after(*changes: Change, text: str = TEXT) -> str:
    return edited(text, changes, PATH)


def lines_changed(text: str, before: str = TEXT) -> tuple[list[str], list[str]]:
    """What went and what came; all other lines are the same, in the same order."""
    old, new = before.splitlines(), text.splitlines()
    while old and new and old[0] == new[0]:
        old, new = old[1:], new[1:]
    while old and new and old[-1] == new[-1]:
        old, new = old[:-1], new[:-1]
    return old, new


@pytest.mark.parametrize(
    ("change", "went", "came"),
    [
        (Put(("name",), "Paid"), "name: Orders   # what people call it", "name: Paid   # what people call it"),
        (
            Put(("actions", "invoice", "with", "order"), "{{ meta }}"),
            '      order: "{{ event }}"   # all of it',
            '      order: "{{ meta }}"   # all of it',
        ),
        (Put(("owner", "contact"), "d@e.f"), "owner: {name: Dana}", "owner: {name: Dana, contact: d@e.f}"),
        (
            Put(("actions", "last", "with", "text"), "a, b: {c} 'd'"),
            "    with: {channel: packing, text: 'It''s done'}",
            """    with: {channel: packing, text: "a, b: {c} 'd'"}""",
        ),
        (
            Remove(("actions", "last", "with", "channel")),
            "    with: {channel: packing, text: 'It''s done'}",
            "    with: {text: 'It''s done'}",
        ),
    ],
)
def test_a_change_touches_one_line(change: Change, went: str, came: str) -> None:
    assert lines_changed(after(change)) == ([went], [came])


def test_a_text_of_several_lines_stays_readable_and_its_remark_stays_with_it() -> None:
    where = ("actions", "bench", "with", "text")
    one, two = after(Put(where, "One line")), after(Put(where, "Two\n\nlines\n"))

    assert "      text: One line   # what they read\n\n  last:" in one
    assert "      text: |   # what they read\n        Two\n\n        lines\n\n  last:" in two
    assert after(Put(where, "Two\n\nlines\n"), text=one) == two


def test_what_is_new_stands_where_one_looks_for_it() -> None:
    text = after(
        Put(("actions", "invoice", "if"), "event.total.amount > 5"),
        Put(("success", "within"), "2m"),
        Put(("actions", "thanks"), {"do": "mail.send_mail", "with": {"to": "{{ event.email }}", "subject": "Thanks"}}),
    )

    assert "    do: books.create_invoice\n    if: event.total.amount > 5\n    with:\n" in text
    assert "owner: {name: Dana}\nsuccess: {within: 2m}\n\nactions:" in text
    assert (
        '  thanks:\n    do: mail.send_mail\n    with:\n      to: "{{ event.email }}"\n      subject: Thanks\n' in text
    )
    assert text.endswith("# The end.\n")


def test_what_is_removed_takes_its_own_remarks_with_it_and_no_others() -> None:
    text = after(Remove(("actions", "bench")), Put(("actions", "last", "needs"), "invoice"))

    assert "bench" not in text
    assert "Two lines of it" not in text
    assert all(remark in text for remark in ("# About the whole file.", "# The invoice.", "# all of it", "# The end."))


def test_what_would_be_empty_goes_too() -> None:
    assert "owner" not in after(Remove(("owner", "name")))
    assert (
        "with"
        not in after(Remove(("actions", "invoice", "with", "order")), Remove(("actions", "bench"))).split("last:")[0]
    )


def test_an_action_gets_another_name_wherever_it_is_mentioned() -> None:
    text = after(Rename("invoice", "bill"))

    assert "  bill:\n" in text
    assert "if: bill.number and event.invoice\n" in text
    assert "Invoice {{ bill.number }}\n" in text
    assert "needs: [bill, bench]" in text
    assert parse_flow(text, PATH).actions["bench"].needs == {"bill"}


def test_a_name_that_is_taken_changes_nothing() -> None:
    assert after(Rename("invoice", "bench")) == TEXT


def test_the_lines_of_a_file_from_windows_go_on_ending_as_they_did() -> None:
    text = after(Put(("actions", "bench", "wait"), "2h"), text=TEXT.replace("\n", "\r\n"))

    assert "    wait: 2h\r\n" in text
    assert text.replace("\r\n", "").count("\n") == 0


def test_what_a_form_cant_change_is_said_and_left_alone() -> None:
    with pytest.raises(ConfigurationError, match="can't be changed by a form"):
        after(Remove(("a", "b")), text="a:\n  ? b\n  : - {c: 1}\n  ? d\n  : 2\n") and after(
            Put(("name",), float("nan"))
        )
    with pytest.raises(ConfigurationError, match="closed"):
        after(Put(("name",), "x"), text='name: "never closed')


def test_a_place_in_the_text_is_found_by_its_keys_and_by_its_line() -> None:
    assert line_of(TEXT, ("actions", "bench", "with", "text")) == 20
    assert line_of(TEXT, ("actions", "bench", "with", "missing")) == 18
    assert where_is(TEXT, 21) == ("actions", "bench", "with", "text")
    assert where_is(TEXT, 11) == ("actions", "invoice", "with", "order")


LISTS = """\
name: Lists
ends_on:
  # The first.
  - shop.order.cancelled   # by its subject
  - event: shop.order.refunded   # money went back
    # The same order.
    same: number
  -   # another
    event: shop.order.deleted
needs: [one, two]   # both
actions:
  # It looks.
  look: {do: stock.count, with: {skus: [A, {b: "{{ last.id }}"}]}}   # once

  # It tells.
  last:
    do: chat.post_message
    approve: {ask: "See {{ links.last }}"}
    needs:
    - look   # what is there
"""


@pytest.mark.parametrize(
    ("change", "went", "came"),
    [
        (
            Put(("ends_on", "0"), "a.b.c"),
            ["  - shop.order.cancelled   # by its subject"],
            ["  - a.b.c   # by its subject"],
        ),
        (Put(("ends_on", "1", "same"), "id"), ["    same: number"], ["    same: id"]),
        (Put(("ends_on", "1", "as"), "id"), [], ["    as: id"]),
        (Put(("ends_on", "3"), {"event": "a.b.c", "same": "id"}), [], ["  - {event: a.b.c, same: id}"]),
        (Remove(("ends_on", "1", "same")), ["    # The same order.", "    same: number"], []),
        (Remove(("ends_on", "2", "event")), ["  -   # another", "    event: shop.order.deleted"], []),
        (Put(("needs", "1"), "three"), ["needs: [one, two]   # both"], ["needs: [one, three]   # both"]),
        (Put(("needs", "2"), "three"), ["needs: [one, two]   # both"], ["needs: [one, two, three]   # both"]),
        (Remove(("needs", "0")), ["needs: [one, two]   # both"], ["needs: [two]   # both"]),
        (Put(("actions", "last", "needs", "1"), "more"), [], ["    - more"]),
    ],
)
def test_a_change_of_one_entry_of_a_list_leaves_the_others_and_their_remarks(
    change: Change, went: list[str], came: list[str]
) -> None:
    assert lines_changed(after(change, text=LISTS), LISTS) == (went, came)


def test_an_action_is_renamed_within_lists_and_in_links_as_well() -> None:
    text = after(Rename("last", "told"), Rename("look", "seen"), text=LISTS)

    assert 'b: "{{ told.id }}"' in text and "{{ links.told }}" in text
    assert "    - seen   # what is there\n" in text


def test_two_actions_change_places_with_their_remarks() -> None:
    text = after(Swap("look", "last"), text=LISTS)

    assert "actions:\n  # It tells.\n  last:\n" in text
    assert text.endswith(
        "    - look   # what is there\n\n"
        + LISTS[LISTS.index("  # It looks") : LISTS.index("   # once")]
        + "   # once\n"
    )
    assert after(Swap("last", "look"), text=text) == LISTS


def test_within_braces_it_is_the_key_that_is_spoken_of() -> None:
    assert where_is("a: {for: 1h, most: x}\nb: 1\n", 1, "'most' has to be a number") == ("a", "most")
    assert where_is("a: {most: 2}\nb: 1\n", 1, "Gather needs 'for'") == ("a",)


# Whatever is changed, in whatever order

texts = st.sampled_from([bundled(name) for name in bundled_names()] + [TEXT, TEXT.replace("\n", "\r\n")])
words = st.one_of(
    st.text(max_size=40).filter(lambda text: text == text.encode("utf-8", "replace").decode()),
    st.sampled_from(["{{ event.number }}", "true", "007", "1e3", "- x", "a: b", "a #b", "# no", "two\nlines", "x\n\n"]),
    st.text("ab:#-?{}[]'\"\\ \n", max_size=20),
)
values = st.one_of(
    words,
    st.integers(-(10**12), 10**12),
    st.booleans(),
    st.decimals(-1000, 1000, places=2),
    st.lists(words, max_size=3),
    st.dictionaries(st.sampled_from(["name", "sku", "odd key", "x: y"]), words, min_size=1, max_size=3),
)


def remarks(text: str) -> list[str]:
    return [line.strip() for line in text.splitlines() if line.strip().startswith("#")]


def value_at(text: str, where: tuple[str, ...]) -> Any:
    found = read_values(text, PATH)
    for key in where:
        found = found[key]
    return found


@settings(max_examples=40)
@given(text=texts, data=st.data())
def test_whatever_is_put_is_there_and_every_remark_stays(text: str, data: st.DataObject) -> None:
    for _ in range(data.draw(st.integers(1, 5))):
        actions = sorted(read_values(text, PATH)["actions"])
        action = data.draw(st.sampled_from([*actions, "added"]))
        where, value = data.draw(
            st.one_of(
                st.tuples(st.sampled_from([("name",), ("manual_minutes",), ("owner", "contact")]), words),
                st.tuples(st.sampled_from([("actions", action, key) for key in ("if", "wait", "needs")]), words),
                st.tuples(
                    st.sampled_from([("actions", action, "with", key) for key in ("text", "to", "new_one")]), values
                ),
            )
        )
        before = text
        text = edited(text, [Put(where, value)], PATH)
        assert value_at(text, where) == value
        assert [each for each in remarks(before) if each not in remarks(text)] == []


@settings(max_examples=40)
@given(text=texts, data=st.data())
def test_a_change_that_is_taken_back_by_its_opposite_leaves_the_file_as_it_was(text: str, data: st.DataObject) -> None:
    actions = sorted(read_values(text, PATH)["actions"])
    name = data.draw(st.sampled_from(actions))
    there = edited(text, [Put(("actions", "quite_new"), {"do": "a.b", "with": {"x": "1"}})], PATH)
    assert edited(there, [Remove(("actions", "quite_new"))], PATH) == text

    there = edited(text, [Rename(name, "called_otherwise")], PATH)
    assert name not in read_values(there, PATH)["actions"]
    assert remarks(there) == remarks(text)
    assert read_values(edited(there, [Rename("called_otherwise", name)], PATH), PATH) == read_values(text, PATH)


@settings(max_examples=40)
@given(text=texts, data=st.data())
def test_actions_change_places_and_are_removed_one_by_one_and_the_rest_is_a_flow(
    text: str, data: st.DataObject
) -> None:
    first = text
    names = sorted(read_values(text, PATH)["actions"])
    one, other = data.draw(st.sampled_from(names)), data.draw(st.sampled_from(names))
    text = edited(text, [Swap(one, other)], PATH)
    assert sorted(text.splitlines()) == sorted(first.splitlines())
    assert edited(text, [Swap(one, other)], PATH) == first
    while len(actions := sorted(read_values(text, PATH)["actions"])) > 1:
        gone = data.draw(st.sampled_from(actions))
        text = edited(text, [Remove(("actions", gone))], PATH)
        assert sorted(read_values(text, PATH)["actions"]) == [each for each in actions if each != gone]


@settings(max_examples=40)
@given(text=texts)
def test_putting_what_is_there_already_leaves_the_file_byte_for_byte(text: str) -> None:
    values = read_values(text, PATH)
    changes = [Put((key,), value) for key, value in values.items()]
    changes += [
        Put(("actions", name, key), each) for name, body in values["actions"].items() for key, each in body.items()
    ]
    assert edited(text, changes, PATH) == text

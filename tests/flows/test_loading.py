"""A folder of flows is read as a whole, and everything wrong with it is said at once."""

from pathlib import Path

import pytest

from bellwire.errors import ConfigurationError, NotFound
from bellwire.flows import FlowErrors, bundled, bundled_names, load_flow, load_flows, template

GOOD = "name: A\ntrigger: shop.order.paid\nactions: {a: {do: chat.post_message}}\n"


def test_flows_come_by_the_names_of_their_files(tmp_path: Path) -> None:
    for name in ("b", "a"):
        (tmp_path / f"{name}.yaml").write_text(GOOD)
    (tmp_path / "notes.txt").write_text("not a flow")
    assert [flow.id for flow in load_flows(tmp_path)] == ["a", "b"]
    assert load_flows(tmp_path / "nothing") == []


def test_all_errors_of_a_folder_come_together(tmp_path: Path) -> None:
    (tmp_path / "a.yaml").write_text("")
    (tmp_path / "b.yaml").write_text(GOOD)
    (tmp_path / "c.yaml").write_text(GOOD.replace("trigger", "triger"))
    (tmp_path / "d.yml").write_text(GOOD)
    with pytest.raises(FlowErrors) as caught:
        load_flows(tmp_path)
    places = [(error.path and error.path.name, error.line) for error in caught.value.errors]
    assert places == [("d.yml", None), ("a.yaml", 1), ("c.yaml", 2)]
    assert str(caught.value).count("\n") == 2


@pytest.mark.parametrize(
    ("content", "says", "line"),
    [
        (b"name: A\nowner: \xff\n", "The file isn't UTF-8 text.", 2),
        (b"a" * 300_000, "The file is larger than 256 kB.", 1),
    ],
)
def test_a_file_that_is_no_text_is_refused(tmp_path: Path, content: bytes, says: str, line: int) -> None:
    path = tmp_path / "a.yaml"
    path.write_bytes(content)
    with pytest.raises(ConfigurationError) as caught:
        load_flow(path)
    assert (caught.value.sentence, caught.value.line) == (says, line)


def test_a_file_that_is_not_there_is_said_so(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="can't be read: No such file"):
        load_flow(tmp_path / "a.yaml")


def test_windows_line_ends_and_byte_order_marks_do_no_harm(tmp_path: Path) -> None:
    path = tmp_path / "a.yaml"
    path.write_bytes(b"\xef\xbb\xbf" + GOOD.replace("\n", "\r\n").encode())
    assert load_flow(path).name == "A"


def test_a_template_is_found_by_file_name_or_with_dashes() -> None:
    assert template("order-to-cash") == template("order_to_cash") == {"order_to_cash": bundled("order_to_cash")}
    with pytest.raises(NotFound, match="mean 'order_to_cash'"):
        template("order_to_cas")
    with pytest.raises(NotFound, match="mean 'order_to_cash'"):
        bundled("order_to_cas")


def test_no_two_bundled_flows_have_the_same_id() -> None:
    assert len(set(bundled_names())) == len(bundled_names())

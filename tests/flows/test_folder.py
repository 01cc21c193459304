"""A folder of flows that is followed: what is good in it is taken over, what isn't is told."""

from collections.abc import Sequence
from pathlib import Path

import pytest

from bellwire.flows import ChangedMeanwhile, Flow, FlowErrors, FlowFolder, version_of
from tests.flows.standins import CONNECTORS

GOOD = """name: Greet
trigger: shop.order.paid
owner: {name: Dana}
success: {within: 2m}
actions:
  greet: {do: chat.post_message, with: {channel: packing, text: "Order {{ event.number }}"}}
"""
NEWER = GOOD.replace("Greet", "Greet them")
WRONG = GOOD.replace("event.number", "event.nummer")


class Followed:
    """A folder with one flow, and what is told of it."""

    def __init__(self, path: Path) -> None:
        (path / "greet.yaml").write_text(GOOD)
        self.folder = FlowFolder(path, CONNECTORS)
        self.told: list[list[str]] = []
        self.failing = False
        self.folder.follow(self._hear)

    async def _hear(self, flows: Sequence[Flow]) -> None:
        if self.failing:
            raise OSError("busy")
        self.told.append([flow.name for flow in flows])


@pytest.fixture
def followed(tmp_path: Path) -> Followed:
    return Followed(tmp_path)


async def test_what_changes_is_taken_over_and_told_once(followed: Followed, tmp_path: Path) -> None:
    await followed.folder.renew()
    (tmp_path / "greet.yaml").write_text(NEWER)
    (tmp_path / "more.yaml").write_text(GOOD.replace("Greet", "More"))
    await followed.folder.renew()
    await followed.folder.renew()
    assert followed.told == [["Greet them", "More"]]

    (tmp_path / "greet.yaml").unlink()
    await followed.folder.renew()
    assert followed.told[1:] == [["More"]]


@pytest.mark.parametrize("text", [WRONG, "name: [", "\udc80"])
async def test_a_file_with_mistakes_changes_nothing_and_is_told_until_it_is_mended(
    followed: Followed, tmp_path: Path, text: str
) -> None:
    (tmp_path / "greet.yaml").write_bytes(text.encode("utf-8", "surrogateescape"))
    await followed.folder.renew()

    assert [flow.name for flow in followed.folder.flows] == ["Greet"]
    assert list(followed.folder.wrong) == ["greet"]
    assert "greet.yaml" in str(followed.folder.wrong["greet"])
    assert followed.told == []

    (tmp_path / "greet.yaml").write_text(NEWER)
    await followed.folder.renew()
    assert followed.folder.wrong == {}
    assert followed.told == [["Greet them"]]


async def test_a_mistake_in_one_file_doesnt_hold_up_another(followed: Followed, tmp_path: Path) -> None:
    (tmp_path / "greet.yaml").write_text(NEWER)
    (tmp_path / "odd.yaml").write_text(WRONG)
    await followed.folder.renew()

    assert followed.told == [["Greet them"]]
    assert list(followed.folder.wrong) == ["odd"]


async def test_who_couldnt_take_it_over_is_told_again(followed: Followed, tmp_path: Path) -> None:
    (tmp_path / "greet.yaml").write_text(NEWER)
    followed.failing = True
    with pytest.raises(OSError, match="busy"):
        await followed.folder.renew()
    followed.failing = False
    await followed.folder.renew()

    assert followed.told == [["Greet them"]]


def test_to_begin_with_all_has_to_be_good(tmp_path: Path) -> None:
    (tmp_path / "odd.yaml").write_text(WRONG)
    with pytest.raises(FlowErrors, match="nummer"):
        FlowFolder(tmp_path, CONNECTORS)


def test_a_text_is_written_whole_and_only_over_what_it_was_made_from(followed: Followed, tmp_path: Path) -> None:
    file = tmp_path / "greet.yaml"
    file.chmod(0o640)
    followed.folder.write("greet", NEWER, version_of(GOOD))
    assert (file.read_text(), file.stat().st_mode & 0o777) == (NEWER, 0o640)

    followed.folder.write("greet", NEWER, version_of(GOOD))  # is there already
    with pytest.raises(ChangedMeanwhile) as caught:
        followed.folder.write("greet", WRONG, version_of(GOOD))
    assert caught.value.text == NEWER
    with pytest.raises(ChangedMeanwhile):
        followed.folder.write("greet", WRONG, "")
    followed.folder.write("new", GOOD, "")
    assert sorted(each.name for each in tmp_path.iterdir()) == ["greet.yaml", "new.yaml"]

"""What is different between two texts of a flow."""

from bellwire.desk.versions import DiffLine, differences

OLD = "a\nb\nc\nd\ne\nf\ng\nh\n"


def test_a_line_that_changed_is_shown_with_those_around_it() -> None:
    assert differences(OLD, OLD.replace("e\n", "E\n")) == [
        DiffLine("gap", "", None),
        DiffLine("same", "b", 2),
        DiffLine("same", "c", 3),
        DiffLine("same", "d", 4),
        DiffLine("removed", "e", 5),
        DiffLine("added", "E", 5),
        DiffLine("same", "f", 6),
        DiffLine("same", "g", 7),
        DiffLine("same", "h", 8),
    ]


def test_what_is_added_at_the_beginning_has_no_gap_before_it() -> None:
    assert differences("b\n", "a\nb\n") == [DiffLine("added", "a", 1), DiffLine("same", "b", 2)]


def test_places_far_from_each_other_have_a_gap_between_them() -> None:
    lines = [str(number) for number in range(30)]
    changed = ["first", *lines[1:-1], "last"]
    kinds = [line.kind for line in differences("\n".join(lines), "\n".join(changed))]
    assert kinds.count("gap") == 1 and kinds.count("added") == kinds.count("removed") == 2


def test_the_same_text_has_no_differences() -> None:
    assert differences(OLD, OLD) == []

"""The limits that simulated vendors keep unasked. Which vendor has which is tested beside the vendor."""

from datetime import timedelta

from bellwire.practice.quota import Quota, take


def lets_in(quota: Quota, *requests: tuple[float, str]) -> list[bool]:
    """Whether each request, at its second, is let in."""
    said = []
    for now, request in requests:
        said.append(quota.wait(request, now) == 0)
        if said[-1]:
            quota.take(request, now)
    return said


def test_as_many_as_the_window_holds_and_one_more_for_each_that_leaves_it() -> None:
    times = (0.0, 4.0, 5.0, 9.9, 10.0, 13.9, 14.0, 14.1)
    said = lets_in(Quota(2, 10), *((now, "GET /") for now in times))
    assert said == [True, True, False, False, True, False, True, False]


def test_it_says_how_long_to_wait() -> None:
    quota = Quota(1, 10)
    quota.take("GET /", 3.0)
    assert quota.wait("GET /", 5.0) == 8.0


def test_time_that_passes_in_a_moment_counts() -> None:
    quota = Quota(2, 10)
    assert lets_in(quota, (0.0, "GET /"), (4.0, "GET /"), (5.0, "GET /")) == [True, True, False]
    quota.recover(timedelta(seconds=5))
    assert lets_in(quota, (5.0, "GET /"), (5.0, "GET /"), (9.0, "GET /")) == [True, False, True]


def test_however_often_time_passes_nothing_counts_twice() -> None:
    quota = Quota(3, 100)
    quota.take("GET /", 0.0)
    for _ in range(3):
        quota.recover(timedelta(seconds=1))
    assert lets_in(quota, *[(1.0, "GET /")] * 3) == [True, True, False]


def test_what_it_isnt_of_doesnt_count_and_what_its_groups_tell_apart_counts_apart() -> None:
    quota = Quota(1, 10, r"^POST /(\w+)")
    requests = ("GET /a", "GET /a", "POST /a", "POST /b", "POST /a")
    assert lets_in(quota, *((0.0, request) for request in requests)) == [True, True, True, True, False]


def test_what_one_quota_refuses_doesnt_count_for_another() -> None:
    quotas = [Quota(2, 60), Quota(1, 60, "POST")]
    assert [take(quotas, request) > 0 for request in ("POST", "POST", "POST", "GET", "GET")] == [
        False,
        True,
        True,
        False,
        True,
    ]


def test_it_tells_how_many_are_left() -> None:
    quota = Quota(3, 10, of="^GET")
    for now in (0.0, 4.0):
        quota.take("GET /", now)
    assert [quota.left("GET /", now) for now in (5.0, 10.5, 20.0)] == [1, 2, 3]
    assert quota.left("POST /", 5.0) == 3

"""When to try again."""

from datetime import timedelta
from random import Random

from bellwire.flows import Retry


def wait_before(attempt: int, retry: Retry, retry_after: timedelta | None, random: Random) -> timedelta:
    """How long to wait after failed attempt number `attempt` (from 1).

    Exponential with full jitter: anything from nothing to first × 2^(attempt − 1), at most `longest`; never less than
    the vendor asked for. https://aws.amazon.com/blogs/architecture/exponential-backoff-and-jitter/
    """
    ceiling = min(retry.longest, retry.first * 2 ** min(attempt - 1, 32))
    jittered: timedelta = ceiling * random.random()
    return max(jittered, retry_after) if retry_after else jittered

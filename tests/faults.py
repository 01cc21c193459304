"""What each fault of a vendor is to a connector."""

import pytest

from bellwire.errors import OutcomeUnknown, SignedOut, Transient
from bellwire.practice import FaultKind

each_of_a_read = pytest.mark.parametrize(
    ("kind", "error"),
    [
        (FaultKind.SIGNED_OUT, SignedOut),
        (FaultKind.RATE_LIMITED, Transient),
        (FaultKind.FAILED, Transient),
        (FaultKind.LOST_ANSWER, Transient),
    ],
)
"""A read that fails is known to have done nothing."""

each_of_a_write = pytest.mark.parametrize(
    ("kind", "error"),
    [
        (FaultKind.RATE_LIMITED, Transient),
        (FaultKind.FAILED, OutcomeUnknown),
        (FaultKind.LOST_ANSWER, OutcomeUnknown),
        (FaultKind.SIGNED_OUT, SignedOut),
    ],
)
"""Of a write it is known only where the vendor refused it before it did anything."""

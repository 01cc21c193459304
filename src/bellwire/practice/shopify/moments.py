"""Times as Shopify writes them: in whole seconds."""

from datetime import UTC, datetime, timedelta


def now(ago: timedelta = timedelta()) -> str:
    """Or what it was some time ago."""
    return (datetime.now(UTC) - ago).isoformat(timespec="seconds")


def after(time: str) -> str:
    """When a later state began, which has to differ from the one before."""
    return max(datetime.now(UTC), datetime.fromisoformat(time) + timedelta(seconds=1)).isoformat(timespec="seconds")

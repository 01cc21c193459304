"""Times as Shopify writes them: in whole seconds."""

from datetime import UTC, datetime, timedelta


def now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds")


def after(time: str) -> str:
    """When a later state began, which has to differ from the one before."""
    return max(datetime.now(UTC), datetime.fromisoformat(time) + timedelta(seconds=1)).isoformat(timespec="seconds")

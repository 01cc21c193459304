"""Which addresses only this machine reaches."""

from ipaddress import ip_address
from urllib.parse import urlsplit


def is_loopback(host: str) -> bool:
    """Whether a name or number is this machine's own, for itself."""
    try:
        return host == "localhost" or ip_address(host).is_loopback
    except ValueError:
        return False


def only_from_here(address: str) -> bool:
    """Whether nobody but this machine reaches it."""
    return is_loopback(urlsplit(address).hostname or "")

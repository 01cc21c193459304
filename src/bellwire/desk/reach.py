"""Where this Bellwire is reached."""

from dataclasses import dataclass


@dataclass
class Reach:
    """Both are addresses without a slash at the end. They are put right once the port is known, where that is whichever
    was free."""

    public: str = ""
    """From outside: where vendors send webhooks, and the browser back after a sign-in."""
    local: str = ""
    """From this machine."""

    def hook(self, connection: str) -> str:
        """Where a vendor sends the webhooks of a connection."""
        return f"{self.public}/hooks/{connection}"

    def hook_from_here(self, connection: str) -> str:
        return f"{self.local}/hooks/{connection}"

    @property
    def callback(self) -> str:
        """Where vendors send the browser back after a sign-in: it is entered at each beforehand."""
        return f"{self.public}/connections/callback"

"""What is declared about forms: docs/forms.md is what the site's developer reads."""

from typing import Literal

from pydantic import Field

from bellwire.capabilities.calendar import Zone
from bellwire.connectors.form.fields import delivery_id
from bellwire.connectors.kit import Credential, FormOrJsonBody, HmacSignature, Level, Manifest, Settings
from bellwire.events import Environment


class FormSettings(Settings):
    event_type: Literal["lead.created", "booking.created", "return.created", "return.received"] = "lead.created"
    """What a form is that has no field `type`: somebody asked for something, booked, sends goods back, or got them."""
    zone: Zone = "UTC"
    """The time zone of dates and times that say none, e.g. `Europe/Zurich`."""
    minutes: int = Field(default=60, ge=1, le=10_080)
    """How long a booking takes that has no field `end`."""
    service: str = ""
    """What is booked where the form has no field `service`."""
    source: str = "website"
    """Where those who ask come from, where the form has no field `source`."""


MANIFEST = Manifest(
    name="form",
    title="The website's form",
    capabilities=(),
    # Nothing is ever called.
    base_urls={Environment.SANDBOX: "", Environment.PRODUCTION: ""},
    credentials=(
        Credential(
            "webhook_secret",
            "you make it up, and give it to who looks after the website: `openssl rand -hex 32`. Several, separated by "
            "spaces, are all accepted",
        ),
    ),
    settings=FormSettings,
    webhook=HmacSignature("X-Form-Signature", encoding="hex", identify=delivery_id),
    webhook_body=FormOrJsonBody(),
    webhook_setup="In the website's own program, as docs/forms.md shows",
    docs="https://www.rfc-editor.org/rfc/rfc2104",
    level=Level.GOLD,
    exempt={
        "sign-in": "Nothing is called.",
        "spec": "The format is our own: docs/forms.md is its description, and its examples are tests.",
        "limits": "Nothing is called.",
        "errors": "Nothing is called.",
        "paging": "Nothing is called.",
        "sdk": "The format is our own.",
        "reconcile": "A form keeps no list that could be asked for.",
        "subscriptions": "The address stands in the website's own program.",
        "version": "The format is our own.",
        "environments": "Each has a secret of its own.",
        "access": "There are no scopes, and the secret is ours.",
    },
)

"""What is declared about calculations: there is nobody to call."""

from bellwire.connectors.kit import Level, Manifest
from bellwire.events import Environment

MANIFEST = Manifest(
    name="bellwire",
    title="Bellwire itself",
    capabilities=("planning", "routing"),
    # Nothing is ever called.
    base_urls={Environment.SANDBOX: "", Environment.PRODUCTION: ""},
    level=Level.GOLD,
    exempt={
        "practice": "Nothing is called: practice and production work out the same.",
        "spec": "The format is our own: docs/flows.md and the models of the capability are its description.",
        "signatures": "It sends no webhooks.",
        "limits": "Nothing is called.",
        "errors": "Nobody refuses anything but the calculations themselves, whose tests hold their words.",
        "paging": "Nothing is called.",
        "sdk": "The format is our own.",
        "reconcile": "It sends no webhooks, so none can be missed.",
        "subscriptions": "It sends no webhooks.",
        "version": "It is part of Bellwire, and has its version.",
        "environments": "Calculations are the same in both.",
        "access": "There is nothing to sign in to.",
    },
)

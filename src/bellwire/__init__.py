"""Bellwire: webhooks in, API calls out. One self-hosted program that keeps a small business's systems in step."""

from importlib.metadata import version

__version__ = version("bellwire")

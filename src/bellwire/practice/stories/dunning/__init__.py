"""Subscriptions and dunning: a month of payments, renewals and parcels, begun on a bad day."""

from bellwire.practice.stories.dunning.story import Dunning

__all__ = ["Dunning"]

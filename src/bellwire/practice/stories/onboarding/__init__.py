"""From the enquiry to the new customer: nine enquiries and six contracts on a bad day."""

from bellwire.practice.stories.onboarding.story import Onboarding

__all__ = ["Onboarding"]

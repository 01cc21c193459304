"""Stories: what `bellwire demo` plays, one for each template, each with its own check of the vendors at the end."""

from bellwire.errors import NotFound
from bellwire.practice.stories.dispatch import Dispatch
from bellwire.practice.stories.dunning import Dunning
from bellwire.practice.stories.inventory import Inventory
from bellwire.practice.stories.onboarding import Onboarding
from bellwire.practice.stories.order_to_cash import OrderToCash
from bellwire.practice.stories.returns import ReturnsStory
from bellwire.practice.stories.telling import Act, Promises, Story, Told, Verdict

_ALL: tuple[type[Story], ...] = (OrderToCash, Inventory, Dispatch, ReturnsStory, Onboarding, Dunning)
_STORIES = {story.template: story for story in _ALL}


def story_names() -> list[str]:
    """The templates that have a story."""
    return list(_STORIES)


def find_story(template: str) -> Story:
    """Raises NotFound."""
    wanted = template.replace("_", "-")
    if wanted not in _STORIES:
        raise NotFound(f"There is no demo of '{template}'.", remedy=f"There are: {', '.join(_STORIES)}.")
    return _STORIES[wanted]()


__all__ = ["Act", "Promises", "Story", "Told", "Verdict", "find_story", "story_names"]

"""What people and programs reach over HTTP beside the webhooks: the web pages, and the JSON API."""

from bellwire.desk.desk import Desk
from bellwire.desk.guard import Guard, is_exposed
from bellwire.desk.reach import Reach
from bellwire.desk.site import Site
from bellwire.desk.ways import in_letters

__all__ = ["Desk", "Guard", "Reach", "Site", "in_letters", "is_exposed"]

"""A tenant whose API is described by a profile's file.

The file is read here anew, by code of its own: what it says of addresses, fields, states and
signing in is served as it stands there. What it cannot say and is decided here: refusals are plain
statuses with words, every contact has the same further ids, and lists hold the dispositions of the
world.
"""

from aftercall.simulator.described.endpoint import DescribedEndpoint
from aftercall.simulator.described.sign_in import DescribedSignIn
from aftercall.simulator.described.surface import Surface, load_surface

__all__ = ["DescribedEndpoint", "DescribedSignIn", "Surface", "load_surface"]

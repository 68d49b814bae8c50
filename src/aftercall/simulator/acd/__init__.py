"""The documented CXone API, as far as dispositions of outbound contacts need it.

Paths, fields and texts are those of the published specifications. What they leave open and is
decided here: a contact without a disposition answers 204; a write on a contact that is closed or
unknown is answered ``Invalid Contact ID``; the numbers of the contact states.
"""

from aftercall.simulator.acd.endpoint import AcdEndpoint
from aftercall.simulator.acd.sign_in import SIGN_IN_PATHS, SignIn

__all__ = ["SIGN_IN_PATHS", "AcdEndpoint", "SignIn"]

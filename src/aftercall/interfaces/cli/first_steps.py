"""What is still to be done once `init` has written a configuration."""

import shlex
from collections.abc import Iterator, Sequence
from itertools import count

from aftercall.interfaces.cli.options import Place
from aftercall.interfaces.cli.program import typed
from aftercall.interfaces.cli.starter import Answers
from aftercall.settings.addresses import is_profile_file
from aftercall.wire.profile import Profile

INDENT = "   "
NAMES_ON_A_LINE = 2


def first_steps(place: Place, profile: Profile, answers: Answers) -> Iterator[str]:
    """Yield the steps to a passing check, line by line."""
    numbers = count(1)
    if answers.profile is not None and is_profile_file(answers.profile):
        command = typed(shlex.join(["aftercall", "profile", "check", answers.profile]))
        yield f"{next(numbers)}. Describe your API in that file, and see whether it holds together:"
        yield f"{INDENT}{command}"
    where = "" if answers.instance or answers.base_url else "the tenant, "
    yield f"{next(numbers)}. Fill in what is marked >>>: {where}the outcome codes,"
    yield f"{INDENT}your files' columns."
    yield f"{next(numbers)}. Set the secrets in the environment, or name files with ..._FILE:"
    yield from (f"{INDENT}{line}" for line in _secrets(profile))
    if profile.codes.catalogue is not None:
        yield f"{next(numbers)}. Fetch the tenant's outcome codes:"
        yield f"{INDENT}{place.command('outcomes', 'pull')}"
    yield f"{next(numbers)}. Make the key that signs the audit trail:"
    yield f"{INDENT}{place.command('audit', 'keygen')}"
    yield f"{next(numbers)}. See whether all is in place:"


def _secrets(profile: Profile) -> Iterator[str]:
    """Yield the variables of each way of signing in, the one with the fewest first."""
    ways: list[Sequence[str]] = sorted((auth.variables for auth in profile.auth), key=len)
    for place, names in enumerate(ways):
        if place:
            yield "or"
        for first in range(0, len(names), NAMES_ON_A_LINE):
            yield ", ".join(names[first : first + NAMES_ON_A_LINE])
    yield "and AFTERCALL_CRM_SECRET, if [crm] has a url"

"""What is said of lists of contacts that were of no use, which make a run slow."""

from collections.abc import Iterator

from aftercall.engine.progress import ListTally

CHECK = "aftercall check --contact CAMPAIGN/CONTACT holds a list against a read."


def list_warnings(tally: ListTally) -> Iterator[str]:
    """Yield what there is to say, each a sentence or two and how to go on."""
    if tally.silent:
        yield (
            f"{tally.silent:,} of {tally.asked:,} lists of contacts told nothing; contacts of that"
            " campaign were then read one by one for a minute. The first was of"
            f" {tally.trouble.rstrip('.')}. {CHECK} If lists are too long, lower read.bulk.max of"
            " the profile."
        )
    # A few may not exist; of most a list that is spelled right tells.
    if tally.untold * 2 > tally.contacts:
        yield (
            f"lists of contacts did not tell of {tally.untold:,} of {tally.contacts:,} all that a"
            f" write rests on; those were read one by one. {CHECK}"
        )

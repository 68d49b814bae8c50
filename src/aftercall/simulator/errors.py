"""The error for input that makes no sense."""


class InvalidInputError(ValueError):
    """A setting, a world or a request of the inspection cannot be used; the text says why."""

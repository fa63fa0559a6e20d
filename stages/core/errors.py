"""The one error that is the user's to mend."""


class UserError(Exception):
    """A mistake in the data or the parameters: the text names the file or parameter, the value, what is allowed."""

"""The exception for errors that the user can fix."""


class UserError(Exception):
    """Wrong data or parameters; the text names the file or parameter, the value, and what is allowed."""

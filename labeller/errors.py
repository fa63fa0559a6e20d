"""The exception for errors that the user can fix."""


class BundleError(Exception):
    """A bundle that cannot be used, or a wrong option; the text names the file or option and what to do."""

"""What can be wrong before a single call is made."""


class RetryConfigError(ValueError):
    """A configuration is refused; the message lists every error in it."""


class NativeLibraryError(ImportError):
    """The native library cannot be used; the message names the file and the platform."""

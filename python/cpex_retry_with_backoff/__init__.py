"""Retries with backoff for tools called through ContextForge (MCP Gateway).

Importing the package loads nothing: the plugin, its configuration and the native
library come with first use.
"""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .config import RetryConfig
    from .retry_with_backoff import RetryWithBackoffPlugin

    __version__: str

__all__ = ["RetryConfig", "RetryWithBackoffPlugin", "__version__"]


def __getattr__(name: str) -> Any:
    if name == "RetryWithBackoffPlugin":
        from .retry_with_backoff import RetryWithBackoffPlugin

        return RetryWithBackoffPlugin
    if name == "RetryConfig":
        from .config import RetryConfig

        return RetryConfig
    if name == "__version__":
        from importlib.metadata import version

        return version("cpex-retry-with-backoff")
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return [*globals(), *__all__]

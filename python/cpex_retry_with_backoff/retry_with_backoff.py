"""The cpex plugin.

Its `kind` is cpex_retry_with_backoff.retry_with_backoff.RetryWithBackoffPlugin, or
shorter cpex_retry_with_backoff.RetryWithBackoffPlugin.
"""

import logging
from typing import TYPE_CHECKING, Any

from cpex.framework import (
    Plugin,
    PluginConfig,
    PluginContext,
    PluginMode,
    ResourcePostFetchPayload,
    ResourcePostFetchResult,
    ToolPostInvokePayload,
    ToolPostInvokeResult,
    ToolPreInvokePayload,
    ToolPreInvokeResult,
)
from cpex.framework.settings import get_settings

from .config import RetryConfig
from .core import RetryCore

if TYPE_CHECKING:
    from .stats import RetryStats

logger = logging.getLogger(__name__)

__all__ = ["RetryConfig", "RetryWithBackoffPlugin"]


class RetryWithBackoffPlugin(Plugin):
    """Tells the gateway when to call a failed tool again.

    Plugin objects of one name share their counts, so that the gateway may rebuild
    them in the middle of a call's retries. Safe for concurrent use.
    """

    def __init__(self, config: PluginConfig) -> None:
        """Validates the configuration and builds the engine.

        Raises RetryConfigError, which lists every error in the configuration, or
        NativeLibraryError. config is not changed.
        """
        super().__init__(config)
        # get_settings is looked up in this module: others patch it here.
        self._core = RetryCore(
            config.config, name=config.name, private=False, get_settings=lambda: get_settings()
        )
        if config.mode == PluginMode.FIRE_AND_FORGET:
            logger.warning(
                "plugin %r: mode fire_and_forget loses the retry delay, so nothing is ever "
                "retried; use sequential, transform, audit or concurrent",
                config.name,
            )

    async def tool_pre_invoke(
        self, payload: ToolPreInvokePayload, context: PluginContext
    ) -> ToolPreInvokeResult:
        """Changes nothing; notes when the call began, for tools with max_elapsed_ms.

        To be listed under `hooks:` for retry_safety too: only then the gateway passes on
        what tools declare about themselves.
        """
        self._core.tool_pre_invoke(payload, context)
        return ToolPreInvokeResult()

    async def tool_post_invoke(
        self, payload: ToolPostInvokePayload, context: PluginContext, extensions: Any = None
    ) -> ToolPostInvokeResult:
        """Answers retry_delay_ms > 0 for a failure that is to be retried. Never raises."""
        return self._core.tool_post_invoke(payload, context, extensions)

    async def resource_post_fetch(
        self, payload: ResourcePostFetchPayload, context: PluginContext
    ) -> ResourcePostFetchResult:
        """Reports the base policy as metadata; the gateway retries no resource."""
        return self._core.resource_post_fetch(payload, context)

    async def shutdown(self) -> None:
        """Frees the engine. Calls that still come are answered with "no retry"."""
        self._core.close()

    def stats(self) -> "RetryStats":
        """What was decided under this plugin's name in this process, also before a rebuild.

        Raises NativeFault after shutdown().
        """
        from .stats import RetryStats  # seldom needed, and slow to load

        return RetryStats.of(self._core.engine.stats())

    def to_rust_native_policy(self, tool_name: str, ceiling: int) -> dict[str, Any] | None:
        """The policy of a tool for hosts that retry by themselves, bounded by ceiling.

        None if the policy cannot be expressed so: the decision needs the payload, or
        options are in force that the dictionary has no words for.
        """
        policy = self._core.engine.policy(tool_name, ceiling)
        if not policy["plain"]:
            return None
        return {
            "kind": "retry_with_backoff",
            "maxRetries": policy["max_retries"],
            "backoffBaseMs": policy["backoff_base_ms"],
            "maxBackoffMs": policy["max_backoff_ms"],
            "retryOnStatus": policy["retry_on_status"],
            "jitter": policy["jitter"] == "full",
        }

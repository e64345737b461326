"""Builds what the hooks return. No two results share anything that can be changed."""

from typing import Any

from cpex.framework import ResourcePostFetchResult, ToolPostInvokeResult

POLICY_FIELDS = ("max_retries", "backoff_base_ms", "max_backoff_ms", "retry_on_status")
"""What the metadata tells of a policy: the reference's keys, in its order."""


class PolicyEcho:
    """The metadata about one policy, a fresh copy for each result. Immutable."""

    __slots__ = ("_base_ms", "_max_ms", "_retries", "_statuses")

    def __init__(self, policy: dict[str, Any]) -> None:
        """policy is what Engine.policy answers."""
        self._retries, self._base_ms, self._max_ms, statuses = (policy[f] for f in POLICY_FIELDS)
        self._statuses = tuple(statuses)

    def metadata(self) -> dict[str, Any]:
        """{"retry_policy": {...}}."""
        return {
            "retry_policy": {
                "max_retries": self._retries,
                "backoff_base_ms": self._base_ms,
                "max_backoff_ms": self._max_ms,
                "retry_on_status": list(self._statuses),
            }
        }


def trace_metadata(failures: int, delay_ms: int) -> dict[str, int]:
    """What the gateway's observability takes from a result, under retry_with_backoff."""
    return {"retry_count": failures, "retry_delay_ms": delay_ms}


def tool_result(metadata: dict[str, Any], delay_ms: int) -> ToolPostInvokeResult:
    """The answer of tool_post_invoke."""
    return ToolPostInvokeResult(metadata=metadata, retry_delay_ms=delay_ms)


def resource_result(metadata: dict[str, Any]) -> ResourcePostFetchResult:
    """The answer of resource_post_fetch."""
    return ResourcePostFetchResult(metadata=metadata)

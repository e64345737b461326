"""The policy as plainly as it can be written, to compare the real one with.

No jitter, no time, no bounds; a result is a plain dict.
"""

from __future__ import annotations

import json
from typing import Any

DEFAULTS = {
    "max_retries": 2,
    "backoff_base_ms": 200,
    "max_backoff_ms": 5000,
    "retry_on_status": [429, 500, 502, 503, 504],
    "check_text_content": False,
}


class Model:
    """Counts in a dictionary."""

    def __init__(self, config: dict[str, Any]) -> None:
        self.config = config
        self.failures: dict[tuple[str, str], int] = {}
        self.reasons: dict[str, int] = {}

    def policy(self, tool: str) -> dict[str, Any]:
        override = self.config.get("tool_overrides", {}).get(tool, {})
        return {**DEFAULTS, **self.config, **override}

    def decide(self, tool: str, request: str, result: Any) -> tuple[int, int]:
        """(delay in milliseconds, consecutive failures)."""
        policy = self.policy(tool)
        reason = judge(policy, result)
        key = tool, request
        count = self.failures.pop(key, 0)
        delay = 0
        if reason == "retry":
            count += 1
            if count > policy["max_retries"]:
                reason = "exhausted"
            else:
                self.failures[key] = count
                doubled = policy["backoff_base_ms"] * 2 ** (count - 1)
                delay = min(policy["max_backoff_ms"], doubled)
        else:
            count = 0
        self.reasons[reason] = self.reasons.get(reason, 0) + 1
        return delay, count


def judge(policy: dict[str, Any], result: Any) -> str:
    if not isinstance(result, dict):
        return "success"
    structured = result.get("structuredContent")
    nested = structured if isinstance(structured, dict) else {}
    status = nested.get("status_code")
    has_status = isinstance(status, int)
    error = result.get("isError") is True or nested.get("isError") is True
    if has_status and status in policy["retry_on_status"]:
        return "retry"
    if error:
        return "not_retryable_status" if has_status else "retry"
    if policy["check_text_content"] and structured is None:
        content = result.get("content")
        for item in content if isinstance(content, list) else []:
            if isinstance(item, dict) and item.get("type") == "text" and bad(policy, item["text"]):
                return "retry"
    return "success"


def bad(policy: dict[str, Any], text: str) -> bool:
    try:
        payload = json.loads(text)
    except ValueError:
        return False
    if not isinstance(payload, dict):
        return False
    status = payload.get("status_code")
    listed = type(status) is int and status in policy["retry_on_status"]
    return payload.get("isError") is True or listed

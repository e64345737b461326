"""What the engine found odd in a configuration, in words."""

from typing import Any

_WORDS = {
    "clamped": "max_retries={value} exceeds gateway ceiling={limit} (from {found_in}); "
    "clamped to {limit}",
    "base_above_max": "backoff_base_ms={value} is above max_backoff_ms={limit}; "
    "every delay is {limit} ms",
    "status_not_retried": "status_overrides[{status!r}] is never used: retry_on_status does "
    "not contain it",
    "strategy_unused": "strategy and multiplier are ignored with jitter: decorrelated",
    "multiplier_unused": "multiplier is ignored: it belongs to strategy: exponential",
    "list_unused": "safe_tools and unsafe_tools are ignored while retry_safety is off",
}


def worded(notice: dict[str, Any], found_in: str) -> str:
    """One line; notice is one of Engine.notices, found_in the place of the ceiling."""
    where = f"tool_overrides[{notice['tool']!r}]" if notice["tool"] else "base configuration"
    if notice["status"] and notice["kind"] != "status_not_retried":
        where += f", status_overrides[{notice['status']!r}]"
    return f"{where}: {_WORDS[notice['kind']].format(found_in=found_in, **notice)}"

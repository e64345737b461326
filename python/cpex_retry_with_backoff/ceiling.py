"""Finds the gateway's limit on retries, which no plugin may exceed."""

import logging
import os
import sys
from collections.abc import Callable
from typing import Any

logger = logging.getLogger(__name__)

_ATTRIBUTE = "max_tool_retries"
_VARIABLE = "MAX_TOOL_RETRIES"


def find_ceiling(get_settings: Callable[[], Any]) -> tuple[int | None, str]:
    """The ceiling and where it was found; (None, "") if there is none.

    Looked for in this order: cpex's settings, the settings of the gateway that runs
    this process (never imported here: whoever runs in a gateway has it already), the
    environment. Never raises.
    """
    sources = (
        ("cpex settings", lambda: getattr(get_settings(), _ATTRIBUTE, None)),
        ("mcpgateway.config", _gateway_setting),
        (f"environment {_VARIABLE}", lambda: os.environ.get(_VARIABLE)),
    )
    for where, read in sources:
        try:
            value = read()
        except Exception as error:
            logger.debug("No retry ceiling from %s: %s", where, error)
            continue
        ceiling = _whole_number(value)
        if ceiling is not None:
            return ceiling, where
        if isinstance(value, str) and value.strip():
            logger.warning(
                "%s=%r in the %s is not a whole number of 0 or more: ignored",
                _VARIABLE,
                value,
                where,
            )
    return None, ""


def _gateway_setting() -> Any:
    module = sys.modules.get("mcpgateway.config")
    return getattr(getattr(module, "settings", None), _ATTRIBUTE, None)


def _whole_number(value: Any) -> int | None:
    if isinstance(value, str) and value.strip().isdecimal():
        value = int(value)
    if isinstance(value, int) and not isinstance(value, bool) and value >= 0:
        return value
    return None

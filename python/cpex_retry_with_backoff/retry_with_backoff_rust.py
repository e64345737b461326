"""The name of the native module in the wheel that this package replaces.

Code that imported RetryStateManager or RetryWithBackoffPluginCore from there gets
the same interface over the Go engine.
"""

from collections.abc import Iterable, Mapping
from importlib.metadata import version
from typing import Any, final

from cpex.framework import ResourcePostFetchResult, ToolPostInvokeResult
from cpex.framework.settings import get_settings

from .config import RetryConfig, engine_config
from .core import RetryCore
from .library import OTHER_LIFE, ffi, lib
from .native import (
    HAS_STATUS,
    IS_ERROR,
    READ_ERRORS,
    UNLISTABLE_STATUS,
    Engine,
    NativeFault,
    encode,
)
from .options import MAX_RETRIES_LIMIT, MS_LIMIT, STATUS_LIMIT

__all__ = ["RetryStateManager", "RetryWithBackoffPluginCore", "__version__"]

__version__ = version("cpex-retry-with-backoff")


@final
class RetryStateManager:
    """Counts and judges with counts of its own. Safe for concurrent use."""

    def __init__(
        self,
        max_retries: int,
        base_ms: int,
        max_ms: int,
        jitter: bool,
        retry_on_status: Iterable[int],
    ) -> None:
        """Numbers are those of the plugin's options; delays are at least 1 ms.

        Raises TypeError, OverflowError or ValueError for what is none of them.
        """
        if isinstance(retry_on_status, str | bytes):
            raise TypeError("retry_on_status must be a list of whole numbers")
        statuses = [_number("retry_on_status", status, None) for status in retry_on_status]
        config = RetryConfig.model_construct(
            max_retries=_number("max_retries", max_retries, MAX_RETRIES_LIMIT),
            backoff_base_ms=_milliseconds("base_ms", base_ms),
            max_backoff_ms=_milliseconds("max_ms", max_ms),
            retry_on_status=[s for s in statuses if s <= STATUS_LIMIT],  # beyond, none is read
            jitter=_flag("jitter", jitter),
        )
        self._engine = Engine(
            engine_config(config, name="RetryStateManager", private=True, ceiling=None)
        )

    def ping(self) -> str:
        """A sign of life that names the module."""
        return "retry_with_backoff_rust is alive"

    def get_failures(self, tool: str, request_id: str) -> int:
        """The count of a request; 0 if there is none."""
        return self._count(lib.shim_failures, tool, request_id)

    def record_failure(self, tool: str, request_id: str) -> int:
        """Adds a failure; returns the count with it."""
        return self._count(lib.shim_record_failure, tool, request_id)

    def record_success(self, tool: str, request_id: str) -> None:
        """Ends a request: its count is removed."""
        self.delete_state(tool, request_id)

    def delete_state(self, tool: str, request_id: str) -> None:
        """Removes the count of a request."""
        self._engine.call(lib.shim_forget, *_key(tool, request_id))

    def state_count(self) -> int:
        """Requests whose failures are being counted."""
        tracked: int = self._engine.stats()["tracked"]
        return tracked

    def compute_delay(self, attempt: int) -> int:
        """The delay in milliseconds before retry number attempt + 1, at least 1."""
        delay = ffi.new("int64_t *")
        self._engine.call(lib.shim_backoff_ms, _number("attempt", attempt, 2**32 - 1), delay)
        return int(delay[0])

    def check_failure(self, is_error: bool, status_code: int | None) -> bool:
        """Whether such a result counts as a failure that is retried."""
        retryable = ffi.new("int32_t *")
        self._engine.call(lib.shim_judge, *_facts(is_error, status_code), retryable)
        return bool(retryable[0])

    def check_and_update(
        self, tool: str, request_id: str, is_error: bool, status_code: int | None
    ) -> tuple[bool, int]:
        """Judges and counts a result: (to be retried, delay in milliseconds)."""
        _facts(is_error, status_code)
        _bytes("tool", tool)
        _bytes("request_id", request_id)
        result = {"isError": is_error, "structuredContent": {"status_code": status_code}}
        answer = self._engine.decide(result, tool, request_id, READ_ERRORS)
        if answer == OTHER_LIFE:
            self._engine.renew()
            answer = self._engine.decide(result, tool, request_id, READ_ERRORS)
        if answer < 0:
            raise NativeFault(-answer)
        delay_ms = answer >> 28
        return delay_ms > 0, delay_ms

    def _count(self, function: Any, tool: str, request_id: str) -> int:
        failures = ffi.new("uint32_t *")
        self._engine.call(function, *_key(tool, request_id), failures)
        return int(failures[0])


@final
class RetryWithBackoffPluginCore:
    """The plugin without cpex's plugin class: synchronous, with counts of its own."""

    def __init__(self, config: Mapping[str, Any] | None) -> None:
        """config is what stands under `config:` in the plugin YAML.

        Raises TypeError if it is no mapping, RetryConfigError for what is in it.
        """
        if config is not None and not isinstance(config, Mapping):
            raise TypeError(f"config must be a mapping, not {type(config).__name__}")
        self._core = RetryCore(
            config, name="RetryWithBackoffPluginCore", private=True, get_settings=get_settings
        )

    def tool_post_invoke(
        self, payload: Any, context: Any, extensions: Any = None
    ) -> ToolPostInvokeResult:
        """Decides on one result of a tool. Never raises."""
        return self._core.tool_post_invoke(payload, context, extensions)

    def resource_post_fetch(self, _payload: Any, _context: Any) -> ResourcePostFetchResult:
        """Reports the base policy."""
        return self._core.resource_post_fetch(_payload, _context)


def _bytes(name: str, value: Any) -> bytes:
    if not isinstance(value, str):
        raise TypeError(f"{name} must be a str, not {value!r}")
    return encode(value)


def _key(tool: str, request_id: str) -> tuple[bytes, int, bytes, int]:
    t, r = _bytes("tool", tool), _bytes("request_id", request_id)
    return t, len(t), r, len(r)


def _facts(is_error: bool, status_code: int | None) -> tuple[int, int]:
    facts = IS_ERROR if _flag("is_error", is_error) else 0
    if status_code is None:
        return facts, 0
    if not isinstance(status_code, int):
        raise TypeError(f"status_code must be a whole number or None, not {status_code!r}")
    known = -(2**63) < status_code < 2**63
    return facts | HAS_STATUS, int(status_code) if known else UNLISTABLE_STATUS


def _number(name: str, value: Any, limit: int | None) -> int:
    if not isinstance(value, int):
        raise TypeError(f"{name} must be a whole number, not {value!r}")
    if value < 0:
        raise OverflowError(f"{name} = {value}: must be 0 or more")
    if limit is not None and value > limit:
        raise OverflowError(f"{name} = {value}: must be at most {limit}")
    return int(value)


def _milliseconds(name: str, value: Any) -> int:
    """0 would mean "no retry" to the gateway; beyond the limit all are too long to matter."""
    return min(max(_number(name, value, None), 1), MS_LIMIT)


def _flag(name: str, value: Any) -> bool:
    if not isinstance(value, bool):
        raise TypeError(f"{name} must be a bool, not {value!r}")
    return value

"""The engine in libretry, as one Python object. Moves values, decides nothing."""

import json
from collections.abc import Callable, Mapping
from typing import Any, Final

from . import library
from .errors import RetryConfigError
from .library import OTHER_LIFE, ffi, hot, lib

__all__ = ["HAS_STATUS", "IS_ERROR", "NESTED_IS_ERROR", "OTHER_LIFE", "REASONS", "Engine"]

# enum retry_fact in retry.h
IS_ERROR: Final = 1
NESTED_IS_ERROR: Final = 2
HAS_STATUS: Final = 4

UNLISTABLE_STATUS: Final = -1
"""RETRY_UNLISTABLE_STATUS: an integer that no list of statuses can hold."""

REASONS: Final = (
    "success",
    "retry",
    "exhausted",
    "not_retryable_status",
    "fault",
    "not_retryable_code",
    "not_retryable_text",
    "told_not_to",
    "unsafe",
    "hint_too_long",
    "deadline",
    "budget",
    "retry_hint",
    "retry_cooldown",
)
"""enum retry_reason in retry.h: the name of each number."""

READ_FLAGS: Final = {"Hints": 1, "Code": 2, "Search": 4, "Begin": 8}
"""enum read_flag in shim/facts.c, by the names that policies have for them."""

READ_ERRORS: Final = -1 << 16
"""Reading nothing but isError and the status."""

_NULL = ffi.NULL
_OK = 0
_BAD_HANDLE = 1
_BAD_CONFIG = 3
_TOO_SMALL = 4
_STATUS_NAMES = ("ok", "bad handle", "bad argument", "bad config", "too small", "internal fault")


class NativeFault(RuntimeError):  # noqa: N818 - a fault of the library, not of the caller
    """The native side did not answer."""

    def __init__(self, status: int) -> None:
        """Words an answer of the library: enum retry_status."""
        name = _STATUS_NAMES[status] if 0 <= status < len(_STATUS_NAMES) else "unknown status"
        super().__init__(f"{name} ({status}) {last_fault() if status == 5 else ''}".rstrip())


class Engine:
    """One engine handle, rebuilt from its configuration after a fork.

    Safe for concurrent use. A child starts with no tracked requests.
    """

    __slots__ = ("_closed", "_config", "_native", "decide", "notices")

    decide: Callable[[Any, str, str, int], int]
    """decide(result, tool, request_id, reading): one decision, packed as shim_decide in
    shim.c says; negative if there is none, OTHER_LIFE if renew() is needed. reading is
    what reading() makes, with the annotations of the tool or-ed in. See shim/hot.c."""

    def __init__(self, config: Mapping[str, Any]) -> None:
        """Builds the engine; config is what retry_engine_new in retry.h documents.

        Raises RetryConfigError if the engine refuses it, NativeLibraryError if there
        is no usable library.
        """
        self._config = json.dumps(config).encode()
        self._closed = False
        self._native: Any = None
        self._native, self.notices = self._build()

    def _build(self) -> tuple[Any, list[dict[str, Any]]]:
        native = ffi.new("shim_engine *")
        out, length = ffi.new("char[]", 65536), ffi.new("size_t *")
        status = OTHER_LIFE
        while status == OTHER_LIFE:  # again if another thread forks in between
            library.ensure_open()
            status = lib.shim_engine_new(
                self._config, len(self._config), native, out, len(out), length
            )
        text = ffi.unpack(out, min(length[0], len(out)))
        if status == _BAD_CONFIG:
            raise RetryConfigError(text.decode(errors="replace"))
        if status != _OK:
            raise NativeFault(status)
        if length[0] > len(out):
            text = _read(lambda *room: lib.shim_notices(native, *room))
        self.decide = hot.decider(int(ffi.cast("uintptr_t", native)))
        return native, json.loads(text)

    def _current(self) -> Any:
        """The handle for this life, rebuilt if the process forked since."""
        native = self._native
        if native is not None and native.life != lib.shim_life():
            with library.lock():  # of several threads one rebuilds
                if self._native is native:
                    self._native, _ = self._build()
            if self._closed:  # meanwhile, by another thread
                self.close()
        if self._native is None:
            raise NativeFault(_BAD_HANDLE)
        return self._native

    def renew(self) -> None:
        """Makes decide work again after it answered OTHER_LIFE."""
        self._current()

    def begin(self, tool: str, request_id: str) -> None:
        """Notes that a call has begun, for tools with max_elapsed_ms."""
        t, r = encode(tool), encode(request_id)
        self.call(lib.shim_begin, t, len(t), r, len(r))

    def count_fault(self) -> None:
        """Counts a call that could not be answered."""
        if self._native is not None:
            lib.shim_count_fault(self._native)

    def policy(self, tool: str | None, ceiling: int | None = None) -> dict[str, Any]:
        """The policy in force for a tool, or of the base (None), bounded by ceiling."""
        if tool is None:
            return self._json(lambda e, *room: lib.shim_policy(e, _NULL, 0, -1, *room))
        key = encode(tool)
        bound = -1 if ceiling is None else max(0, min(ceiling, 2**31))
        return self._json(lambda e, *room: lib.shim_policy(e, key, len(key), bound, *room))

    def schedule(self, tool: str, status: int, samples: int, seed: int) -> Any:
        """How long calls that keep failing wait: see retry_schedule in retry.h."""
        key = encode(tool)
        return self._json(
            lambda e, *room: lib.shim_schedule(e, key, len(key), status, samples, seed, *room)
        )

    def stats(self) -> dict[str, Any]:
        """Statistics of the engine's name in this process."""
        return self._json(lib.shim_stats)

    def _json(self, call: Callable[..., int]) -> dict[str, Any]:
        native = self._current()
        answer: dict[str, Any] = json.loads(_read(lambda *room: call(native, *room)))
        return answer

    def call(self, function: Callable[..., int], *arguments: Any) -> None:
        """Any other function of the shim; raises NativeFault unless it answers OK."""
        if status := function(self._current(), *arguments):
            raise NativeFault(status)

    def close(self) -> None:
        """Frees the handle; counts and statistics stay with the engine's name."""
        self._closed = True
        self.decide = _closed
        native, self._native = self._native, None
        if native is not None:
            lib.shim_engine_free(native)

    def __del__(self) -> None:
        """A plugin that is dropped without shutdown() must not leak its handle."""
        if getattr(self, "_native", None) is not None and lib is not None:
            self.close()


def _closed(*_: Any) -> int:
    return -_BAD_HANDLE


def reading(policy: Mapping[str, Any]) -> int:
    """What of a result matters to a policy (Engine.policy), as Engine.decide takes it."""
    reads = policy["reads"]
    flags = sum(flag for name, flag in READ_FLAGS.items() if reads[name])
    return flags | (policy["max_text_bytes"] if reads["Texts"] else -1) << 16


def encode(text: str) -> bytes:
    """UTF-8; lone surrogates, which JSON can bring, do not raise."""
    try:
        return text.encode()
    except UnicodeEncodeError:
        return text.encode("utf-8", "surrogatepass")


def library_version() -> dict[str, Any]:
    """Version of the library, of its ABI, and of the Go that built it."""
    library.ensure_open()
    answer: dict[str, Any] = json.loads(_read(lib.shim_version))
    return answer


def runtime() -> dict[str, int]:
    """Goroutines, heap bytes and GC cycles of the library's Go runtime."""
    library.ensure_open()
    answer: dict[str, int] = json.loads(_read(lib.shim_runtime))
    return answer


def last_fault() -> str:
    """The last internal fault of this process, in words."""
    return _read(lib.shim_last_fault).decode(errors="replace") if lib.shim_is_open() else ""


def _read(call: Callable[..., int]) -> bytes:
    """Reads a text of any length from a function that writes (out, capacity, length)."""
    capacity, length = 4096, ffi.new("size_t *")
    while True:
        out = ffi.new("char[]", capacity)
        status = call(out, capacity, length)
        if status != _TOO_SMALL:
            break
        capacity = length[0]
    if status != _OK:
        raise NativeFault(status)
    return bytes(ffi.unpack(out, length[0]))

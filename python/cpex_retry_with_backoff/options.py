"""The plugin's options: their types, defaults and bounds, and what is allowed in words.

What the values mean is decided in the engine; docs/policies.md tells it to operators.
"""

import re
from collections.abc import Callable
from typing import Annotated, Any

from pydantic import BaseModel, BeforeValidator, ConfigDict, model_validator
from pydantic_core import SchemaValidator, core_schema

MAX_RETRIES_LIMIT = 1000
MS_LIMIT = 2**31 - 1
STATUS_LIMIT = 2**31 - 1
LIST_LIMIT = 1000
TRACKED_LIMIT = 10_000_000
TEXT_LIMIT = 2**30
TOKENS_LIMIT = 1_000_000
MULTIPLIER_LIMIT = 1000


class Allowed(str):
    """What a field may hold, in words; a marker beside its type."""

    __slots__ = ()


class WordedError(ValueError):
    """Says what is wrong better than "must be" and what is allowed."""


class _Schema:
    """Gives a field its schema directly: pydantic derives one in ten times the time."""

    __slots__ = ("schema",)

    def __init__(self, schema: Any) -> None:
        self.schema = schema

    def __get_pydantic_core_schema__(self, _source: Any, _handler: Any) -> Any:
        return self.schema


def _type(kind: Any, schema: Any, words: str) -> Any:
    return Annotated[kind, _Schema(schema), Allowed(words)]


def _refuse_bool(value: Any) -> Any:
    if isinstance(value, bool):
        raise ValueError("a boolean is not a number")
    return value


def _none_is_empty(value: Any) -> Any:
    return {} if value is None else value


def _number(schema: Any) -> Any:
    return core_schema.no_info_before_validator_function(_refuse_bool, schema)


def _plain(read: Callable[[Any], Any]) -> Any:
    return core_schema.no_info_plain_validator_function(read)


_flag = SchemaValidator(core_schema.bool_schema()).validate_python
_status = SchemaValidator(core_schema.int_schema(ge=0, le=STATUS_LIMIT)).validate_python
_CLASS = re.compile("[1-5]xx", re.IGNORECASE)


def _named(*names: str, flags: dict[bool, str] | None = None, keep_flags: bool = False) -> Any:
    """One of some names, in any case; flags are the names that booleans stand for."""

    def read(value: Any) -> Any:
        if isinstance(value, str) and value.lower() in names:
            return value.lower()
        if flags is None or (flag := bool(_flag(value))) not in flags:
            raise ValueError("not one of the names")
        return flag if keep_flags else flags[flag]

    words = [repr(name) for name in names]
    if keep_flags and flags:
        words += [f"{str(flag).lower()} ({name})" for flag, name in flags.items()]
    kind = bool | str if keep_flags else str
    return _type(kind, _plain(read), "one of " + ", ".join(words))


def _status_or_class(value: Any) -> int | str:
    if isinstance(value, str) and _CLASS.fullmatch(value):
        return value
    return int(_status(_refuse_bool(value)))


def _status_keys(value: Any) -> Any:
    """Keys of status_overrides as "429" and "5xx"; none may stand for the same twice."""
    if value is None:
        return {}
    if not isinstance(value, dict):
        return value
    entries: dict[str, Any] = {}
    for key, entry in value.items():
        try:
            name = str(_status_or_class(key)).lower()
        except ValueError as error:
            raise WordedError(
                f"the key {key!r}: must be a status or a class from 1xx to 5xx"
            ) from error
        if name in entries:
            raise WordedError(f"the key {key!r} is there twice, as a number and as text")
        entries[name] = entry
    return entries


def _metrics(value: Any) -> str | None:
    if value is None or value is False:
        return None
    if isinstance(value, str) and value.lower() == "prometheus":
        return "prometheus"
    raise ValueError("not one of the names")


def _budget(value: Any) -> Any:
    return {} if value is True else None if value is False else value


def _whole(low: int, high: int) -> Any:
    return _number(core_schema.int_schema(ge=low, le=high))


def _whole_number(low: int, high: int) -> Any:
    return _type(int, _whole(low, high), f"a whole number from {low} to {high}")


def _list(kind: Any, item: Any, longest: int, words: str) -> Any:
    return _type(list[kind], core_schema.list_schema(item, max_length=longest), words)


Retries = _whole_number(0, MAX_RETRIES_LIMIT)
Milliseconds = _whole_number(1, MS_LIMIT)
Flag = _type(bool, core_schema.bool_schema(), "true or false")
Statuses = _list(
    int | str,
    _plain(_status_or_class),
    LIST_LIMIT,
    f"a list of at most {LIST_LIMIT} whole numbers from 0 to {STATUS_LIMIT} "
    "or classes from 1xx to 5xx",
)
Codes = _list(
    int, _whole(-(2**63), 2**63 - 1), LIST_LIMIT, f"a list of at most {LIST_LIMIT} whole numbers"
)
Texts = _list(
    str,
    core_schema.str_schema(min_length=1, max_length=1000),
    100,
    "a list of at most 100 RE2 patterns of 1 to 1000 characters",
)
ToolPatterns = _list(
    str,
    core_schema.str_schema(),
    LIST_LIMIT,
    f"a list of at most {LIST_LIMIT} tool names or patterns",
)
Strategy = _named("exponential", "linear", "fixed")
Multiplier = _type(
    float,
    _number(core_schema.float_schema(ge=1, le=MULTIPLIER_LIMIT, allow_inf_nan=False)),
    f"a number from 1 to {MULTIPLIER_LIMIT}",
)
Jitter = _named(
    "full", "none", "equal", "decorrelated", flags={True: "full", False: "none"}, keep_flags=True
)
# YAML reads an unquoted off as false.
Safety = _named("off", "annotated", "strict", flags={False: "off"})
Scope = _named("tool", "plugin")
Elapsed = _type(
    int | None,
    core_schema.nullable_schema(_whole(1, MS_LIMIT)),
    f"a whole number from 1 to {MS_LIMIT}, or null",
)
Metrics = _type(str | None, _plain(_metrics), "'prometheus' or null")


class Options(BaseModel):
    """Unknown keys are dropped (the plugin warns of them); nothing of the input is kept."""

    # Built on first use: RetryConfig contains what is needed of the others.
    model_config = ConfigDict(extra="ignore", frozen=True, allow_inf_nan=False, defer_build=True)


class StatusOverride(Options):
    """What differs for one status or one class. Only fields that were set count."""

    max_retries: Retries = 2
    backoff_base_ms: Milliseconds = 200
    max_backoff_ms: Milliseconds = 5000
    strategy: Strategy = "exponential"
    multiplier: Multiplier = 2.0
    jitter: Jitter = True


class Budget(Options):
    """A retry budget: a token bucket for each tool, or one for the plugin."""

    tokens: _whole_number(1, TOKENS_LIMIT) = 100
    retry_cost: _whole_number(0, TOKENS_LIMIT) = 5
    throttle_cost: _whole_number(0, TOKENS_LIMIT) = 2
    success_refund: _whole_number(0, TOKENS_LIMIT) = 1
    scope: Scope = "tool"

    @model_validator(mode="after")
    def _at_most_tokens(self) -> "Budget":
        for field in ("retry_cost", "throttle_cost", "success_refund"):
            if getattr(self, field) > self.tokens:
                raise WordedError(
                    f"{field} = {getattr(self, field)}: must be at most tokens, {self.tokens}"
                )
        return self


class ToolFields(StatusOverride):
    """The options that hold for all tools or, in an override, for one."""

    retry_on_status: Statuses = [429, 500, 502, 503, 504]
    status_overrides: Annotated[
        dict[str, StatusOverride],
        BeforeValidator(_status_keys),
        Allowed("a mapping from statuses or classes (1xx to 5xx) to options"),
    ] = {}
    check_text_content: Flag = False
    max_text_bytes: _whole_number(0, TEXT_LIMIT) = 2**20
    honor_retry_after: Flag = True
    max_retry_after_ms: Milliseconds = 30_000
    share_cooldown: Flag = True
    never_retry_on_error_code: Codes = [-32700, -32600, -32601, -32602]
    never_retry_on_text: Texts = []
    retry_on_text: Texts = []
    retry_safety: Safety = "off"
    budget: Annotated[
        Budget | None, BeforeValidator(_budget), Allowed("true, false or a mapping of options")
    ] = None
    max_elapsed_ms: Elapsed = None


class RetryOverride(ToolFields):
    """What differs for one tool. Only fields that were set count."""


class RetryConfig(ToolFields):
    """The whole configuration of one plugin entry."""

    model_config = ConfigDict(defer_build=False)

    tool_overrides: Annotated[
        dict[str, RetryOverride],
        BeforeValidator(_none_is_empty),
        Allowed("a mapping from tool names or patterns to options"),
    ] = {}
    safe_tools: ToolPatterns = []
    unsafe_tools: ToolPatterns = []
    state_ttl_ms: Milliseconds = 300_000
    max_tracked_requests: _whole_number(1, TRACKED_LIMIT) = 100_000
    emit_policy_metadata: Flag = True
    metrics: Metrics = None


NESTED: dict[str, type[Options]] = {"status_overrides": StatusOverride, "budget": Budget}
"""Options that hold options."""

MISPLACED_IN_AN_OVERRIDE = (
    frozenset(RetryConfig.model_fields) - frozenset(ToolFields.model_fields) - {"tool_overrides"}
)
"""Options of the plugin as a whole. (Overrides inside an override are an unknown key.)"""

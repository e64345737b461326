"""The plugin's configuration: what an operator may write, coerced and checked.

This is the one place where YAML is validated. Lists of what is allowed are kept with
the fields, and an error quotes them. What the values mean is decided in the engine.
"""

import logging
from collections.abc import Iterable, Mapping
from typing import Annotated, Any

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError

from .errors import RetryConfigError

logger = logging.getLogger(__name__)

MAX_RETRIES_LIMIT = 1000
MS_LIMIT = 2**31 - 1
STATUS_LIMIT = 2**31 - 1
STATUSES_LIMIT = 1000
TRACKED_LIMIT = 10_000_000
TEXT_LIMIT = 2**30


class Allowed(str):
    """What a field may hold, in words; a marker beside its type."""

    __slots__ = ()


def _refuse_bool(value: Any) -> Any:
    if isinstance(value, bool):
        raise ValueError("a boolean is not a number")
    return value


def _whole_number(low: int, high: int) -> Any:
    return Annotated[
        int,
        BeforeValidator(_refuse_bool),
        Field(ge=low, le=high),
        Allowed(f"a whole number from {low} to {high}"),
    ]


Milliseconds = _whole_number(1, MS_LIMIT)
Flag = Annotated[bool, Allowed("true or false")]
Status = Annotated[int, BeforeValidator(_refuse_bool), Field(ge=0, le=STATUS_LIMIT)]
Statuses = Annotated[
    list[Status],
    Field(max_length=STATUSES_LIMIT),
    Allowed(f"a list of at most {STATUSES_LIMIT} whole numbers from 0 to {STATUS_LIMIT}"),
]


class ToolFields(BaseModel):
    """The options that hold for all tools or, in an override, for one.

    Unknown keys are dropped (the plugin warns of them); nothing of the input is kept.
    """

    # Built on first use: RetryConfig contains what is needed of the two smaller models.
    model_config = ConfigDict(extra="ignore", frozen=True, allow_inf_nan=False, defer_build=True)

    max_retries: _whole_number(0, MAX_RETRIES_LIMIT) = 2  # type: ignore[valid-type]
    backoff_base_ms: Milliseconds = 200  # type: ignore[valid-type]
    max_backoff_ms: Milliseconds = 5000  # type: ignore[valid-type]
    retry_on_status: Statuses = [429, 500, 502, 503, 504]
    jitter: Flag = True
    check_text_content: Flag = False
    max_text_bytes: _whole_number(0, TEXT_LIMIT) = 2**20  # type: ignore[valid-type]


class RetryOverride(ToolFields):
    """What differs for one tool. Only fields that were set count."""


def _none_is_empty(value: Any) -> Any:
    return {} if value is None else value


class RetryConfig(ToolFields):
    """The whole configuration of one plugin entry."""

    model_config = ConfigDict(defer_build=False)

    tool_overrides: Annotated[
        dict[str, RetryOverride],
        BeforeValidator(_none_is_empty),
        Allowed("a mapping from tool names to options"),
    ] = {}
    state_ttl_ms: Milliseconds = 300_000  # type: ignore[valid-type]
    max_tracked_requests: _whole_number(1, TRACKED_LIMIT) = 100_000  # type: ignore[valid-type]
    emit_policy_metadata: Flag = True


MISPLACED_IN_AN_OVERRIDE = (
    frozenset(RetryConfig.model_fields) - frozenset(ToolFields.model_fields) - {"tool_overrides"}
)
"""Options of the plugin as a whole. (Overrides inside an override are an unknown key.)"""


def load_config(raw: Any, plugin: str) -> RetryConfig:
    """Validates what stands under `config:` in the YAML; warns of unknown keys.

    Raises RetryConfigError with every error at once. Never changes raw.
    """
    if raw is None:
        raw = {}
    if not isinstance(raw, Mapping):
        raise RetryConfigError(
            f"plugin {plugin!r}: config = {_shown(raw)}: must be a mapping of options"
        )
    errors = list(_misplaced(raw))
    try:
        config = RetryConfig.model_validate(dict(raw))
    except ValidationError as error:
        errors += [_worded(e) for e in error.errors(include_url=False)]
    if errors:
        count = "1 error" if len(errors) == 1 else f"{len(errors)} errors"
        lines = "".join(f"\n  {line}" for line in errors)
        raise RetryConfigError(f"plugin {plugin!r}: {count} in its configuration:{lines}")
    for where, key, nearest in unknown_keys(raw):
        logger.warning(
            "plugin %r: unknown key %s is ignored%s",
            plugin,
            _place(where, key),
            f"; did you mean {nearest!r}?" if nearest else "",
        )
    return config


def unknown_keys(raw: Mapping[Any, Any]) -> Iterable[tuple[str, Any, str | None]]:
    """(tool or "", key, nearest known key or None) of each key that means nothing."""
    levels = [("", raw, set(RetryConfig.model_fields))]
    levels += [(tool, override, set(ToolFields.model_fields)) for tool, override in _overrides(raw)]
    for where, options, known in levels:
        for key in options:
            if key not in known and key not in MISPLACED_IN_AN_OVERRIDE:
                from difflib import get_close_matches  # slow to load, and seldom needed

                near = get_close_matches(str(key), known, n=1)
                yield where, key, near[0] if near else None


def _misplaced(raw: Mapping[Any, Any]) -> Iterable[str]:
    for tool, override in _overrides(raw):
        for key in override:
            if key in MISPLACED_IN_AN_OVERRIDE:
                yield (
                    f"{_place(tool, key)} = {_shown(override[key])}: "
                    "holds for the whole plugin, not for one tool; move it up to `config:`"
                )


def _overrides(raw: Mapping[Any, Any]) -> Iterable[tuple[str, Mapping[Any, Any]]]:
    """The overrides as written, without what is none: pydantic has words for that."""
    overrides = raw.get("tool_overrides")
    for tool, override in overrides.items() if isinstance(overrides, Mapping) else ():
        if isinstance(override, Mapping):
            yield str(tool), override


def _worded(error: Any) -> str:
    """One line for an error of pydantic's: where, what value, what is allowed."""
    loc = [str(part) for part in error["loc"]]
    tool = loc.pop(1) if loc[0] == "tool_overrides" and len(loc) > 1 else ""
    if tool:
        loc.pop(0)
    if loc and loc[0] == "[key]":
        return f"tool_overrides: the key {_shown(error['input'])}: must be a tool name (text)"
    if not loc:
        return f"tool_overrides[{tool!r}] = {_shown(error['input'])}: must be a mapping of options"
    field, path = loc[0], "".join(f"[{i}]" for i in loc[1:])
    model = RetryOverride if tool else RetryConfig
    allowed = next(m for m in model.model_fields[field].metadata if isinstance(m, Allowed))
    return f"{_place(tool, field)}{path} = {_shown(error['input'])}: must be {allowed}"


def _place(tool: str, key: Any) -> str:
    return f"tool_overrides[{tool!r}].{key}" if tool else f"{key}"


def _shown(value: Any) -> str:
    """A value for an error message: short, whatever it is."""
    try:
        text = repr(value)
    except Exception as error:
        text = f"<{type(value).__name__}: {error}>"
    return text if len(text) <= 80 else f"{text[:77]}..."


def engine_config(
    config: RetryConfig, *, name: str, private: bool, ceiling: int | None
) -> dict[str, Any]:
    """The normalized configuration as libretry takes it (retry_engine_new in retry.h)."""
    fields = set(ToolFields.model_fields)
    return {
        "name": name,
        "private": private,
        "ceiling": ceiling,
        "state_ttl_ms": config.state_ttl_ms,
        "max_tracked_requests": config.max_tracked_requests,
        "base": config.model_dump(include=fields),
        "overrides": [
            {"tool": tool, **override.model_dump(include=fields, exclude_unset=True)}
            for tool, override in config.tool_overrides.items()
        ],
    }

"""Reads a configuration: errors in words, warnings of unknown keys, what the engine gets."""

import logging
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

from pydantic import ValidationError

from .errors import RetryConfigError
from .options import (
    MISPLACED_IN_AN_OVERRIDE,
    NESTED,
    Allowed,
    Options,
    RetryConfig,
    RetryOverride,
    StatusOverride,
    ToolFields,
    WordedError,
)

logger = logging.getLogger(__name__)

__all__ = ["Problem", "RetryConfig", "engine_config", "load_config", "unknown_keys", "validate"]


class Problem(NamedTuple):
    """Something wrong or odd: where it stands under `config:`, and what is the matter."""

    path: tuple[Any, ...]
    text: str


def load_config(raw: Any, plugin: str) -> RetryConfig:
    """Validates what stands under `config:` in the YAML; warns of unknown keys.

    Raises RetryConfigError with every error at once. Never changes raw.
    """
    config, errors = validate(raw)
    if config is None:
        count = "1 error" if len(errors) == 1 else f"{len(errors)} errors"
        lines = "".join(f"\n  {error.text}" for error in errors)
        raise RetryConfigError(f"plugin {plugin!r}: {count} in its configuration:{lines}")
    for unknown in unknown_keys(raw):
        logger.warning("plugin %r: %s", plugin, unknown.text)
    return config


def validate(raw: Any) -> tuple[RetryConfig | None, list[Problem]]:
    """The configuration, or every error in it. Never changes raw."""
    if raw is None:
        raw = {}
    if not isinstance(raw, Mapping):
        return None, [Problem((), f"config = {_shown(raw)}: must be a mapping of options")]
    errors = list(_misplaced(raw))
    config = None
    try:
        config = RetryConfig.model_validate(dict(raw))
    except ValidationError as error:
        errors += [_worded(e) for e in error.errors(include_url=False)]
    return (None if errors else config), errors


def unknown_keys(raw: Any) -> Iterable[Problem]:
    """Each key that means nothing, with the nearest known one."""
    for path, options, model in _levels(raw if isinstance(raw, Mapping) else {}):
        known = model.model_fields
        for key in options:
            if key in known or (model is RetryOverride and key in MISPLACED_IN_AN_OVERRIDE):
                continue
            from difflib import get_close_matches  # slow to load, and seldom needed

            near = get_close_matches(str(key), known, n=1)
            hint = f"; did you mean {near[0]!r}?" if near else ""
            yield Problem((*path, key), f"unknown key {_dotted((*path, key))} is ignored{hint}")


Level = tuple[tuple[Any, ...], Mapping[Any, Any], type[Options]]


def _levels(raw: Mapping[Any, Any]) -> Iterable[Level]:
    """Every mapping of options: its path, what was written there, its model."""
    tools: list[Level] = [((), raw, RetryConfig)]
    tools += [(("tool_overrides", tool), o, RetryOverride) for tool, o in _overrides(raw)]
    for path, options, model in tools:
        yield path, options, model
        budget, statuses = options.get("budget"), options.get("status_overrides")
        if isinstance(budget, Mapping):
            yield (*path, "budget"), budget, NESTED["budget"]
        for status, entry in statuses.items() if isinstance(statuses, Mapping) else ():
            if isinstance(entry, Mapping):
                yield (*path, "status_overrides", status), entry, StatusOverride


def _misplaced(raw: Mapping[Any, Any]) -> Iterable[Problem]:
    for tool, override in _overrides(raw):
        wrong: list[tuple[tuple[Any, ...], Any]]
        wrong = [((key,), override[key]) for key in override if key in MISPLACED_IN_AN_OVERRIDE]
        budget = override.get("budget")
        scope = budget.get("scope") if isinstance(budget, Mapping) else None
        if isinstance(scope, str) and scope.lower() == "plugin":
            wrong.append((("budget", "scope"), scope))
        for inner, value in wrong:
            path = ("tool_overrides", tool, *inner)
            yield Problem(
                path,
                f"{_dotted(path)} = {_shown(value)}: holds for the whole plugin, not for one tool; "
                f"move {inner[0]} up to `config:`",
            )


def _overrides(raw: Mapping[Any, Any]) -> Iterable[tuple[str, Mapping[Any, Any]]]:
    """The overrides as written, without what is none: pydantic has words for that."""
    overrides = raw.get("tool_overrides")
    for tool, override in overrides.items() if isinstance(overrides, Mapping) else ():
        if isinstance(override, Mapping):
            yield str(tool), override


def _worded(error: Any) -> Problem:
    """An error of pydantic's: where, what value, what is allowed."""
    path: list[Any] = []
    allowed = "a mapping of options"
    model: type[Options] | None = RetryConfig
    entries: type[Options] | None = None  # of the mapping that the next part is a key of
    for part in error["loc"]:
        if entries is not None:
            if error["loc"][-1] == "[key]":
                key = f"the key {_shown(error['input'])}: must be a tool name (text)"
                return Problem((*path, error["input"]), f"{_dotted(path)}: {key}")
            path.append(part)
            model, entries, allowed = entries, None, "a mapping of options"
        elif model is not None and part in model.model_fields:
            path.append(part)
            field = model.model_fields[str(part)]
            allowed = next(m for m in field.metadata if isinstance(m, Allowed))
            nested = RetryOverride if part == "tool_overrides" else NESTED.get(str(part))
            model = nested if part == "budget" else None
            entries = None if part == "budget" else nested
        elif isinstance(part, int):
            path.append(part)
    said = (error.get("ctx") or {}).get("error")
    if isinstance(said, WordedError):
        return Problem(tuple(path), f"{_dotted(path)}: {said}")
    text = f"{_dotted(path)} = {_shown(error['input'])}: must be {allowed}"
    return Problem(tuple(path), text)


def _dotted(path: Sequence[Any]) -> str:
    """A path as errors write it: tool_overrides['search'].retry_on_status[1]."""
    text, keys = "", False
    for part in path:
        if keys or isinstance(part, int):
            text += f"[{part!r}]"
        else:
            text += f".{part}" if text else f"{part}"
        keys = part in ("tool_overrides", "status_overrides") and not keys
    return text


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
    # The engine notes a strategy that jitter leaves unused, if somebody asked for one.
    base = set(ToolFields.model_fields) - ({"strategy", "multiplier"} - config.model_fields_set)
    return {
        "name": name,
        "private": private,
        "ceiling": ceiling,
        "state_ttl_ms": config.state_ttl_ms,
        "max_tracked_requests": config.max_tracked_requests,
        "safe_tools": config.safe_tools,
        "unsafe_tools": config.unsafe_tools,
        "base": _fields(config, base),
        "overrides": [
            {"tool": tool, **_fields(override, override.model_fields_set)}
            for tool, override in config.tool_overrides.items()
        ],
    }


_NO_BUDGET = {
    "tokens": 0, "retry_cost": 0, "throttle_cost": 0, "success_refund": 0, "scope": "tool"
}  # fmt: skip


def _fields(options: ToolFields, names: Iterable[str]) -> dict[str, Any]:
    fields = {name: getattr(options, name) for name in ToolFields.model_fields if name in names}
    if "status_overrides" in fields:
        fields["status_overrides"] = [
            {"status": int(key) if key.isdigit() else key, **entry.model_dump(exclude_unset=True)}
            for key, entry in options.status_overrides.items()
        ]
    if "budget" in fields:
        fields["budget"] = options.budget.model_dump() if options.budget else _NO_BUDGET
    if "max_elapsed_ms" in fields:
        fields["max_elapsed_ms"] = options.max_elapsed_ms or 0
    return fields

"""Reads a configuration: errors in words, warnings of unknown keys, what the engine gets."""

import logging
from collections.abc import Iterable, Mapping
from typing import Any

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

__all__ = ["RetryConfig", "RetryOverride", "engine_config", "load_config", "unknown_keys"]


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
    for where, nearest in unknown_keys(raw):
        logger.warning(
            "plugin %r: unknown key %s is ignored%s",
            plugin,
            where,
            f"; did you mean {nearest!r}?" if nearest else "",
        )
    return config


def unknown_keys(raw: Mapping[Any, Any]) -> Iterable[tuple[str, str | None]]:
    """(path of the key, nearest known key or None) of each key that means nothing."""
    for where, options, model in _levels(raw):
        known = model.model_fields
        for key in options:
            if key in known or (model is RetryOverride and key in MISPLACED_IN_AN_OVERRIDE):
                continue
            from difflib import get_close_matches  # slow to load, and seldom needed

            near = get_close_matches(str(key), known, n=1)
            yield f"{where}{key}", near[0] if near else None


def _levels(raw: Mapping[Any, Any]) -> Iterable[tuple[str, Mapping[Any, Any], type[Options]]]:
    """Every mapping of options: its path, what was written there, its model."""
    tools: list[tuple[str, Mapping[Any, Any], type[Options]]] = [
        ("", raw, RetryConfig),
        *((f"{_at(tool)}.", o, RetryOverride) for tool, o in _overrides(raw)),
    ]
    for where, options, model in tools:
        yield where, options, model
        budget, statuses = options.get("budget"), options.get("status_overrides")
        if isinstance(budget, Mapping):
            yield f"{where}budget.", budget, NESTED["budget"]
        for status, entry in statuses.items() if isinstance(statuses, Mapping) else ():
            if isinstance(entry, Mapping):
                yield f"{where}status_overrides[{status!r}].", entry, StatusOverride


def _misplaced(raw: Mapping[Any, Any]) -> Iterable[str]:
    for tool, override in _overrides(raw):
        wrong = [(key, key, override[key]) for key in override if key in MISPLACED_IN_AN_OVERRIDE]
        budget = override.get("budget")
        scope = budget.get("scope") if isinstance(budget, Mapping) else None
        if isinstance(scope, str) and scope.lower() == "plugin":
            wrong.append(("budget.scope", "budget", scope))
        for path, moved, value in wrong:
            yield (
                f"{_at(tool)}.{path} = {_shown(value)}: "
                f"holds for the whole plugin, not for one tool; move {moved} up to `config:`"
            )


def _overrides(raw: Mapping[Any, Any]) -> Iterable[tuple[str, Mapping[Any, Any]]]:
    """The overrides as written, without what is none: pydantic has words for that."""
    overrides = raw.get("tool_overrides")
    for tool, override in overrides.items() if isinstance(overrides, Mapping) else ():
        if isinstance(override, Mapping):
            yield str(tool), override


def _worded(error: Any) -> str:
    """One line for an error of pydantic's: where, what value, what is allowed."""
    path, allowed = "", "a mapping of options"
    model: type[Options] | None = RetryConfig
    entries: type[Options] | None = None  # of the mapping that the next part is a key of
    for part in error["loc"]:
        if entries is not None:
            if error["loc"][-1] == "[key]":
                return f"{path}: the key {_shown(error['input'])}: must be a tool name (text)"
            path, model, entries = f"{path}[{part!r}]", entries, None
            allowed = "a mapping of options"
        elif model is not None and part in model.model_fields:
            path = f"{path}.{part}" if path else str(part)
            field = model.model_fields[str(part)]
            allowed = next(m for m in field.metadata if isinstance(m, Allowed))
            nested = RetryOverride if part == "tool_overrides" else NESTED.get(str(part))
            model = nested if part == "budget" else None
            entries = None if part == "budget" else nested
        elif isinstance(part, int):
            path = f"{path}[{part}]"
    said = (error.get("ctx") or {}).get("error")
    if isinstance(said, WordedError):
        return f"{path}: {said}"
    return f"{path} = {_shown(error['input'])}: must be {allowed}"


def _at(tool: str) -> str:
    return f"tool_overrides[{tool!r}]"


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

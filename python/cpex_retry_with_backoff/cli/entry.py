"""One plugin entry as the plugin would take it, without its effects."""

from dataclasses import dataclass
from typing import Any

import click
from cpex.framework.settings import get_settings

from ..ceiling import find_ceiling
from ..config import RetryConfig, engine_config, validate
from ..errors import RetryConfigError
from ..native import Engine


@dataclass(frozen=True)
class Loaded:
    """A configuration that is valid, and its engine with counts of its own."""

    config: RetryConfig
    engine: Engine
    normalized: dict[str, Any]
    """What libretry got."""
    ceiling: int | None
    ceiling_found_in: str


def load(raw: Any, name: str, *, ceiling: bool = True) -> Loaded:
    """Raises click.ClickException with every error."""
    config, errors = validate(raw)
    if config is None:
        lines = "".join(f"\n  {error.text}" for error in errors)
        raise click.ClickException(
            f"plugin {name!r} is not valid (cpex-retry check says more):{lines}"
        )
    limit, found_in = find_ceiling(get_settings) if ceiling else (None, "")
    normalized = engine_config(config, name=name, private=True, ceiling=limit)
    try:
        engine = Engine(normalized)
    except RetryConfigError as error:
        raise click.ClickException(f"plugin {name!r}: {error}") from error
    return Loaded(config, engine, normalized, limit, found_in)

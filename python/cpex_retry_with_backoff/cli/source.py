"""Plugin YAML as cpex reads it, with the place of everything in it."""

import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click
import yaml
from jinja2 import TemplateError
from jinja2.sandbox import SandboxedEnvironment

KIND_SUFFIX = ".RetryWithBackoffPlugin"
PACKAGE = "cpex_retry_with_backoff."


@dataclass(frozen=True)
class Place:
    """A line and a column of the file, both from 1. With Jinja, of the rendered file."""

    line: int
    column: int


@dataclass(frozen=True)
class Entry:
    """One of our plugin entries."""

    source: "Source"
    index: int
    values: dict[str, Any]

    @property
    def name(self) -> str:
        """The plugin's name."""
        return str(self.values.get("name", f"plugins[{self.index}]"))

    @property
    def config(self) -> Any:
        """What stands under `config:`."""
        return self.values.get("config")

    def place(self, path: Sequence[Any]) -> Place:
        """Where something in this entry stands, or what is nearest around it."""
        return self.source.place(["plugins", self.index, *path])


class Source:
    """One plugin YAML."""

    def __init__(self, path: Path) -> None:
        """Reads the file as cpex does: Jinja with `env`, then YAML.

        Raises click.ClickException if it cannot be read, with the reason and the place.
        """
        self.path = path
        try:
            template = path.read_text(encoding="utf-8")
            environment = SandboxedEnvironment(autoescape=True)
            self.text = environment.from_string(template).render(env=os.environ)
            self._root = yaml.compose(self.text, Loader=yaml.SafeLoader)
            self.data = yaml.safe_load(self.text) or {}
        except (OSError, UnicodeDecodeError, TemplateError, yaml.YAMLError) as error:
            raise click.ClickException(f"{path} cannot be read: {error}") from error
        if not isinstance(self.data, dict):
            raise click.ClickException(f"{path}: the file must be a mapping with `plugins:`")

    def entries(self) -> list[Entry]:
        """Our entries, in the order of the file."""
        return [
            Entry(self, i, entry)
            for i, entry in enumerate(self.data.get("plugins") or [])
            if isinstance(entry, dict) and is_ours(entry.get("kind"))
        ]

    def entry(self, name: str | None) -> Entry:
        """The entry of that name, or the only one."""
        entries = [e for e in self.entries() if name is None or e.name == name]
        if len(entries) == 1:
            return entries[0]
        names = ", ".join(repr(e.name) for e in self.entries()) or "none"
        wanted = (
            "one plugin of this package" if name is None else f"a plugin {name!r} of this package"
        )
        raise click.ClickException(
            f"{self.path}: {wanted} of this package is needed, there are: {names}"
            + ("; choose with --plugin" if len(entries) > 1 else "")
        )

    def place(self, path: Sequence[Any]) -> Place:
        """Where a path of keys and indexes leads, as far as it does."""
        node = self._root
        mark = node.start_mark if node is not None else None
        for part in path:
            found = next((pair for pair in _children(node) if pair[0] == part), None)
            if found is None and isinstance(part, str):
                found = next((pair for pair in _children(node) if str(pair[0]) == part), None)
            if found is None:
                break
            _, mark, node = found
        return Place(mark.line + 1, mark.column + 1) if mark is not None else Place(1, 1)


def is_ours(kind: Any) -> bool:
    """Whether a `kind:` names the plugin of this package."""
    return isinstance(kind, str) and kind.startswith(PACKAGE) and kind.endswith(KIND_SUFFIX)


def _children(node: Any) -> Iterator[tuple[Any, Any, Any]]:
    """(key or index, mark, node) of what is directly inside."""
    if isinstance(node, yaml.MappingNode):
        for key, value in node.value:
            constructed = yaml.safe_load(key.value) if key.tag.endswith(":int") else key.value
            yield constructed, key.start_mark, value
    elif isinstance(node, yaml.SequenceNode):
        for i, value in enumerate(node.value):
            yield i, value.start_mark, value

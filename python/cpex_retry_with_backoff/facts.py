"""Reads what is in a tool's result: see shim/facts.c. This is the part that needs Python."""

from collections.abc import Mapping
from typing import Any

from cpex.framework.memory import CopyOnWriteDict

from .library import hot

CONTENT_LIMIT = 10_000
"""Content items of one result that are looked at."""


def read_key(mapping: Any, key: str) -> Any:
    """The value of a key in anything; None if it is absent. An exception means the same."""
    if isinstance(mapping, CopyOnWriteDict):
        return mapping.get(key)  # right in every cpex; its C-level storage may be empty
    # "in" first, because reading a defaultdict would add the key.
    if isinstance(mapping, Mapping) and key not in mapping:
        return None
    return mapping[key]


# Before cpex 0.1.4 a CopyOnWriteDict keeps its values elsewhere than a dict does.
_is_plain = CopyOnWriteDict.get is dict.get and CopyOnWriteDict.__getitem__ is dict.__getitem__
hot.bind(read_key, CopyOnWriteDict if _is_plain else None)

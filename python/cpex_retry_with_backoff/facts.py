"""Reads the facts of a tool's result: what is there, not what it means.

Reading never changes the payload, never raises, and does not run into its owner:
keys are only looked up in things that are mappings.
"""

import operator
from collections.abc import Mapping
from typing import Any

from cpex.framework.memory import CopyOnWriteDict

from .native import HAS_STATUS, IS_ERROR, NESTED_IS_ERROR, UNLISTABLE_STATUS, encode

CONTENT_LIMIT = 10_000
"""Content items of one result that are looked at; walking more would take too long."""

_INT64_MAX = 2**63 - 1

# Types whose get() neither adds keys nor calls code of the payload's owner. The
# gateway's CopyOnWriteDict has a get() that is right in every cpex, also where its
# C-level storage is empty.
_TRUSTED_GET: dict[type, Any] = {dict: dict.get, CopyOnWriteDict: CopyOnWriteDict.get}


def read_key(mapping: Any, key: str) -> Any:
    """The value of a key in anything; None if it is absent or cannot be read."""
    try:
        # "in" first, because reading a defaultdict would add the key.
        if isinstance(mapping, Mapping) and key not in mapping:
            return None
        return mapping[key]
    except Exception:
        return None


def read_facts(result: Any) -> tuple[int, int, bool]:
    """(facts, status, has_structured_content); facts are those of native."""
    get = _TRUSTED_GET.get(type(result), read_key)
    facts = IS_ERROR if get(result, "isError") is True else 0
    structured = get(result, "structuredContent")
    if structured is None:
        return facts, 0, False
    get = _TRUSTED_GET.get(type(structured), read_key)
    if get(structured, "isError") is True:
        facts |= NESTED_IS_ERROR
    status = get(structured, "status_code")
    if status is None:
        return facts, 0, True
    try:
        status = operator.index(status)  # int, bool, numpy.int64; not 503.0, not "503"
    except Exception:
        return facts, 0, True
    if not -_INT64_MAX <= status <= _INT64_MAX:
        status = UNLISTABLE_STATUS
    return facts | HAS_STATUS, status, True


def read_texts(result: Any, max_bytes: int) -> list[bytes]:
    """The text payloads of a result: from its first CONTENT_LIMIT items, max_bytes in all.

    The engine applies max_bytes too, and exactly; here it keeps a huge result from
    being copied on the way.
    """
    content = _TRUSTED_GET.get(type(result), read_key)(result, "content")
    texts: list[bytes] = []
    if not isinstance(content, list | tuple):
        return texts
    for item in content[:CONTENT_LIMIT]:
        get = _TRUSTED_GET.get(type(item), read_key)
        if get(item, "type") != "text":
            continue
        text = get(item, "text")
        if isinstance(text, str | bytes | bytearray) and len(text) <= max_bytes:
            texts.append(encode(text) if isinstance(text, str) else bytes(text))
            max_bytes -= len(text)
    return texts

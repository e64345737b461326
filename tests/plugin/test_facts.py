"""Reading a result: everything is found, nothing is changed, nothing raises."""

from __future__ import annotations

import sys
import types
from collections import UserDict, defaultdict
from typing import Any

import pytest
from cpex.framework.memory import CopyOnWriteDict
from support import FAILED, delay, status, text

from cpex_retry_with_backoff.facts import CONTENT_LIMIT
from cpex_retry_with_backoff.library import hot
from cpex_retry_with_backoff.native import HAS_STATUS, IS_ERROR, NESTED_IS_ERROR


def read_facts(result: Any) -> tuple[int, int]:
    """Facts and status."""
    found: tuple[int, int] = hot.read(result, -1, 0)[:2]
    return found


def read_texts(result: Any, limit: int) -> list[bytes]:
    texts: list[bytes] = hot.read(result, limit, 0)[2]
    return texts


class Raising(dict):
    def __getitem__(self, key: Any) -> Any:
        raise RuntimeError("mine")

    def __contains__(self, key: Any) -> bool:
        raise RuntimeError("mine")

    get = __getitem__


class Everything:
    """Answers any key, and would go on for ever if it were iterated."""

    def __getitem__(self, key: Any) -> Any:
        return True if key == "isError" else None


def test_every_sort_of_mapping_is_read() -> None:
    for wrap in (dict, UserDict, types.MappingProxyType, CopyOnWriteDict,
                 lambda d: defaultdict(list, d)):  # fmt: skip
        assert read_facts(wrap({"isError": True})) == (IS_ERROR, 0)
        nested = wrap({"structuredContent": wrap({"isError": True, "status_code": 503})})
        assert read_facts(nested) == (NESTED_IS_ERROR | HAS_STATUS, 503)


def test_what_is_no_mapping_holds_no_facts() -> None:
    for thing in (None, 5, "isError", ["isError"], object(), Raising(isError=True), b"x",
                  types.SimpleNamespace(isError=True)):  # fmt: skip
        assert read_facts(thing) == (0, 0)


def test_an_object_that_answers_any_key_is_not_iterated() -> None:
    assert read_facts(Everything()) == (IS_ERROR, 0)


def test_a_defaultdict_keeps_its_keys(make: Any) -> None:
    result: Any = defaultdict(dict, {"structuredContent": defaultdict(dict)})
    delay(make(check_text_content=True), result)
    read_texts(result, 100)
    assert list(result) == ["structuredContent"]
    assert list(result["structuredContent"]) == []


@pytest.mark.parametrize(
    ("value", "facts", "code"),
    [
        (503, HAS_STATUS, 503), (True, HAS_STATUS, 1), (0, HAS_STATUS, 0),
        (-1, HAS_STATUS, -1), (2**40, HAS_STATUS, 2**40), (2**63, HAS_STATUS, -1),
        (-(2**63), HAS_STATUS, -(2**63)), (-(2**63) - 1, HAS_STATUS, -1), (10**400, HAS_STATUS, -1),
        (503.0, 0, 0), ("503", 0, 0), (None, 0, 0), ([503], 0, 0), (object(), 0, 0),
    ],
)  # fmt: skip
def test_a_status_is_whatever_is_an_integer(value: Any, facts: int, code: int) -> None:
    assert read_facts({"structuredContent": {"status_code": value}}) == (facts, code)


def test_an_index_that_raises_is_no_status() -> None:
    class Bad:
        def __index__(self) -> int:
            raise RuntimeError("mine")

    assert read_facts({"structuredContent": {"status_code": Bad()}}) == (0, 0)


def test_texts_are_collected_as_bytes_and_long_ones_left_out() -> None:
    content = [
        {"type": "text", "text": "é"}, {"type": "text", "text": b"x"},
        {"type": "text", "text": bytearray(b"y")}, {"type": "text", "text": "\ud800"},
        {"type": "image", "text": "no"}, {"type": "text", "text": "too long"}, None, "text",
    ]  # fmt: skip
    expected = [b"\xc3\xa9", b"x", b"y", b"\xed\xa0\x80"]
    assert read_texts({"content": content}, 7) == expected
    assert read_texts({"content": tuple(content)}, 7) == expected
    assert read_texts({"content": content}, 2) == expected[:2], "two characters in all"
    for nothing in (None, 5, "text", {}, {"type": "text", "text": "x"}):
        assert read_texts({"content": nothing}, 3) == []


def test_texts_beside_structured_content_are_not_collected() -> None:
    result = {"content": [{"type": "text", "text": "x"}]}
    assert read_texts(result, 100) == [b"x"]
    assert read_texts(result, -1) == []
    for structured in ({}, [], "", 0, False):
        assert read_texts(result | {"structuredContent": structured}, 100) == []
    assert read_texts(result | {"structuredContent": None}, 100) == [b"x"]


def test_content_that_changes_while_it_is_read_is_harmless() -> None:
    class Shrinking(dict[str, Any]):
        def __getitem__(self, key: str) -> Any:
            content.clear()
            return "text"

    content: list[Any] = []
    content += [Shrinking(type="text", text="x"), {"type": "text", "text": "never seen"}]
    assert read_texts({"content": content}, 100) == [b"text"]


def test_what_is_no_ordinary_error_gets_through(make: Any) -> None:
    class Interrupted(dict[str, Any]):
        def __getitem__(self, key: str) -> Any:
            raise KeyboardInterrupt

    inner = Interrupted(isError=True)
    for result in (inner, {"structuredContent": inner}):
        with pytest.raises(KeyboardInterrupt):
            delay(make(), result)


def test_reading_and_deciding_keeps_no_references(make: Any) -> None:
    item = {"type": "text", "text": "ü" * 10}
    odd = UserDict({"type": "text", "text": b"bytes"})
    result = {"isError": False, "content": [item, odd, *[item] * 40]}
    plugin = make(check_text_content=True)
    watched = [result, result["content"], item, item["text"], odd, hot, FAILED]
    delay(plugin, result)
    before = [sys.getrefcount(thing) for thing in watched]
    for _ in range(100):
        hot.read(result, 1000, 7)
        delay(plugin, result)
        delay(plugin, FAILED)
    assert [sys.getrefcount(thing) for thing in watched] == before


def test_max_text_bytes_bounds_what_is_inspected(make: Any) -> None:
    bad = '{"isError": true}'
    plugin = make(check_text_content=True, max_text_bytes=len(bad))
    assert delay(plugin, text(bad)) > 0
    assert delay(plugin, text(bad + " "), request="r2") == 0


def test_of_a_very_long_content_the_first_items_are_looked_at(make: Any) -> None:
    plugin = make(check_text_content=True)
    fine = {"type": "text", "text": ""}
    bad = {"type": "text", "text": '{"isError": true}'}
    assert delay(plugin, {"content": [*[fine] * (CONTENT_LIMIT - 1), bad]}) > 0
    assert delay(plugin, {"content": [*[fine] * CONTENT_LIMIT, bad]}, request="r2") == 0


def test_every_text_of_a_result_is_looked_at(make: Any) -> None:
    plugin = make(check_text_content=True)
    fine = [{"type": "text", "text": f"{i}"} for i in range(50)]
    bad = {"type": "text", "text": '{"status_code": 503}'}
    for position in (0, 7, 50):
        content = [*fine[:position], bad, *fine[position:]]
        assert delay(plugin, {"content": content}, request=f"r{position}") > 0
    assert delay(plugin, {"content": fine}) == 0


def test_a_listed_status_is_retried_and_another_is_not(make: Any) -> None:
    plugin = make()
    assert delay(plugin, status(503)) > 0
    assert delay(plugin, status(404)) == 0
    assert delay(plugin, FAILED) > 0

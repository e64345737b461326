"""Hostile input: never an exception out of the hook, never a crash, and a bound on time and memory."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest
from harness import passes
from support import FAILED, FINE, call, context, decide, delay, stats

NAMES = {
    "NUL": "a\0b",
    "empty": "",
    "lone surrogate": "\ud800",
    "emoji": "🙂" * 100,
    "long": "x" * 2**20,
    "newlines": "a\n\r\t",
    "percent": "%s%n%d",
}


@pytest.mark.parametrize("which", NAMES)
def test_any_str_is_a_name(make: Any, which: str) -> None:
    target = make()
    for tool, request in ((NAMES[which], "r"), ("t", NAMES[which]), (NAMES[which], NAMES[which])):
        answers = [decide(target, FAILED, tool, request).retry_delay_ms for _ in range(3)]
        assert answers == [200, 400, 0]


def test_names_that_end_at_a_nul_are_different(make: Any) -> None:
    target = make()
    assert [delay(target, FAILED, tool) for tool in ("a", "a\0", "a\0b", "a\0c")] == [200] * 4


@pytest.mark.parametrize("odd", [None, 5, b"bytes", ["t"], {}, object(), 1.5])
def test_what_is_no_str_is_answered_without_a_retry(make: Any, odd: Any) -> None:
    target = make()
    assert decide(target, FAILED, odd, "r").retry_delay_ms == 0
    strange = SimpleNamespace(global_context=SimpleNamespace(request_id=odd))
    payload = SimpleNamespace(name="t", result=FAILED)
    answer = target._core.tool_post_invoke(payload, strange)
    assert answer.retry_delay_ms == 0
    assert answer.metadata["retry_policy"]["max_retries"] == 2


class Hostile(dict):
    """Does what it is told whenever it is read."""

    def __init__(self, do: Any) -> None:
        super().__init__(FAILED)
        self.do = do

    def __contains__(self, key: Any) -> bool:
        self.do(self)
        return super().__contains__(key)

    def __getitem__(self, key: Any) -> Any:
        self.do(self)
        return super().__getitem__(key)


def raising(error: type[BaseException]) -> Any:
    def do(_: Any) -> None:
        raise error("mine")

    return do


@pytest.mark.parametrize(
    "error", [RuntimeError, KeyError, RecursionError, MemoryError, AttributeError, StopIteration]
)
def test_a_result_that_raises_is_no_failure(make: Any, error: type[BaseException]) -> None:
    target = make()
    assert delay(target, Hostile(raising(error))) == 0
    assert stats(target)["decisions"]["success"] == 1, "and no fault either"


@pytest.mark.parametrize("error", [KeyboardInterrupt, SystemExit])
def test_what_ends_the_program_is_let_through(make: Any, error: type[BaseException]) -> None:
    target = make()
    with pytest.raises(error):
        decide(target, Hostile(raising(error)))
    assert delay(target, FAILED) == 200


def test_a_result_that_changes_while_it_is_read(make: Any) -> None:
    target = make(check_text_content=True)
    assert delay(target, Hostile(lambda d: d.clear())) == 0
    assert delay(target, Hostile(lambda d: d.update({str(len(d)): 1}))) == 200
    content: list[Any] = []

    class Growing(dict):
        def __contains__(self, key: Any) -> bool:
            content.extend([Growing()] * 3)
            return False

    content.append(Growing())
    assert delay(target, {"content": content}, request="growing") == 0


@pytest.mark.parametrize("nothing", [None, 0, "", [], object()])
def test_nonsense_for_any_argument(make: Any, nothing: Any) -> None:
    target = make()
    good = SimpleNamespace(name="t", result=FINE)
    for arguments in (
        (nothing, context(), None), (good, nothing, None), (good, context(), nothing),
        (nothing, nothing, nothing),
    ):  # fmt: skip
        assert target._core.tool_post_invoke(*arguments).retry_delay_ms == 0
    assert call(target, FAILED).retry_delay_ms == 200


def test_extensions_that_raise_are_no_trace(make: Any) -> None:
    class Extensions:
        @property
        def request(self) -> Any:
            raise RuntimeError("mine")

    answer = call(make(), FAILED, extensions=Extensions())
    assert answer.retry_delay_ms == 200
    assert "retry_with_backoff" not in answer.metadata


def test_bytes_that_are_no_utf8_are_read_as_json_bytes(make: Any) -> None:
    target = make(check_text_content=True)
    item = {"type": "text", "text": b'{"x": "\xff\xfe", "isError": true}'}
    assert delay(target, {"content": [item]}) == 200
    item = {"type": "text", "text": b"\xff\xfe" * 100}
    assert delay(target, {"content": [item]}, request="r2") == 0


LIMITS = """
import resource
target = plugin("limits", check_text_content=True)
delay(target, FAILED, request="warm")

def cost(result, tool="t"):
    '''(milliseconds, MiB of new peak memory) of one call.'''
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    begun = time.perf_counter()
    answer = decide(target, result, tool, "cost")
    took = (time.perf_counter() - begun) * 1000
    return answer.retry_delay_ms, took, (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - peak) / 1024

def texts(*all):
    return {"content": [{"type": "text", "text": t} for t in all]}
"""

# The limits leave room for a slow machine; README's table has what was measured.
CASES = {
    "a text of 50 MB": ('texts(\'{"x": "\' + "y" * 50_000_000 + \'", "isError": true}\')', 50, 8),
    "a million items": ('texts(*["x"]) | {"content": [{"type": "text", "text": "{}"}] * 1_000_000}', 200, 64),
    "a million brackets": ('texts(\'{"isError": true, "x": \' + "[" * 500_000 + "]" * 500_000 + "}")', 200, 32),
    "many texts up to the limit": ('texts(*[\'{"isError":\' + "1" * 1000] * 5000)', 200, 32),
    "deep structured content": ('{"structuredContent": deep(100_000)}', 50, 8),
}  # fmt: skip


@pytest.mark.parametrize("which", CASES)
def test_the_cost_of_one_call_is_bounded(which: str) -> None:
    make_it, milliseconds, mebibytes = CASES[which]
    ran = passes(
        LIMITS
        + f"""
def deep(n):
    inner = {{}}
    for _ in range(n):
        inner = {{"x": inner}}
    return inner

result = {make_it}
_, took, memory = cost(result)
print(f"{{took:.1f}} ms, {{memory:.1f}} MiB")
assert took < {milliseconds}, took
assert memory < {mebibytes}, memory
"""
    )
    print(f"{which}: {ran.stdout.splitlines()[0]}")


def test_long_names_are_not_remembered() -> None:
    passes(
        LIMITS
        + """
def rss():
    return int(open("/proc/self/statm").read().split()[1]) * 4096 / 2**20
for n in range(200):
    cost(FAILED, f"{n}" + "x" * 2**20)
middle = rss()
for n in range(1000):
    cost(FAILED, f"more{n}" + "x" * 2**20)
assert rss() - middle < 50, rss() - middle
"""
    )


def test_a_large_max_text_bytes_is_obeyed() -> None:
    passes("""
        target = plugin("large", check_text_content=True, max_text_bytes=2**28)
        big = '{"x": "' + "y" * 50_000_000 + '", "isError": true}'
        assert delay(target, text(big)) == 200
        nested = '{"x": ' + "[" * 1_000_000 + "]" * 1_000_000 + ', "isError": true}'
        assert delay(target, text(nested), request="nested") == 200
    """)

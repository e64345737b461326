"""Memory, threads and descriptors stay where they are, whatever happens for however long."""

from __future__ import annotations

import os

import pytest
from harness import passes

MEASURE = """
def rss():
    return int(open("/proc/self/statm").read().split()[1]) * os.sysconf("SC_PAGESIZE") / 2**20

def threads():
    return len(os.listdir("/proc/self/task"))

def descriptors():
    return len(os.listdir("/proc/self/fd"))

def abandon(target, first, count):
    decide = target._core.engine.decide
    for n in range(first, first + count):
        decide({"isError": True}, "tool", f"{n:032x}", native.READ_ERRORS)
"""


@pytest.mark.slow
def test_two_million_abandoned_requests() -> None:
    ran = passes(
        MEASURE
        + """
target = plugin("abandoned")
grown = []
before = rss()
for part in range(20):
    abandon(target, part * 100_000, 100_000)
    grown.append(rss() - before)
print("MiB after each 100,000:", [round(g, 1) for g in grown])
assert max(grown[1:]) - grown[1] < 6, grown  # it stops growing at the bound
assert grown[-1] < 100_000 * 160 / 2**20 + 6, grown
seen = stats(target)
assert seen["tracked"] == 100_000 and seen["evicted"] == 1_900_000, seen
newest = 2_000_000 - 1
for n in (newest, newest - 1, newest - 99_000):
    answer = target._core.engine.decide({"isError": True}, "tool", f"{n:032x}", native.READ_ERRORS)
    assert answer >> 8 & 0xFFFFF == 2, (n, hex(answer))
answer = target._core.engine.decide({"isError": True}, "tool", f"{5:032x}", native.READ_ERRORS)
assert answer >> 8 & 0xFFFFF == 1, "forgotten"
""",
        limit_s=120,
    )
    print(ran.stdout)


@pytest.mark.slow
def test_ten_thousand_constructions_and_shutdowns() -> None:
    passes(
        MEASURE
        + """
def round_(count, start):
    for n in range(count):
        target = plugin(f"built-{(start + n) % 50}")
        decide(target, FAILED, "t", str(n))
        if n % 2:
            asyncio.run(target.shutdown())
round_(2000, 0)
gc.collect()
before = rss(), threads(), descriptors(), native.runtime()["goroutines"]
round_(10_000, 2000)
gc.collect()
after = rss(), threads(), descriptors(), native.runtime()["goroutines"]
assert after[0] - before[0] < 8, (before, after)
assert after[2] - before[2] in (0, 2), (before, after)  # Go opens two when it first needs them
assert after[3] == before[3], (before, after)
assert after[1] - before[1] <= 2, (before, after)  # Go may add a thread of its own
""",
        limit_s=120,
    )


@pytest.mark.slow
def test_soak() -> None:
    """A mix of everything for SOAK_SECONDS (default 30; `make soak` takes 180)."""
    seconds = float(os.environ.get("SOAK_SECONDS", "30"))
    ran = passes(
        MEASURE
        + f"""
import random
pick = random.Random(1)
target = plugin("soak", check_text_content=True, state_ttl_ms=2000, jitter=True)
results = [FAILED, FINE, status(503), status(404), status(503, False), text('{{"isError": true}}'),
           text("fine"), None]

def part(duration):
    global target
    until, calls = time.monotonic() + duration, 0
    while time.monotonic() < until:
        for _ in range(200):
            decide(target, pick.choice(results), f"tool-{{pick.randrange(20_000)}}", f"{{pick.getrandbits(24)}}")
        calls += 200
        if pick.random() < 0.05:
            old, target = target, plugin("soak", check_text_content=True, state_ttl_ms=2000)
            asyncio.run(old.shutdown())
    return calls

def state():
    gc.collect()
    go = native.runtime()
    return {{"rss": rss(), "threads": threads(), "descriptors": descriptors(), **go}}

import logging
logging.disable(logging.CRITICAL)
part({seconds} * 0.3)  # until caches and pools have their size
before, calls = state(), 0
for _ in range(5):
    calls += part({seconds} * 0.14)
after = state()
print(f"{{calls}} calls", before, after)
assert after["rss"] - before["rss"] < 10, (before, after)
assert after["descriptors"] - before["descriptors"] in (0, 2), (before, after)  # Go's own two
assert after["goroutines"] == before["goroutines"], (before, after)
assert after["threads"] - before["threads"] <= 2, (before, after)
assert after["heap_bytes"] < 64 * 2**20, (before, after)
""",
        limit_s=60 + seconds * 2,
    )
    print(ran.stdout)

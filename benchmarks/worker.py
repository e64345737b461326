"""Measures whichever plugin is installed, once, and prints JSON: worker.py TASK [ARGUMENT]

Every task runs in a process of its own, so that nothing is warm from the one before.
"""

from __future__ import annotations

import asyncio
import gc
import json
import os
import statistics
import sys
import threading
import time
from typing import Any

from paths import FAILED, FINE, KIND, PATHS, Path, overrides, tracked

REPETITIONS = 7


def make_plugin(options: dict[str, Any], name: str = "bench") -> Any:
    from cpex.framework import PluginConfig

    config = PluginConfig(name=name, kind=KIND, config=dict(options))
    if os.environ.get("BENCH_FLOOR"):
        return Floor(config)
    from cpex_retry_with_backoff.retry_with_backoff import RetryWithBackoffPlugin

    return RetryWithBackoffPlugin(config)


def Floor(config: Any) -> Any:  # noqa: N802
    """A plugin that only returns a result with the metadata: nothing can be faster."""
    from cpex.framework import Plugin, ResourcePostFetchResult, ToolPostInvokeResult

    policy = {"max_retries": 2, "backoff_base_ms": 200, "max_backoff_ms": 5000,
              "retry_on_status": [429, 500, 502, 503, 504]}  # fmt: skip

    class FloorPlugin(Plugin):
        async def tool_post_invoke(self, payload: Any, context: Any) -> Any:
            return ToolPostInvokeResult(retry_delay_ms=0, metadata={"retry_policy": policy})

        async def resource_post_fetch(self, payload: Any, context: Any) -> Any:
            return ResourcePostFetchResult(metadata={"retry_policy": policy})

    return FloorPlugin(config)


def payload_of(result: Any) -> Any:
    """The payload as the manager hands it over: nested values plain, the result wrapped."""
    from cpex.framework import ToolPostInvokePayload
    from cpex.framework.memory import CopyOnWriteDict

    return ToolPostInvokePayload.model_construct(
        name="weather-forecast", result=CopyOnWriteDict(result)
    )


def context_of(request: str) -> Any:
    from cpex.framework import GlobalContext, PluginContext

    return PluginContext(global_context=GlobalContext(request_id=request))


def caller(plugin: Any) -> Any:
    loop = asyncio.new_event_loop()

    def call(result: Any, request: str) -> Any:
        return loop.run_until_complete(
            plugin.tool_post_invoke(payload_of(result), context_of(request))
        )

    return call


def time_calls(plugin: Any, path: Path) -> dict[str, float]:
    """Microseconds a call: the least and the median of the repetitions."""
    hook = getattr(plugin, path.hook)
    payloads = [payload_of(result) for result in path.results]
    context = context_of("0123456789abcdef0123456789abcdef")
    rounds = max(1, path.calls // len(payloads))

    async def run() -> list[float]:
        times = []
        for _ in range(REPETITIONS + 1):
            gc.collect()
            gc.disable()
            begun = time.perf_counter()
            for _ in range(rounds):
                for payload in payloads:
                    await hook(payload, context)
            times.append((time.perf_counter() - begun) / rounds / len(payloads) * 1e6)
            gc.enable()
        return times[1:]  # the first warms up

    times = asyncio.run(run())
    return {"min": min(times), "median": statistics.median(times)}


def prepared(path: Path) -> Any:
    plugin = make_plugin(path.options)
    if path.prepare and not os.environ.get("BENCH_FLOOR"):
        path.prepare(caller(plugin))
    return plugin


def task_paths() -> dict[str, Any]:
    return {path.name: time_calls(prepared(path), path) for path in PATHS}


def task_overrides(count: str) -> dict[str, float]:
    path = Path("", [FINE], None, None, overrides(int(count)), calls=2000)
    return time_calls(prepared(path), path)


def task_tracked(count: str) -> dict[str, float]:
    """A failure cycle: a success alone may not look at what is tracked."""
    n = int(count)
    limit = {} if os.environ.get("BENCH_UPSTREAM") else {"max_tracked_requests": 2_000_000}
    slow = bool(os.environ.get("BENCH_UPSTREAM")) and n >= 100_000
    path = Path(
        "", [FAILED, FAILED, FINE], None, None, limit, tracked(n), calls=30 if slow else 3000
    )
    return time_calls(prepared(path), path)


def task_memory(count: str) -> dict[str, float]:
    """Bytes for each tracked request with 36-byte ids, all memory of the process included."""
    n = int(count)

    def rss() -> int:
        with open("/proc/self/statm") as file:  # noqa: PTH123
            return int(file.read().split()[1]) * os.sysconf("SC_PAGESIZE")

    limit = {} if os.environ.get("BENCH_UPSTREAM") else {"max_tracked_requests": 2_000_000}
    call = caller(make_plugin(limit))
    for i in range(1000):
        call(FAILED, f"warm-{i}")
    gc.collect()
    before = rss()
    for i in range(n):
        call(FAILED, f"{i:036x}")
    gc.collect()
    return {"bytes": (rss() - before) / n}


def task_stall(count: str, ttl_s: str) -> dict[str, float]:
    """The worst single call while so many tracked requests are stale, in microseconds."""
    n, ttl = int(count), float(ttl_s)
    options: dict[str, Any] = {"max_retries": 2}
    if not os.environ.get("BENCH_UPSTREAM"):
        options |= {"max_tracked_requests": 2_000_000, "state_ttl_ms": int(ttl * 1000)}
    plugin = make_plugin(options)
    call = caller(plugin)
    for i in range(n):
        call(FAILED, f"{i:036x}")
    time.sleep(ttl + 1)
    hook, payload = plugin.tool_post_invoke, payload_of(FAILED)
    contexts = [context_of(f"after-{i}") for i in range(600_000)]
    gc.collect()
    gc.disable()

    async def run() -> list[float]:
        times = []
        for context in contexts:
            begun = time.perf_counter()
            await hook(payload, context)
            times.append(time.perf_counter() - begun)
        return times

    times = sorted(asyncio.run(run()))
    return {"worst": times[-1] * 1e6, "p9999": times[-len(times) // 10_000] * 1e6,
            "median": statistics.median(times) * 1e6}  # fmt: skip


def task_start() -> dict[str, float]:
    """Milliseconds: importing the plugin after cpex, and building the first one."""
    import cpex.framework
    import cpex.framework.settings  # noqa: F401

    begun = time.perf_counter()
    import cpex_retry_with_backoff.retry_with_backoff  # noqa: F401

    imported = time.perf_counter()
    make_plugin({})
    built = time.perf_counter()
    make_plugin({})
    again = time.perf_counter()
    return {"import_ms": (imported - begun) * 1e3, "first_ms": (built - imported) * 1e3,
            "next_ms": (again - built) * 1e3}  # fmt: skip


def task_threads(count: str) -> dict[str, float]:
    """Calls a second of all threads together, each with an event loop of its own."""
    n, calls = int(count), 20_000
    plugin = make_plugin({})
    barrier = threading.Barrier(n + 1)

    def work(number: int) -> None:
        async def run() -> None:
            payloads = [payload_of(r) for r in (FAILED, FAILED, FINE)]
            context = context_of(f"thread-{number}")
            for _ in range(calls // 3):
                for payload in payloads:
                    await plugin.tool_post_invoke(payload, context)

        barrier.wait()
        asyncio.run(run())

    threads = [threading.Thread(target=work, args=(i,)) for i in range(n)]
    for thread in threads:
        thread.start()
    barrier.wait()
    begun = time.perf_counter()
    for thread in threads:
        thread.join()
    return {"calls_per_s": n * calls / (time.perf_counter() - begun)}


def task_manager() -> dict[str, float]:
    """A success through a real PluginManager with this one plugin."""
    import tempfile

    from cpex.framework import GlobalContext, PluginManager, ToolHookType

    with tempfile.NamedTemporaryFile("w", suffix=".yaml") as file:
        json.dump({"plugins": [{"name": "bench", "kind": KIND, "hooks": ["tool_post_invoke"],
                                "mode": "sequential", "config": {}}],
                   "plugin_dirs": [], "plugin_settings": {}}, file)  # fmt: skip
        file.flush()
        manager = PluginManager(file.name, timeout=30)

        async def run() -> list[float]:
            await manager.initialize()
            payload, context = payload_of(FINE), GlobalContext(request_id="r" * 32)
            times = []
            for _ in range(REPETITIONS + 1):
                begun = time.perf_counter()
                for _ in range(500):
                    await manager.invoke_hook(ToolHookType.TOOL_POST_INVOKE, payload, context)
                times.append((time.perf_counter() - begun) / 500 * 1e6)
            return times[1:]

        times = asyncio.run(run())
    return {"min": min(times), "median": statistics.median(times)}


def task_native() -> dict[str, float]:
    """RetryStateManager called directly."""
    from cpex_retry_with_backoff.retry_with_backoff_rust import RetryStateManager

    manager = RetryStateManager(2, 200, 5000, True, [429, 500, 503])
    times = []
    for _ in range(REPETITIONS + 1):
        begun = time.perf_counter()
        for _ in range(5000):
            manager.check_and_update("tool", "request", False, None)
        times.append((time.perf_counter() - begun) / 5000 * 1e6)
    return {"min": min(times[1:]), "median": statistics.median(times[1:])}


if __name__ == "__main__":
    import logging

    logging.disable(logging.CRITICAL)
    task, *arguments = sys.argv[1:]
    print(json.dumps(globals()[f"task_{task}"](*arguments)))

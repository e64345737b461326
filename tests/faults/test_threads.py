"""Threads: nothing deadlocks, no count is lost or doubled.

Upstream 0.3.11 deadlocks with two threads on one plugin, 0.3.1 with two threads and
logging on, both with a log handler that calls the plugin.
"""

from __future__ import annotations

import pytest
from harness import passes


def test_eight_threads_and_an_event_loop_on_the_same_and_on_different_keys() -> None:
    passes("""
        target = plugin("threads", max_retries=1000, max_backoff_ms=200)
        calls = 500

        def thread(n):
            for i in range(calls):
                delay(target, FAILED, request="same")
                delay(target, FAILED, request=f"{n}-{i}")

        async def loop():
            from cpex.framework import ToolPostInvokePayload
            payload = ToolPostInvokePayload(name="t", result=FAILED)
            async def one(request):
                return await target.tool_post_invoke(payload, context(request))
            for i in range(calls):
                await asyncio.gather(one("same"), one(f"loop-{i}"))

        in_threads(9, lambda n: asyncio.run(loop()) if n == 8 else thread(n))
        seen = stats(target)
        assert seen["decisions"]["retry"] + seen["decisions"]["exhausted"] == 2 * 9 * calls
        # "same" fails 4500 times: every 1001st failure is one too many.
        assert seen["decisions"]["exhausted"] == 9 * calls // 1001
        assert seen["tracked"] == 9 * calls + 1
        first = call(target, FAILED, request="0-0", extensions=__import__("support").traced())
        assert first.metadata["retry_with_backoff"]["retry_count"] == 2
    """)


@pytest.mark.parametrize("level", ["DEBUG", "WARNING"])
def test_two_threads_with_logging_on(level: str) -> None:
    passes(f"""
        import logging
        logging.basicConfig(level="{level}", stream=open(os.devnull, "w"))
        target = plugin("logging", max_retries=1)
        in_threads(2, lambda n: [delay(target, FAILED, tool=f"t{{i}}") for i in range(5000)])
    """)


def test_a_log_handler_that_calls_the_plugin() -> None:
    passes("""
        import logging
        inside = threading.local()

        class Reentrant(logging.Handler):
            def emit(self, record):
                if not getattr(inside, "busy", False):
                    inside.busy = True
                    decide(target, FAILED, f"log-{threading.get_ident()}", "log")
                    stats(target)
                    inside.busy = False

        logging.getLogger().addHandler(Reentrant())
        target = plugin("reentrant", max_retries=0)
        in_threads(4, lambda n: [delay(target, FAILED, tool=f"t{n}-{i}") for i in range(500)])
        assert stats(target)["decisions"]["exhausted"] > 2000
    """)


def test_a_payload_that_calls_the_plugin_while_it_is_read() -> None:
    passes("""
        class Reentrant(dict):
            def __contains__(self, key):
                decide(target, FAILED, "t", "inner")
                return super().__contains__(key)

        target = plugin("reading", max_retries=1000)
        in_threads(4, lambda n: [decide(target, Reentrant(FAILED), "t", f"{n}") for _ in range(200)])
        assert sum(stats(target)["decisions"].values()) == 4 * 200 * 4, "3 keys, so 4 calls each"
    """)


def test_a_payload_that_blocks_holds_up_nobody_else() -> None:
    passes("""
        reading, go_on = threading.Event(), threading.Event()

        class Blocking(dict):
            def __contains__(self, key):
                reading.set()
                go_on.wait(30)
                return super().__contains__(key)

        target = plugin("blocking")
        blocked = threading.Thread(target=delay, args=(target, Blocking(FAILED), "t", "blocked"))
        blocked.start()
        assert reading.wait(30)
        check(target)
        fresh = plugin("blocking")
        asyncio.run(fresh.shutdown())
        go_on.set()
        blocked.join(30)
        assert not blocked.is_alive()
    """)


def test_construction_use_and_shutdown_at_the_same_time() -> None:
    passes("""
        shared = [plugin("mixed") for _ in range(4)]
        end = time.monotonic() + 5

        def mix(n):
            import random
            pick = random.Random(n)
            while time.monotonic() < end:
                slot = pick.randrange(4)
                what = pick.random()
                if what < 0.05:
                    asyncio.run(shared[slot].shutdown())
                elif what < 0.2:
                    shared[slot] = plugin("mixed", max_retries=pick.randrange(5))
                else:
                    answer = call(shared[slot], FAILED, request=f"{n}")
                    assert answer.retry_delay_ms >= 0
                    assert "retry_policy" in answer.metadata

        in_threads(8, mix)
        check(plugin("mixed after"))
    """)


def test_a_handle_used_after_shutdown_is_an_error_and_no_crash() -> None:
    passes("""
        from cpex_retry_with_backoff.library import ffi, lib
        target = plugin("stale")
        decide = target._core.engine.decide
        stale = ffi.new("shim_engine *")
        stale[0] = target._core.engine._native[0]
        asyncio.run(target.shutdown())
        assert lib.shim_engine_free(stale) == 1, "RETRY_BAD_HANDLE"
        assert decide({"isError": True}, "t", "r", native.READ_ERRORS) == -1
        others = [plugin("others") for _ in range(100)]
        assert decide({"isError": True}, "t", "r", native.READ_ERRORS) == -1
        for operation in (target._core.engine.stats, lambda: target._core.engine.policy("t")):
            try:
                operation()
            except native.NativeFault as error:
                assert "bad handle" in str(error)
            else:
                raise SystemExit("answered")
        check(others[0])
    """)

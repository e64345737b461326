"""With Go in the process, Python behaves as it does without."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from harness import passes, python

ORDERS = {"handler first": ("install()", "use()"), "library first": ("use()", "install()")}


@pytest.mark.parametrize("order", ORDERS)
@pytest.mark.parametrize("name", ["SIGTERM", "SIGCHLD", "SIGUSR1", "SIGUSR2", "SIGHUP"])
def test_signal_handlers_run_while_the_plugin_is_busy(name: str, order: str) -> None:
    first, second = ORDERS[order]
    passes(f"""
        import signal
        seen = []
        def install():
            signal.signal(signal.{name}, lambda *_: seen.append(1))
        def use():
            global target
            target = plugin("signals", max_retries=1000)
            check(plugin("signals-check"))
        {first}
        {second}
        other = threading.Thread(target=lambda: [delay(target, FAILED) for _ in range(3000)])
        other.start()
        for n in range(20):
            os.kill(os.getpid(), signal.{name})
            for _ in range(20):
                delay(target, FAILED)
            assert len(seen) == n + 1
        other.join()
        check(plugin("after"))
    """)


def test_sigalrm_interrupts_and_sleeps_are_not_cut_short() -> None:
    passes("""
        import signal
        target = plugin("alarm")
        check(target)
        seen = []
        signal.signal(signal.SIGALRM, lambda *_: seen.append(1))
        signal.setitimer(signal.ITIMER_REAL, 0.01, 0.01)
        begun = time.monotonic()
        while time.monotonic() - begun < 1:
            check(target)
        begun = time.monotonic()
        time.sleep(0.3)
        assert time.monotonic() - begun >= 0.3
        signal.setitimer(signal.ITIMER_REAL, 0)
        assert len(seen) > 30, len(seen)
    """)


def test_ctrl_c_raises_keyboard_interrupt() -> None:
    ran = python("""
        import signal
        target = plugin("ctrl-c", max_retries=1000)
        threading.Timer(0.3, os.kill, (os.getpid(), signal.SIGINT)).start()
        while True:
            decide(target, FAILED)
    """)
    assert ran.returncode in (1, -signal.SIGINT)
    assert ran.stderr.rstrip().endswith("KeyboardInterrupt")


def test_a_process_that_handles_nothing_dies_of_the_signal() -> None:
    for name in ("SIGTERM", "SIGKILL", "SIGABRT", "SIGUSR1"):
        ran = python(f"""
            import signal
            check(plugin("dies"))
            os.kill(os.getpid(), signal.{name})
            time.sleep(10)
        """)
        assert ran.returncode == -getattr(signal, name), ran.stderr


@pytest.mark.parametrize("loop", ["asyncio", "uvloop"])
def test_signal_handlers_of_an_event_loop(loop: str) -> None:
    if loop == "uvloop":
        pytest.importorskip("uvloop", reason="uvloop is not installed (requirements-dev.txt)")
    passes(f"""
        import signal
        import {loop} as loops
        target = plugin("loop", max_retries=1000)

        async def main():
            seen = []
            # uvloop keeps SIGCHLD to itself, for subprocesses.
            own = ("SIGCHLD",) if {loop!r} == "asyncio" else ()
            for name in ("SIGTERM", "SIGINT", "SIGUSR1", *own):
                number = getattr(signal, name)
                asyncio.get_running_loop().add_signal_handler(number, seen.append, name)
            for name in ("SIGTERM", "SIGINT", "SIGUSR1"):
                os.kill(os.getpid(), getattr(signal, name))
                for _ in range(50):
                    decide(target, FAILED)
                    await target.resource_post_fetch(None, None)
                    await asyncio.sleep(0)
            child = await asyncio.create_subprocess_exec(sys.executable, "-c", "print(1)",
                                                         stdout=asyncio.subprocess.PIPE)
            out, _ = await child.communicate()
            assert (out, child.returncode) == (b"1\\n", 0)
            await asyncio.sleep(0.1)
            assert {{"SIGTERM", "SIGINT", "SIGUSR1"}} <= set(seen), seen

        runner = asyncio.Runner(loop_factory=loops.new_event_loop)
        with runner:
            runner.run(main())
        check(plugin("after"))
    """)


@pytest.mark.parametrize("order", ORDERS)
def test_faulthandler_still_reports_a_crash_in_c(order: str) -> None:
    first, second = ORDERS[order]
    ran = python(f"""
        import ctypes, faulthandler
        install = faulthandler.enable
        use = lambda: check(plugin("crash"))
        {first}
        {second}
        def the_crash():
            ctypes.string_at(1)
        the_crash()
    """)
    assert ran.returncode == -signal.SIGSEGV, (ran.returncode, ran.stderr)
    assert "Fatal Python error: Segmentation fault" in ran.stderr
    assert "in the_crash" in ran.stderr


def test_faulthandler_can_dump_all_threads() -> None:
    """With the GIL held: a watchdog that dumps without it crashes on its own at times."""
    ran = passes("""
        import faulthandler
        target = plugin("dump", max_retries=1000)
        stop = threading.Event()

        def the_thread():
            while not stop.is_set():
                decide(target, FAILED)

        threads = [threading.Thread(target=the_thread) for _ in range(2)]
        for thread in threads:
            thread.start()
        for _ in range(50):
            faulthandler.dump_traceback(all_threads=True)
            time.sleep(0.002)
        stop.set()
        for thread in threads:
            thread.join()
    """)
    assert ran.stderr.count("in the_thread") >= 50


def test_a_broken_pipe_is_an_exception() -> None:
    passes("""
        check(plugin("pipe"))
        reading, writing = os.pipe()
        os.close(reading)
        try:
            os.write(writing, b"x")
        except BrokenPipeError:
            pass
        else:
            raise SystemExit("no exception")
        import socket
        one, other = socket.socketpair()
        other.close()
        try:
            one.sendall(b"x" * 10)
            raise SystemExit("no exception")
        except BrokenPipeError:
            pass
        one.close()
        os.close(writing)
    """)


def test_a_reader_that_goes_away_ends_the_program_as_ever() -> None:
    script = (
        f"import sys; sys.path.insert(0, {str(Path(__file__).parents[1])!r})\n"
        "import support; p = support.plugin('head'); support.delay(p, support.FAILED)\n"
        "while True: print('line')\n"
    )
    program = subprocess.Popen(
        [sys.executable, "-c", script], stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )
    assert program.stdout is not None
    assert program.stderr is not None
    assert program.stdout.readline() == b"line\n"
    program.stdout.close()
    assert program.wait(30) in (1, 120)
    assert b"BrokenPipeError" in program.stderr.read()
    program.stderr.close()


def test_development_mode_has_nothing_to_complain_of() -> None:
    ran = passes(
        """
        target = plugin("dev", check_text_content=True, tool_overrides={"t": {"max_retries": 2}})
        check(target)
        delay(target, text('{"isError": true}'))
        in_child(lambda: check(target))
        asyncio.run(target.shutdown())
        del target
        gc.collect()
        """,
        options=("-X", "dev", "-W", "error::ResourceWarning", "-W", "error::RuntimeWarning"),
    )
    complaints = [line for line in ran.stderr.splitlines() if "exhausted" not in line]
    assert complaints == [], complaints


def test_exit_right_after_use_with_threads_inside_go() -> None:
    for _ in range(10):
        ran = python("""
            target = plugin("exit", max_retries=1000)
            def busy():
                while True:
                    decide(target, FAILED)
            for _ in range(4):
                threading.Thread(target=busy, daemon=True).start()
            time.sleep(0.05)
            decide(target, FAILED)
            print("leaving", flush=True)
        """)
        assert (ran.returncode, ran.stdout) == (0, "leaving\n"), ran.stderr


def test_a_subinterpreter_works_or_is_refused_clearly() -> None:
    ran = python("""
        try:
            import _interpreters as interpreters
        except ImportError:
            import _xxsubinterpreters as interpreters
        code = (
            "try:\\n"
            "    from cpex_retry_with_backoff.native import Engine\\n"
            "    print('imported')\\n"
            "except ImportError as error:\\n"
            "    print('refused:', error)\\n"
        )
        check(plugin("main"))
        own = interpreters.create()
        failed = interpreters.run_string(own, code)
        print(failed or "", end="")
        interpreters.destroy(own)
        check(plugin("main again"))
        print("ok")
    """)
    assert ran.returncode == 0, ran.stderr
    first, *_, last = ran.stdout.splitlines()
    assert first == "imported" or first.startswith("refused: cpex-retry-with-backoff cannot load")
    assert last == "ok"


@pytest.mark.slow
@pytest.mark.skipif(shutil.which("go") is None, reason="Go is not on PATH")
def test_a_second_go_library_in_the_process(tmp_path: Path) -> None:
    (tmp_path / "go.mod").write_text("module other\n\ngo 1.24\n")
    (tmp_path / "main.go").write_text(
        'package main\n\nimport "C"\n\nvar kept [][]byte\n\n//export churn\n'
        "func churn(n C.int) C.int {\n\tfor range int(n) {\n"
        "\t\tkept = append(kept[max(0, len(kept)-10):], make([]byte, 1<<20))\n\t}\n"
        "\treturn C.int(len(kept))\n}\n\nfunc main() {}\n"
    )
    library = tmp_path / "libother.so"
    subprocess.run(
        ["go", "build", "-buildmode=c-shared", "-o", library, "."],
        cwd=tmp_path, check=True, env={**os.environ, "CGO_ENABLED": "1", "GOFLAGS": "-mod=mod"},
    )  # fmt: skip
    for order in ("first", "second"):
        passes(f"""
            import ctypes
            if {order!r} == "first":
                other = ctypes.CDLL({str(library)!r})
            target = plugin("two runtimes")
            check(target)
            other = ctypes.CDLL({str(library)!r})
            def both(n):
                for i in range(20):
                    assert other.churn(20) > 0
                    check(target, f"{{n}}-{{i}}")
            in_threads(4, both)
            churn()
            check(target)
        """)

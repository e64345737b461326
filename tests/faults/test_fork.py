"""A Go runtime does not survive fork(). The plugin must, in every way of forking."""

from __future__ import annotations

import pytest
from harness import passes


def test_a_child_answers_right_with_threads_and_garbage_collection() -> None:
    passes("""
        target = plugin("fork")
        delay(target, FAILED, request="parents")
        in_child(lambda: exercise(target))
        assert stats(target)["tracked"] == 1, "the parent is unharmed"
        assert delay(target, FAILED, request="parents") == 400
        check(target)
        churn()
    """)


@pytest.mark.slow
def test_children_of_children_five_levels_deep() -> None:
    passes("""
        target = plugin("nested")

        def level(depth):
            if depth:
                exercise(target)
                delay(target, FAILED, request="left by the parent")
                in_child(lambda: level(depth - 1))
                assert delay(target, FAILED, request="left by the parent") == 400

        delay(target, FAILED, request="left by the parent")
        in_child(lambda: level(5))
        check(target)
    """)


def test_children_of_children_that_hardly_use_the_plugin() -> None:
    """Their copies would get the same descriptor, and dlopen knows libraries by name."""
    passes("""
        target = plugin("light")

        def level(depth):
            assert stats(target)["tracked"] == 0
            assert delay(target, FAILED) == 200
            if depth:
                in_child(lambda: level(depth - 1))
                assert delay(target, FAILED) == 400

        level(5)
    """)


@pytest.mark.slow
def test_a_child_that_uses_the_plugin_after_its_parent_never_did() -> None:
    passes("""
        target = plugin("late")
        in_child(lambda: in_child(lambda: exercise(target)))
        check(target)
    """)


@pytest.mark.slow
def test_three_hundred_forks_while_four_threads_are_busy_in_go() -> None:
    passes(
        """
        target = plugin("busy", max_text_bytes=2**20, check_text_content=True)
        stop = threading.Event()
        long = {"content": [{"type": "text", "text": '{"x":[' + "1," * 100_000 + '1],"isError":0}'}]}

        def busy(n):
            while not stop.is_set():
                delay(target, FAILED, request=f"busy-{n}")
                delay(target, long, request=f"long-{n}")
                stats(target)

        threads = [threading.Thread(target=busy, args=(n,)) for n in range(4)]
        for thread in threads:
            thread.start()
        for i in range(300):
            heavy = i % 50 == 0
            in_child(lambda: exercise(target) if heavy else check(target))
        stop.set()
        for thread in threads:
            thread.join()
        check(target)
        """,
        limit_s=300,
    )


def test_several_plugins_each_come_back_in_a_child() -> None:
    passes("""
        targets = [plugin(f"many-{i}", max_retries=2) for i in range(5)]
        shut = plugin("shut")
        asyncio.run(shut.shutdown())

        def child():
            for target in targets:
                check(target)
            in_threads(8, lambda n: check(targets[n % 5], f"r{n}"))
            assert delay(shut, FAILED) == 0, "stays shut"
            for target in targets:
                asyncio.run(target.shutdown())
                assert delay(target, FAILED) == 0
            check(plugin("new in the child"))

        in_child(child)
        for target in targets:
            check(target)
    """)


def test_a_fork_from_c_that_pythons_hooks_do_not_see() -> None:
    passes("""
        import ctypes

        target = plugin("from C")
        delay(target, FAILED, request="parents")
        called = []
        os.register_at_fork(after_in_child=lambda: called.append(1))
        pid = ctypes.PyDLL(None).fork()
        if pid == 0:
            try:
                assert not called
                exercise(target)
                os._exit(0)
            except BaseException:
                import traceback
                traceback.print_exc()
                os._exit(1)
        assert os.waitpid(pid, 0)[1] == 0
        assert delay(target, FAILED, request="parents") == 400
    """)


@pytest.mark.slow
@pytest.mark.parametrize("method", ["fork", "forkserver", "spawn"])
def test_multiprocessing(method: str, tmp_path: object) -> None:
    """The work is in a module: spawn and forkserver import it."""
    module = f"{tmp_path}/mp_work.py"
    with open(module, "w") as file:  # noqa: PTH123
        file.write(
            "import json, os, sys\n"
            "from support import FAILED, delay, plugin, stats\n"
            "target = None\n"
            "def work(request):\n"
            "    global target\n"
            "    target = target or plugin('mp')\n"
            "    return [delay(target, FAILED, request=request) for _ in range(3)]\n"
        )
    passes(
        f"""
        import multiprocessing
        from concurrent.futures import ProcessPoolExecutor
        sys.path.insert(0, {str(tmp_path)!r})
        os.environ["PYTHONPATH"] = os.pathsep.join(sys.path)
        import mp_work

        if __name__ == "__main__":
            sys.modules["__main__"].__file__ = None  # spawn must not run this script again
            mp_work.target = plugin("mp")
            check(mp_work.target)
            ways = multiprocessing.get_context({method!r})
            with ways.Pool(2) as pool:
                for answers in pool.map(mp_work.work, [f"r{{i}}" for i in range(20)]):
                    assert answers == [200, 400, 0], answers
            with ProcessPoolExecutor(2, mp_context=ways) as pool:
                for answers in pool.map(mp_work.work, [f"p{{i}}" for i in range(20)]):
                    assert answers == [200, 400, 0], answers
            check(mp_work.target)
        """,
        limit_s=120,
    )


def test_nothing_is_left_behind(tmp_path: object) -> None:
    passes(
        """
        target = plugin("tidy")
        check(target)
        own = lambda: sorted(os.listdir("/proc/self/fd"))
        files = lambda: sorted(os.listdir(os.environ["TMPDIR"]))
        before = own(), files()
        for _ in range(10):
            def child():
                inherited = own()
                check(target)
                extra = [os.readlink(f"/proc/self/fd/{n}") for n in set(own()) - set(inherited)]
                # Go's runtime keeps an epoll and an event descriptor; our copy is closed.
                assert not any("retry" in name for name in extra), extra
            in_child(child)
        assert (own(), files()) == before
        try:
            os.waitpid(-1, os.WNOHANG)
            raise SystemExit("a zombie is left")
        except ChildProcessError:
            pass
        """,
        env={"TMPDIR": str(tmp_path)},
    )


@pytest.mark.slow
def test_where_memory_files_are_forbidden_a_temporary_file_is_used_and_removed(
    tmp_path: object,
) -> None:
    passes(
        """
        target = plugin("file copy")
        check(target)

        def forbidden(*_):
            raise PermissionError("memfd_create is forbidden")

        def level(depth):
            os.memfd_create = forbidden
            exercise(target)
            assert os.listdir(os.environ["TMPDIR"]) == []
            if depth:
                in_child(lambda: level(depth - 1))

        in_child(lambda: level(2))
        check(target)
        """,
        env={"TMPDIR": str(tmp_path)},
    )


def test_where_no_copy_can_be_made_calls_are_answered_without_a_retry() -> None:
    ran = passes("""
        import tempfile
        target = plugin("no copy")
        check(target)

        def child():
            def forbidden(*_, **__):
                raise PermissionError("not here")

            os.memfd_create = tempfile.mkdtemp = forbidden
            answer = call(target, FAILED)
            assert answer.retry_delay_ms == 0
            assert answer.metadata["retry_policy"]["max_retries"] == 2

        in_child(child)
        check(target)
    """)
    assert ran.stderr.count("a forked child needs a copy of its own") == 1
    assert "_memory_copy: not here; _file_copy: not here" in ran.stderr


def test_a_fork_while_another_thread_is_opening_the_library() -> None:
    passes("""
        from cpex_retry_with_backoff import library

        target = plugin("opening")
        holding, go_on = threading.Event(), threading.Event()

        def opening():
            with library.lock():
                holding.set()
                go_on.wait()

        thread = threading.Thread(target=opening)
        thread.start()
        holding.wait()
        in_child(lambda: exercise(target))
        go_on.set()
        thread.join()
    """)

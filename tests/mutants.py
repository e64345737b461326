"""Takes each protection out, once, and demands that a test notices: tests/mutants.py [NAME...]

Every mutant is a copy of the project in a folder of its own with one piece of text
replaced, built and installed beside the real one. Exit code 0 only if all were caught.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
LIMIT_S = 400


@dataclass(frozen=True)
class Mutant:
    """A protection, where it stands, what is left without it, and who should notice."""

    name: str
    file: str
    old: str
    new: str
    test: str
    """A pytest node id, or "go:" and a pattern for go test -race."""


PACKAGE = "python/cpex_retry_with_backoff"
MUTANTS = [
    Mutant("fork handler", "python/shim/shim.c", "  life++;\n  is_open = 0;\n", "",
           "tests/faults/test_fork.py::test_a_child_answers_right_with_threads_and_garbage_collection"),
    Mutant("private copy after fork", f"{PACKAGE}/library.py",
           "if lib.shim_was_ever_open():", "if False:",
           "tests/faults/test_fork.py::test_a_child_answers_right_with_threads_and_garbage_collection"),
    Mutant("a new name for every copy", f"{PACKAGE}/library.py",
           "{'./' * lib.shim_life()}", "",
           "tests/faults/test_fork.py::test_children_of_children_that_hardly_use_the_plugin"),
    Mutant("a lock for every life", f"{PACKAGE}/library.py",
           "_locks.setdefault(lib.shim_life(),", "_locks.setdefault(0,",
           "tests/faults/test_fork.py::test_a_fork_while_another_thread_is_opening_the_library"),
    Mutant("closing the copy", f"{PACKAGE}/library.py", "        os.close(descriptor)\n", "        pass\n",
           "tests/faults/test_fork.py::test_nothing_is_left_behind"),
    Mutant("recover", "capi/guard.go", "p := recover()", "var p any",
           "tests/faults/test_poison.py"),
    Mutant("poison", "capi/guard.go", "\t\te.Break()\n", "\t\t_ = e\n",
           "tests/faults/test_poison.py"),
    Mutant("statistics inherited after a panic", "engine/ledger.go",
           "decisions: l.decisions, delays", "delays", "tests/faults/test_poison.py"),
    Mutant("ABI version", "python/shim/shim.c", "if (version != RETRY_ABI_VERSION)", "if (0)",
           "tests/faults/test_library.py"),
    Mutant("file cut short", f"{PACKAGE}/elf.py", "if size < header.needed_bytes:", "if False:",
           "tests/faults/test_library.py"),
    Mutant("hook never raises", f"{PACKAGE}/core.py",
           "except Exception as error:\n            answer = 0", "except OSError as error:\n            answer = 0",
           "tests/faults/test_hostile.py"),
    Mutant("pre-hook never raises", f"{PACKAGE}/core.py",
           "except Exception as error:\n            self._fault", "except OSError as error:\n            self._fault",
           "tests/plugin/test_policies.py"),
    Mutant("extensions never raise", f"{PACKAGE}/core.py",
           "    except Exception:\n        return False", "    except OSError:\n        return False",
           "tests/faults/test_hostile.py"),
    Mutant("payload never raises", "python/shim/facts.c",
           "PyErr_ExceptionMatches(PyExc_Exception)", "PyErr_ExceptionMatches(PyExc_OSError)",
           "tests/plugin/test_facts.py"),
    Mutant("defaultdict keeps its keys", f"{PACKAGE}/facts.py",
           "isinstance(mapping, Mapping) and key not in mapping", "False",
           "tests/plugin/test_facts.py"),
    Mutant("bound on content items", "python/shim/texts.c", "i < CONTENT_LIMIT && !failed", "!failed",
           "tests/plugin/test_facts.py"),
    Mutant("a list that shrinks", "python/shim/texts.c",
           "if (i >= (is_list ? PyList_Size(content) : PyTuple_Size(content))) break;",
           "if (i >= 2) break;", "tests/plugin/test_facts.py"),
    Mutant("no references are kept", "python/shim/facts.c",
           "for (size_t i = 0; i < p->count; i++) Py_DECREF(p->owners[i]);", "", "tests/plugin/test_facts.py"),
    Mutant("bound on text", "engine/verdict.go", "if int64(len(text)) > *left {", "if false {",
           "go:MaxTextBytes"),
    Mutant("bound on remembered names", f"{PACKAGE}/core.py", "if len(name) <= NAME_LIMIT:", "if True:",
           "tests/faults/test_hostile.py::test_long_names_are_not_remembered"),
    Mutant("bound on tracked requests", "engine/tracker.go",
           "for t.entries >= t.bound {", "for false {", "tests/plugin/test_counting.py"),
    Mutant("expiry", "engine/tracker.go",
           "return now-time.Duration(entry.touched) > t.ttl", "return false",
           "tests/plugin/test_counting.py"),
    Mutant("stale entries are removed", "engine/tracker.go",
           "\t\tt.expired++\n\t\tt.drop(t.oldest)\n", "\t\treturn\n", "go:Hour|Expiry"),
    Mutant("lock of the counts", "engine/engine.go",
           "\tl.mu.Lock()\n\tdefer l.mu.Unlock()\n\tif l.broken.Load() {\n\t\treturn Decision", "\tif l.broken.Load() {\n\t\treturn Decision", "go:ManyThreads"),
    Mutant("stale handles", "capi/handles.go", "e != nil && e.handle == handle", "e != nil",
           "tests/capi/test_c_program.py"),
    Mutant("strings are not kept", "engine/tracker.go",
           "key{maphash.String(t.toolSeed, tool), maphash.String(t.requestSeed, request)}",
           "key{uint64(len(tool)), uint64(len(request))}", "tests/plugin/test_counting.py"),
    Mutant("never 0 with jitter", "engine/backoff.go", "uniform(1, delay, random)", "uniform(0, delay-1, random)",
           "go:Jitter|Backoff"),
    Mutant("only our symbols", "setup.py", "{exports} -Wl,--build-id=none", "-Wl,--build-id=none",
           "tests/capi/test_c_program.py"),
    Mutant("a copy of the statuses", "python/shim/results.c",
           "return PySequence_List(value);", "return Py_NewRef(value);",
           "tests/plugin/test_results.py"),
    Mutant("exhaustion is not a flood", f"{PACKAGE}/core.py", "if monotonic() < tool.log.quiet_until:", "if False:",
           "tests/plugin/test_results.py"),
    Mutant("ceiling", "engine/notice.go", "n.ceiling != nil && f.MaxRetries > *n.ceiling {", "false {",
           "tests/plugin/test_ceiling.py"),
    Mutant("bound on hints", "python/shim/advice.c", "p->hint_count == HINTS_LIMIT || ", "",
           "tests/plugin/test_policies.py::test_hints_without_end_are_read_up_to_a_bound"),
    Mutant("references of hints", "python/shim/facts.c",
           "for (size_t i = 0; i < p->hint_count; i++) Py_XDECREF(p->hint_owners[i]);", "",
           "tests/plugin/test_policies.py"),
    Mutant("budget", "engine/rules.go", "if bucket.level < cost {", "if false {", "go:Outage|Budget|Exceed"),
    Mutant("longest hint", "engine/rules.go", "case v.hint > p.MaxRetryAfter:", "case false:", "go:Hint"),
    Mutant("safety", "engine/rules.go", "&& !v.hadNoEffect()", "&& false", "tests/plugin/test_policies.py"),
    Mutant("deadline", "engine/rules.go", "a.elapsed()+delay > p.MaxElapsed", "false", "go:Deadline"),
    Mutant("every no ends the call", "engine/rules.go", "if d.Delay == 0 {", "if false {", "go:FirstRule"),
    Mutant("bound on matched names", "engine/policies.go",
           "if len(ps.remembered) >= rememberedTools {", "if false {", "go:ThousandsOfNames"),
    Mutant("bound on buckets and cool-downs", "engine/lru.go", "if len(l.entries) >= l.bound {", "if false {",
           "go:LRU|TenThousand|LeastRecently"),
    Mutant("bound on searched text", "engine/verdict.go", "text = text[:min(len(text), left)]", "",
           "go:SearchedUp"),
    Mutant("a beginning has its end", "engine/rules.go", "a.ledger.begun.forget(a.key, a.now)", "",
           "go:Beginnings|Deadline"),
    Mutant("successes that fill a budget", "engine/ledger.go", "busy += l.budgets.low", "busy += 0",
           "tests/plugin/test_policies.py"),
]  # fmt: skip


def copy_project(folder: Path) -> None:
    listed = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT, check=True, capture_output=True, text=True,
    )  # fmt: skip
    for name in listed.stdout.splitlines():
        if (ROOT / name).is_file():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            (folder / name).write_bytes((ROOT / name).read_bytes())


def caught(mutant: Mutant, folder: Path) -> tuple[bool, str]:
    """Whether the test fails without the protection, and its closing line."""
    copy_project(folder)
    file = folder / mutant.file
    text = file.read_text()
    if text.count(mutant.old) != 1:
        return False, f"the text to replace stands {text.count(mutant.old)} times in {mutant.file}"
    file.write_text(text.replace(mutant.old, mutant.new))
    environment = dict(os.environ)
    if mutant.test.startswith("go:"):
        command = ["go", "test", "-timeout", "90s", "-race", "./engine", "-run", mutant.test[3:]]
    else:
        site = folder / "site"
        built = subprocess.run(
            [sys.executable, "-m", "pip", "install", "-q", "--no-deps", "--target", site, folder],
            capture_output=True, text=True,
        )  # fmt: skip
        if built.returncode:
            return False, f"does not build: {built.stderr[-500:]}"
        environment["PYTHONPATH"] = str(site)
        command = [
            sys.executable,
            "-m",
            "pytest",
            "-x",
            "-q",
            "-p",
            "no:cacheprovider",
            mutant.test,
        ]
    ran = subprocess.run(
        command, cwd=folder, env=environment, capture_output=True, text=True, timeout=LIMIT_S
    )
    lines = ran.stdout.splitlines()
    failed = [
        line for line in lines if line.startswith(("FAILED", "--- FAIL", "panic: test timed"))
    ]
    if ran.returncode in (-signal.SIGSEGV, -signal.SIGABRT, -signal.SIGBUS):
        return True, f"the process crashed with signal {-ran.returncode}"
    why = [line for line in lines if line.startswith("E  ") and line.strip("E ")]
    # pytest answers 1 when tests failed; other codes are mistakes of ours.
    return ran.returncode == 1 and bool(failed), " | ".join([*failed[:1], *why[:6]] or lines[-3:])


def main(wanted: list[str]) -> int:
    unknown = set(wanted) - {m.name for m in MUTANTS}
    if unknown:
        sys.exit(f"no such mutant: {', '.join(sorted(unknown))}")
    missed = 0
    chosen = [m for m in MUTANTS if not wanted or m.name in wanted]
    for mutant in chosen:
        begun = time.monotonic()
        with tempfile.TemporaryDirectory() as folder:
            good, words = caught(mutant, Path(folder))
        missed += not good
        verdict = "caught" if good else "NOT CAUGHT"
        print(
            f"{verdict}: without {mutant.name} ({time.monotonic() - begun:.0f} s): {words}",
            flush=True,
        )
    print(f"mutants: {len(chosen) - missed} passed, {missed} failed")
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

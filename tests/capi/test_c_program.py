"""retry.h and libretry without Python: a C program compiled against one and linked to the other."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

from cpex_retry_with_backoff.library import library_path

HERE = Path(__file__).resolve().parent
HEADERS = HERE.parents[1] / "capi"
STRICT = ["-Wall", "-Wextra", "-Werror", "-pedantic", f"-I{HEADERS}"]

needs_gcc = pytest.mark.skipif(shutil.which("gcc") is None, reason="gcc is not on PATH")
needs_cxx = pytest.mark.skipif(shutil.which("g++") is None, reason="g++ is not on PATH")


def run(*command: object, **options: object) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [str(word) for word in command], capture_output=True, text=True, timeout=120, **options
    )  # type: ignore[call-overload]


@needs_gcc
def test_a_c_program_drives_the_library_alone(tmp_path: Path) -> None:
    program = tmp_path / "drive"
    library = library_path()
    built = run("gcc", "-std=c99", *STRICT, HERE / "drive.c", "-o", program, library,
                f"-Wl,-rpath,{library.parent}", "-lpthread")  # fmt: skip
    assert built.returncode == 0, built.stderr
    ran = run(program)
    assert ran.returncode == 0, ran.stdout + ran.stderr
    assert ran.stdout.rstrip().endswith(" passed, 0 failed")


@needs_gcc
def test_the_header_is_strict_c99() -> None:
    source = '#include "retry.h"\nint main(void) { return (int)retry_abi_version() * 0; }\n'
    built = run("gcc", "-std=c99", *STRICT, "-fsyntax-only", "-xc", "-", input=source)
    assert built.returncode == 0, built.stderr


@needs_cxx
def test_the_header_is_strict_cxx() -> None:
    source = '#include "retry.h"\nint main() { return int(retry_abi_version()) * 0; }\n'
    built = run("g++", "-std=c++11", *STRICT, "-fsyntax-only", "-xc++", "-", input=source)
    assert built.returncode == 0, built.stderr


def test_exactly_the_functions_of_the_header_are_exported() -> None:
    import re

    declared = set(re.findall(r"\b(retry_\w+)\(", (HEADERS / "retry.h").read_text()))
    listed = run("nm", "-D", "--defined-only", library_path())
    exported = {line.split()[-1].split("@")[0] for line in listed.stdout.splitlines()}
    assert exported == declared

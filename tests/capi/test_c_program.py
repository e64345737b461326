"""retry.h and libretry without Python: a C program compiled against one and linked to the other."""

from __future__ import annotations

import os
import re
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
@pytest.mark.slow
@pytest.mark.skipif(shutil.which("go") is None, reason="Go is not on PATH")
def test_the_sanitizers_find_nothing(tmp_path: Path) -> None:
    """AddressSanitizer in the library and the program, UndefinedBehaviorSanitizer in the latter.

    valgrind is no alternative: it takes Go's own stacks and heap for invalid memory.
    """
    library, program = tmp_path / "libretry.so", tmp_path / "drive"
    built = run("go", "build", "-asan", "-buildmode=c-shared", "-o", library, "./capi",
                cwd=HERE.parents[1], env={**os.environ, "CGO_ENABLED": "1"})  # fmt: skip
    assert built.returncode == 0, built.stderr
    flags = ["-g", "-fsanitize=address,undefined", "-fno-sanitize-recover=all"]
    built = run("gcc", "-std=c99", *STRICT, *flags, HERE / "drive.c", "-o", program, library,
                f"-Wl,-rpath,{tmp_path}", "-lpthread")  # fmt: skip
    assert built.returncode == 0, built.stderr
    # Counter blocks live as long as the process, on purpose.
    ran = run(program, env={**os.environ, "ASAN_OPTIONS": "detect_leaks=0"})
    assert ran.returncode == 0, ran.stdout + ran.stderr
    assert "Sanitizer" not in ran.stderr
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
    declared = set(re.findall(r"\b(retry_\w+)\(", (HEADERS / "retry.h").read_text()))
    listed = run("nm", "-D", "--defined-only", library_path())
    exported = {line.split()[-1].split("@")[0] for line in listed.stdout.splitlines()}
    assert exported == declared


def glibc_floor(library: Path) -> tuple[int, ...]:
    listed = run("objdump", "-T", library).stdout
    versions = re.findall(r"GLIBC_(\d+(?:\.\d+)+)", listed)
    assert versions
    return max(tuple(map(int, version.split("."))) for version in versions)


def test_the_native_files_need_no_newer_glibc_than_the_original() -> None:
    """2.34, as the Rust wheel's manylinux_2_34."""
    library = library_path()
    for file in (library, *library.parent.glob("_shim*.so")):
        assert glibc_floor(file) <= (2, 34), file

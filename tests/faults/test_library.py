"""A libretry that cannot be used gives one clear error at construction, and no crash."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest
from harness import ROOT, package_copy, passes

BUILD_FAILS = """
from cpex_retry_with_backoff.errors import NativeLibraryError
for _ in range(2):
    try:
        plugin("unusable")
    except NativeLibraryError as error:
        assert isinstance(error, ImportError)
        said = str(error)
    else:
        raise SystemExit("it was built")
print(said)
"""


def said_by(folder: Path) -> str:
    """The error of a plugin whose package is in this folder."""
    ran = passes(BUILD_FAILS, env={"PYTHONPATH": str(folder)})
    said = ran.stdout.splitlines()[-2]
    assert said.startswith(f"cpex-retry-with-backoff cannot use its native library {folder}")
    assert "linux x86_64" in said or "linux " in said
    assert said.endswith("There is no Python fallback; install the wheel for this platform.")
    return said


@pytest.fixture
def library(tmp_path: Path) -> Path:
    return package_copy(tmp_path) / "libretry.so"


def test_a_missing_library(library: Path) -> None:
    library.unlink()
    assert "the file is missing" in said_by(library.parents[1])


def test_a_truncated_library(library: Path) -> None:
    content = library.read_bytes()
    full = len(content)
    for size in (0, 10, 100, full // 2, full - 1):
        library.unlink()
        library.write_bytes(content[:size])
        said = said_by(library.parents[1])
        assert (
            "file too short" if size < 64 else f"it is cut short ({size} of {full} bytes)"
        ) in said


def test_a_file_that_is_no_library(library: Path) -> None:
    library.unlink()
    library.write_text("not a library" * 100)
    assert "invalid ELF header" in said_by(library.parents[1])


def test_a_library_for_another_machine(library: Path) -> None:
    content = bytearray(library.read_bytes())
    content[18:20] = (22).to_bytes(2, "little")  # e_machine: S/390
    library.unlink()
    library.write_bytes(content)
    assert "it is for another machine (ELF machine 22, here" in said_by(library.parents[1])


def functions() -> list[str]:
    import re

    return sorted(set(re.findall(r"\b(retry_\w+)\(", (ROOT / "capi/retry.h").read_text())))


def compile_stub(library: Path, names: list[str], abi: int) -> None:
    source = "".join(f"int {n}(void) {{ return {abi}; }}\n" for n in names)
    library.unlink()
    subprocess.run(
        ["gcc", "-shared", "-fPIC", "-xc", "-", "-o", library],
        input=source, text=True, check=True,
    )  # fmt: skip


@pytest.mark.skipif(shutil.which("gcc") is None, reason="gcc is not on PATH")
def test_a_library_of_another_abi_version(library: Path) -> None:
    compile_stub(library, functions(), 999)
    assert "its ABI version is 999, this package needs 2" in said_by(library.parents[1])


@pytest.mark.skipif(shutil.which("gcc") is None, reason="gcc is not on PATH")
def test_a_library_without_one_of_the_functions(library: Path) -> None:
    names = [name for name in functions() if name != "retry_decide"]
    compile_stub(library, names, 2)
    assert "the function retry_decide is missing in it" in said_by(library.parents[1])


def test_a_missing_shim_is_named_when_the_plugin_is_imported(tmp_path: Path) -> None:
    package = package_copy(tmp_path)
    for shim in package.glob("_shim*.so"):
        shim.unlink()
    passes(
        f"""
        import subprocess
        code = "import cpex_retry_with_backoff.retry_with_backoff"
        ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True,
                             env={{**os.environ, "PYTHONPATH": {str(tmp_path)!r}}})
        last = ran.stderr.strip().splitlines()[-1]
        assert ran.returncode == 1
        assert "NativeLibraryError: cpex-retry-with-backoff cannot load its native module" in last
        """
    )


def test_on_musl_the_error_says_why_and_what_to_do(library: Path) -> None:
    """A simulation: the library cannot be opened, and Python says that it runs on musl."""
    library.write_bytes(b"no library")
    passes(
        f"""
        import sysconfig
        real = sysconfig.get_config_var
        sysconfig.get_config_var = lambda name: (
            "x86_64-alpine-linux-musl" if name == "HOST_GNU_TYPE" else real(name))
        sys.path.insert(0, {str(library.parents[1])!r})
        for name in [n for n in sys.modules if n.startswith("cpex_retry_with_backoff")]:
            del sys.modules[name]
        from cpex_retry_with_backoff.errors import NativeLibraryError
        import cpex_retry_with_backoff.library as opened
        assert opened.__file__.startswith({str(library.parents[1])!r})
        try:
            opened.ensure_open()
        except NativeLibraryError as error:
            assert "runs on musl (x86_64-alpine-linux-musl" in str(error), error
            assert "based on glibc, such as python:3.12-slim" in str(error), error
        else:
            raise SystemExit("opened")
        """
    )

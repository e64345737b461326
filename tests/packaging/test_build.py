"""Building from source: wheel, sdist, and what a missing tool looks like."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import tarfile
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
VERSION = re.search(r'RETRY_VERSION "(.+)"', (ROOT / "capi" / "retry.h").read_text())[1]
NAME = f"cpex_retry_with_backoff-{VERSION}"


def run(*command: object, **options: object) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [str(word) for word in command], capture_output=True, text=True, timeout=600, **options
    )  # type: ignore[call-overload]


@pytest.fixture(scope="module")
def clone(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What git tracks or would track, without anything that was built here."""
    target = tmp_path_factory.mktemp("clone")
    files = run("git", "ls-files", "--cached", "--others", "--exclude-standard", cwd=ROOT)
    if files.returncode:
        pytest.skip("not a git checkout")
    for name in files.stdout.splitlines():
        if (ROOT / name).is_file():
            (target / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(ROOT / name, target / name)
    return target


@pytest.fixture(scope="module")
def sdist(clone: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("sdist")
    built = run(sys.executable, "-m", "build", "--sdist", "--outdir", folder, clone)
    assert built.returncode == 0, built.stderr
    return folder / f"{NAME}.tar.gz"


@pytest.fixture(scope="module")
def wheel(sdist: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Built from the sdist: so the sdist holds all that a build needs."""
    folder = tmp_path_factory.mktemp("wheel")
    built = run(sys.executable, "-m", "pip", "wheel", "--no-deps", "--wheel-dir", folder, sdist)
    assert built.returncode == 0, built.stderr
    (path,) = folder.glob("*.whl")
    return path


def test_the_wheel_is_for_every_python_from_3_11(wheel: Path) -> None:
    assert wheel.name.startswith(f"{NAME}-cp311-abi3-")


def test_the_wheel_holds_the_package_and_nothing_else(wheel: Path) -> None:
    names = {n for n in zipfile.ZipFile(wheel).namelist() if ".dist-info/" not in n}
    folder = "cpex_retry_with_backoff"
    assert {f"{folder}/{n}" for n in (
        "__init__.py", "retry_with_backoff.py", "retry_with_backoff_rust.py", "py.typed",
        "plugin-manifest.yaml", "libretry.so", "_shim.abi3.so",
    )} <= names  # fmt: skip
    assert all(name.startswith(f"{folder}/") for name in names)
    assert not any(name.endswith((".go", ".c", ".h")) for name in names)


def test_the_wheels_metadata(wheel: Path) -> None:
    metadata = zipfile.ZipFile(wheel).read(f"{NAME}.dist-info/METADATA").decode()
    for line in (
        "Name: cpex-retry-with-backoff", f"Version: {VERSION}", "Requires-Python: >=3.11",
        "Requires-Dist: cpex<0.2,>=0.1.0rc1", "Requires-Dist: pydantic<3,>=2",
        "Requires-Dist: cffi>=1.17", "License-Expression: Apache-2.0",
    ):  # fmt: skip
        assert line in metadata.splitlines()


def test_no_path_of_the_building_machine_is_in_the_native_files(wheel: Path, clone: Path) -> None:
    archive = zipfile.ZipFile(wheel)
    for name in archive.namelist():
        if name.endswith(".so"):
            content = archive.read(name)
            for path in (str(clone), str(Path.home()), "/tmp/", sys.base_prefix):
                assert path.encode() not in content, f"{path} in {name}"


def test_the_sdist_holds_what_a_build_needs(sdist: Path) -> None:
    with tarfile.open(sdist) as archive:
        names = {name.removeprefix(f"{NAME}/") for name in archive.getnames()}
    assert {"go.mod", "go.sum", "capi/retry.h", "capi/libretry.map", "engine/engine.go",
            "python/shim/shim.c", "LICENSE", "README.md"} <= names  # fmt: skip


def without(folder: Path, *missing: str) -> dict[str, str]:
    """An environment whose PATH has every tool but some."""
    folder.mkdir()
    for entry in ["/usr/bin", "/bin", *os.environ["PATH"].split(":")]:
        for tool in Path(entry).glob("*"):
            link = folder / tool.name
            if not re.fullmatch("|".join(missing), tool.name) and not link.exists():
                link.symlink_to(tool)
    keep = {k: v for k, v in os.environ.items() if k not in ("CC", "GO")}
    return {**keep, "PATH": str(folder)}


def build_with(environment: dict[str, str], clone: Path, folder: Path) -> str:
    built = run(sys.executable, "-m", "pip", "wheel", "--no-deps", "--wheel-dir", folder, clone,
                env=environment)  # fmt: skip
    assert built.returncode != 0
    return built.stdout + built.stderr


def test_a_missing_go_is_named_with_the_version_needed(tmp_path: Path, clone: Path) -> None:
    said = build_with(without(tmp_path / "path", "go"), clone, tmp_path)
    needed = re.search(r"^go (\S+)", (ROOT / "go.mod").read_text(), re.M)[1]
    assert f"cannot build, Go is missing (looked for: go on PATH). Install Go {needed}" in said


def test_a_missing_c_compiler_is_named(tmp_path: Path, clone: Path) -> None:
    compilers = r"(.*-)?(gcc|g\+\+|clang|cc|c\+\+)(-[0-9.]+)?"
    said = build_with(without(tmp_path / "path", compilers), clone, tmp_path)
    assert "cannot build, a C compiler is missing" in said
    assert "apt-get install gcc" in said


def test_an_old_go_is_refused_with_both_versions(tmp_path: Path, clone: Path) -> None:
    old = tmp_path / "go"
    old.write_text("#!/bin/sh\necho go1.19.2\n")
    old.chmod(0o755)
    environment = {**os.environ, "GO": str(old)}
    said = build_with(environment, clone, tmp_path)
    assert re.search(r"Go 1\.\d+ or newer is needed, .*/go is go1\.19\.2", said)

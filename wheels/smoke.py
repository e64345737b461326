"""Runs the native wheel where nothing was built: wheels/smoke.py [FOLDER]

In a fresh environment for each Python that the machine has, with a PATH without a
compiler and without Go: the wheel is installed, the doctor's self-test runs, and so do
the recorded answers of the contract.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "tests"))

from environments import interpreter  # noqa: E402

PYTHONS = ("3.11", "3.12", "3.13")


def smoke(python: str, wheel: Path) -> str:
    """Nothing, or what went wrong."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        bare = {**os.environ, "PATH": str(folder / "bin"), "HOME": name}
        inside = folder / "bin" / "python"
        subprocess.run([python, "-m", "venv", folder], check=True)
        for command in (
            [inside, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--only-binary", ":all:",
             wheel, "pytest", "hypothesis"],
            [inside, "-m", "pip", "check"],
            [folder / "bin" / "cpex-retry", "doctor"],
            [inside, "-m", "pytest", "-q", "-p", "no:cacheprovider", ROOT / "tests/contract/test_vectors.py"],
        ):  # fmt: skip
            ran = subprocess.run(
                [str(w) for w in command],
                capture_output=True,
                text=True,
                cwd=ROOT,
                env=bare,
                check=False,
            )
            if ran.returncode:
                return f"{command}: {ran.stdout[-2000:]}{ran.stderr[-2000:]}"
    return ""


RUST = "cpex-retry-with-backoff==0.3.11"


def swap(python: str, wheel: Path) -> str:
    """Ours over the Rust wheel and back: each time exactly the files of one of them."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        inside = folder / "bin" / "python"
        subprocess.run([python, "-m", "venv", folder], check=True)
        for package in (RUST, wheel, RUST, wheel):
            command = [
                inside,
                "-m",
                "pip",
                "install",
                "--quiet",
                "--disable-pip-version-check",
                package,
            ]
            ran = subprocess.run(
                [str(w) for w in command], capture_output=True, text=True, check=False
            )
            if ran.returncode:
                return f"{command}: {ran.stderr[-2000:]}"
            code = (
                "from importlib.metadata import distribution as d; from pathlib import Path; "
                "f = d('cpex-retry-with-backoff'); known = {str(Path(f.locate_file(p)).resolve()) for p in f.files}; "
                "there = Path(f.locate_file('cpex_retry_with_backoff')).rglob('*'); "
                "print([str(p) for p in there if p.is_file() and '__pycache__' not in str(p) and str(p.resolve()) not in known])"
            )
            ran = subprocess.run(
                [str(inside), "-c", code], capture_output=True, text=True, check=False
            )
            if ran.stdout.strip() != "[]":
                return f"after {package}: files of nobody: {ran.stdout}{ran.stderr[-500:]}"
    return ""


def main() -> int:
    folder = Path(sys.argv[1]) if len(sys.argv) > 1 else ROOT / "dist"
    (wheel,) = folder.resolve().glob("*manylinux_2_17_x86_64*.whl")
    failed = 0
    for version in PYTHONS:
        python = interpreter(version)
        if python is None:
            print(f"SKIPPED Python {version}: not on this machine")
            continue
        if version == PYTHONS[0]:
            mixed = swap(str(python), wheel)
            failed += bool(mixed)
            print(
                f"{'FAILED' if mixed else 'passed'}  over the Rust wheel and back {mixed}",
                flush=True,
            )
        fault = smoke(str(python), wheel)
        failed += bool(fault)
        print(
            f"{'FAILED' if fault else 'passed'}  native wheel on Python {version}, without compiler and Go {fault}",
            flush=True,
        )
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())

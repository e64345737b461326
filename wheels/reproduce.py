"""Builds the same wheels in two folders and compares them byte by byte: wheels/reproduce.py [TARGET...]"""

from __future__ import annotations

import filecmp
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]


def build(folder: Path, targets: list[str]) -> Path:
    """A fresh clone in a folder of its own, and the wheels out of it."""
    clone, dist = folder / "clone", folder / "dist"
    commands: list[list[object]] = [
        ["git", "clone", "--quiet", ROOT, clone],
        [sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "--wheel-dir", dist, clone],
    ]
    for command in commands:
        subprocess.run([str(word) for word in command], check=True)
    (native,) = dist.glob("*.whl")
    subprocess.run([sys.executable, clone / "wheels/cross.py", "--native", native, "--dist", dist, *targets],
                   check=True, cwd=clone)  # fmt: skip
    return dist


def main() -> int:
    targets = sys.argv[1:] or ["linux-x86_64", "win-amd64"]
    with (
        tempfile.TemporaryDirectory() as one,
        tempfile.TemporaryDirectory(prefix="another-folder-") as two,
    ):
        first, second = build(Path(one), targets), build(Path(two), targets)
        names = sorted(p.name for p in first.iterdir() if "-linux_" not in p.name)
        same, other, missing = filecmp.cmpfiles(first, second, names, shallow=False)
    for name in names:
        print(f"{'passed' if name in same else 'FAILED'}  twice the same: {name}")
    return 1 if other or missing or not names else 0


if __name__ == "__main__":
    sys.exit(main())

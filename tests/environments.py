"""Pythons of this machine, and virtual environments that are made once and kept."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path


def interpreter(version: str) -> str | None:
    """A Python of that version: on PATH, or installed by pyenv."""
    pyenv = Path(os.environ.get("PYENV_ROOT", Path.home() / ".pyenv")) / "versions"
    found = [shutil.which(f"python{version}"), *sorted(pyenv.glob(f"{version}.*/bin/python"))]
    for candidate in filter(None, found):
        code = "import sys; print('%d.%d' % sys.version_info[:2])"
        ran = subprocess.run([candidate, "-c", code], capture_output=True, text=True)
        if ran.stdout.strip() == version:
            return str(candidate)
    return None


def environment(
    python: str, folder: Path, requirements: tuple[str, ...], wheel: str | None = None
) -> Path:
    """The Python of an environment with these requirements and, installed anew, the wheel.

    It is made again if the requirements have changed or were never all installed.
    """
    inside = folder / "bin" / "python"
    stamp = folder / "requirements"
    wanted = "\n".join(requirements)
    pip = [inside, "-m", "pip", "install", "-q", "--disable-pip-version-check"]
    if not stamp.exists() or stamp.read_text() != wanted:
        shutil.rmtree(folder, ignore_errors=True)
        subprocess.run([python, "-m", "venv", folder], check=True)
        subprocess.run([*pip, *requirements], check=True)
        stamp.write_text(wanted)
    if wheel is not None:
        subprocess.run([*pip, wheel], check=True)  # and what it requires
        subprocess.run([*pip, "--force-reinstall", "--no-deps", wheel], check=True)
    return inside

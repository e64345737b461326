"""Runs every command of docs/gateway.md, as it stands, in the gateway's environment."""

from __future__ import annotations

import os
import re
import signal
import subprocess
from pathlib import Path

from environment import ROOT
from gateway import free_port, settings_for_tests, sign_token

PAGE = ROOT / "docs" / "gateway.md"
LIMIT_S = 120


def blocks(language: str) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", PAGE.read_text(), re.S)


def script() -> str:
    """The page's shell commands in its order, and the image's RUN line with its folder here."""
    (image,) = blocks("dockerfile")
    (run,) = re.findall(r"^RUN (.*)$", image, re.M)
    lines = ["set -euo pipefail", *blocks("sh")]
    lines += ['mkdir image && cp "$WHEEL" image/', run.replace("/tmp/retry/", "image/")]
    return "\n".join(lines) + "\necho every command ran\n"


def run_page(python: Path, wheel: str, folder: Path) -> list[str]:
    """Returns what went wrong."""
    (yaml,) = blocks("yaml")
    (folder / "plugins.yaml").write_text(yaml)
    environment = {
        **os.environ,
        "PATH": f"{python.parent}:{os.environ['PATH']}",
        "WHEEL": str(Path(wheel).resolve()),
        "PORT": str(free_port()),
        **settings_for_tests(folder),
    }
    environment["TOKEN"] = sign_token(python, folder, environment)
    shell = subprocess.Popen(
        ["bash", "-c", script()], cwd=folder, env=environment, text=True,
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, start_new_session=True,
    )  # fmt: skip
    try:
        said, _ = shell.communicate(timeout=LIMIT_S)
    except subprocess.TimeoutExpired:
        said = ""
    finally:
        os.killpg(shell.pid, signal.SIGKILL)  # the gateway it started
        shell.wait()
    faults = [] if shell.returncode == 0 else [f"exit code {shell.returncode}: {said[-1500:]}"]
    for words in ("[('RetryWithBackoff', '", "every plugin was loaded", "every command ran"):
        if words not in said:
            faults.append(f"{words!r} was not said")
    return faults

"""Virtual environments with a real gateway and our wheel."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests"))

from environments import environment, interpreter  # noqa: E402

CACHE = ROOT / ".cache" / "gateway"


@dataclass(frozen=True)
class Pair:
    """A gateway and the Pythons it is deployed on; the first that exists is taken."""

    gateway: str
    cpex: str
    pythons: tuple[str, ...]
    error_codes: bool
    """Whether it puts the code of a JSON-RPC error into a result's _meta."""


# The newest gateway for Python 3.11 is not the newest gateway; both are deployed.
PAIRS = (
    Pair("1.1.0", "0.1.4", ("3.12", "3.13"), error_codes=True),
    Pair("1.0.7.post20260921", "0.1.3", ("3.11",), error_codes=False),
)


def prepare(pair: Pair, wheel: str) -> tuple[str, Path] | None:
    """(Python version, its executable in the environment); None if the machine has no such Python."""
    for version in pair.pythons:
        python = interpreter(version)
        if python is not None:
            break
    else:
        return None
    folder = CACHE / f"{version}-{pair.gateway}"
    # As an operator does it: into the gateway's environment, without touching what is there.
    inside = environment(python, folder, (f"mcp-contextforge-gateway=={pair.gateway}",), wheel)
    subprocess.run([inside, "-m", "pip", "check"], check=True, stdout=subprocess.DEVNULL)
    return version, inside

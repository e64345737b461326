"""Records the answers of the real upstream wheels: python tests/contract/record.py

Each wheel is installed from PyPI into an environment of its own under .cache/, with
the cpex named below, and runs driver.py. The answers are committed: tests need no
upstream wheel.
"""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent))

from environments import environment  # noqa: E402

CACHE = HERE.parents[1] / ".cache"
CPEX = "0.1.4"


def one_case_a_line(answers: dict[str, Any]) -> str:
    """JSON that shows in a diff which case's answer changed."""
    cases = answers.pop("cases")
    lines = [f"{json.dumps(name)}: {json.dumps(cases[name], sort_keys=True)}" for name in cases]
    rest = json.dumps(answers, sort_keys=True)[:-1]
    return f'{rest},\n"cases": {{\n' + ",\n".join(lines) + "\n}}\n"


def main() -> None:
    for version in ("0.3.1", "0.3.11"):
        wanted = (f"cpex-retry-with-backoff=={version}", f"cpex=={CPEX}")
        python = environment(sys.executable, CACHE / f"upstream-{version}", wanted)
        ran = subprocess.run(
            [python, HERE / "driver.py"], check=True, stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL, timeout=600,  # they write a line for every exhaustion
        )  # fmt: skip
        answers = {"version": version, "cpex": CPEX, **json.loads(ran.stdout)}
        target = HERE / "vectors" / f"{version}.json"
        count = len(answers["cases"])
        target.write_text(one_case_a_line(answers))
        print(f"{target}: {count} cases", file=sys.stderr)


if __name__ == "__main__":
    main()

"""Writes docs/cli.md, docs/images and docs/schemas from the command itself: docs/generate.py

A test runs it into another folder and compares.
"""

from __future__ import annotations

import json
import os
import shlex
import sys
from pathlib import Path

from click.testing import CliRunner
from pydantic import BaseModel

from cpex_retry_with_backoff.cli import main
from cpex_retry_with_backoff.cli.check import CheckReport
from cpex_retry_with_backoff.cli.explain import Explanation
from cpex_retry_with_backoff.cli.schedule import Schedule
from cpex_retry_with_backoff.cli.simulate import Simulation

HERE = Path(__file__).resolve().parent
SCHEMAS: dict[str, type[BaseModel]] = {
    "check": CheckReport, "explain": Explanation, "schedule": Schedule, "simulate": Simulation,
}  # fmt: skip
WIDTH = 88

INTRO = """\
# cpex-retry

For the person who chooses the numbers and answers for them: is the configuration right, what does
it do with a result, how long do callers wait, what happens in an outage. Installed with the
package; `python -m cpex_retry_with_backoff` is the same. What it says comes from the engine that
decides in the gateway. (`make docs` writes this page; do not edit it.)

"""

EXAMPLES = {
    "check": ["check docs/examples/careless.yaml"],
    "explain": ["explain docs/examples/careful.yaml --tool weather-search-city --status 503"],
    "schedule": ["schedule --max-retries 4 --base-ms 200 --max-ms 5000 --jitter full"],
    "simulate": [
        "simulate docs/examples/careless.yaml --against docs/examples/careful.yaml "
        "--tool weather-search-city --capacity 80"
    ],
    "doctor": [],
}

PICTURES = {
    "schedule": ("schedule.svg", "schedule --max-retries 4 --plot"),
    "simulate": (
        "simulate.svg",
        "simulate docs/examples/careless.yaml --against docs/examples/careful.yaml "
        "--tool weather-search-city --capacity 80 --plot",
    ),
}

AFTER = {
    "check": "`--format json` answers as [schemas/check.json](schemas/check.json) says; so do the "
    "other commands that have it.\n",
}

COMPLETION = """\
## Shell completion

```sh
eval "$(_CPEX_RETRY_COMPLETE=bash_source cpex-retry)"    # in ~/.bashrc
eval "$(_CPEX_RETRY_COMPLETE=zsh_source cpex-retry)"     # in ~/.zshrc
_CPEX_RETRY_COMPLETE=fish_source cpex-retry | source     # in config.fish
```

## Metrics and logs

`metrics: prometheus` in the plugin's configuration shows the engine's counters in
prometheus_client's default registry (`pip install 'cpex-retry-with-backoff[prometheus]'`), which
the gateway serves at `/metrics/prometheus` with `ENABLE_METRICS=true`. They are read when somebody scrapes; calls
pay nothing. Each gateway worker has its own, and a scrape sees the worker that answers it.

| metric | labels | what |
|---|---|---|
| `cpex_retry_decisions_total` | plugin, reason | results decided on, by [reason](policies.md#the-order-of-the-rules) |
| `cpex_retry_delay_seconds` | plugin | histogram of the delays that were answered |
| `cpex_retry_tracked_requests` | plugin | requests whose failures are being counted |
| `cpex_retry_evictions_total` | plugin | requests forgotten because of `max_tracked_requests` |
| `cpex_retry_budget_tokens` | plugin | tokens in the lowest budget in use |
| `cpex_retry_native_faults_total` | plugin | calls that could not be decided |

[grafana.json](grafana.json) is a dashboard over them.

Logging goes to `cpex_retry_with_backoff.logs`: each decision at DEBUG, exhaustion at WARNING, at
most one line a tool and minute with the number of those left out. Records have the facts as
attributes for handlers that write JSON: `retry_plugin`, `retry_tool`, `retry_request_id`,
`retry_reason`, `retry_delay_ms`, `retry_failures`, `retry_left_out`. Nothing of a payload is logged.
"""


def run(line: str) -> str:
    """What a command prints, at the width of the page."""
    os.environ["COLUMNS"] = str(WIDTH)
    os.environ.pop("RETRY_MAX_ATTEMPTS", None)
    os.environ["MAX_TOOL_RETRIES"] = "3"
    answer = CliRunner().invoke(
        main, shlex.split(line), prog_name="cpex-retry", terminal_width=WIDTH
    )
    if answer.exception and not isinstance(answer.exception, SystemExit):
        raise answer.exception
    return answer.output


def block(line: str) -> str:
    said = "\n".join(x.rstrip() for x in run(line).splitlines())
    return f"```console\n$ cpex-retry {line}\n{said}\n```\n\n"


def page() -> str:
    """docs/cli.md."""
    text = INTRO
    for name in main.commands:
        text += f"## {name}\n\n```text\n{run(f'{name} --help').rstrip()}\n```\n\n"
        text += "".join(block(line) for line in EXAMPLES[name])
        if name in PICTURES:
            file, line = PICTURES[name]
            text += f"`cpex-retry {line} {file}`:\n\n![{name}](images/{file})\n\n"
        text += AFTER.get(name, "") + ("\n" if name in AFTER else "")
    return text + COMPLETION


def write(folder: Path, pictures: bool = True) -> None:
    """Everything, into a folder."""
    (folder / "schemas").mkdir(parents=True, exist_ok=True)
    (folder / "cli.md").write_text(page(), encoding="utf-8")
    for name, model in SCHEMAS.items():
        schema = json.dumps(model.model_json_schema(), indent=2)
        (folder / "schemas" / f"{name}.json").write_text(schema + "\n", encoding="utf-8")
    if pictures:
        (folder / "images").mkdir(exist_ok=True)
        for file, line in PICTURES.values():
            run(f"{line} {folder / 'images' / file}")


if __name__ == "__main__":
    os.chdir(HERE.parent)
    write(Path(sys.argv[1]) if len(sys.argv) > 1 else HERE)

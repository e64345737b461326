"""docs/cli.md and the schemas are what the command says of itself."""

from __future__ import annotations

import json
import runpy
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from cpex_retry_with_backoff.cli import main

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def generated(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(ROOT)
    for variable in ("COLUMNS", "MAX_TOOL_RETRIES", "RETRY_MAX_ATTEMPTS"):
        monkeypatch.setenv(variable, "")  # generate.py sets them; this puts them back
    runpy.run_path(str(ROOT / "docs/generate.py"))["write"](tmp_path, pictures=False)
    return tmp_path


def test_the_page_and_the_schemas_are_current(generated: Path) -> None:
    """If this fails: make docs."""
    for new in sorted(generated.rglob("*.*")):
        committed = ROOT / "docs" / new.relative_to(generated)
        assert committed.read_text() == new.read_text(), f"{committed} is old: run make docs"


@pytest.mark.parametrize(
    "line",
    [
        "check docs/examples/careless.yaml", "explain docs/examples/careful.yaml --tool a-search-b",
        "schedule --max-retries 2", "simulate docs/examples/careful.yaml",
    ],
)  # fmt: skip
def test_what_json_formats_answer_is_what_their_schema_says(line: str, monkeypatch: Any) -> None:
    jsonschema = pytest.importorskip("jsonschema", reason="jsonschema is not installed")
    monkeypatch.chdir(ROOT)
    answer = CliRunner().invoke(main, [*line.split(), "--format", "json"])
    schema = json.loads((ROOT / f"docs/schemas/{line.split()[0]}.json").read_text())
    jsonschema.Draft202012Validator.check_schema(schema)
    jsonschema.validate(json.loads(answer.output), schema)


def test_every_metric_is_in_the_page_and_the_dashboard() -> None:
    source = (ROOT / "python/cpex_retry_with_backoff/metrics.py").read_text()
    page = (ROOT / "docs/cli.md").read_text()
    dashboard = (ROOT / "docs/grafana.json").read_text()
    names = [line.strip().split('"')[1] for line in source.splitlines() if '"cpex_retry_' in line]
    assert len(names) == 6
    for name in names:
        assert f"`{name}" in page
        assert name in dashboard
    queries = [t["expr"] for panel in json.loads(dashboard)["panels"] for t in panel["targets"]]
    assert all("cpex_retry_" in q for q in queries)

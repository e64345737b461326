"""The README and the pages in docs: their examples work, their tables are true."""

from __future__ import annotations

import json
import re
from pathlib import Path

import yaml

from cpex_retry_with_backoff import RetryConfig
from cpex_retry_with_backoff.config import ToolFields, load_config

ROOT = Path(__file__).resolve().parents[2]
README = (ROOT / "README.md").read_text()
PAGES = [README, *(page.read_text() for page in sorted((ROOT / "docs").glob("*.md")))]


def blocks(language: str) -> list[str]:
    return [b for page in PAGES for b in re.findall(rf"```{language}\n(.*?)```", page, re.S)]


def option_rows() -> dict[str, list[str]]:
    section = README.split("## Configuration")[1].split("### Overrides")[0]
    rows = re.findall(r"^\| `(\w+)` \|(.*)\|$", section, re.M)
    return {name: [cell.strip() for cell in rest.split("|")] for name, rest in rows}


def test_every_yaml_example_is_accepted_without_a_warning(caplog: object) -> None:
    entries = [e for block in blocks("yaml") for e in yaml.safe_load(block)["plugins"]]
    assert entries
    for entry in entries:
        load_config(entry["config"], entry["name"])
    assert caplog.text == ""  # type: ignore[attr-defined]


def test_the_table_of_options_has_every_option_with_its_default() -> None:
    rows = option_rows()
    defaults = RetryConfig().model_dump()
    assert list(rows) == [*ToolFields.model_fields, "tool_overrides", "state_ttl_ms",
                          "max_tracked_requests", "emit_policy_metadata"]  # fmt: skip
    for name, (shown, *_) in rows.items():
        if name == "retry_on_status":
            shown = f"[{shown}]"
        assert yaml.safe_load(shown) == defaults[name], name


def test_the_table_of_options_tells_the_real_bounds() -> None:
    for name, (_, allowed, _) in option_rows().items():
        if bounds := re.fullmatch(r"(\d+) to (\d+)", allowed):
            metadata = RetryConfig.model_fields[name].metadata
            real = {k: getattr(m, k) for m in metadata for k in ("ge", "le") if hasattr(m, k)}
            assert real == {"ge": int(bounds[1]), "le": int(bounds[2])}, name


def test_every_make_target_that_is_mentioned_exists() -> None:
    makefile = (ROOT / "Makefile").read_text()
    for target in {t for p in PAGES for t in re.findall(r"(?:`|^)make ([a-z0-9-]+)", p, re.M)}:
        assert re.search(rf"^{target}:", makefile, re.M), target


def test_the_number_of_recorded_cases_is_the_one_stated() -> None:
    vectors = json.loads((ROOT / "tests/contract/vectors/0.3.1.json").read_text())
    assert f"to {len(vectors['cases'])} configurations" in README


def test_every_link_to_a_file_of_ours_leads_somewhere() -> None:
    for page in (ROOT / "README.md", *(ROOT / "docs").glob("*.md")):
        for link in re.findall(r"\]\((?!https?:|#)([^)#]+)", page.read_text()):
            assert (page.parent / link).exists(), f"{link} in {page.name}"

"""The README and the pages in docs: their examples work, their tables are true."""

from __future__ import annotations

import json
import re
from pathlib import Path

import yaml
from support import plugin

from cpex_retry_with_backoff import RetryConfig
from cpex_retry_with_backoff.native import REASONS
from cpex_retry_with_backoff.options import Allowed

ROOT = Path(__file__).resolve().parents[2]
README = (ROOT / "README.md").read_text()
PAGES = [README, *(page.read_text() for page in sorted((ROOT / "docs").glob("*.md")))]


def blocks(language: str) -> list[str]:
    return [b for page in PAGES for b in re.findall(rf"```{language}\n(.*?)```", page, re.S)]


def option_rows() -> dict[str, list[str]]:
    policies = (ROOT / "docs/policies.md").read_text()
    sections = [
        README.split("## Configuration")[1].split("### Overrides")[0],
        policies.split("## Options")[1].split("## The order")[0],
    ]
    rows = re.findall(r"^\| `(\w+)` \|(.*)\|$", "\n".join(sections), re.M)
    return {name: [cell.strip() for cell in rest.split("|")] for name, rest in rows}


def test_every_yaml_example_is_accepted_without_a_warning(caplog: object) -> None:
    entries = [e for block in blocks("yaml") for e in yaml.safe_load(block)["plugins"]]
    assert entries
    for entry in entries:
        plugin(entry["name"], **entry["config"])
    assert caplog.text == ""  # type: ignore[attr-defined]


def test_the_table_of_options_has_every_option_with_its_default() -> None:
    rows = option_rows()
    defaults = RetryConfig().model_dump()
    assert sorted(rows) == sorted(RetryConfig.model_fields)
    for name, (shown, *_) in rows.items():
        if name == "retry_on_status":
            shown = f"[{shown}]"
        assert yaml.safe_load(shown) == defaults[name], name


def test_the_table_of_options_tells_the_real_bounds() -> None:
    for name, (_, allowed, _) in option_rows().items():
        if bounds := re.search(r"(\d+) to (\d+)$", allowed):
            words = next(
                m for m in RetryConfig.model_fields[name].metadata if isinstance(m, Allowed)
            )
            assert f"from {bounds[1]} to {bounds[2]}" in words, name


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


def test_the_table_of_reasons_names_every_reason() -> None:
    section = (ROOT / "docs/policies.md").read_text().split("## The order of the rules")[1]
    table = section.split("## Tool patterns")[0]
    first_cells = "".join(re.findall(r"^\|([^|]*)\|", table, re.M))
    assert set(re.findall(r"`(\w+)`", first_cells)) == set(REASONS)

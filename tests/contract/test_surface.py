"""Names, kinds, signatures, files: what an import or a YAML of the original relies on."""

from __future__ import annotations

import importlib
import inspect
import json
import re
import subprocess
import sys
from importlib.metadata import distribution, entry_points
from importlib.resources import files
from pathlib import Path

import pytest
import yaml

import cpex_retry_with_backoff as package
from cpex_retry_with_backoff import native
from cpex_retry_with_backoff.annotations import BITS

ROOT = Path(__file__).resolve().parents[2]


def fresh_python(code: str) -> str:
    return subprocess.run(
        [sys.executable, "-c", code], check=True, capture_output=True, text=True, timeout=60
    ).stdout.strip()


def test_the_tests_run_against_the_installed_package() -> None:
    assert "site-packages" in str(files(package))


def test_the_version_has_one_home_and_every_place_agrees() -> None:
    header = (ROOT / "capi" / "retry.h").read_text()
    version = re.search(r'RETRY_VERSION "(.+)"', header)[1]
    assert distribution("cpex-retry-with-backoff").version == version
    assert package.__version__ == version
    assert (
        importlib.import_module(f"{package.__name__}.retry_with_backoff_rust").__version__
        == version
    )
    assert native.library_version()["version"] == version
    manifest = yaml.safe_load((files(package) / "plugin-manifest.yaml").read_text())
    assert manifest["version"] == version


def test_the_manifest_tells_kind_hooks_and_the_real_defaults() -> None:
    manifest = yaml.safe_load((files(package) / "plugin-manifest.yaml").read_text())
    assert list(manifest) == [
        "description", "author", "version", "kind", "available_hooks", "default_configs",
    ]  # fmt: skip
    module, _, name = manifest["kind"].rpartition(".")
    assert getattr(importlib.import_module(module), name) is package.RetryWithBackoffPlugin
    for hook in manifest["available_hooks"]:
        assert inspect.iscoroutinefunction(getattr(package.RetryWithBackoffPlugin, hook))
    assert manifest["default_configs"] == package.RetryConfig().model_dump()


def test_the_entry_point_leads_to_the_plugin() -> None:
    (entry,) = entry_points(group="cpex.plugins", name="retry_with_backoff")
    assert entry.value == "cpex_retry_with_backoff.retry_with_backoff:RetryWithBackoffPlugin"
    assert entry.load() is package.RetryWithBackoffPlugin


def test_the_hooks_have_the_parameters_that_cpex_counts() -> None:
    signature = inspect.signature(package.RetryWithBackoffPlugin.tool_post_invoke)
    assert list(signature.parameters) == ["self", "payload", "context", "extensions"]
    signature = inspect.signature(package.RetryWithBackoffPlugin.resource_post_fetch)
    assert list(signature.parameters) == ["self", "payload", "context"]


def test_the_old_native_module_has_its_three_names() -> None:
    module = importlib.import_module(f"{package.__name__}.retry_with_backoff_rust")
    assert {"RetryStateManager", "RetryWithBackoffPluginCore", "__version__"} <= set(dir(module))
    parameters = inspect.signature(module.RetryStateManager).parameters
    assert list(parameters) == ["max_retries", "base_ms", "max_ms", "jitter", "retry_on_status"]


def test_the_package_is_typed_and_lists_its_names() -> None:
    assert (files(package) / "py.typed").is_file()
    assert {"RetryConfig", "RetryWithBackoffPlugin", "__version__"} <= set(dir(package))
    with pytest.raises(AttributeError, match="no attribute 'Nothing'"):
        package.Nothing  # noqa: B018


def test_importing_the_package_imports_nothing_else() -> None:
    code = (
        "import sys; import cpex_retry_with_backoff as p; "
        "print(any(m.startswith(('cpex.', 'pydantic', 'cffi', '_cffi')) for m in sys.modules))"
    )
    assert fresh_python(code) == "False"


def test_importing_the_plugin_does_not_load_the_go_library() -> None:
    code = (
        "from cpex_retry_with_backoff.retry_with_backoff import RetryWithBackoffPlugin; "
        "print('libretry' in open('/proc/self/maps').read())"
    )
    assert fresh_python(code) == "False"


def test_reasons_and_facts_are_numbered_as_in_the_header() -> None:
    header = (ROOT / "capi" / "retry.h").read_text()
    reasons = re.findall(r"RETRY_REASON_(\w+) = (\d+)", header)
    assert [name.lower() for name, _ in reasons] == list(native.REASONS)
    assert [int(number) for _, number in reasons] == list(range(len(reasons)))
    facts = {k: int(v) for k, v in re.findall(r"RETRY_FACT_(\w+) = (\d+)", header)}
    assert facts["IS_ERROR"] == native.IS_ERROR
    assert facts["NESTED_IS_ERROR"] == native.NESTED_IS_ERROR
    assert facts["HAS_STATUS"] == native.HAS_STATUS
    assert {
        "readOnlyHint": (facts["READ_ONLY"], facts["NOT_READ_ONLY"]),
        "idempotentHint": (facts["IDEMPOTENT"], facts["NOT_IDEMPOTENT"]),
        "destructiveHint": (facts["DESTRUCTIVE"], 0),
    } == BITS
    flags = re.findall(r"(READ_\w+|NEVER_SKIP) = (\d+)", (ROOT / "python/shim/facts.c").read_text())
    assert [int(n) for _, n in flags] == list(native.READ_FLAGS.values()), flags


def test_the_engine_counts_under_the_same_names_of_reasons() -> None:
    from support import plugin, stats

    assert set(stats(plugin("reasons"))["decisions"]) == set(native.REASONS)


def test_every_wheel_file_is_of_this_version() -> None:
    record = {str(f) for f in distribution("cpex-retry-with-backoff").files or []}
    assert any(name.startswith("cpex_retry_with_backoff/libretry.") for name in record)
    assert json.dumps(sorted(record)).count(".dist-info/METADATA") == 1

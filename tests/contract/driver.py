"""Runs the cases through whichever wheel is installed and prints the answers as JSON.

Run as a script it is the recorder's half inside an upstream environment; the tests
import it and run the same code over ours.
"""

from __future__ import annotations

import asyncio
import copy
import hashlib
import importlib
import inspect
import json
import logging
import sys
import types
from pathlib import Path
from typing import Any
from unittest import mock

sys.path.insert(0, str(Path(__file__).parent))

from cases import NATIVE_CALLS, POLICIES, Case, all_cases
from cpex.framework import GlobalContext, PluginConfig, PluginContext, ToolPostInvokePayload

MODULE = "cpex_retry_with_backoff.retry_with_backoff"
NATIVE = "cpex_retry_with_backoff.retry_with_backoff_rust"


def plugin_class() -> Any:
    return importlib.import_module(MODULE).RetryWithBackoffPlugin


def make_plugin(case: Case) -> Any:
    config = PluginConfig(name="retry", kind=f"{MODULE}.RetryWithBackoffPlugin", mode=case.mode)
    # Around the model's own validation: what matters is what the plugin says to it.
    config = config.model_copy(update={"config": case.config})
    if case.ceiling is None:
        return plugin_class()(config)
    settings = types.SimpleNamespace(max_tool_retries=case.ceiling)
    with mock.patch(f"{MODULE}.get_settings", lambda: settings, create=True):
        return plugin_class()(config)


class Warnings(logging.Handler):
    """Collects what a construction warns of."""

    def __init__(self) -> None:
        super().__init__(logging.WARNING)
        self.lines: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.lines.append(record.getMessage())


def run_case(case: Case, suffix: str) -> dict[str, Any]:
    """The answers to one case. Requests get a suffix: 0.3.1 shares its counts."""
    before = copy.deepcopy(case.config)
    warnings = Warnings()
    logging.getLogger().addHandler(warnings)
    try:
        plugin = make_plugin(case)
    except Exception as error:
        return {"refused": type(error).__name__, "message": str(error)[:300]}
    finally:
        logging.getLogger().removeHandler(warnings)
    answer: dict[str, Any] = {
        "calls": asyncio.run(run_calls(plugin, case, suffix)),
        "clamps": [line for line in warnings.lines if "exceeds gateway ceiling" in line],
        "config_untouched": repr(before) == repr(case.config),
    }
    resource = asyncio.run(plugin.resource_post_fetch(None, None))
    answer["resource"] = [resource.retry_delay_ms, resource.metadata]
    return answer


async def run_calls(plugin: Any, case: Case, suffix: str) -> list[Any]:
    answers: list[Any] = []
    hook = plugin.tool_post_invoke
    takes_extensions = len(inspect.signature(hook).parameters) == 3
    for tool, request, result, *trace in case.calls:
        # model_construct: pydantic may copy a result that is a mapping.
        payload = ToolPostInvokePayload.model_construct(name=tool, result=result)
        context = PluginContext(global_context=GlobalContext(request_id=f"{request}{suffix}"))
        arguments: list[Any] = [payload, context]
        if trace and takes_extensions:
            arguments.append(
                types.SimpleNamespace(request=types.SimpleNamespace(trace_id=trace[0]))
            )
        size = len(result) if hasattr(result, "__len__") else None
        try:
            answer = await hook(*arguments)
        except Exception as error:
            answers.append({"raises": type(error).__name__})
            continue
        answers.append([answer.retry_delay_ms, answer.metadata])
        if size is not None and len(result) != size:
            answers.append("the payload was changed")
    return answers


def run_native() -> dict[str, Any]:
    """RetryStateManager."""
    manager_class = importlib.import_module(NATIVE).RetryStateManager
    answers: dict[str, Any] = {}
    for name, arguments, calls in NATIVE_CALLS:
        try:
            manager = manager_class(*arguments)
        except Exception as error:
            answers[name] = {"raises": type(error).__name__}
            continue
        answers[name] = []
        for method, *parameters in calls:
            try:
                answers[name].append(getattr(manager, method)(*parameters))
            except Exception as error:
                answers[name].append({"raises": type(error).__name__})
    return answers


def run_policies() -> list[Any] | None:
    """to_rust_native_policy, where the wheel has it."""
    if not hasattr(plugin_class(), "to_rust_native_policy"):
        return None
    return [
        make_plugin(Case("policy", config)).to_rust_native_policy(tool, ceiling)
        for config, tool, ceiling in POLICIES
    ]


def digest() -> str:
    """Changes with the cases, so that old answers are not compared with new questions."""
    asked = repr((all_cases(), NATIVE_CALLS, POLICIES))
    return hashlib.sha256(asked.encode("utf-8", "surrogatepass")).hexdigest()[:16]


def run_all() -> dict[str, Any]:
    return {
        "asked": digest(),
        "cases": {c.name: run_case(c, f"/{i}") for i, c in enumerate(all_cases())},
        "native": run_native(),
        "policies": run_policies(),
    }


if __name__ == "__main__":
    json.dump(run_all(), sys.stdout, indent=1, sort_keys=True)

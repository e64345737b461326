"""Through cpex's real PluginManager, loaded from a plugin YAML."""

from __future__ import annotations

import asyncio
import textwrap
from pathlib import Path
from typing import Any

import pytest
from cpex.framework import (
    GlobalContext,
    PluginManager,
    ResourceHookType,
    ResourcePostFetchPayload,
    ToolHookType,
    ToolPostInvokePayload,
)
from support import FAILED, FINE, status

KINDS = (
    "cpex_retry_with_backoff.RetryWithBackoffPlugin",
    "cpex_retry_with_backoff.retry_with_backoff.RetryWithBackoffPlugin",
)


def plugin_yaml(folder: Path, name: str, kind: str = KINDS[1], mode: str = "sequential",
                config: str = "{jitter: false}") -> Path:  # fmt: skip
    path = folder / "plugins.yaml"
    path.write_text(
        textwrap.dedent(f"""
            plugins:
              - name: "{name}"
                kind: "{kind}"
                version: "0.4.0"
                hooks: ["tool_post_invoke", "resource_post_fetch"]
                mode: "{mode}"
                priority: 90
                config: {config}
            plugin_dirs: []
            plugin_settings:
              fail_on_plugin_error: false
        """)
    )
    return path


class Loaded:
    """A PluginManager, driven as the gateway drives it."""

    def __init__(self, path: Path) -> None:
        PluginManager.reset()  # its state is shared by all instances
        self.manager = PluginManager(str(path), timeout=30)

    async def __aenter__(self) -> Loaded:
        await self.manager.initialize()
        return self

    async def __aexit__(self, *_: Any) -> None:
        await self.manager.shutdown()
        PluginManager.reset()

    async def tool(self, result: Any, tool: str = "t", request: str = "r") -> Any:
        answer, _ = await self.manager.invoke_hook(
            ToolHookType.TOOL_POST_INVOKE,
            ToolPostInvokePayload(name=tool, result=result),
            GlobalContext(request_id=request),
        )
        return answer

    async def resource(self) -> Any:
        answer, _ = await self.manager.invoke_hook(
            ResourceHookType.RESOURCE_POST_FETCH,
            ResourcePostFetchPayload(uri="file:///x", content="x"),
            GlobalContext(request_id="r"),
        )
        return answer


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("mode", ["sequential", "transform", "audit", "concurrent"])
def test_a_failure_is_retried_until_it_is_exhausted(
    tmp_path: Path, name: str, kind: str, mode: str
) -> None:
    async def run() -> list[int]:
        async with Loaded(plugin_yaml(tmp_path, name, kind, mode)) as loaded:
            results = [FAILED, status(503, False), FAILED, FINE, status(404)]
            return [(await loaded.tool(result)).retry_delay_ms for result in results]

    assert asyncio.run(run()) == [200, 400, 0, 0, 0]


def test_metadata_arrives_from_both_hooks(tmp_path: Path, name: str) -> None:
    async def run() -> list[Any]:
        async with Loaded(plugin_yaml(tmp_path, name)) as loaded:
            return [(await loaded.tool(FAILED)).metadata, (await loaded.resource()).metadata]

    for metadata in asyncio.run(run()):
        # Newer cpex files it under the plugin's name, older merges it.
        policy = metadata.get("retry_policy") or metadata[name]["retry_policy"]
        assert policy["retry_on_status"] == [429, 500, 502, 503, 504]


def test_counting_survives_a_rebuilt_manager(tmp_path: Path, name: str) -> None:
    path = plugin_yaml(tmp_path, name)

    async def run() -> list[int]:
        delays = []
        for _ in range(3):
            async with Loaded(path) as loaded:
                delays.append((await loaded.tool(FAILED)).retry_delay_ms)
        return delays

    assert asyncio.run(run()) == [200, 400, 0]


def test_options_may_come_from_the_environment(
    tmp_path: Path, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("RETRIES", "1")
    config = "{jitter: 'no', max_retries: \"{{ env['RETRIES'] }}\"}"
    path = plugin_yaml(tmp_path, name, config=config)

    async def run() -> list[int]:
        async with Loaded(path) as loaded:
            return [(await loaded.tool(FAILED)).retry_delay_ms for _ in range(2)]

    assert asyncio.run(run()) == [200, 0]


def test_a_bad_configuration_is_named_when_the_manager_loads_it(
    tmp_path: Path, name: str, caplog: pytest.LogCaptureFixture
) -> None:
    path = plugin_yaml(tmp_path, name, config="{max_retries: many}")

    async def run() -> None:
        async with Loaded(path):
            pass

    try:
        asyncio.run(run())
    except Exception as error:
        said = f"{error} {error.__cause__}"
    else:
        said = caplog.text
    assert "max_retries = 'many': must be a whole number from 0 to 1000" in said + caplog.text

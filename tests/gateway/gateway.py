"""The real gateway in a process of its own, and a client for its real endpoints."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import socket
import subprocess
import threading
import time
import urllib.error
import urllib.request
from pathlib import Path
from typing import Any

SECRET = "a-signing-key-for-tests-only-0123456789abcdef"
PASSWORD = "For-Tests-0nly!x"
ADMIN = "admin@example.com"
START_LIMIT_S = 60
CALL_LIMIT_S = 60


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def settings_for_tests(folder: Path) -> dict[str, str]:
    """SQLite, secrets that pass the gateway's checks, an administrator."""
    return {
        "DATABASE_URL": f"sqlite:///{folder}/gateway.db",
        "JWT_SECRET_KEY": SECRET,
        "AUTH_ENCRYPTION_SECRET": SECRET[::-1],
        "BASIC_AUTH_PASSWORD": PASSWORD,
        "DEFAULT_USER_PASSWORD": PASSWORD,
        "PLATFORM_ADMIN_EMAIL": ADMIN,
        "PLATFORM_ADMIN_PASSWORD": PASSWORD,
        "PASSWORD_CHANGE_ENFORCEMENT_ENABLED": "false",
        "MCPGATEWAY_ADMIN_API_ENABLED": "true",
    }


def sign_token(python: Path, folder: Path, environment: dict[str, str]) -> str:
    """An administrator's token, made by the gateway's own command."""
    command = [str(python), "-m", "mcpgateway.utils.create_jwt_token", "--username", ADMIN,
               "--admin", "--exp", "60", "--secret", SECRET]  # fmt: skip
    made = subprocess.run(command, env={**os.environ, **environment}, cwd=folder,
                          capture_output=True, text=True, check=True)  # fmt: skip
    return made.stdout.strip().splitlines()[-1]


class Process:
    """A server that is started, waited for and stopped, whatever happens in between."""

    def __init__(self, command: list[Any], url: str, folder: Path, name: str,
                 environment: dict[str, str]) -> None:  # fmt: skip
        self.url = url
        self.log = folder / f"{name}.log"
        with self.log.open("w") as sink:
            self._process = subprocess.Popen(
                [str(word) for word in command], cwd=folder, stdout=sink, stderr=sink,
                start_new_session=True, env={**os.environ, **environment},
            )  # fmt: skip

    def wait_until_it_answers(self, path: str) -> None:
        until = time.monotonic() + START_LIMIT_S
        while True:
            if self._process.poll() is not None or time.monotonic() > until:
                raise RuntimeError(f"{self.log}:\n{self.log.read_text()[-3000:]}")
            try:
                urllib.request.urlopen(self.url + path, timeout=5).close()
                return
            except urllib.error.HTTPError:
                return
            except OSError:
                time.sleep(0.2)

    def stop(self) -> int | None:
        """Asks it to end, then makes it; returns the exit code."""
        if self._process.poll() is None:
            self._process.send_signal(signal.SIGTERM)
            with contextlib.suppress(subprocess.TimeoutExpired):
                self._process.wait(15)
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self._process.pid, signal.SIGKILL)
        return self._process.wait()


class Gateway:
    """ContextForge with SQLite and our plugin YAML."""

    def __init__(self, python: Path, folder: Path, plugins: Path, *, workers: int,
                 environment: dict[str, str]) -> None:  # fmt: skip
        self.folder = folder
        port = free_port()
        settings = {
            **settings_for_tests(folder),
            "SSRF_ALLOW_LOCALHOST": "true",
            "SSRF_ALLOW_PRIVATE_NETWORKS": "true",
            "PLUGINS_ENABLED": "true",
            "PLUGINS_CONFIG_FILE": str(plugins),
            "CACHE_TYPE": "memory",
            "LOG_LEVEL": "WARNING",  # its default, ERROR, hides the plugin's warnings
            "TOOL_TIMEOUT": "2",
            "OBSERVABILITY_ENABLED": "true",
            "ENABLE_METRICS": "true",
            "RETRY_MAX_ATTEMPTS": "1",
            "RETRY_BASE_DELAY": "0.01",
            **environment,
        }
        application = "mcpgateway.main:app"
        if workers == 1:
            command = [python, "-m", "uvicorn", application, "--host", "127.0.0.1",
                       "--port", port]  # fmt: skip
        else:
            command = [python, "-m", "gunicorn", "--preload", "--workers", workers,
                       "--worker-class", "uvicorn.workers.UvicornWorker", "--timeout", "120",
                       "--bind", f"127.0.0.1:{port}", application]  # fmt: skip
        url = f"http://127.0.0.1:{port}"
        self.process = Process(command, url, folder, "gateway", settings)
        self._python, self._settings, self._token = python, settings, ""
        self._id = 0
        self._lock = threading.Lock()

    def wait_until_it_is_up(self) -> None:
        self.process.wait_until_it_answers("/health")
        self._token = sign_token(self._python, self.folder, self._settings)

    def request(self, method: str, path: str, body: Any = None) -> Any:
        """One authenticated request; the JSON it answers."""
        return json.loads(self.text(method, path, body))

    def text(self, method: str, path: str, body: Any = None) -> bytes:
        """One authenticated request; what it answers."""
        request = urllib.request.Request(
            self.process.url + path,
            method=method,
            data=None if body is None else json.dumps(body).encode(),
            headers={"Authorization": f"Bearer {self._token}", "Content-Type": "application/json"},
        )
        try:
            with urllib.request.urlopen(request, timeout=CALL_LIMIT_S) as answer:
                read: bytes = answer.read()
                return read
        except urllib.error.HTTPError as error:
            with error:
                raise RuntimeError(
                    f"{method} {path}: {error.code} {error.read()[:500]!r}"
                ) from None

    def rpc(self, method: str, **params: Any) -> dict[str, Any]:
        """A JSON-RPC request; the whole answer."""
        with self._lock:
            self._id += 1
            number = self._id
        body = {"jsonrpc": "2.0", "id": number, "method": method, "params": params}
        answer: dict[str, Any] = self.request("POST", "/rpc", body)
        return answer

    def register_rest_tool(self, name: str, url: str) -> None:
        schema = {"type": "object", "properties": {"id": {"type": "string"},
                                                   "script": {"type": "string"}}}  # fmt: skip
        tool = {"name": name, "url": url, "integration_type": "REST", "request_type": "POST",
                "input_schema": schema}  # fmt: skip
        self.request("POST", "/tools", {"tool": tool, "team_id": None})

    def register_mcp_server(self, name: str, url: str) -> None:
        self.request("POST", "/gateways", {"name": name, "url": url, "transport": "STREAMABLEHTTP"})

    def log(self) -> str:
        return self.process.log.read_text(errors="replace")

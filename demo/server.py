"""A tool server on loopback that fails on purpose: each tool follows a script."""

from __future__ import annotations

import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

DROP = "drop the connection"

Answer = tuple[int, Any] | str
"""A status and a JSON body, or DROP."""


class ToolServer:
    """Serves POST /TOOL; the last answer of a tool's script repeats for ever."""

    def __init__(self, scripts: dict[str, list[Answer]]) -> None:
        self._scripts = {tool: list(script) for tool, script in scripts.items()}
        self._lock = threading.Lock()
        self.requests: dict[str, int] = dict.fromkeys(scripts, 0)
        self._http = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self._thread = threading.Thread(target=self._http.serve_forever, args=(0.05,))

    @property
    def url(self) -> str:
        host, port = self._http.server_address[:2]
        return f"http://{host!s}:{port}"

    def __enter__(self) -> ToolServer:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._http.shutdown()
        self._http.server_close()
        self._thread.join()

    def _next(self, tool: str) -> Answer:
        with self._lock:
            self.requests[tool] += 1
            script = self._scripts[tool]
            return script.pop(0) if len(script) > 1 else script[0]

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        server = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                answer = server._next(self.path.strip("/"))
                if isinstance(answer, str):
                    self.close_connection = True
                    self.connection.close()
                    return
                status, body = answer
                payload = json.dumps(body).encode()
                self.send_response(status)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(payload)))
                self.end_headers()
                self.wfile.write(payload)

            def log_message(self, *_: Any) -> None:
                """The timeline shows every request already."""

        return Handler

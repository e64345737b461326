"""A flaky REST tool on loopback: POST {"id": ..., "script": ...} is answered as the script says."""

from __future__ import annotations

import json
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from scripts import Journal


class RestServer(ThreadingHTTPServer):
    """Words: an HTTP status, "drop" (the connection), "slow" (longer than the tool's timeout)."""

    daemon_threads = True
    request_queue_size = 128

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.journal = Journal()
        self._thread = threading.Thread(target=self.serve_forever, args=(0.05,))

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}"

    def __enter__(self) -> RestServer:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.shutdown()
        self.server_close()
        self._thread.join()

    def handle_error(self, *_: object) -> None:
        """Clients that went away are part of the plan."""


class Handler(BaseHTTPRequestHandler):
    server: RestServer

    def do_POST(self) -> None:
        call = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        word = self.server.journal.attempt(call["id"], call["script"])
        if word == "drop":
            self.close_connection = True
            self.connection.close()
            return
        if word == "slow":
            time.sleep(4)
            word = "200"
        status = int(word)
        body = {"answer": 42} if status < 400 else {"error": f"the server says {status}"}
        payload = json.dumps(body).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(payload)))
        self.end_headers()
        self.wfile.write(payload)

    def log_message(self, *_: object) -> None:
        """The journal knows."""

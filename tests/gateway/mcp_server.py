"""A flaky MCP server over streamable HTTP: mcp_server.py PORT

Runs in the gateway's environment, so with the mcp that goes with that gateway (1.x or
2.x). GET /times/CALL answers when the attempts of a call arrived.
"""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import Awaitable, Callable
from typing import Any

import uvicorn
from mcp.types import CallToolResult, TextContent, ToolAnnotations
from scripts import Journal
from starlette.requests import Request
from starlette.responses import JSONResponse

try:
    from mcp.server import MCPServer

    server = MCPServer("flaky")
    options = {"stateless_http": True, "json_response": True}
except ImportError:  # mcp 1.x
    from mcp.server.fastmcp import FastMCP

    server = FastMCP("flaky", stateless_http=True, json_response=True)
    options = {}

journal = Journal()


def result(is_error: bool, text: str, structured: dict[str, Any] | None = None) -> CallToolResult:
    """A result as it goes over the wire, by its wire names: those are alike in 1.x and 2.x."""
    return CallToolResult.model_validate(
        {
            "content": [TextContent(type="text", text=text)],
            "isError": is_error,
            "structuredContent": structured,
        }
    )


ANSWERS: dict[str, Callable[[], CallToolResult]] = {
    "ok": lambda: result(False, "fine"),
    "error": lambda: result(True, "the tool failed"),
    "status503": lambda: result(False, "busy", {"status_code": 503}),
    "status404": lambda: result(False, "gone", {"status_code": 404}),
    "error503": lambda: result(True, "busy", {"status_code": 503}),
    "error404": lambda: result(True, "gone", {"status_code": 404}),
    "hint": lambda: result(True, "busy", {"status_code": 503, "retry_after_ms": 700}),
    "too_long": lambda: result(True, "busy", {"status_code": 503, "retry_after": 60}),
    "told": lambda: result(True, "no", {"retryable": False}),
    "status429": lambda: result(True, "slow down", {"status_code": 429}),
    "text503": lambda: result(False, json.dumps({"status_code": 503, "message": "busy"})),
}


async def answer(id: str, script: str) -> CallToolResult:
    word = journal.attempt(id, script)
    if word == "raise":
        raise RuntimeError("the tool raised")
    if word == "slow":
        await asyncio.sleep(4)
        word = "ok"
    return ANSWERS[word]()


@server.tool(structured_output=False)
async def scripted(id: str, script: str) -> CallToolResult:
    """Answers as the script says."""
    return await answer(id, script)


@server.tool(structured_output=False)
async def texts(id: str, script: str) -> CallToolResult:
    """The same, under a name that has an override with check_text_content."""
    return await answer(id, script)


@server.tool(structured_output=False)
async def hints(id: str, script: str) -> CallToolResult:
    """The same, under a name of its own: its cool-down is nobody else's."""
    return await answer(id, script)


@server.tool(structured_output=False)
async def frugal(id: str, script: str) -> CallToolResult:
    """The same, under a name that has an override with a small budget."""
    return await answer(id, script)


@server.tool(structured_output=False)
async def deadline(id: str, script: str) -> CallToolResult:
    """The same, under a name that has an override with a deadline."""
    return await answer(id, script)


def declaring(**hints: bool) -> ToolAnnotations:
    """Annotations by their wire names, which are alike in mcp 1.x and 2.x."""
    return ToolAnnotations.model_validate(hints)


@server.tool(structured_output=False, annotations=declaring(destructiveHint=True))
async def charge(id: str, script: str) -> CallToolResult:
    """The same, and declares itself destructive; its override has retry_safety."""
    return await answer(id, script)


@server.tool(structured_output=False, annotations=declaring(readOnlyHint=True))
async def lookup(id: str, script: str) -> CallToolResult:
    """The same, and declares itself read-only; its override has retry_safety: strict."""
    return await answer(id, script)


@server.tool(structured_output=False)
async def silent(id: str, script: str) -> CallToolResult:
    """The same, and declares nothing; its override has retry_safety: strict."""
    return await answer(id, script)


@server.tool(structured_output=False)
async def rpc(id: str, script: str) -> CallToolResult:
    """Never reached while its script says "rpc_error": see protocol_errors."""
    return result(False, "fine")


@server.resource("flaky://readme")
def readme() -> str:
    """A resource."""
    return "read me"


@server.custom_route("/times/{call:path}", methods=["GET"])
async def times(request: Request) -> JSONResponse:
    return JSONResponse(journal.times(request.path_params["call"]))


RPC_ERRORS = {"rpc_error": -32603, "rpc_arguments": -32602}


def protocol_errors(app: Any) -> Callable[..., Awaitable[None]]:
    """Answers calls of the tool "rpc" with a JSON-RPC error, which no tool function can."""

    async def wrapped(scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] != "http" or scope["method"] != "POST":
            await app(scope, receive, send)
            return
        body, more = b"", True
        while more:
            message = await receive()
            body, more = body + message.get("body", b""), message.get("more_body", False)
        try:
            call = json.loads(body)
            arguments = call["params"]["arguments"]
            hit = call["method"] == "tools/call" and call["params"]["name"] == "rpc"
        except (ValueError, KeyError, TypeError):
            hit = False
        word = journal.attempt(arguments["id"], arguments["script"]) if hit else "ok"
        if word in RPC_ERRORS:
            error = {"code": RPC_ERRORS[word], "message": "an error on purpose"}
            answer = {"jsonrpc": "2.0", "id": call["id"], "error": error}
            await JSONResponse(answer)(scope, receive, send)
            return
        sent = False

        async def replay() -> Any:
            nonlocal sent
            if sent:
                return await receive()
            sent = True
            return {"type": "http.request", "body": body, "more_body": False}

        await app(scope, replay, send)

    return wrapped


if __name__ == "__main__":
    app = protocol_errors(server.streamable_http_app(**options))
    uvicorn.run(app, host="127.0.0.1", port=int(sys.argv[1]), log_level="warning")

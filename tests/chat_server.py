"""A server at the network's edge: it speaks the chat protocol, streamed, and says what a test has written down."""

from __future__ import annotations

import http.server
import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

Say = Callable[[dict[str, Any]], Any]
"""Request -> reply: text; a dict {"name", "arguments"} for a tool call; or an int, the status to refuse with."""


class ChatServer:
    """Keeps every request, so that a test can look at what was sent."""

    def __init__(self, say: Say) -> None:
        self.say, self.requests = say, list[dict[str, Any]]()
        self.address = ""


@contextmanager
def serving(say: Say) -> Iterator[ChatServer]:
    """Serve on a free port of this machine."""
    state = ChatServer(say)

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            request = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            state.requests.append(request | {"key": self.headers.get("Authorization")})
            said = state.say(request)
            if isinstance(said, tuple):
                return self._refuse(*said)
            self.send_response(200)
            self.send_header("Content-Type", "text/event-stream")
            self.end_headers()
            for chunk in _chunks(said):
                self.wfile.write(f"data: {json.dumps(chunk)}\n\n".encode())
            self.wfile.write(b"data: [DONE]\n\n")
            return None

        def _refuse(self, status: int, message: str) -> None:
            body = json.dumps({"error": {"message": message}}).encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.send_header("Retry-After", "0")
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: Any) -> None:
            del format, args

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        state.address = f"http://127.0.0.1:{server.server_port}/v1"
        yield state
        server.shutdown()


def _chunks(said: Any) -> Iterator[dict[str, Any]]:
    """Cut a reply as servers do: a few letters at a time, the usage last."""
    if isinstance(said, dict):
        text = json.dumps(said["arguments"])
        yield _chunk(
            {"tool_calls": [{"index": 0, "id": "c1", "type": "function", "function": {"name": said["name"]}}]}
        )
        for at in range(0, len(text), 9):
            yield _chunk({"tool_calls": [{"index": 0, "function": {"arguments": text[at : at + 9]}}]})
    else:
        for at in range(0, len(said), 7):
            yield _chunk({"content": said[at : at + 7]})
    usage = {"prompt_tokens": 90, "completion_tokens": 10, "total_tokens": 100}
    yield {
        "id": "x",
        "object": "chat.completion.chunk",
        "created": 0,
        "model": "m",
        "choices": [],
        "usage": usage,
    }


def _chunk(delta: dict[str, Any]) -> dict[str, Any]:
    choice = {"index": 0, "delta": delta, "finish_reason": None}
    return {"id": "x", "object": "chat.completion.chunk", "created": 0, "model": "m", "choices": [choice]}

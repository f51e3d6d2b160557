"""A Messages API on loopback for one run of the client: it has it start one subagent, and remembers what was asked.

No key, no header and no text is kept but what the proof needs.
"""

import itertools
import json
import threading
from collections.abc import Iterator, Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, NamedTuple

AGENT_HEADER = "x-claude-code-agent-id"
SPAWN_TOOLS = ("Agent", "Task")
_POLL_S = 0.02  # how soon it notices that it is to close
_USAGE = {"input_tokens": 1, "output_tokens": 1, "cache_creation_input_tokens": 0, "cache_read_input_tokens": 0}
Body = dict[str, Any]  # the client's own JSON


class Asked(NamedTuple):
    """One request for a message."""

    model: str
    is_agent: bool
    text: str  # all that the messages say


class Service(ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self, key: str, spawn: Mapping[str, object]) -> None:
        """`key`: the only one that is answered. `spawn`: what the Agent tool is to be called with."""
        super().__init__(("127.0.0.1", 0), _Handler)
        self.key = key
        self.asked: list[Asked] = []
        self.strangers = 0  # requests that came with another key
        self._spawn = spawn
        self._numbers = itertools.count(1)
        threading.Thread(target=self.serve_forever, args=(_POLL_S,), daemon=True).start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}"

    def answer(self, body: Body, is_agent: bool) -> Body:
        """The first request of the main thread that offers the tool gets a call of it, every other one a word."""
        text = "\n".join(_texts(body.get("messages")))
        self.asked.append(Asked(str(body.get("model")), is_agent, text))
        tool = next((name for name in SPAWN_TOOLS if name in _tools(body)), None)
        number = next(self._numbers)
        is_done = '"tool_result"' in json.dumps(body.get("messages"))
        if tool is None or is_agent or is_done:
            return _message(number, body, [{"type": "text", "text": "ok"}], "end_turn")
        call = {"type": "tool_use", "id": f"toolu_check_{number}", "name": tool, "input": dict(self._spawn)}
        return _message(number, body, [call], "tool_use")

    def close(self) -> None:
        self.shutdown()
        self.server_close()

    def handle_error(self, request: object, client_address: object) -> None:
        """A client that hangs up is no news."""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    timeout = 30
    server: Service

    def do_POST(self) -> None:
        length = self.headers.get("content-length") or "0"
        raw = self.rfile.read(int(length) if length.isdigit() else 0)
        if self.headers.get("x-api-key") != self.server.key or self.headers.get("authorization"):
            self.server.strangers += 1
            self._send(401, {"type": "error", "error": {"type": "authentication_error", "message": "not this key"}})
            return
        body = _parsed(raw)
        if self.path.partition("?")[0] != "/v1/messages" or body is None:
            self._send(404, {"type": "error", "error": {"type": "not_found_error", "message": "nothing here"}})
            return
        message = self.server.answer(body, AGENT_HEADER in self.headers)
        if body.get("stream"):
            self._stream(message)
        else:
            self._send(200, message)

    def do_GET(self) -> None:
        self._send(404, {"type": "error", "error": {"type": "not_found_error", "message": "nothing here"}})

    def do_HEAD(self) -> None:
        self.send_response(200)
        self.send_header("content-length", "0")
        self.end_headers()

    def log_message(self, format: str, *args: object) -> None:
        """What was asked is kept; stderr is the user's."""

    def _send(self, status: int, value: object) -> None:
        data = json.dumps(value).encode()
        self.send_response(status)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def _stream(self, message: Body) -> None:
        self.close_connection = True
        self.send_response(200)
        self.send_header("content-type", "text/event-stream")
        self.send_header("connection", "close")
        self.end_headers()
        for name, fields in _events(message):
            self.wfile.write(f"event: {name}\ndata: {json.dumps({'type': name, **fields})}\n\n".encode())


def _events(message: Body) -> Iterator[tuple[str, Body]]:
    yield "message_start", {"message": {**message, "content": [], "stop_reason": None}}
    for index, block in enumerate(message["content"]):
        if block["type"] == "text":
            start, delta = {**block, "text": ""}, {"type": "text_delta", "text": block["text"]}
        else:
            whole = json.dumps(block["input"])
            start, delta = {**block, "input": {}}, {"type": "input_json_delta", "partial_json": whole}
        yield "content_block_start", {"index": index, "content_block": start}
        yield "content_block_delta", {"index": index, "delta": delta}
        yield "content_block_stop", {"index": index}
    yield "message_delta", {"delta": {"stop_reason": message["stop_reason"], "stop_sequence": None}, "usage": _USAGE}
    yield "message_stop", {}


def _message(number: int, body: Body, content: list[Body], reason: str) -> Body:
    return {
        "id": f"msg_check_{number}",
        "type": "message",
        "role": "assistant",
        "model": body.get("model"),
        "content": content,
        "stop_reason": reason,
        "stop_sequence": None,
        "usage": _USAGE,
    }


def _parsed(raw: bytes) -> Body | None:
    try:
        body = json.loads(raw)
    except (ValueError, RecursionError):
        return None
    return body if isinstance(body, dict) else None


def _tools(body: Body) -> list[str]:
    tools = body.get("tools")
    return [str(tool.get("name")) for tool in tools if isinstance(tool, dict)] if isinstance(tools, list) else []


def _texts(value: object) -> Iterator[str]:
    """Every text in messages and their blocks, tool results included."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, list):
        for each in value:
            yield from _texts(each)
    elif isinstance(value, dict):
        yield from _texts(value.get("text"))
        yield from _texts(value.get("content"))

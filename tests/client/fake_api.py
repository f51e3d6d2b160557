"""A Messages API on loopback that answers as it is told, for the real client.

A rule is a dict. Its conditions, all of which must hold: `model`, `prompt`, `system` (regular expressions), `agent`
(whether a subagent asks); `times` bounds its use. Its answer: `text`, `tool_use` (a list of {name, input}) or `status`,
with `headers` if wanted; `hang_s` comes before it, or `held`, till the test lets it go (see `Held`), or `after`, till
the main thread has asked so often; `cut` drops the connection after that many events.
The first rule that fits answers; when none does, the answer is "ok".
"""

import itertools
import json
import os
import re
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

ERRORS = {
    400: "invalid_request_error",
    401: "authentication_error",
    404: "not_found_error",
    429: "rate_limit_error",
    500: "api_error",
    529: "overloaded_error",
}
USAGE = {"input_tokens": 10, "output_tokens": 5, "cache_creation_input_tokens": 0, "cache_read_input_tokens": 0}
AGENT_HEADER = "x-claude-code-agent-id"


def text_of(content):
    """The text in a message's or a system field's content, tool results included."""
    if isinstance(content, str):
        return content
    blocks = (block if isinstance(block, dict) else {"text": str(block)} for block in content or [])
    return "\n".join(block.get("text") or text_of(block.get("content")) for block in blocks)


def last_user_text(body):
    said = [message["content"] for message in body.get("messages", []) if message["role"] == "user"]
    return text_of(said[-1]) if said else ""


def fits(rule, headers, body):
    facts = {"model": body.get("model", ""), "prompt": last_user_text(body), "system": text_of(body.get("system"))}
    if "agent" in rule and rule["agent"] != (AGENT_HEADER in headers):
        return False
    return all(re.search(rule[name], fact, re.S) for name, fact in facts.items() if name in rule)


def answer(number, body, rule):
    """The whole message that a rule stands for."""
    uses = rule.get("tool_use", [])
    blocks = [{"type": "text", "text": rule["text"]}] if "text" in rule else []
    blocks += [{"type": "tool_use", "id": f"toolu_{number:04d}_{n}", **use} for n, use in enumerate(uses)]
    return {
        "id": f"msg_{number:04d}",
        "type": "message",
        "role": "assistant",
        "model": body.get("model", ""),
        "content": blocks or [{"type": "text", "text": "ok"}],
        "stop_reason": "tool_use" if uses else "end_turn",
        "stop_sequence": None,
        "usage": USAGE,
    }


def events(message):
    """The same message as a stream: (event, data) pairs."""
    start = {**message, "content": [], "stop_reason": None}
    yield "message_start", {"message": start}
    for index, block in enumerate(message["content"]):
        if block["type"] == "text":
            empty, delta = {"type": "text", "text": ""}, {"type": "text_delta", "text": block["text"]}
        else:
            arguments = json.dumps(block["input"])
            empty, delta = {**block, "input": {}}, {"type": "input_json_delta", "partial_json": arguments}
        yield "content_block_start", {"index": index, "content_block": empty}
        yield "content_block_delta", {"index": index, "delta": delta}
        yield "content_block_stop", {"index": index}
    end = {"stop_reason": message["stop_reason"], "stop_sequence": None}
    yield "message_delta", {"delta": end, "usage": message["usage"]}
    yield "message_stop", {}


class Held:
    """An answer that the test gives when it is time: {"held": held.path, "times": 1} in a rule."""

    def __init__(self, path):
        self.path = str(path)
        os.mkfifo(self.path)

    def let_go(self):
        os.close(os.open(self.path, os.O_WRONLY))  # which waits for who reads it


class FakeApi(ThreadingHTTPServer):
    """Serves `rules` from a thread; `requests` is what was asked, in order of arrival."""

    daemon_threads = True
    request_queue_size = 128  # of a dozen agents that ask at once none is to try again

    def __init__(self, rules, port=0):
        super().__init__(("127.0.0.1", port), Handler)
        self.requests = []
        self._heard = threading.Condition()
        self._rules = [dict(rule) for rule in rules]
        self._numbers = itertools.count(1)
        self._lock = threading.Lock()
        threading.Thread(target=self.serve_forever, daemon=True).start()

    def take(self, path, headers, body):
        """Record a request and spend the rule that answers it."""
        with self._lock:
            number = next(self._numbers)
            rule = next((rule for rule in self._rules if rule.get("times", 1) and fits(rule, headers, body)), {})
            if "times" in rule:
                rule["times"] -= 1
            self.requests.append({"path": path, "headers": headers, "body": body})
        with self._heard:
            self._heard.notify_all()
        return number, rule

    def was_asked(self, times, within_s):
        with self._heard:
            return self._heard.wait_for(lambda: len(self.requests) >= times, within_s)

    def main_has_asked(self, times):
        with self._heard:
            self._heard.wait_for(lambda: sum(AGENT_HEADER not in each["headers"] for each in self.requests) >= times)

    def handle_error(self, request, client_address):
        """A client that hangs up is not news."""


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: FakeApi

    def do_POST(self):
        raw = self.rfile.read(int(self.headers.get("content-length") or 0))
        body = json.loads(raw) if raw else {}
        path = self.path.partition("?")[0]
        headers = {name.lower(): value for name, value in self.headers.items() if name.lower() != "x-api-key"}
        if path != "/v1/messages":
            return self.send_json(404, {"type": "error", "error": {"type": "not_found_error", "message": path}})
        number, rule = self.server.take(path, headers, body)
        time.sleep(rule.get("hang_s", 0))
        if "held" in rule:
            Path(rule["held"]).read_bytes()
        self.server.main_has_asked(rule.get("after", 0))
        if status := rule.get("status"):
            error = {"type": ERRORS[status], "message": f"the fake API says {status}"}
            return self.send_json(status, {"type": "error", "error": error}, rule.get("headers", {}))
        message = answer(number, body, rule)
        if body.get("stream"):
            return self.send_stream(message, rule.get("cut"), rule.get("headers", {}))
        # A client whose stream broke off asks for the whole: that breaks off as well.
        return self.drop() if "cut" in rule else self.send_json(200, message)

    def drop(self):
        self.close_connection = True

    def send_json(self, status, value, headers=()):
        data = json.dumps(value).encode()
        self.send_response(status)
        for name, told in {"content-type": "application/json", **dict(headers)}.items():
            self.send_header(name, told)
        self.send_header("content-length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def send_stream(self, message, most=None, headers=()):
        self.close_connection = True
        self.send_response(200)
        for name, told in {"content-type": "text/event-stream", "connection": "close", **dict(headers)}.items():
            self.send_header(name, told)
        self.end_headers()
        for event, data in itertools.islice(events(message), most):
            self.wfile.write(f"event: {event}\ndata: {json.dumps({'type': event, **data})}\n\n".encode())

    def log_message(self, *args):
        """The requests are kept; nothing goes to stderr."""

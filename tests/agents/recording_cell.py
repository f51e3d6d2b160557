"""Run one command against a fake API that can misbehave, and send it a signal when asked.

    unshare --net python recording_cell.py < job.json > ended.json

job = {"rules", "argv", "env", "cwd", "stdin", "kill"}; kill is null or {"signal", "on", "after_s"}, where on is one of
start, request, init and tool.
Beyond what the rules of the clients' tests know, one may say: `status` (any), `message`, `type` and `headers` of an
error, `hang_s`, `cut` (drop the connection after that many events), `model_out`, `usage`, `stop_reason`.
"""

import json
import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "client"))
from cell import PORT, raise_loopback
from fake_api import FakeApi, Handler, answer, events

TIMEOUT_S = 20
USAGE = {"input_tokens": 10, "output_tokens": 5, "cache_creation_input_tokens": 3, "cache_read_input_tokens": 200}


class BadHandler(Handler):
    """Answers as the rule says, also where a well-behaved API would not."""

    def do_POST(self):
        raw = self.rfile.read(int(self.headers.get("content-length") or 0))
        headers = {name.lower(): value for name, value in self.headers.items()}
        body = json.loads(raw)
        path = self.path.partition("?")[0]
        if path != "/v1/messages":
            return self.send_json(404, {"type": "error", "error": {"type": "not_found_error", "message": path}})
        number, rule = self.server.take(path, headers, body)
        time.sleep(rule.get("hang_s", 0))
        if "status" in rule:
            return self.send_error_of(rule)
        message = answer(number, body, rule)
        message |= {"model": rule.get("model_out", message["model"]), "usage": rule.get("usage", USAGE)}
        message["stop_reason"] = rule.get("stop_reason", message["stop_reason"])
        return self.send_message(message, rule) if body.get("stream") else self.send_whole(message, rule)

    def send_error_of(self, rule):
        error = {"type": rule.get("type", "api_error"), "message": rule.get("message", "the fake API refuses")}
        data = json.dumps({"type": "error", "error": error}).encode()
        self.send_response(rule["status"])
        for name, value in {"content-type": "application/json", **rule.get("headers", {})}.items():
            self.send_header(name, value)
        self.send_header("content-length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def send_whole(self, message, rule):
        """What a client asks for when the stream broke off: it breaks off as well."""
        if "cut" not in rule:
            self.send_json(200, message)
            return
        self.close_connection = True
        self.send_response(200)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", "1000")
        self.end_headers()
        self.wfile.write(json.dumps(message).encode()[:50])

    def send_message(self, message, rule):
        """As the real API does, the first event knows little of the output tokens, the last one all."""
        self.close_connection = True
        self.send_response(200)
        for name, value in {"content-type": "text/event-stream", **rule.get("headers", {})}.items():
            self.send_header(name, value)
        self.send_header("connection", "close")
        self.end_headers()
        for number, (event, data) in enumerate(events(message)):
            if number == rule.get("cut"):
                return
            if event == "message_start":
                data["message"]["usage"] = {**message["usage"], "output_tokens": 1}
            self.wfile.write(f"event: {event}\ndata: {json.dumps({'type': event, **data})}\n\n".encode())


class Killer:
    """Waits for its moment, then sends one signal."""

    def __init__(self, child, api, order):
        self.child, self.api, self.order = child, api, order
        if order and order["on"] in ("start", "request"):
            threading.Thread(target=self.watch, daemon=True).start()

    def watch(self):
        while self.order["on"] == "request" and not self.api.requests:
            time.sleep(0.01)
        self.fire()

    def saw(self, line):
        wanted = {"init": '"subtype":"init"', "tool": '"type":"tool_use"'}.get((self.order or {}).get("on"), "\n\n")
        if wanted in line:
            self.order = {**self.order, "on": "fired"}
            threading.Thread(target=self.fire, daemon=True).start()

    def fire(self):
        time.sleep(self.order["after_s"])
        self.child.send_signal(getattr(signal, self.order["signal"]))


def main():
    job = json.load(sys.stdin)
    raise_loopback()
    api = FakeApi(job["rules"], PORT)
    api.RequestHandlerClass = BadHandler
    child = subprocess.Popen(
        job["argv"],
        env=job["env"],
        cwd=job["cwd"],
        text=True,
        start_new_session=True,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    killer = Killer(child, api, job["kill"])
    overdue = threading.Timer(TIMEOUT_S, os.killpg, (child.pid, signal.SIGKILL))
    overdue.start()
    child.stdin.write(job["stdin"])
    child.stdin.close()
    lines = []
    for line in child.stdout:
        lines.append(line)
        killer.saw(line)
    stderr = child.stderr.read()
    code = child.wait()
    overdue.cancel()
    json.dump({"code": code, "stdout": lines, "stderr": stderr, "asked": len(api.requests)}, sys.stdout)


if __name__ == "__main__":
    main()

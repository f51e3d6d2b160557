"""A service on loopback that takes events, or does not, as it is told."""

import json
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


class PostOffice(ThreadingHTTPServer):
    """`answers`: what each request gets in its turn, then 204: a status, (status, headers), "hang", "drip", "close"."""

    daemon_threads = True

    def __init__(self, *answers):
        super().__init__(("127.0.0.1", 0), _Handler)
        self.answers = list(answers)
        self.letters = []
        self.came = threading.Condition()
        self.open = threading.Event()
        threading.Thread(target=self.serve_forever, args=(0.02,), daemon=True).start()

    @property
    def url(self):
        return f"http://127.0.0.1:{self.server_port}/hook"

    @property
    def keys(self):
        return [headers["idempotency-key"] for headers, _ in self.letters]

    @property
    def types(self):
        return [body["type"].removeprefix("orchestration.") for _, body in self.letters]

    def take(self, headers, body):
        """What it is answered."""
        with self.came:
            self.letters.append((headers, body))
            self.came.notify_all()
            return self.answers.pop(0) if self.answers else 204

    def has(self, count, within_s=60):
        with self.came:
            return self.came.wait_for(lambda: len(self.letters) >= count, within_s)

    def end(self):
        self.open.set()
        self.shutdown()
        self.server_close()

    def handle_error(self, request, client_address):
        """A sender that is killed is not news."""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_POST(self):
        raw = self.rfile.read(int(self.headers.get("content-length") or 0))
        answer = self.server.take({name.lower(): value for name, value in self.headers.items()}, json.loads(raw))
        if answer == "hang":
            self.server.open.wait(60)
        elif answer == "drip":
            self._drip()
        elif answer != "close":
            status, headers = answer if isinstance(answer, tuple) else (answer, {})
            self.send_response(status)
            for name, value in headers.items():
                self.send_header(name, value)
            self.send_header("content-length", "0")
            self.end_headers()
        self.close_connection = True

    def _drip(self):
        """A header that never ends: each read succeeds, the whole does not."""
        self.wfile.write(b"HTTP/1.1 200 OK\r\nx: ")
        while not self.server.open.is_set():
            self.wfile.write(b"y")
            time.sleep(0.05)

    def log_message(self, *args):
        pass

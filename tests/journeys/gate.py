"""A gate on the way to the token endpoint: it catches a request, so that whoever sent it can be killed there."""

import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import httpx2

from tests.journeys.configs import config


class Gate:
    """Stands before the token endpoint of the practice provider at `url` and lets pass what it was not to catch.

    `config` is the one that leads here.
    """

    def __init__(self, url):
        self.arrived = threading.Event()
        self.arrived.set()
        self._url = url
        gate = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self):
                body = self.rfile.read(int(self.headers["content-length"]))
                if not gate.arrived.is_set():
                    gate.arrived.set()
                    self.close_connection = True
                    self.rfile.read()  # Until the one who asked is gone.
                    return
                content = gate._forwarded(body)
                self.send_response(200)
                self.send_header("content-type", "application/json")
                self.send_header("content-length", str(len(content)))
                self.end_headers()
                self.wfile.write(content)

            def log_message(self, *_):
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
        self.url = f"http://127.0.0.1:{self.server.server_address[1]}"
        self.config = config(url).replace(f'"{url}/token"', f'"{self.url}/token"')

    def catch_next(self):
        """Keep the next request, and let those after it pass."""
        self.arrived.clear()

    def close(self):
        self.server.shutdown()
        self.server.server_close()

    def _forwarded(self, body):
        headers = {"content-type": "application/x-www-form-urlencoded"}
        return httpx2.post(f"{self._url}/token", content=body, headers=headers).content

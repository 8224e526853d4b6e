"""A server of prepared pages: answers each GET with bytes recorded before, so that its own work costs nothing.

python benchmarks/pages.py RECORDING.json   prints its port, then serves on 127.0.0.1 until it is killed
"""

from __future__ import annotations

import json
import sys
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path


class Pages(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    recorded: dict[str, bytes] = {}

    def do_GET(self) -> None:
        body = self.recorded.get(self.path)
        data = body if body is not None else b'{"status": false, "errorMessage": "not recorded"}'
        self.send_response(200 if body is not None else 404)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def log_message(self, format: str, *args: object) -> None:
        """Nothing to say."""


def main() -> None:
    recorded = json.loads(Path(sys.argv[1]).read_text(encoding="utf-8"))
    Pages.recorded = {path: text.encode() for path, text in recorded.items()}
    ThreadingHTTPServer.daemon_threads = True
    server = ThreadingHTTPServer(("127.0.0.1", 0), Pages)
    print(server.server_address[1], flush=True)
    server.serve_forever()


if __name__ == "__main__":
    main()

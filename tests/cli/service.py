"""An HTTP server as a test wants it: remembers what it was asked, and answers
as the test says."""

import collections
import http.server
import json
import threading

# One request: its body are bytes.
Asked = collections.namedtuple("Asked", "method path headers body")


class Handler(http.server.BaseHTTPRequestHandler):
    """What answers one connection; `asked` is its latest request."""

    protocol_version = "HTTP/1.1"

    def log_message(self, *args):  # pylint: disable=arguments-differ
        pass

    def serve(self):
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        self.asked = Asked(self.command, self.path, self.headers, body)
        self.server.asked.append(self.asked)
        reply = self.server.answer(self)
        if isinstance(reply, tuple):
            self.say_json(*reply)
        elif reply is not None:
            self.say_json(200, reply)

    do_GET = do_POST = do_PUT = do_DELETE = serve

    def say(self, status, body=b"", headers=None, cut=None):
        """The whole answer, or its first `cut` bytes."""
        self.send_response(status)
        for name, value in (headers or {}).items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body if cut is None else body[:cut])
        if cut is not None:
            self.close_connection = True

    def say_json(self, status, value):
        self.say(status, json.dumps(value).encode(),
                 {"Content-Type": "application/json"})


class Service(http.server.ThreadingHTTPServer):
    """Serves until the test ends.  `answer` is called with the handler of each
    request, from any thread.  It returns what to answer, a JSON value or
    (status, JSON value), or None when it has called say() itself."""

    daemon_threads = True

    def __init__(self, case, answer):
        super().__init__(("127.0.0.1", 0), Handler)
        self.answer, self.asked = answer, []
        self.url = f"http://127.0.0.1:{self.server_port}"
        threading.Thread(target=self.serve_forever,
                         kwargs={"poll_interval": 0.02}, daemon=True).start()
        case.addCleanup(self.server_close)
        case.addCleanup(self.shutdown)

    def keys(self):
        """The Authorization of each request, or None."""
        return [asked.headers.get("Authorization") for asked in self.asked]

"""A provider that misbehaves as a script says.

Speaks HTTP by hand, so that it can break any rule of it.  A script is a
function that is given each call; it answers, or does something worse.
"""

import json
import socket
import threading


class Call:
    """One request, as read from the wire."""

    def __init__(self, sock, number, headers, body):
        self.sock = sock
        self.number = number  # 0, 1, 2, ... over all connections
        self.headers = headers
        self.body = json.loads(body)
        self.keep = True  # whether the connection is used again
        content = self.body["messages"][-1]["content"]
        if isinstance(content, list):
            content = "".join(part["text"] for part in content)
        start = content.rfind('{"items"')
        self.items = (json.loads(content[start:])["items"]
                      if start >= 0 else [])

    # -- right answers

    @staticmethod
    def translate(item):
        return {"id": item["id"], "output": "Fr " + item["text"]}

    def answers(self):
        return [self.translate(item) for item in self.items]

    def good(self):
        self.content(json.dumps({"items": self.answers()}))

    def content(self, text, finish="stop", **extra):
        """A whole answer with this text from the model."""
        self.json(200, self.completion(text, finish, **extra))

    @staticmethod
    def completion(text, finish="stop", **extra):
        return {"id": "c1", "object": "chat.completion", "model": "m",
                "choices": [{"index": 0, "finish_reason": finish,
                             "message": {"role": "assistant",
                                         "content": text}}],
                "usage": {"prompt_tokens": 100, "completion_tokens": 50,
                          "total_tokens": 150}, **extra}

    def stream(self, pieces, finish="stop", end=True):
        """The same as server-sent events."""
        self.head(200, {"Content-Type": "text/event-stream",
                        "Connection": "close"})
        self.keep = False
        for piece in pieces:
            self.event({"choices": [{"index": 0, "delta": {"content": piece},
                                     "finish_reason": None}]})
        if end:
            self.event({"choices": [{"index": 0, "delta": {},
                                     "finish_reason": finish}]})
            self.event({"choices": [], "usage": {"prompt_tokens": 100,
                                                 "completion_tokens": 50}})
            self.send(b"data: [DONE]\n\n")

    def event(self, value):
        self.send(b"data: " + json.dumps(value).encode() + b"\n\n")

    # -- HTTP

    def send(self, data):
        self.sock.sendall(data)

    def head(self, status, headers):
        lines = [f"HTTP/1.1 {status} Whatever"]
        lines += [f"{name}: {value}" for name, value in headers.items()]
        self.send(("\r\n".join(lines) + "\r\n\r\n").encode())

    def reply(self, status, body, kind="application/json", **headers):
        self.head(status, {"Content-Type": kind, "Content-Length": len(body),
                           **{name.replace("_", "-"): value
                              for name, value in headers.items()}})
        self.send(body)

    def json(self, status, value, **headers):
        self.reply(status, json.dumps(value).encode(), **headers)

    def error(self, status, code, message="No.", **headers):
        self.json(status, {"error": {"message": message, "type": code,
                                     "param": None, "code": code}},
                  **headers)

    def hang_up(self):
        self.keep = False

    def wait(self):
        """Until the other side gives up."""
        self.keep = False
        while self.sock.recv(4096):
            pass


class BadServer:
    """Serves a script on a free port until closed."""

    def __init__(self, script):
        self.script = script
        self.calls = 0
        self.lock = threading.Lock()
        self.problems = []  # what went wrong in a script itself
        self.open = set()
        self.listener = socket.create_server(("127.0.0.1", 0), backlog=128)
        self.url = f"http://127.0.0.1:{self.listener.getsockname()[1]}/v1"
        threading.Thread(target=self.accept, daemon=True).start()

    def close(self):
        # A blocked accept() is woken by the shutdown, not by the close.
        self.listener.shutdown(socket.SHUT_RDWR)
        self.listener.close()
        with self.lock:
            for sock in self.open:
                try:
                    sock.shutdown(socket.SHUT_RDWR)
                except OSError:
                    pass

    def accept(self):
        while True:
            try:
                sock, _ = self.listener.accept()
            except OSError:
                return
            with self.lock:
                self.open.add(sock)
            threading.Thread(target=self.serve, args=(sock,),
                             daemon=True).start()

    def serve(self, sock):
        reader = sock.makefile("rb")
        try:
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            while self.serve_one(sock, reader):
                pass
        except OSError:
            pass  # the other side gave up, as it may
        except Exception as problem:  # pylint: disable=broad-except
            self.problems.append(problem)
        finally:
            reader.close()
            with self.lock:
                self.open.discard(sock)
            sock.close()

    def serve_one(self, sock, reader):
        request = reader.readline()
        if not request:
            return False
        headers = {}
        while (line := reader.readline()) not in (b"\r\n", b""):
            name, value = line.decode().split(":", 1)
            headers[name.strip().lower()] = value.strip()
        body = reader.read(int(headers["content-length"]))
        with self.lock:
            number = self.calls
            self.calls += 1
        call = Call(sock, number, headers, body)
        self.script(call)
        return call.keep

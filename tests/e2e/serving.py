"""What serve.py and serve_crowd.py share: the debug server over a host in memory, and ways to ask it."""

import os
import re
import socket
import subprocess
import sys
import time

build = os.path.abspath(sys.argv[1])
server = f"{build}/tests/debug-server"
TEXT, BINARY = "text/plain; charset=utf-8", "application/octet-stream"


class Server:
    """A running server; its end is checked: exit status 0 says that the program's state was kept and nothing leaked."""

    def __init__(self, *words, address="127.0.0.1:0"):
        self.process = subprocess.Popen([server, address, *words], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self.said = self.process.stdout.readline().strip()
        self.port = int(self.said.rsplit(":", 1)[1]) if re.fullmatch(r"[\d.]+:\d+", self.said) else 0
        self.pid = self.process.pid

    def __enter__(self):
        assert self.port, self.said
        return self

    def __exit__(self, kind, value, trace):
        self.process.stdin.close()
        rest = self.process.stdout.read()
        status = self.process.wait(20)
        if not kind:
            assert status == 0 and not rest, f"exit status {status}: {rest}"

    def url(self, path):
        return f"http://127.0.0.1:{self.port}{path}"

    def connect(self):
        return socket.create_connection(("127.0.0.1", self.port), 20)

    def raw(self, request, shut=False):
        """All that comes back for these bytes."""
        with self.connect() as s:
            s.sendall(request if isinstance(request, bytes) else request.encode("latin-1"))
            if shut:
                s.shutdown(socket.SHUT_WR)
            return receive_all(s)

    def status(self, request, shut=False):
        answer = self.raw(request, shut)
        return int(answer.split()[1]) if answer.startswith(b"HTTP/1.1 ") else answer

    def metric(self, name):
        return float(re.search(rf"^{name} (.*)$", curl(self.url("/metrics"))[2], re.M).group(1))


def receive_all(s):
    parts = []
    try:
        while part := s.recv(65536):
            parts.append(part)
    except ConnectionResetError:
        parts.append(b" RESET")
    return b"".join(parts)


def curl(url, *options, method=None):
    """Status, headers (small letters), body."""
    words = ["curl", "-s", "-i", "-m", "20", *options, url]
    if method:
        words[1:1] = ["-I"] if method == "HEAD" else ["-X", method]
    done = subprocess.run(words, capture_output=True)
    assert done.returncode == 0, f"curl {url}: exit status {done.returncode}"
    head, _, body = done.stdout.partition(b"\r\n\r\n")
    while head.startswith(b"HTTP/1.1 100"):
        head, _, body = body.partition(b"\r\n\r\n")
    lines = head.decode().split("\r\n")
    headers = dict((key.lower(), value) for key, value in (line.split(": ", 1) for line in lines[1:]))
    return int(lines[0].split()[1]), headers, body.decode("latin-1")


def get(path, host="localhost", version="1.1", extra=""):
    return f"GET {path} HTTP/{version}\r\n" + (f"Host: {host}\r\n" if host else "") + extra + "Connection: close\r\n\r\n"


def expect(got, wanted, what):
    assert got == wanted, f"{what}: {got!r} instead of {wanted!r}"


def settles(ask, wanted, what, seconds=5):
    """What `ask()` says within some seconds, on a machine that may be busy."""
    until = time.monotonic() + seconds
    while (got := ask()) != wanted and time.monotonic() < until:
        time.sleep(0.05)
    expect(got, wanted, what)

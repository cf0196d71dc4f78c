#!/usr/bin/python3
"""
serve_noise.py BUILD [REQUESTS [SEED]]: requests that went wrong on their way, through a socket, eight clients at once.

Each is a good request with some bytes changed, lost, doubled or put in, sent in pieces.  What comes back is nothing or
replies that are whole, no fault is the server's, and afterwards it is as it was: debug-server checks that itself.
"""

import errno
import random
import re
import sys
import threading

from serving import Server, curl, expect, get, receive_all

count = int(sys.argv[2]) if len(sys.argv) > 2 else 2400
seed = int(sys.argv[3]) if len(sys.argv) > 3 else 1

GOOD = [
    get("/debug/pprof/heap?debug=1&gc=1"), get("/debug/pprof/profile?seconds=1&hz=100"), get("/debug/pprof/trace?seconds=0.02"),
    get("/debug/pprof/heap?seconds=1"), get("/metrics", "10.1.2.3:9102", extra="Accept: application/openmetrics-text\r\n"),
    get("/debug/pprof/", "[::1]:6060", extra="Origin: http://[::1]:6060\r\nSec-Fetch-Site: same-origin\r\n"),
    get("/debug/pprof/cmdline?token=s3cret", extra="Authorization: Basic eDpzM2NyZXQ=\r\n"),
    get("http://localhost/debug/pprof/threads?debug=2&pid=1"), get("/debug/pprof/symbol?0x1001+0x1002", version="1.0"),
    "HEAD /debug/pprof/heap HTTP/1.1\r\nHost: localhost\r\n\r\n" + get("/debug/pprof/mine"),
    "POST /debug/pprof/symbol HTTP/1.1\r\nHost: localhost\r\nContent-Length: 13\r\nExpect: 100-continue\r\n\r\n0x1001+0x1002",
    "POST /debug/pprof/symbol HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\nd\r\n0x1001+0x1002\r\n0\r\n\r\n",
    "GET /debug/pprof/heap HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n",
]
WORDS = [
    "\r\n", "\n", "\r", "\0", "\r\n\r\n", " ", "\t", ":", "%", "%00", "%2e%2e/", "../", "//", "?", "&", "=", "+", ";", "#", "\xff",
    "HTTP/1.1", "HTTP/0.9", "GET ", "POST ", "http://", "Host: evil.com\r\n", "Content-Length: 0\r\n", "Content-Length: -1\r\n",
    "Content-Length: 18446744073709551615\r\n", "Transfer-Encoding: chunked\r\n", "Connection: keep-alive\r\n", "Range: bytes=0-0\r\n",
    "Expect: 100-continue\r\n", "If-Modified-Since: Thu, 01 Jan 1970 00:00:00 GMT\r\n", "Accept-Encoding: gzip\r\n", "seconds=1e400",
    "seconds=-1", "seconds=99999999999999999999", "debug=99999999999", "pid=0", "\xc0\xae", "\u00e9", "x" * 300, "x" * 5000, "x: y\r\n" * 100,
]
STATUSES = {100, 200, 301, 400, 403, 404, 405, 408, 411, 413, 414, 505}


def spoil(chance, text):
    """The request with one to four things wrong with it."""
    for _ in range(chance.choice((1, 1, 1, 2, 4))):
        at = chance.randrange(len(text) + 1)
        end = min(len(text), at + chance.choice((1, 1, 2, 8, 40)))
        text = chance.choice((
            lambda: text[:at] + chr(chance.randrange(256)) + text[end:],
            lambda: text[:at] + text[end:],
            lambda: text[:end] + text[at:],
            lambda: text[:at] + chance.choice(WORDS) + text[at:],
            lambda: text[:at] + chance.choice(WORDS) + text[end:],
            lambda: text[:at] + chance.choice(GOOD)[at:],
            lambda: text[:at],
        ))()
    return text.encode("latin-1", "replace")


def problem(answer):
    """What is wrong with what came back: replies one behind the other, each whole by its own account."""
    while answer:
        head, parted, answer = answer.partition(b"\r\n\r\n")
        match = re.match(rb"HTTP/1\.1 (\d{3}) [A-Za-z -]+(\r\n[A-Za-z-]+: [^\r\n\0]*)*$", head)
        if not parted or not match:
            return "a malformed head"
        if int(match[1]) not in STATUSES:
            return "a status that no request can ask for"
        length = re.search(rb"\r\nContent-Length: (\d+)", head)
        if int(match[1]) == 100 or (int(match[1]) != 301 and b"nosniff" not in head):
            if int(match[1]) != 100:
                return "no word against sniffing"
            continue
        if b"Transfer-Encoding: chunked" in head or not length:
            return None                             # a stream, cut when its client closed, is the last
        if answer and not answer.startswith(b"HTTP/1.1 "):
            if len(answer) < int(length[1]):
                return "a body that is cut"
            answer = answer[int(length[1]):]
    return None


def client(server, number, wrong, statuses):
    chance = random.Random(seed * 1000 + number)
    for turn in range(count // 8):
        request = spoil(chance, chance.choice(GOOD))
        answer = b""
        try:
            with server.connect() as c:
                cuts = sorted(chance.randrange(len(request) + 1) for _ in range(chance.randint(0, 2)))
                for begin, end in zip([0, *cuts], [*cuts, len(request)]):
                    c.sendall(request[begin:end])
                c.shutdown(1)
                answer = receive_all(c)
        except ConnectionError:
            pass                                    # it closes what it does not understand, though more comes
        except OSError as error:
            if error.errno == errno.ENOTCONN:       # the same, told by shutdown()
                continue
            wrong.append(f"{number}.{turn}: {error}: {request[:300]}")
            continue
        if answer.endswith(b" RESET"):
            answer = answer[:-6]
        what = problem(answer)
        if what:
            wrong.append(f"{number}.{turn}: {what}: {request[:300]} {answer[:300]}")
        if b"root:" in answer:
            wrong.append(f"{number}.{turn}: a file: {request[:300]}")
        statuses.append(int(answer[9:12]) if answer else 0)


wrong, statuses = [], []
with Server() as s:
    clients = [threading.Thread(target=client, args=(s, number, wrong, statuses)) for number in range(8)]
    for one in clients:
        one.start()
    for one in clients:
        one.join()
    expect(curl(s.url("/debug/pprof/heap"))[0], 200, "afterwards")
print("  " + ", ".join(f"{statuses.count(status)} x {status or 'closed'}" for status in sorted(set(statuses))))
assert not wrong, f"{len(wrong)} of {count}: " + "\n".join(wrong[:5])
assert len(set(statuses)) >= 6, "too little variety"

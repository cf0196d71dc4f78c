#!/usr/bin/python3
"""
serve.py BUILD [NAME...]: the debug server over a host in memory (tests/tracer/serve/debug_server.c), asked by curl and by
raw sockets: status, headers and bodies; what is malformed, slow or too much; what stays as it was.
"""

import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time

from serving import BINARY, TEXT, Server, curl, expect, get, receive_all, server, settles


# ---- one request ----

def answers():
    """Statuses, headers and bodies of everything that answers at once."""
    rows = [    # path, status, type, file, body
        ("/debug/pprof/heap", 200, BINARY, "heap", "heap debug=0 gc=0 symbolize=1\n"),
        ("/debug/pprof/heap?debug=1&gc=1", 200, TEXT, None, "heap debug=1 gc=1 symbolize=1\n"),
        ("/debug/pprof/goroutine", 200, BINARY, "goroutine", "goroutine debug=0 gc=0 symbolize=1\n"),
        ("/debug/pprof/nosuch", 404, TEXT, None, "Unknown profile\n"),
        ("/debug/pprof/heap?seconds=abc", 400, TEXT, None, 'invalid value for "seconds" - must be a positive integer\n'),
        ("/debug/pprof/mine?seconds=1", 400, TEXT, None, '"seconds" parameter is not supported for this profile type\n'),
        ("/debug/pprof/heap?seconds=1&debug=1", 400, TEXT, None, "seconds and debug params are incompatible\n"),
        ("/debug/pprof/heap?seconds=1", 200, BINARY, "heap-delta", "heap over 1 seconds at 0\n"),
        ("/debug/pprof/profile?seconds=1&hz=50", 200, BINARY, "profile", "profile over 1 seconds at 50\n"),
        ("/debug/pprof/symbol?0x1001+0x9+0x1fff", 200, TEXT, None,
         "num_symbols: 1\n0x1001 function_1001\n0x1fff function_1fff\n"),
        ("/", 404, TEXT, None, "404 page not found\n"),
        ("/debug/pprof", 301, "text/html; charset=utf-8", None, '<a href="/debug/pprof/">Moved Permanently</a>.\n\n'),
    ]
    with Server() as s:
        for path, status, kind, file, body in rows:
            got = curl(s.url(path))
            expect(got[0], status, path)
            expect(got[2], body, path)
            expect(got[1]["content-type"], kind, path)
            expect(got[1].get("content-disposition"), file and f'attachment; filename="{file}"', path)
            expect(got[1].get("x-go-pprof"), "1" if status in (400, 404) and body[0] != "4" else None, path)
            expect(got[1]["content-length"], str(len(body)), path)
            for name, value in (("x-content-type-options", "nosniff"), ("cache-control", "no-store")):
                expect(got[1][name], value, path)
            assert re.fullmatch(r"\w{3}, \d\d \w{3} \d{4} \d\d:\d\d:\d\d GMT", got[1]["date"])
            if "seconds=1" not in path:
                head = curl(s.url(path), method="HEAD")
                expect((head[0], head[1]["content-length"], head[2]), (status, str(len(body)), ""), f"HEAD {path}")
        with open(f"/proc/{s.pid}/cmdline", "rb") as file:
            expect(curl(s.url("/debug/pprof/cmdline"))[2].encode(), file.read()[:-1], "cmdline")
        expect(curl(s.url("/debug/pprof"))[1]["location"], "/debug/pprof/", "redirect")
        assert "# EOF\n" in curl(s.url("/metrics"))[2] and "openmetrics" in curl(s.url("/metrics"))[1]["content-type"]
        index = curl(s.url("/debug/pprof/"))[2]
        assert "<table>" in index
        expect(dict(re.findall(r'<form action="(\w+)">.*? step="(\w+)"', index)), {"profile": "1", "trace": "any"},
               "parts of seconds, which of a profile would be 30")
        large = curl(s.url("/debug/pprof/large"))[2].split("\n", 1)[1]
        expect((len(large), large[-4096:-4086]), (8 << 20, "block 2047"), "8 MB")
    with Server("prefix=/admin/ct") as s:
        expect(curl(s.url("/admin/ct/heap"))[0], 200, "another prefix")
        expect(curl(s.url("/debug/pprof/heap"))[0], 404, "the usual prefix")


def methods():
    """405 with Allow, POST for symbol, HEAD without a measurement."""
    with Server() as s:
        for method in ("POST", "PUT", "DELETE", "OPTIONS", "PATCH"):
            got = curl(s.url("/debug/pprof/heap"), method=method)
            expect((got[0], got[1].get("allow"), got[2]), (405, "GET, HEAD", "Method Not Allowed\n"), method)
        for method in ("BREW", "get", "M-SEARCH", "X" * 60, "TRACE"):     # some of which civetweb does not know
            with s.connect() as c:
                c.sendall(f"{method} /debug/pprof/heap?debug=1 HTTP/1.1\r\nHost: localhost\r\nConnection: keep-alive\r\n\r\n".encode())
                got = receive_all(c).decode()
            expect((got[:12], "\r\nAllow: GET, HEAD\r\n" in got, got.endswith("\r\n\r\nMethod Not Allowed\n")),
                   ("HTTP/1.1 405", True, True), method)
        for line in ("BR\x01EW / HTTP/1.1", "BREW / HTTP/1.7", "BREW / HTCPCP/1.0", "BREW /", "BREW", "(x) / HTTP/1.1"):
            with s.connect() as c:
                c.sendall(f"{line}\r\nHost: localhost\r\n\r\n".encode())
                expect(receive_all(c)[:12], b"HTTP/1.1 400", line)
        both = s.raw("HEAD /debug/pprof/ HTTP/1.1\r\nHost: localhost\r\n\r\nOPTIONS * HTTP/1.1\r\nHost: localhost\r\n\r\n").decode()
        expect(re.findall(r"HTTP/1.1 (\d+)", both), ["200", "405"], "of the server itself, on a connection that was kept")
        assert "\r\nAllow: GET, HEAD\r\n" in both and "nosniff" in both, both
        expect(curl(s.url("/debug/pprof/symbol"), method="PUT")[1]["allow"], "GET, HEAD, POST", "PUT symbol")
        many = "+".join(f"{a:#x}" for a in range(0x1000, 0x2000)) + "+0x1" * 100000
        got = subprocess.run(
            ["curl", "-s", "-m", "20", "--data-binary", "@-", "-H", "Expect: 100-continue", s.url("/debug/pprof/symbol")],
            input=many.encode(), capture_output=True).stdout.decode()
        expect(len(got.splitlines()), 4097, "symbols of a large POST")
        begin = time.monotonic()
        for path in ("profile", "profile?seconds=20", "trace?seconds=20", "heap?seconds=20"):
            head = curl(s.url(f"/debug/pprof/{path}"), method="HEAD")
            expect((head[0], head[1].get("content-length")), (200, None), f"HEAD {path}")
        assert time.monotonic() - begin < 5, "HEAD measures"


def pprof():
    """Requests as `go tool pprof` and Prometheus send them, kept alive on one connection, one after the other at once."""
    with Server() as s, s.connect() as c:
        one = "GET /debug/pprof/heap HTTP/1.1\r\nHost: localhost:6060\r\nUser-Agent: Go-http-client/1.1\r\nAccept-Encoding: gzip\r\n\r\n"
        two = ("POST /debug/pprof/symbol HTTP/1.1\r\nHost: localhost:6060\r\nUser-Agent: Go-http-client/1.1\r\n"
               "Content-Length: 13\r\nContent-Type: application/octet-stream\r\nAccept-Encoding: gzip\r\n\r\n0x1001+0x1002")
        three = ("GET /metrics HTTP/1.1\r\nHost: 10.1.2.3:9102\r\nAccept: application/openmetrics-text;version=1.0.0\r\n"
                 "User-Agent: Prometheus/2.42.0\r\nX-Prometheus-Scrape-Timeout-Seconds: 10\r\nConnection: close\r\n\r\n")
        c.sendall((one + two + three).encode())
        got = receive_all(c).decode()
        expect(re.findall(r"HTTP/1.1 (\d+)", got), ["200"] * 3, "three requests at once")
        expect(re.findall(r"Connection: (.*)\r", got), ["keep-alive", "keep-alive", "close"], "connections")
        assert "0x1002 function_1002" in got and got.endswith("# EOF\n")


# ---- what must not pass ----

def guard():
    """Tokens, hosts, origins."""
    with Server("token=s3cret", "host=service.example") as s:
        heap = s.url("/debug/pprof/heap")
        got = curl(heap)
        expect((got[0], got[1]["www-authenticate"]), (401, 'Basic realm="ctrace"'), "no token")
        expect(curl(heap, "-H", "Authorization: Bearer s3cret")[0], 200, "bearer")
        expect(curl(heap, "-u", "x:s3cret")[0], 200, "basic")
        expect(curl(heap + "?token=s3cret")[0], 200, "in the query")
        expect(curl(heap + "?token=s3cre")[0], 401, "a wrong token")
        expect(curl(heap, "-u", "s3cret:")[0], 401, "as the name")
        token = ["-H", "Authorization: Bearer s3cret", "-H"]
        for host, status in (("localhost", 200), ("10.0.0.7:80", 200), ("service.example:8080", 200), ("[::1]:6060", 200),
                             ("evil.com", 403), ("localhost.evil.com", 403), ("127.0.0.1.nip.io", 403), ("127.1", 403)):
            expect(curl(heap, *token, f"Host: {host}")[0], status, host)
        expect(curl(heap, *token, f"Origin: http://127.0.0.1:{s.port}")[0], 200, "its own origin")
        expect(curl(heap, *token, "Origin: http://evil.com")[0], 403, "another origin")
        expect(curl(heap, *token, "Sec-Fetch-Site: cross-site")[0], 403, "another site")
        expect(curl(heap, *token, "Sec-Fetch-Site: none")[0], 200, "typed in")
    with Server() as s:
        local = f"localhost:{s.port}"
        expect(s.status(get(f"http://{local}/debug/pprof/heap", local)), 200, "absolute")
        expect(s.status(get(f"http://evil.com:{s.port}/debug/pprof/heap", f"evil.com:{s.port}")), 403, "absolute, foreign")
        expect(s.status(get(f"http://evil.com:{s.port}/debug/pprof/heap", local)), 400, "absolute, another Host")
        expect(s.status(get("http://evil.com/debug/pprof/heap", local)), 400, "absolute, another port")
        expect(s.status(get("/debug/pprof/heap", None)), 400, "no Host")
        expect(s.status(get("/debug/pprof/heap", None, "1.0")), 200, "HTTP/1.0 without Host")


def malformed():
    """Requests that are none: an error or a closed connection, never anything else, and the server goes on."""
    requests = {
        "nothing": b"", "newlines": b"\r\n\r\n\r\n", "no version": b"GET /\r\n\r\n", "garbage": bytes(range(256)) * 4 + b"\r\n\r\n",
        "a header without a colon": b"GET / HTTP/1.1\r\nHost\r\n\r\n", "TLS": bytes.fromhex("16030100f8010000f40303") + b"x" * 200,
        "HTTP/2": b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", "HTTP/9": b"GET / HTTP/9.9\r\nHost: localhost\r\n\r\n",
        "asterisk": b"OPTIONS * HTTP/1.1\r\nHost: localhost\r\n\r\n", "asterisk, got": b"GET * HTTP/1.1\r\nHost: localhost\r\n\r\n",
        "a NUL": b"GET /\0 HTTP/1.1\r\nHost: localhost\r\n\r\n",
        "an authority": b"CONNECT evil.com:443 HTTP/1.1\r\nHost: evil.com:443\r\n\r\n",
        "two hosts": b"GET / HTTP/1.1\r\nHost: localhost\r\nHost: evil.com\r\n\r\n",
        "both lengths": b"POST /debug/pprof/symbol HTTP/1.1\r\nHost: localhost\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        "a negative length": b"POST /debug/pprof/symbol HTTP/1.1\r\nHost: localhost\r\nContent-Length: -5\r\n\r\nhello",
        "two lengths": b"POST /debug/pprof/symbol HTTP/1.1\r\nHost: localhost\r\nContent-Length: 3\r\nContent-Length: 5\r\n\r\nhello",
        "chunks": b"POST /debug/pprof/symbol HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        "steps": b"GET /debug/pprof/../../etc/passwd HTTP/1.1\r\nHost: localhost\r\n\r\n",
        "hidden steps": b"GET /debug/pprof/%2e%2e/%2e%2e/etc/passwd HTTP/1.1\r\nHost: localhost\r\n\r\n",
        "200 headers": b"GET / HTTP/1.1\r\n" + b"".join(b"X-%d: y\r\n" % i for i in range(200)) + b"\r\n",
        "a long path": b"GET /" + b"a" * 4000 + b" HTTP/1.1\r\nHost: localhost\r\n\r\n",
        "a long query": b"GET /?" + b"a" * 5000 + b" HTTP/1.1\r\nHost: localhost\r\n\r\n",
        "a websocket": b"GET /debug/pprof/heap HTTP/1.1\r\nHost: evil.com\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Key: x\r\n\r\n",
    }
    # CVE-2025-55763: folders whose names end without a slash, long, with many to be escaped; with and without a query
    for number, path in enumerate(("/debug/pprof/" + "%3f" * 60, "/" + "a" * 8000, "/" + "%20" * 4000, "/.", "//", "/etc", "/usr/share",
                                   "/" + "?" * 3000, "/" + "a/" * 3000, "/debug", "/" + "%2e" * 200 + "?" + "x" * 7000)):
        requests[f"CVE {number}"] = b"GET " + path.encode() + b" HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"
    exact = {"chunks": 411, "both lengths": 411, "two lengths": 400, "two hosts": 400, "steps": 400, "hidden steps": 400,
             "a long path": 414, "a long query": 414, "HTTP/9": 505, "a websocket": 403, "asterisk": 405,
             "asterisk, got": 400, "CVE 0": 404, "CVE 5": 404, "CVE 1": 414}
    with Server() as s:
        for what, request in requests.items():
            answer = s.raw(request, shut=True)
            status = int(answer.split()[1]) if answer else None
            assert not answer or (answer.startswith(b"HTTP/1.1 4") or answer.startswith(b"HTTP/1.1 505")), f"{what}: {answer[:80]}"
            assert b"RESET" not in answer, f"{what}: the connection was reset"
            if answer:
                assert b"nosniff" in answer and b"root:" not in answer, f"{what}: {answer[:300]}"
            if what in exact:
                expect(status, exact[what], what)
            expect(curl(s.url("/debug/pprof/heap"))[0], 200, f"after {what}")


def limits():
    """413, 408, 503, and a reply is not lost though the client still sends."""
    with Server("clients=8") as s:
        large = b"GET / HTTP/1.1\r\nHost: localhost\r\nX: " + b"x" * 20000 + b"\r\n\r\n"
        expect(s.status(large), 413, "a large head")
        rest = b"0x1+" * 1000000            # more than sockets hold: it is still being sent when the reply is there
        for what, path, size, status in (("a large body", "symbol", 4000000, b"413"), ("a body nobody wants", "heap", 400000, b"405")):
            head = f"POST /debug/pprof/{path} HTTP/1.1\r\nHost: localhost\r\nContent-Length: {size}\r\n\r\n"
            answer = s.raw(head.encode() + rest[:size])
            assert answer.startswith(b"HTTP/1.1 " + status) and b"RESET" not in answer, f"{what}: {answer}"
        begin = time.monotonic()
        with s.connect() as a, s.connect() as b:
            a.sendall(b"GET / HTTP/1.1\r\nHost: loc")
            b.sendall(b"POST /debug/pprof/symbol HTTP/1.1\r\nHost: localhost\r\nContent-Length: 100\r\n\r\n0x1")
            got_a, got_b = receive_all(a), receive_all(b)
        assert got_a.startswith(b"HTTP/1.1 408") and got_b.startswith(b"HTTP/1.1 408"), f"slow: {got_a[:60]} {got_b[:60]}"
        assert 4 < time.monotonic() - begin < 9, f"408 after {time.monotonic() - begin} s"
        # eight windows at once; the ninth client is turned away; when they are gone there is room again
        busy = [s.connect() for _ in range(8)]
        for c in busy:
            c.sendall(get("/debug/pprof/profile?seconds=30").encode())
        settles(lambda: curl(s.url("/debug/pprof/heap"))[0], 503, "the ninth client")
        expect(curl(s.url("/debug/pprof/heap"))[1]["x-go-pprof"], "1", "the ninth client")
        for c in busy:
            c.close()
        settles(lambda: curl(s.url("/debug/pprof/heap"))[0], 200, "after they have gone")
        settles(lambda: s.metric("host_given_up_total"), 8, "windows given up")


# ---- time ----

def streams():
    """A trace comes while it is made, in chunks that end; a client that goes away ends it; a slow one loses blocks only."""
    with Server() as s:
        first = []
        with s.connect() as c:
            begin = time.monotonic()
            c.sendall(get("/debug/pprof/trace?seconds=1").encode())
            first.append(c.recv(65536))
            while b"block 0" not in b"".join(first):
                first.append(c.recv(65536))
            assert time.monotonic() - begin < 0.5, "the first block came late"
            got = b"".join(first) + receive_all(c)
        assert b"Transfer-Encoding: chunked" in got and got.endswith(b"\r\n0\r\n\r\n"), got[-50:]
        assert b"filename=\"trace\"" in got and b"block 799" in got
        got = s.raw(get("/debug/pprof/trace?seconds=0.1", version="1.0"))
        assert b"Transfer-Encoding" not in got and b"Content-Length" not in got and b"block 79" in got, "HTTP/1.0"
        body = subprocess.run(["curl", "-s", "-m", "9", s.url("/debug/pprof/trace?seconds=0.5")], capture_output=True)
        expect((body.returncode, len(body.stdout)), (0, 50 * 8 * 4096), "the whole trace")
        with s.connect() as c:                          # goes away
            c.sendall(get("/debug/pprof/trace?seconds=30").encode())
            c.recv(100)
            expect(s.metric("host_traces_open"), 1, "traces under way")
        settles(lambda: s.metric("host_traces_open"), 0, "traces of clients that went away")
        with s.connect() as c:                          # half closes, as a client that has gone looks like too
            c.sendall(get("/debug/pprof/profile?seconds=30").encode())
            c.shutdown(socket.SHUT_WR)
            expect(receive_all(c), b"", "after a half close")
        before = s.metric("host_skipped_total")         # the one that went away may have been too slow, too
        with socket.socket() as c:                      # reads nothing for long, then everything
            c.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 65536)
            c.connect(("127.0.0.1", s.port))
            c.sendall(get("/debug/pprof/trace?seconds=3").encode())
            time.sleep(3.2)
            got = receive_all(c)
            skipped = s.metric("host_skipped_total") - before   # not before the end: on a slow machine three seconds of blocks take longer
        blocks = len(re.findall(rb"block \d+\0", got))
        assert skipped > 0 and got.endswith(b"\r\n0\r\n\r\n"), f"the slow client's trace: {skipped} skipped, {got[-20:]}"
        expect(blocks + skipped, 2400, "blocks of the slow client's trace")


# ---- what stays as it was ----

def unchanged():
    """Signals, descriptors and children; what an idle server costs; one line when it cannot start."""
    for disposition, bit in (("ignore", "SigIgn"), ("default", None), ("handler", "SigCgt")):
        with Server(f"sigpipe={disposition}", "clients=8") as s:
            curl(s.url("/debug/pprof/heap"))
            with open(f"/proc/{s.pid}/status", encoding="ascii") as file:
                status = dict(line.split(":\t", 1) for line in file.read().splitlines() if line.startswith("Sig"))
            pipe = 1 << (signal.SIGPIPE - 1)
            for name in ("SigIgn", "SigCgt"):
                expect(bool(int(status[name], 16) & pipe), name == bit, f"SIGPIPE {disposition}: {name}")
            for task in os.listdir(f"/proc/{s.pid}/task"):
                if int(task) != s.pid:
                    with open(f"/proc/{s.pid}/task/{task}/status", encoding="ascii") as file:
                        blocked = re.search(r"SigBlk:\s(\w+)", file.read()).group(1)
                    assert int(blocked, 16) & pipe and int(blocked, 16) & 1 << 14 - 1, f"thread {task} blocks {blocked}"
    with Server("clients=8") as s:
        def wakes():
            total = 0
            for task in os.listdir(f"/proc/{s.pid}/task"):
                with open(f"/proc/{s.pid}/task/{task}/status", encoding="ascii") as file:
                    total += int(re.search(r"^voluntary_ctxt_switches:\s(\d+)", file.read(), re.M).group(1))
            return total
        curl(s.url("/debug/pprof/heap"))
        time.sleep(1.5)
        before = wakes()
        time.sleep(4)
        rate = (wakes() - before) / 4
        with open(f"/proc/{s.pid}/smaps_rollup", encoding="ascii") as file:
            anonymous = int(re.search(r"Anonymous:\s+(\d+)", file.read()).group(1))
        print(f"  idle: {rate:.2f} wake-ups a second, {anonymous} KiB of memory of its own")
        assert rate <= 2, f"{rate} wake-ups a second"
        with open(f"/proc/{s.pid}/status", encoding="ascii") as file:
            shadow = int(re.search(r"^VmSize:\s+(\d+)", file.read(), re.M).group(1)) > 1 << 30     # a sanitizer's
        assert anonymous <= 1024 or shadow, f"{anonymous} KiB"
        expect(Server(address=f"127.0.0.1:{s.port}").said, f"127.0.0.1:{s.port} is in use by somebody else", "in use")
    for address, words, said in (("nonsense", (), "nonsense is no address; 127.0.0.1:6060 is one"),
                                 ("192.0.2.1:0", ("insecure",), "192.0.2.1 is no address of this machine"),
                                 ("[::1]:0", (), "[::1]:0: the web server that ctrace uses listens on IPv4 only"),
                                 ("0.0.0.0:0", (), "0.0.0.0:0 can be reached from other machines: give a token, or ask for insecure")):
        expect(Server(*words, address=address).said, said, address)
    with Server("token=x", address="0.0.0.0:0") as s:
        expect(curl(s.url("/metrics?token=x"))[0], 200, "beyond loopback with a token")


def rights():
    """A program with more rights than who started it is not served; a port that takes rights is refused with a line."""
    with tempfile.TemporaryDirectory(prefix="ctrace-serve-") as scratch:
        copy = f"{scratch}/debug-server"
        shutil.copy(server, copy)
        group = next((g for g in [*os.getgroups(), 1, 2] if g != os.getgid()), None)
        try:
            os.chown(copy, -1, group)
            os.chmod(copy, 0o2755)
            secure = subprocess.run([copy, "127.0.0.1:0"], stdin=subprocess.DEVNULL, capture_output=True, text=True)
        except (PermissionError, TypeError):
            secure = None
    mounts = subprocess.run(["findmnt", "-no", "OPTIONS", "-T", "/tmp"], capture_output=True, text=True).stdout
    if secure and "nosuid" not in mounts:
        expect((secure.returncode, secure.stdout),
               (3, "a program that runs with more rights than who started it is never served\n"), "AT_SECURE")
    else:
        print("  not tried: a setgid program")
    with open("/proc/sys/net/ipv4/ip_unprivileged_port_start", encoding="ascii") as file:
        free_from = int(file.read())
    words = ["setpriv", "--bounding-set=-net_bind_service", "--inh-caps=-net_bind_service"] if os.getuid() == 0 else []
    if free_from > 81:
        low = subprocess.run([*words, server, "127.0.0.1:81"], stdin=subprocess.DEVNULL, capture_output=True, text=True)
        expect((low.returncode, low.stdout), (3, "no permission to listen on port 81\n"), "a port below 1024")
    else:
        print("  not tried: a port below 1024")


TESTS = [answers, methods, pprof, guard, malformed, limits, streams, unchanged, rights]

for test in TESTS:
    if len(sys.argv) < 3 or test.__name__ in sys.argv[2:]:
        began = time.monotonic()
        test()
        print(f"{test.__name__}: ok ({time.monotonic() - began:.1f} s)", flush=True)

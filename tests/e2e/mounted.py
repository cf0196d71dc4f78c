#!/usr/bin/python3
"""mounted.py BUILD [NAME...]: what trace_http_handle() answers to each request that a program hands it (inside.c)."""

import os
import re
import time

import insiding
from insiding import Program, info, main, scratch
from serving import expect


def ask(p, words):
    """What trace_http_handle() returned, whether all was told on its thread, status, length, size, kind, first line."""
    result, heads, status, length, size, kind, line = p.ask("http " + words).split(" ", 6)
    assert int(heads) < 2, "not on the calling thread, or two heads"
    return int(result), int(status), int(length), int(size), kind, line


def answers():
    """In a program that exports mg_start(), which cannot be served by trace_serve()."""
    with Program(path=insiding.own) as p:
        before = p.ask("state")
        expect(p.ask("serve 127.0.0.1:0"), "-95", "trace_serve()")
        result, status, length, size, kind, line = ask(p, "GET /debug/pprof/heap?debug=1")
        expect((result, status, length, kind, line.split(":")[0]), (0, 200, size, "text/plain", "heap profile"), "heap as text")
        result, status, length, size, kind, line = ask(p, "HEAD /debug/pprof/heap?debug=1")
        expect((result, status, size, length > 500), (0, 200, 0, True), "HEAD")
        expect(ask(p, "HEAD /debug/pprof/profile")[:4], (0, 200, -1, 0), "HEAD of what is measured")
        result, status, length, size, kind, _ = ask(p, "GET /debug/pprof/trace?seconds=0.3 file=t slow=5")
        expect((result, status, length, kind), (0, 200, -1, "application/octet-stream"), "a trace")
        assert size == os.path.getsize(f"{scratch}/t") and ": complete" in info(f"{scratch}/t"), "the trace"
        expect(ask(p, "POST /debug/pprof/symbol body=0x1+0x2")[::5], (0, "num_symbols: 1"), "POST")
        expect(ask(p, "DELETE /debug/pprof/heap")[:2], (0, 405), "DELETE")
        for target in ("/", "/debug/pprofs", "/debug", "/metrics/x", "*", "http://localhost/debug/pprof/"):
            expect(ask(p, f"GET {target}")[:2], (-2, 0), target)
        expect(ask(p, "GET /debug/pprof/heap prefix=/mine")[0], -2, "below another prefix")
        expect(ask(p, "GET /mine/cmdline prefix=/mine")[1], 200, "below its prefix")
        expect(ask(p, "GET /mi\"ne/cmdline prefix=/mi\"ne")[1], 500, "a prefix that is none")
        expect(ask(p, "GET /debug/pprof/heap size=8")[0], -22, "a struct too small")
        expect(ask(p, "GET /debug/pprof/" + "x" * 300)[1], 414, "a path too long")
        expect(p.ask("state"), before, "descriptors, masks, SIGPIPE")


def guard():
    with Program() as p:
        for words, status in {"": 200, "host=": 400, "host=evil.com": 403, "host=10.0.0.1:80": 200, "token=secret": 401,
                              "peer=127.0.0.1": 200, "peer=::1": 200, "peer=::ffff:127.0.0.1": 200, "peer=10.0.0.1": 403,
                              "peer=2001:db8::1": 403, "peer=nonsense": 403}.items():
            expect(ask(p, f"GET /debug/pprof/cmdline {words}")[1], status, words)
        expect(ask(p, "GET /debug/pprof/cmdline?token=secret token=secret peer=10.0.0.1")[1], 200, "the token")


def gone():
    """A writer that wants no more ends what is under way; a trace under way, or rights, are told in a line."""
    with Program() as p:
        expect(p.ask("mount"), "0", "the beginning")
        p.ask("burn")
        began = time.monotonic()
        expect(ask(p, "GET /debug/pprof/trace?seconds=60 stop=0")[:2], (-125, 200), "stopped at the head")
        expect(ask(p, "GET /debug/pprof/trace?seconds=60 stop=1")[0], -125, "stopped at the first bytes")
        assert time.monotonic() - began < 10, "it was waited for"
    with Program() as p:
        expect(p.ask(f"trace {scratch}/own.trace"), "0", "trace_start()")
        result, status, _, _, kind, line = ask(p, "GET /debug/pprof/heap")
        expect((result, status, kind), (0, 503, "text/plainfault"), line)
        assert line.startswith("a trace is under way"), line
        expect(p.ask("end"), "0", "trace_stop()")


def children():
    """A forked child answers for itself, and for its parent when that is asked for."""
    with Program() as p:
        expect(p.ask("mount"), "0", "the beginning")
        for query, whose in {"": False, f"?pid={p.pid}": True}.items():
            p.ask(f"inchild http GET /debug/pprof/{query} file={scratch}/page")
            with open(f"{scratch}/page", encoding="utf-8") as page:
                served = int(re.search(r"of process (\d+)", page.read())[1])
            expect(served == p.pid, whose, f"the parent is served to who asks for {query!r}")


main(answers, guard, gone, children)

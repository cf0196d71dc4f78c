#!/usr/bin/python3
"""
inside.py BUILD [NAME...]: a program that serves /debug/pprof/ itself (inside.c): trace_serve(), CTRACE_HTTP, its forked children,
clients too many, and what is refused.
"""

import glob
import os
import re
import signal
import socket
import threading
import time

import insiding
from insiding import Program, compile_program, download, info, main, pprof
from serving import curl, expect, settles


# ---- what it serves ----

def profiles():
    """Every kind, of the program and of a child that it forked."""
    with Program() as p:
        expect(p.ask("serve 127.0.0.1:0"), "0", "trace_serve()")
        assert "<table>" in curl(p.url())[2]
        p.ask("keep")
        p.ask("burn")
        heap = pprof(p.url("heap"), "-top", "-sample_index=inuse_space")
        assert "obey" in heap or "main" in heap, heap
        assert "burn" in pprof(p.url("profile?seconds=1"), "-top"), "CPU"
        threads = curl(p.url("threads?debug=2"))[2]
        expect(len(re.findall("^thread ", threads, re.M)), 2, f"its own threads and no others:\n{threads}")
        trace = info(download(p.url("trace?seconds=1"), "t.trace"))
        assert "CPU_SAMPLE" in trace and re.search(r"^threads +2$", trace, re.M) and re.search(r"^lost +0$", trace, re.M), trace
        child = p.ask("fork")
        assert settles(lambda: curl(p.url("cmdline", child))[0], 200, "a forked child") is None
        assert "burn" in pprof(p.url("profile?seconds=1", child), "-top"), "CPU of a child"
        expect(curl(p.url("heap", 1))[0], 404, "a process that is none of it")
        os.kill(int(child), signal.SIGKILL)


def fresh():
    """What the index and /metrics count is of the last two seconds, also when nobody asks for anything else."""
    rows = [rf'<td>{count}</td><td><a href="{name}\?' for name, count in (("heap", "[1-9]"), ("threadcreate", "1"), ("threads", "2"))]
    for path, wanted in ("", rows), ("/metrics", [r"^ctrace_events_total [1-9]", r"^ctrace_recorded_bytes_total [1-9]"]):
        with Program() as p:
            expect(p.ask("serve 127.0.0.1:0"), "0", "trace_serve()")
            p.ask("keep")
            p.ask("burn")
            url = p.url().replace("/debug/pprof/", path) if path else p.url()
            for row in wanted:
                settles(lambda: bool(re.search(row, curl(url)[2], re.M)), True, f"{url}: {row}")


def symbol():
    """Names of many addresses at once, also as the first thing that is ever asked for."""
    with Program() as p:
        expect(p.ask("serve 127.0.0.1:0"), "0", "trace_serve()")
        with open(f"/proc/{p.pid}/maps", encoding="utf-8") as maps:
            begin, end = (int(word, 16) for word in re.search(r"^(\w+)-(\w+) r-xp .*/libc\.so\.6$", maps.read(), re.M).groups())
        addresses = [f"{address:#x}" for address in range(begin + 0x5000, end, (end - begin) // 3000)]
        said = curl(p.url("symbol"), "--data-binary", "+".join(addresses))[2].splitlines()
        expect(said[0], "num_symbols: 1", "the first line")
        told = [line.split(" ")[0] for line in said[1:]]
        assert len(told) > 2000 and told == [address for address in addresses if address in told], said[:5]


def difference():
    """Of threads, as of all that Go knows: what was there in the end and not in the beginning, and the other way round."""
    with Program() as p:
        expect(p.ask("serve 127.0.0.1:0"), "0", "trace_serve()")
        url, saved = p.url("goroutine?seconds=2"), []
        client = threading.Thread(target=lambda: saved.append(download(url, "difference.pb.gz")))   # pprof may take a second to ask
        client.start()
        time.sleep(1)
        p.ask("burn")
        client.join()
        said = [pprof(saved[0], "-top", "-cum")]
        assert re.search(r"^ +\S+ +\S+ +\S+ +1 +100% +burn$", said[0], re.M) and not re.search(r" main$", said[0], re.M), said[0]
        assert re.search(r"^Duration: 2(\.\d+)?s", said[0], re.M), said[0]
        for name in "goroutine", "threads":
            status, headers, _ = curl(p.url(f"{name}?seconds=1"), method="HEAD")
            expect((status, headers["content-disposition"]), (200, f'attachment; filename="{name}-delta"'), "HEAD")
            expect(curl(p.url(f"{name}?seconds=1&debug=1"))[::2], (400, "seconds and debug params are incompatible\n"), "text")


def newborn():
    """A forked child whose first act is a call of ours gets an answer, from its parent, who serves it."""
    with Program() as p:
        expect(p.ask("serve 127.0.0.1:0"), "0", "trace_serve()")
        expect(p.ask("inchild serve 127.0.0.1:0"), "0", "trace_serve() by a child: its parent does it")
        for order, answer in {f"write heap 0 {insiding.scratch}/child.pb.gz": "0", f"trace {insiding.scratch}/child.trace": "0",
                              "end": "-22", "stop": "-22"}.items():
            expect(p.ask(f"inchild {order}"), answer, order)
        assert "Type: inuse_space" in pprof(f"{insiding.scratch}/child.pb.gz", "-top"), "the child's heap"
        expect(curl(p.url("heap"))[0], 200, "the parent's")


def late():
    """A heap profile that does not count from the program's beginning says so; one made before main does."""
    with Program() as p:
        time.sleep(0.5)
        p.ask("serve 127.0.0.1:0")
        comments = pprof(p.url("heap"), "-comments")
        assert re.search(r"counts since .* UTC, \d+\.\d s after the program began", comments), comments
    with Program(CTRACE_HTTP="127.0.0.1:0", CTRACE_HTTP_TOKEN="secret") as p:
        expect(p.ask("serve 127.0.0.1:0"), "-114", "trace_serve() of a program that is served")
        url = p.url("heap")
        expect((curl(url)[0], curl(url + "?token=secret")[0]), (401, 200), "the variable's token")
        assert f"ctrace: serving {p.ask('url')}\n" in p.errors(), p.errors()


# ---- what must not be ----

def empty_sessions():
    return {path for path in glob.glob(f"/dev/shm/ctrace-{os.getuid()}-*") if os.path.isdir(path) and not os.listdir(path)}


def refused():
    """One line and an error; the program runs on, and nothing is left in /dev/shm."""
    before = empty_sessions()
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with Program() as p:
            expect(p.ask(f"serve 127.0.0.1:{port}"), "-98", "a port in use")
            expect(p.ask("serve nonsense"), "-22", "no address")
            expect(p.ask("serve 0.0.0.0:0"), "-1", "beyond loopback without a token")
            expect(p.ask("serve 192.0.2.1:0"), "-1", "beyond loopback without a token")
            expect((p.ask("url"), p.ask("stop")), ("none", "-22"), "nothing is served")
            lines = p.errors().splitlines()
            expect(len(lines), 4, lines)
            expect(empty_sessions() - before, set(), "left behind")
            expect(lines[0], f"ctrace: 127.0.0.1:{port} is not served: 127.0.0.1:{port} is in use by somebody else", "the line")
            expect(p.ask("serve 127.0.0.1:0"), "0", "and then one that works")
            expect(curl(p.url("heap"))[0], 200, "heap")
    with Program(path=insiding.own) as p:
        expect(p.ask("serve 127.0.0.1:0"), "-95", "a web server of its own")
        assert "a web server of its own" in p.errors(), p.errors()


def ninth():
    """Eight clients at a time; the next is told so."""
    with Program() as p:
        p.ask("serve 127.0.0.1:0")
        host, port = re.match(r"http://([\d.]+):(\d+)/", p.ask("url")).groups()
        waiting = [socket.create_connection((host, int(port))) for _ in range(8)]
        for client in waiting:
            client.sendall(b"GET /debug/pprof/profile?seconds=30 HTTP/1.1\r\nHost: localhost\r\n\r\n")
        settles(lambda: curl(p.url("cmdline"))[0], 503, "the ninth client")
        for client in waiting:
            client.close()
        settles(lambda: curl(p.url("cmdline"))[0], 200, "when they have gone")


def idle():
    """Nobody asks: few threads wake up, little memory is in use, and the program's own samples are still all counted."""
    def wakes(pid):
        total = 0
        for task in os.listdir(f"/proc/{pid}/task"):
            with open(f"/proc/{pid}/task/{task}/status") as file:
                total += sum(int(n) for n in re.findall(r"^voluntary_ctxt_switches:\s+(\d+)", file.read(), re.M))
        return total

    def resident(pid):                          # pages of libraries and of the arena included
        with open(f"/proc/{pid}/status") as file:
            return int(re.search(r"^VmRSS:\s+(\d+) kB", file.read(), re.M).group(1))

    with Program(MALLOC_PERTURB_="") as p:      # it would write into all that was allocated
        p.ask("url")                            # it has started
        before, state = resident(p.pid), p.ask("state")
        p.ask("serve 127.0.0.1:0")
        time.sleep(0.5)
        first = wakes(p.pid)
        time.sleep(8)
        woken, more = wakes(p.pid) - first, resident(p.pid) - before
        assert woken <= 8 * 2, f"{woken} wake-ups in 8 s"           # a turn or two come, and the bell
        assert 0 < more <= 1024, f"{more} kB more"
        p.ask("keep")
        assert "obey" in pprof(p.url("heap"), "-top", "-sample_index=inuse_space"), "what was recorded since the last turn"
        expect(p.ask("state"), state, "when the web server has started")


def missing():
    """What answers is a library that is opened when the first client comes: without it, that client and the program are told."""
    alone = f"{insiding.scratch}/alone"
    os.mkdir(alone)
    for name in ("ctrace", "ctrace-rt", "ctrace-serve"):
        os.symlink(os.path.realpath(f"{insiding.build}/lib{name}.so.0"), f"{alone}/lib{name}.so.0")
    said = "libctrace-answer.so.0, or a library that it needs, is missing\n"
    with Program(path=compile_program("lonely", "-DLONELY", libraries=alone), LD_LIBRARY_PATH=alone) as p:
        expect(p.ask("serve 127.0.0.1:0"), "0", "trace_serve()")
        expect([curl(p.url("heap"))[::2] for _ in range(2)], [(503, said)] * 2, "clients")
        expect(p.ask(f"write heap 0 {alone}/heap"), "-79", "trace_profile_write()")
        expect(p.ask("http GET /debug/pprof/heap"), f"0 1 503 {len(said)} {len(said)} text/plainfault {said}".strip(), "its own server")
        expect(p.ask("stop"), "0", "trace_serve_stop()")


main(profiles, fresh, symbol, difference, newborn, late, refused, ninth, idle, missing)

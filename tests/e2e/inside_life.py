#!/usr/bin/python3
"""
inside_life.py BUILD [NAME...]: a program that serves itself (inside.c) beside a trace of its own, killed, under `ctrace record`, and
what must stay as it was.
"""

import os
import subprocess
import time

from insiding import Program, build, info, main, scratch, sessions
from serving import curl, expect, settles


# ---- beside a trace ----

def composed():
    """A trace of its own while it is served, also one that ends with SIGKILL; and not the other way round."""
    with Program() as p:
        p.ask("serve 127.0.0.1:0")
        expect(p.ask(f"trace {scratch}/own.trace"), "0", "trace_start() while it is served")
        p.ask("burn")
        time.sleep(0.3)
        expect(p.ask("stop"), "-16", "trace_serve_stop() during a trace")
        expect(p.ask("end"), "0", "trace_stop()")
        assert "CPU_SAMPLE" in info(f"{scratch}/own.trace")
        expect(p.ask("stop"), "0", "trace_serve_stop()")
        expect(p.ask("url"), "none", "stopped")
        expect(p.ask(f"trace {scratch}/other.trace"), "0", "trace_start() after it was served")
        expect(p.ask("serve 127.0.0.1:0"), "-16", "trace_serve() during a trace of its own drain")
        assert "before trace_start()" in p.errors(), p.errors()
        expect(p.ask("end"), "0", "trace_stop()")
        assert "complete" in info(f"{scratch}/other.trace")
        expect(p.ask("serve 127.0.0.1:0"), "0", "served again")
        expect(curl(p.url("heap"))[0], 200, "heap of a program that is served again")
    with Program() as p:
        p.ask("serve 127.0.0.1:0")
        p.ask(f"trace {scratch}/killed.trace")
        p.ask("burn")
        time.sleep(1.5)
        arenas = sessions(p.pid)
        assert arenas, "no arena"
        p.process.kill()
        p.process.wait()
        subprocess.run([f"{build}/ctrace", "recover"], capture_output=True)
        got = info(f"{scratch}/killed.trace")
        assert "CPU_SAMPLE" in got and "recovered" in got and not os.path.exists(arenas[0]), got
        p.process.wait = lambda _: 7


def recorded():
    """Under `ctrace record` that serves; with --http of its own where it was told to."""
    for words in ([], ["--http", "127.0.0.1:0"]):
        with Program(f"{build}/ctrace", "record", "-o", f"{scratch}/r.trace", *words) as p:
            expect(p.ask("serve 127.0.0.1:0"), "0", "trace_serve() under record")
            expect(p.errors().count("ctrace: serving http://"), 1, p.errors())
            assert p.ask("url").rstrip("/") in p.errors()
            expect(curl(p.url("heap"))[0], 200, "heap, from outside")
            with open(f"/proc/{p.pid}/maps") as maps:
                assert "libctrace-serve" not in maps.read()
        assert "complete" in info(f"{scratch}/r.trace")


# ---- what must not be ----

def unharmed():
    """Descriptors, masks and SIGPIPE are as they were; children have none of ours."""
    with Program() as p:
        before = p.ask("state")
        expect(p.ask("serve 127.0.0.1:0"), "0", "trace_serve()")
        expect(p.ask("state"), before, "while it is served")
        for path in ("heap", "profile?seconds=1"):
            expect(curl(p.url(path))[0], 200, path)
        expect(p.ask("state"), before, "after requests")
        expect(p.ask("stop"), "0", "trace_serve_stop()")
        expect(p.ask("state"), before, "afterwards")
        settles(lambda: len(os.listdir(f"/proc/{p.pid}/task")) <= 2, True, "threads that are left over")


main(composed, recorded, unharmed)

#!/usr/bin/python3
"""
own_profiles.py BUILD [NAME...]: profiles that a program keeps by itself (inside.c): trace_profile_new(), add and remove, whether they
were made before or after somebody serves them, by HTTP and as files, in forked children, and what is refused.
"""

import os
import re
import signal

import insiding
from insiding import Program, build, main, pprof
from serving import curl, expect, settles


def path(name):
    return f"{insiding.scratch}/{name}"


def counts(url):
    """Name -> count of the index."""
    rows = re.findall(r"<tr><td>(\d+)</td><td><a href=\"([^?]+)\?", curl(url)[2])
    return {name: int(count) for count, name in rows}


def text(url, total):
    """What debug=1 says of so many values, all added at one place."""
    body = curl(url)[2]
    lines = body.splitlines()
    expect(lines[0], f"conns profile: total {total}", "the head")
    if total:
        assert re.match(rf"{total} @( 0x[0-9a-f]+)+$", lines[1]), body
        assert re.search(r"^#\t0x[0-9a-f]+\ttell_values\+0x\w+\t+/\S*inside\.c:\d+$", lines[2]), body
    return body


def every_way(p, url, total):
    """Each way to the profile `conns` gives this many values."""
    expect(counts(url)["conns"], total, "the index")
    metrics = curl(url.split("/debug/")[0] + "/metrics")[2]
    assert f'\nctrace_profile_values{{profile="conns"}} {total}\n' in metrics, metrics
    text(url + "conns?debug=1", total)
    expect(text(url + "conns?debug=2", total), text(url + "conns?debug=1", total), "debug=2")
    for place in url + "conns", "file":
        if place == "file":
            expect(p.ask("write conns 0 conns.pb.gz"), "0", "a file")
            place = path("conns.pb.gz")
        raw = pprof(place, "-raw")
        assert re.search(r"^PeriodType: conns count\nPeriod: 1\n", raw, re.M) and "\nconns/count\n" in raw, raw
        top = pprof(place, "-top")
        assert not total or re.search(rf"^\s+{total} +100% +100% +{total} +100%  tell_values$", top, re.M), top
    expect(p.ask("write conns 1 conns.txt"), "0", "a file of text")
    with open(path("conns.txt"), encoding="utf-8") as file:
        expect(file.read(), curl(url + "conns?debug=1")[2], "the file of text")


def http(url):
    """Status and headers are those of Go's own profiles; a difference is refused as there."""
    status, headers, _ = curl(url + "conns")
    expect((status, headers["content-type"], headers["content-disposition"]),
           (200, "application/octet-stream", 'attachment; filename="conns"'), "bytes")
    status, headers, _ = curl(url + "conns?debug=1")
    expect((status, headers["content-type"], "content-disposition" in headers), (200, "text/plain; charset=utf-8", False), "text")
    status, headers, body = curl(url + "conns?seconds=1")
    expect((status, headers["x-go-pprof"], body), (400, "1", '"seconds" parameter is not supported for this profile type\n'), "seconds")
    expect(curl(url + "conns?seconds=x")[0], 400, "seconds that are none")
    expect(curl(url + "conns", method="HEAD")[0], 200, "HEAD")
    expect(curl(url + "Conns")[0], 404, "another name")
    assert "<li><b>conns:</b> A profile of the program&#39;s own</li>" in curl(url)[2], curl(url)[2]


def inside():
    """Values that are older than whoever serves them, and those that come and go later."""
    with Program() as p:
        expect((p.ask("new conns"), p.ask("new empty")), ("1", "2"), "profiles")
        expect(p.ask("add 1 500"), "0", "values")
        expect(p.ask("serve 127.0.0.1:0"), "0", "trace_serve()")
        every_way(p, p.url(), 500)
        http(p.url())
        expect((p.ask("remove 1 250"), p.ask("add 2 1"), p.ask("count 1")), ("0", "0", "250"), "fewer")
        every_way(p, p.url(), 250)
        expect(counts(p.url())["empty"], 1, "the other one")
        expect(p.ask("remove 1 250"), str(-2 * 250), "values that are gone")
        expect(p.ask("new late"), "3", "one that is made while it is served")
        expect(counts(p.url())["late"], 0, "late")
        assert curl(p.url("late?debug=1"))[2].startswith("late profile: total 0\n")


def quietly():
    """The first thing that is ever asked for: nobody was there before."""
    with Program() as p:
        expect((p.ask("new conns"), p.ask("add 1 7"), p.ask("write conns 0 first.pb.gz")), ("1", "0", "0"), "the first")
        assert re.search(r"^\s+7 .*  tell_values$", pprof(path("first.pb.gz"), "-top"), re.M), pprof(path("first.pb.gz"), "-top")


def recorded():
    """`ctrace record --http`, and a recording that serves nobody."""
    with Program(f"{build}/ctrace", "record", "--http", "127.0.0.1:0", "--") as p:
        expect((p.ask("new conns"), p.ask("add 1 40"), p.ask("remove 1 10")), ("1", "0", "0"), "values")
        every_way(p, re.search(r"http://\S+/", p.errors())[0], 30)
    with Program(f"{build}/ctrace", "record", "-o", "t.trace", "--") as p:
        expect((p.ask("new conns"), p.ask("add 1 40"), p.ask("write conns 0 r.pb.gz")), ("1", "0", "0"), "values")
        assert re.search(r"^\s+40 .*  tell_values$", pprof(path("r.pb.gz"), "-top"), re.M), "a recording"


def children():
    """A child has what its parent had, and from then on its own."""
    with Program() as p:
        expect((p.ask("new conns"), p.ask("add 1 30"), p.ask("serve 127.0.0.1:0")), ("1", "0", "0"), "values")
        child = p.ask("fork")
        settles(lambda: curl(p.url("cmdline", child))[0], 200, "a forked child")
        expect(p.ask("add 1 40"), str(30 * -17), "ten more")
        text(p.url("conns?debug=1"), 40)
        text(p.url("conns?debug=1", child), 30)
        expect((counts(p.url())["conns"], counts(p.url("", child))["conns"]), (40, 30), "the index")
        os.kill(int(child), signal.SIGKILL)


def refused():
    with Program() as p:
        for name in "heap", "threads", "goroutine", "profile", "trace", "cmdline", "symbol":
            expect(p.ask(f"new {name}"), "-17", name)
        for name in "a/b", ".hidden", "x" * 32, "a%20b", "a b":
            expect(p.ask(f"new {name}"), "-22", name)
        expect((p.ask("new " + "x" * 31), p.ask("new " + "x" * 31)), ("1", "-17"), "the longest, twice")
        expect((p.ask("add 2 1"), p.ask("add 0 1"), p.ask("remove -1 1"), p.ask("count 2")), ("-22",) * 4, "no profile")
        expect(p.ask("write conns 0 none.pb.gz"), "-22", "a profile that is not there")
        assert not os.path.exists(path("none.pb.gz")), "written"


def full():
    """More values than there is room for: what is missing is told."""
    with Program() as p:
        expect((p.ask("new conns"), p.ask("add 1 65536"), p.ask("serve 127.0.0.1:0")), ("1", "0", "0"), "values")
        expect(p.ask("new more"), "2", "another")
        expect((p.ask("add 2 3"), p.ask("count 2")), (str(3 * -28), "0"), "no room")
        text(p.url("conns?debug=1"), 65536)
        assert curl(p.url("more?debug=1"))[2].endswith("# 3 values found no room and are missing\n"), curl(p.url("more?debug=1"))
        assert "3 values found no room and are missing" in pprof(p.url("more"), "-comments")


main(inside, quietly, recorded, children, refused, full)

#!/usr/bin/python3
"""view.py BUILD: `ctrace view` from the command line and over HTTP: who may ask, what is opened, how it ends."""

import json
import os
import re
import shutil
import socket
import stat
import subprocess
import sys
import tempfile

from serving import Recorded, curl, expect
from viewing import Viewer, build, ctrace, root

scratch = tempfile.mkdtemp(prefix="ctrace-view-")
PROFILE = f"{root}/tests/fuzz/profile/cpu.pb.gz"
# No more than the page needs, which the tests of web/ run with as well.
POLICY = ("default-src 'none'; script-src 'self' 'wasm-unsafe-eval'; style-src 'self'; img-src 'self'; connect-src 'self'; worker-src 'self'; "
          "base-uri 'none'; form-action 'none'; frame-ancestors 'none'")


def refused(*words, status=1):
    done = subprocess.run([ctrace, "view", "--no-browser", *words], cwd=scratch, capture_output=True, text=True, timeout=30,
                          env=dict(os.environ, XDG_CONFIG_HOME=f"{scratch}/config"))
    expect((done.returncode, done.stdout), (status, ""), f"ctrace view {words}: {done.stderr}")
    return done.stderr.strip()


def make_traces():
    """A family: a parent and its child."""
    subprocess.run([ctrace, "record", "-o", "trace.out", "--", "sh", "-c", "sleep 0.05; sleep 0.05 & wait # </script>"], cwd=scratch, check=True,
                   stderr=subprocess.DEVNULL)


def command_line():
    said = refused(status=2)
    assert said.startswith("usage: ctrace view") and "Examples:" in said, said
    expect(refused("-"), "ctrace view: what is viewed is read more than once: save it in a file first, and name that", "-")
    expect(refused("nosuch"), "ctrace view: cannot open nosuch: No such file or directory", "a file that is not there")
    with open(f"{scratch}/text", "w", encoding="ascii") as file:
        file.write("hello, I am no trace\n")
    assert refused("text").startswith("ctrace view: neither a trace nor a profile: "), refused("text")
    expect(refused("--listen", "127.0.0.1:99999", "trace.out"), "ctrace view: 127.0.0.1:99999 is no address; 127.0.0.1:6060 is one",
           "a port that is none")
    assert refused("--base", PROFILE, "trace.out") == "ctrace view: --base compares profiles; trace.out is a trace"
    with socket.create_server(("127.0.0.1", 0)) as taken:
        address = f"127.0.0.1:{taken.getsockname()[1]}"
        expect(refused("--listen", address, "trace.out"), f"ctrace view: {address} is in use by somebody else", "a port that is taken")
    assert "cannot fetch it: " in refused("http://127.0.0.1:9/debug/pprof/heap") or "built without" in refused("http://127.0.0.1:9/")


def guard():
    """The token for all of the API, the Host for everything, and headers that keep others out."""
    with Viewer("--no-browser", "--listen", "127.0.0.1:0", "trace.out", folder=scratch) as v:
        for path in ("/api", "/api/meta", "/api/nosuch", "/api/notes"):
            status, headers, body = curl(v.url(path))
            assert status == 401 and "www-authenticate" not in headers and body.startswith('{"error":'), (path, status, body)
        expect(curl(v.url("/api/meta"), "-H", "Authorization: Bearer wrong")[0], 401, "a wrong token")
        expect(curl(v.url(f"/api/meta?token={v.token}"))[0], 200, "the token in the URL")
        for path in ("/", "/api/meta", "/licenses"):
            expect(v.ask(path, "-H", "Host: evil.example")[0], 403, f"{path} of a foreign Host")
        expect(v.ask("/api/meta", "-H", "Origin: http://evil.example")[0], 403, "a foreign Origin")
        expect(v.ask("/api/meta", "-H", "Sec-Fetch-Site: cross-site")[0], 403, "a foreign site")
        assert curl(v.url("/"), "-H", "Sec-Fetch-Site: cross-site")[0] in (200, 404), "a link to the page"
        expect(v.error("/api/nosuch", 404), "There is no such endpoint; GET /api lists them all.", "an endpoint that is not there")
        expect(v.error("/nosuch.js", 404), "There is no such page.", "a page that is not there")
        expect(v.error("/api/lanes?all=1", 400), 'There is no parameter "all" here.', "an unknown parameter")
        status, headers, _ = v.ask("/api/meta", method="DELETE")
        assert status in (400, 405), status
        status, headers, _ = v.ask("/api/meta", "-d", "x", method="POST")
        expect((status, headers["allow"]), (405, "GET, HEAD"), "POST")
        status, headers, body = v.ask("/api/meta", method="HEAD")
        assert status == 200 and body == "" and int(headers["content-length"]) > 100, headers
        expect(headers["content-security-policy"], POLICY, "what the page may do")
        for name, value in (("x-content-type-options", "nosniff"), ("referrer-policy", "no-referrer"), ("cache-control", "no-store")):
            expect(headers[name], value, name)
        assert "access-control-allow-origin" not in headers, headers
        assert "cross-origin-opener-policy" not in headers, "a browser begins another process for such a page"


def page():
    """The page's files: compressed, kept by name or revalidated; the same without compression."""
    with Viewer("--no-browser", "--listen", "127.0.0.1:0", "trace.out", folder=scratch) as v:
        status, headers, body = curl(v.url("/"))
        if status == 404:
            assert "built without its page" in body, body
            return False
        expect((headers["cache-control"], headers["content-type"]), ("no-cache", "text/html; charset=utf-8"), "the page")
        expect(curl(v.url("/"), "-H", f'If-None-Match: {headers["etag"]}')[0], 304, "the page again")
        names = re.findall(r'"\./(assets/[^"]+)"', body)
        assert len(names) >= 2 and not re.search(r"https?://", body.replace("http://www.w3.org", "")), body
        for name in names:
            status, headers, packed = curl(v.url("/" + name), "-H", "Accept-Encoding: gzip")
            expect((status, headers["cache-control"], headers["content-encoding"]),
                   (200, "public, max-age=31536000, immutable", "gzip"), name)
            plain = curl(v.url("/" + name))
            assert "content-encoding" not in plain[1] and len(plain[2]) > len(packed) > 100, name
            assert plain[2].isascii() or name.endswith(".js"), name
            assert not re.search(r"https?://(?!www\.w3\.org/)[a-z]", plain[2]), f"{name} names another host"
        assert "preact" in curl(v.url("/licenses"))[2]
        begins_with(v.ready())
    return True


def begins_with(v):
    """Who names the token gets the page with all it begins with in it, as text that ends no script; nobody else does."""
    for path in ("/", "/?token=", f"/?token={v.token[:-1]}", "/?token=wrong"):
        assert 'id="start"' not in curl(v.url(path))[2], f"{path} tells of the trace"
    status, headers, body = curl(v.url(f"/?token={v.token}"))
    expect((status, headers["cache-control"], headers["content-type"], "etag" in headers), (200, "no-store", "text/html; charset=utf-8", False), "the page")
    data = re.search(r'<script type="application/json" id="start">(.*?)</script>', body, re.S)[1]
    assert "<" not in data and "early.js" not in body and body.count("</script>") == 2, body
    start = json.loads(data.encode("latin-1"))["start"]
    expect(start, v.json("/api/start"), "what the page begins with")
    assert any("</script>" in program["command"] for program in start["meta"]["programs"]), start["meta"]["programs"]


def address():
    """One origin and one token for each user; the next port when it is taken; what is said over SSH and beyond loopback."""
    home = tempfile.mkdtemp(dir=scratch)
    with Viewer("--no-browser", "trace.out", folder=scratch, home=home) as v, \
            Viewer("--no-browser", "trace.out", folder=scratch, home=home) as w:
        expect(v.token, w.token, "the token")
        assert 6061 <= v.port < w.port, (v.port, w.port)
        kept = os.stat(f"{home}/ctrace/view-token")
        expect(stat.S_IMODE(kept.st_mode), 0o600, "the token's mode")
    os.chmod(f"{home}/ctrace/view-token", 0o644)
    with Viewer("--no-browser", "--listen", "127.0.0.1:0", "trace.out", folder=scratch, home=home,
                environment={"SSH_CONNECTION": "10.0.0.9 51000 10.0.0.1 2222", "DISPLAY": ":9"}) as v:
        assert v.token != w.token, "a token that others could read is still used"
    assert re.search(rf"ssh -N -p 2222 -L {v.port}:127\.0\.0\.1:{v.port} \w+@10\.0\.0\.1\n", v.said), v.said
    with Viewer("--no-browser", "--listen", "0.0.0.0:0", "trace.out", folder=scratch, home=home) as v:
        expect(v.ask("/api/meta", "-H", f"Host: {socket.gethostname()}:{v.port}")[0], 200, "by this machine's name")
        expect(v.ask("/api/meta", "-H", "Host: evil.example")[0], 403, "by another name")
    assert "can be reached from other machines" in v.said, v.said


def browser():
    """A browser gets a file of ours, not the URL: the arguments of a program are no secret."""
    tools = tempfile.mkdtemp(dir=scratch)
    with open(f"{tools}/xdg-open", "w", encoding="ascii") as file:
        file.write(f'#!/bin/sh\nstat -c %a "$1" > {tools}/seen.new; cat "$1" >> {tools}/seen.new; mv {tools}/seen.new {tools}/seen\n')
    os.chmod(f"{tools}/xdg-open", 0o755)
    with Viewer("--listen", "127.0.0.1:0", "trace.out", folder=scratch,
                environment={"DISPLAY": ":9", "PATH": f"{tools}:{os.environ['PATH']}"}) as v:
        from serving import settles
        settles(lambda: os.path.exists(f"{tools}/seen"), True, "a browser", 10)
        with open(f"{tools}/seen", encoding="ascii") as file:
            seen = file.read()
        assert seen.startswith("600\n") and f"url={v.line}\"" in seen, seen
    expect([name for name in os.listdir(f"{v.home}/ctrace") if name.startswith("open-")], [], "files that led to the page")


def links(*words):
    """What each key of a link stands for: of lanes, and of rows."""
    with Viewer("--no-browser", "--listen", "127.0.0.1:0", "--alone", *words, folder=scratch) as v:
        lanes = v.ready().json("/api/lanes")["lanes"]
        named = [(lane["key"], (lane["kind"], lane["tid"], lane["name"])) for lane in lanes]
        named += [(row["key"], (lane["key"], row["kind"], row["depth"], row["name"])) for lane in lanes for row in lane["rows"]]
        programs = [(program["key"], program["pid"]) for program in v.json("/api/meta")["programs"]]
    expect(len(dict(named + programs)), len(named + programs), "keys that are no other's")
    return dict(named + programs), {row["key"]: row["count"] for lane in lanes if lane["kind"] == "thread" for row in lane["rows"]}


def order(first, second):
    """In whatever order files are opened, and with whatever others, a link leads to the same."""
    one, counts = links(first, second)
    other, again = links(second, first)
    expect(other, one, "links of a family in another order")
    expect(again, counts, "what is in the rows")
    alone, _ = links(second)
    assert len(alone) < len(one) and alone.items() <= one.items(), "links into one file of the family"


def family():
    """What one run wrote is one timeline; --alone; files that ctrace makes beside a trace are no traces."""
    for name in ("trace.out.json", "trace.out.idx", "trace.out.notes.json"):
        with open(f"{scratch}/{name}", "w", encoding="ascii") as file:
            file.write("no trace\n")
    child = [name for name in os.listdir(scratch) if re.fullmatch(r"trace\.out\.\d+", name)]
    assert child, os.listdir(scratch)
    everything = [name for name in os.listdir(scratch) if name.startswith("trace.out")]
    for words, wanted in ((["trace.out"], 1 + len(child)), (["--alone", "trace.out"], 1), ([scratch], 1 + len(child)),
                          (everything, 1 + len(child))):
        with Viewer("--no-browser", "--listen", "127.0.0.1:0", *words, folder=scratch) as v:
            v.ready()
            meta = v.json("/api/meta")
            expect((len(meta["trace"]["files"]), meta["kind"]), (wanted, "trace"), f"files of {words}")
    order("trace.out", child[0])
    for name in ("trace.out.json", "trace.out.idx", "trace.out.notes.json"):
        if os.path.exists(f"{scratch}/{name}"):
            os.unlink(f"{scratch}/{name}")


def kept():
    """Notes lie beside the trace, settings with the user; whole or not at all, and only from our own page."""
    with Viewer("--no-browser", "--listen", "127.0.0.1:0", "trace.out", folder=scratch) as v:
        expect(v.json("/api/notes"), {}, "notes")
        expect(v.json("/api/notes", "-d", '{"notes":[{"ns":1,"text":"ä"}]}', method="PUT"), {"kept": True}, "PUT")
        expect(v.json("/api/notes"), {"notes": [{"ns": 1, "text": "ä"}]}, "notes")
        expect(v.error("/api/notes", 400, "-d", "[1]", method="PUT"), "The body must be one JSON object.", "a list")
        for header in ("Sec-Fetch-Site: same-site", "Sec-Fetch-Site: cross-site", "Origin: http://127.0.0.1:1"):
            expect(v.ask("/api/notes", "-d", "{}", "-H", header, method="PUT")[0], 403, header)
        expect(curl(v.url("/api/notes"), "-d", "{}", method="PUT")[0], 401, "PUT without the token")
        large = f"{scratch}/large"
        with open(large, "w", encoding="ascii") as file:
            file.write('{"a":"' + "x" * (1 << 20) + '"}')
        expect(v.ask("/api/notes", "-d", f"@{large}", "-H", "Expect:", method="PUT")[0], 413, "too much")
        expect(v.json("/api/settings", "-d", '{"theme":"dark"}', method="PUT"), {"kept": True}, "settings")
        expect(v.json("/api/notes")["notes"][0]["ns"], 1, "notes after all that")
        written = f"{scratch}/trace.out.notes.json"
        for damaged_notes in ('{"notes":[{"ns":1,"text":"of hours"},]}', "[1]"):
            with open(written, "w", encoding="ascii") as file:
                file.write(damaged_notes)
            said = v.error("/api/notes", 503)
            assert said.endswith("trace.out.notes.json is damaged: it is no JSON object."), said
            expect(v.error("/api/notes", 503, "-d", '{"notes":[]}', method="PUT"), said, "PUT over what somebody wrote")
            with open(written, encoding="ascii") as file:
                expect(file.read(), damaged_notes, "what somebody wrote")
        with open(written, "w", encoding="ascii"):
            expect(v.json("/api/notes"), {}, "an empty file")
        expect(v.json("/api/notes", "-d", '{"notes":[]}', method="PUT"), {"kept": True}, "PUT over nothing")
    assert os.path.exists(f"{scratch}/trace.out.notes.json") and os.path.exists(f"{v.home}/ctrace/view-settings.json")
    expect([name for name in os.listdir(scratch) if name.endswith(".new")], [], "files that were not finished")


def damaged():
    """A sentence each, and what could be read; nothing of a trace that is none."""
    with open(f"{scratch}/trace.out", "rb") as file:
        whole = file.read()
    for name, piece in (("cut.out", whole[:len(whole) * 2 // 3]), ("bad.out", whole[:4000] + bytes(3000) + whole[7000:])):
        with open(f"{scratch}/{name}", "wb") as file:
            file.write(piece)
        with Viewer("--no-browser", "--listen", "127.0.0.1:0", name, folder=scratch) as v:
            v.ready()
            said, meta = v.json("/api/progress")["error"], v.json("/api/meta")
            assert re.match(r"The trace is (cut|damaged)", said) and meta["trace"]["damage"] == said, (said, meta)
            assert v.json("/api/lanes")["lanes"], "no lane of what could be read"
        assert f"ctrace view: {said}\n" in v.said, v.said
    for size in (16, 24, 60, 150):                  # before it says of which program it is
        with open(f"{scratch}/begun.out", "wb") as file:
            file.write(whole[:size])
        with Viewer("--no-browser", "--listen", "127.0.0.1:0", "begun.out", folder=scratch) as v:
            v.ready()
            said, meta = v.json("/api/progress")["error"], v.json("/api/meta")
            assert said.startswith("The trace is cut at byte 16") and not meta["programs"] and not v.json("/api/lanes")["lanes"], (size, said, meta)
            for path in ("overview", "threads", "range", "flame?kind=wait", "names", "search?q=a"):
                v.json(f"/api/{path}")
    for name, piece in (("empty.out", b""), ("tiny.out", whole[:8])):
        with open(f"{scratch}/{name}", "wb") as file:
            file.write(piece)
        done = subprocess.run(["timeout", "-s", "INT", "5", ctrace, "view", "--no-browser", "--listen", "127.0.0.1:0", name], cwd=scratch,
                              capture_output=True, text=True, env=dict(os.environ, XDG_CONFIG_HOME=f"{scratch}/config"))
        assert re.search(rf"^ctrace view: {name}: (is empty|ends within)", done.stderr, re.M), done.stderr


def packed():
    """A gzipped trace tells the same as a plain one."""
    subprocess.run(["gzip", "-k", "trace.out"], cwd=scratch, check=True)
    replies = []
    for name in ("trace.out", "trace.out.gz"):
        with Viewer("--no-browser", "--listen", "127.0.0.1:0", "--alone", name, folder=scratch) as v:
            v.ready()
            replies.append([v.json(f"/api/{path}") for path in ("lanes", "names", "overview", "threads", "range", "flame?kind=wait")])
            key = v.json("/api/meta")["trace"]["key"]
            status, headers, first = v.ask(f"/api/tiles?l=20&i=0&rows=0-3&v={key}")
            expect((status, headers["cache-control"]), (200, "private, max-age=31536000, immutable"), "a tile")
            expect(v.ask("/api/tiles?l=20&i=0&rows=0-3")[1]["cache-control"], "no-store", "a tile without the key")
            expect(v.ask("/api/tiles?l=20&i=0&rows=0-3&v=0")[0], 404, "a tile of another trace")
            v.json("/api/notes", "-d", '{"a":"' + "x" * 8000 + '"}', method="PUT")
            status, headers, body = v.ask("/api/notes", "-H", "Accept-Encoding: br, gzip")
            assert headers.get("content-encoding") == "gzip" and body.startswith("\x1f\x8b"), headers
            expect(v.json("/api/notes", "-H", "Accept-Encoding: gzip;q=0"), {"a": "x" * 8000}, "notes to who takes no gzip")
        replies[-1].append(first)
    expect(replies[0], replies[1], "the packed trace")


def documented():
    """Every endpoint and each of its parameters is told of in docs/view-api.md."""
    with open(f"{root}/docs/view-api.md", encoding="utf-8") as file:
        text = file.read()
    with Viewer("--no-browser", "--listen", "127.0.0.1:0", "trace.out", folder=scratch) as v:
        for row in v.json("/api"):
            assert re.search(rf"`(GET |PUT )?{row['path']}[`?]", text), row
            for name in row["parameters"].split():
                assert re.search(rf"`(GET |PUT )?{row['path']}\?[^`]*\b{name}\b", text), (row["path"], name)


def profile():
    with Viewer("--no-browser", "--listen", "127.0.0.1:0", "-base", PROFILE, PROFILE, folder=scratch) as v:
        expect(v.json("/api/meta")["kind"], "profile", "the kind")
        types = v.json("/api/profile")
        expect((types["types"][types["default"]]["name"], types["base"]), ("cpu", True), "the types")
        flame = v.json("/api/profile/flame?type=0")
        expect((flame["total"], flame["nodes"][0]), (16, [-1, -1, 0, 16]), "the flame graph")
        flame = v.json("/api/profile/flame?type=0&base=1")
        assert all(node[2:4] == node[4:6] for node in flame["nodes"]), flame
        top = v.json("/api/profile/top?type=0")["rows"]
        expect([(row["function"], row["self"], row["total"]) for row in top[:2]], [("leaf", 10, 10), ("work", 5, 16)], "top")
        expect(v.error("/api/profile/top?type=7", 400), 'The parameter "type" must be from 0 to 1.', "a type")
        expect(v.error("/api/lanes", 404), "A profile is served here, which has no timeline.", "lanes of a profile")
    assert refused("--base", "trace.out", PROFILE).startswith("ctrace view: trace.out: ")


def fetched():
    """From a debug server: saved here, then shown."""
    if "libcurl" in refused("http://127.0.0.1:9/"):
        return
    folder = tempfile.mkdtemp(dir=scratch)
    with subprocess.Popen([f"{build}/tests/debug-server", "127.0.0.1:0"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as server:
        place = server.stdout.readline().strip()
        done = subprocess.run([ctrace, "view", "--no-browser", f"http://{place}/debug/pprof/nosuch"], cwd=folder, capture_output=True, text=True)
        expect((done.returncode, done.stderr), (1, "ctrace view: the server refuses with 404: Unknown profile\n"), "a profile that is not there")
        expect(os.listdir(folder), [], "what was fetched")
        server.stdin.close()
    with Recorded(["cat"], folder=folder) as program:
        for what, kind, end in (("trace?seconds=0.3", "trace", ".out"), ("heap", "profile", ".pb.gz")):
            with Viewer("--no-browser", "--listen", "127.0.0.1:0", program.url(f"/debug/pprof/{what}"), folder=folder) as v:
                v.ready()
                meta = v.json("/api/meta")
                expect(meta["kind"], kind, what)
                assert re.fullmatch(rf"{what.split('?')[0]}-127\.0\.0\.1-\d{{8}}-\d{{6}}{re.escape(end)}", meta["trace"]["file"]), meta["trace"]
                expect(stat.S_IMODE(os.stat(f"{folder}/{meta['trace']['file']}").st_mode), 0o600, "the mode of what was fetched")
            assert f"saved as {meta['trace']['file']}\n" in v.said, v.said


try:
    make_traces()
    parts = (command_line, guard, page, address, browser, family, kept, damaged, packed, documented, profile, fetched)
    for part in parts if len(sys.argv) < 3 else [globals()[name] for name in sys.argv[2:]]:
        part()
finally:
    shutil.rmtree(scratch)

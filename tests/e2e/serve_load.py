#!/usr/bin/python3
"""
serve_load.py BUILD [SECONDS [inside]]: 64 clients at every endpoint of a busy redis under `ctrace record --http`; or 8 of them at one
that serves itself (CTRACE_HTTP), where the ninth is told that there are too many.

Some clients go away in the middle, some read a byte a second, some send slowly.  Every reply that is whole is read by whom
it is made for; short replies stay short; and when all have gone ctrace is as it was: descriptors, threads, memory.
"""

import collections
import concurrent.futures
import html.parser
import http.client
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time

import serving

seconds = float(sys.argv[2]) if len(sys.argv) > 2 else 6
long = seconds >= 30
inside = "inside" in sys.argv[3:]
crowded = 7 if inside else 64               # and the probe
ctrace = f"{serving.build}/ctrace"

# What a client asks for, and who reads the reply.
ASKED = [
    ("heap", "pprof"), ("allocs", "pprof"), ("block", "pprof"), ("mutex", "pprof"), ("threadcreate", "pprof"),
    ("threads", "pprof"), ("goroutine", "pprof"), ("profile?seconds=1", "pprof"), ("heap?seconds=1", "pprof"),
    ("heap?symbolize=0", "pprof"), ("heap?debug=1", "pprof"), ("block?debug=1", "pprof"), ("mutex?debug=1", "pprof"),
    ("threads?debug=1", "pprof"), ("threads?debug=2", "threads"), ("symbol?0x1", "symbol"), ("cmdline", "cmdline"),
    ("", "index"), ("/metrics", "metrics"), ("trace?seconds=0.5", "trace"), ("nosuch", "404"),
]


class Redis:
    """A redis that is recorded and kept busy."""

    def __init__(self, folder):
        with socket.socket() as s:
            s.bind(("127.0.0.1", 0))
            self.port = s.getsockname()[1]
        self.folder, self.load = folder, []
        self.said = open(f"{folder}/said", "w+", encoding="utf-8")
        command = ["redis-server", "--port", str(self.port), "--bind", "127.0.0.1", "--save", "", "--maxmemory", "32mb",
                   "--maxmemory-policy", "allkeys-lru"]
        environment = dict(os.environ)
        if inside:
            environment |= {"CTRACE_HTTP": "127.0.0.1:0",
                            "LD_PRELOAD": f"{serving.build}/libctrace-rt.so.0 {serving.build}/libctrace.so.0"}
        else:
            command = [ctrace, "record", "--http", "127.0.0.1:0", "--", *command]
        self.record = subprocess.Popen(command, cwd=folder, stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, stderr=self.said,
                                       env=environment)
        try:
            self.http = int(self.wait_for(r"serving http://127.0.0.1:(\d+)/"))
            while not self.answers():
                time.sleep(0.05)
        except BaseException:
            self.abandon()
            raise

    def __enter__(self):
        return self

    def __exit__(self, kind, value, trace):
        self.rest()
        if self.record.poll() is None:
            self.abandon()

    def abandon(self):
        """Whatever went wrong, nothing is left running: redis goes by the signal that ctrace hands on."""
        self.record.terminate()
        try:
            self.record.wait(30)
        except subprocess.TimeoutExpired:
            os.kill(self.pid(), signal.SIGKILL)
            self.record.kill()

    def wait_for(self, pattern):
        until = time.monotonic() + 30
        while time.monotonic() < until:
            self.said.seek(0)
            found = re.search(pattern, self.said.read())
            if found:
                return found.group(1)
            time.sleep(0.05)
        sys.exit(f"ctrace does not say where it serves: {pattern}")

    def answers(self):
        try:
            with socket.create_connection(("127.0.0.1", self.port), 5) as s:
                s.sendall(b"PING\r\n")
                return s.recv(100) == b"+PONG\r\n"
        except OSError:
            return False

    def pid(self):
        if inside:
            return self.record.pid
        with open(f"/proc/{self.record.pid}/task/{self.record.pid}/children", encoding="ascii") as file:
            return int(file.read().split()[0])

    def keep_busy(self):
        self.load.append(subprocess.Popen(
            ["redis-benchmark", "-p", str(self.port), "-c", "8", "-n", "1000000000", "-r", "100000", "-d", "200", "-q",
             "-t", "set,get"], stdout=subprocess.DEVNULL))

    def rest(self):
        for process in self.load:
            process.kill()
            process.wait()
        self.load = []

    def end(self):
        self.rest()
        os.kill(self.pid(), signal.SIGTERM)
        return self.record.wait(60)


def left(pid):
    """How many descriptors of each kind a process has, but for files of symbols, and how many threads."""
    tables = {tuple(sorted(descriptors(pid, task).items())) for task in os.listdir(f"/proc/{pid}/task")}
    kinds = collections.Counter(re.sub(r"\d+", "N", link) for table in tables for _, link in table if not link.startswith("/usr/"))
    kinds["threads"] = len(os.listdir(f"/proc/{pid}/task"))
    return kinds


def descriptors(pid, task):
    """Of one thread: those that serve inside a program have a table of their own."""
    links = {}
    try:
        for fd in os.listdir(f"/proc/{pid}/task/{task}/fd"):
            links[fd] = os.readlink(f"/proc/{pid}/task/{task}/fd/{fd}")
    except FileNotFoundError:
        pass
    return links


def resident(pid):
    """Of its own, in MiB: the arena and the segments of a recording are files in memory, and counted apart."""
    with open(f"/proc/{pid}/status", encoding="ascii") as file:
        return int(re.search(r"^RssAnon:\s+(\d+)", file.read(), re.M).group(1)) / 1024


class Crowd:
    """64 clients; what they got is kept in files, to be read when the storm is over."""

    def __init__(self, redis, folder):
        self.redis, self.folder = redis, folder
        self.stop = time.monotonic() + seconds
        self.kept, self.wrong, self.lock = collections.defaultdict(list), [], threading.Lock()
        self.clients = []

    def connect(self):
        return socket.create_connection(("127.0.0.1", self.redis.http), 30)

    def request(self, path):
        path = path if path.startswith("/") else f"/debug/pprof/{path}"
        return f"GET {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n".encode()

    def whole(self, turn):
        path, reader = ASKED[turn % len(ASKED)]
        with self.connect() as c:
            c.sendall(self.request(path))
            reply = http.client.HTTPResponse(c)
            reply.begin()
            body = reply.read()             # raises when it is not whole
        if reply.status != (404 if reader == "404" else 200):
            self.wrong.append(f"{path}: {reply.status} {body[:100]}")
            return
        with self.lock:
            name = f"{self.folder}/{reader}.{len(self.kept[reader])}"
            self.kept[reader].append((path, name))
        with open(name, "wb") as file:
            file.write(body)

    def goes_away(self, turn):
        with self.connect() as c:
            c.sendall(self.request(ASKED[turn % len(ASKED)][0]))
            c.recv(1 + turn % 1000)

    def byte_a_second(self):
        with self.connect() as c:
            c.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 2048)
            c.sendall(self.request(f"trace?seconds={seconds}"))
            while time.monotonic() < self.stop and c.recv(1):
                time.sleep(1)

    def sends_slowly(self, turn):
        with self.connect() as c:
            for byte in self.request(ASKED[turn % len(ASKED)][0])[:25]:
                c.sendall(bytes([byte]))
                time.sleep(0.1)

    def client(self, number):
        turn = number * 5 if inside else number     # few get round to everything else
        while time.monotonic() < self.stop:
            turn += 1
            try:
                if number % 8 == 0:
                    self.sends_slowly(turn)
                elif number % 8 == 1:
                    self.goes_away(turn)
                    time.sleep(0.5 if inside else 0)    # it counts until what it asked for is made, if that had begun
                elif number % 8 == 2:
                    self.byte_a_second()
                else:
                    self.whole(turn)
            except (OSError, http.client.HTTPException) as error:
                if number % 8 > 2:
                    self.wrong.append(f"{ASKED[turn % len(ASKED)][0]}: {type(error).__name__} {error}")

    def run(self):
        """Returns the memory that ctrace and redis had, second by second."""
        seen, pid = [], self.redis.pid()
        self.clients = [threading.Thread(target=self.client, args=(n,)) for n in range(crowded)]
        for c in self.clients:
            c.start()
        while time.monotonic() < self.stop:
            time.sleep(1)
            seen.append((resident(self.redis.record.pid), resident(pid)))
        for c in self.clients:
            c.join()
        return seen


class Page(html.parser.HTMLParser):
    """Whether what is opened is closed, in order."""

    def __init__(self, text):
        super().__init__()
        self.open, self.good = [], True
        self.feed(text)
        self.close()
        self.good = self.good and not self.open

    def handle_starttag(self, tag, attrs):
        if tag not in ("meta", "input", "br", "link", "hr"):
            self.open.append(tag)

    def handle_endtag(self, tag):
        while self.open and self.open[-1] in ("p", "td", "th", "tr", "li") and self.open[-1] != tag:
            self.open.pop()                 # their end may be left out
        self.good = self.good and bool(self.open) and self.open.pop() == tag


def pprof(folder, files):
    """Every profile, read by `go tool pprof`, some dozens at once; those of one kind are merged."""
    groups = collections.defaultdict(list)
    for path, name in files:
        groups[path].append(name)
    environment = dict(os.environ, PPROF_TMPDIR=folder, HOME=folder, GOCACHE=folder)
    for path, names in groups.items():
        for at in range(0, len(names), 40):
            done = subprocess.run(["go", "tool", "pprof", "-symbolize=none", "-raw", *names[at:at + 40]], env=environment,
                                  capture_output=True, text=True, check=False)
            said = [line for line in done.stderr.splitlines() if "Main binary filename not available" not in line]
            if done.returncode or said or "PeriodType" not in done.stdout:
                yield f"{path}: pprof ends with {done.returncode} and says {said[:3]}"


def text_problem(reader, body):
    """What is wrong with a reply that is text, or None."""
    if reader == "threads":
        good = re.fullmatch(r'(thread \d+ "[^"\n]*" \[[^]\n]*\]:\n(\S.*\n\t.*\n)*(\.\.\.callers.*\n)?\n?)+(.*\n)*', body)
    elif reader == "symbol":
        good = body.startswith("num_symbols: 1\n")
    elif reader == "cmdline":
        good = body.startswith("redis-server")
    elif reader == "index":
        good = Page(body).good and "threadcreate" in body
    elif reader == "metrics":
        good = body.endswith("# EOF\n") and "process_cpu_seconds_total" in body
    else:
        good = body == "Unknown profile\n"
    return None if good else f"{reader}: {body[:200]!r} ({len(body)} bytes)"


def read_all(crowd):
    """Problems of what was kept."""
    yield from pprof(crowd.folder, crowd.kept["pprof"])
    for path, name in crowd.kept["trace"]:
        done = subprocess.run([ctrace, "info", name], capture_output=True, text=True, check=False)
        if done.returncode or not re.search(": complete", done.stdout):
            yield f"{path}: {done.stdout[:200]}{done.stderr[:200]}"
    for reader in set(crowd.kept) - {"pprof", "trace"}:
        for _, name in crowd.kept[reader]:
            with open(name, encoding="utf-8") as file:
                problem = text_problem(reader, file.read())
            if problem:
                yield problem


def ninth(redis):
    """Eight traces are under way; when they have gone, there is room again."""
    def ask():
        status, _, body = serving.curl(f"http://127.0.0.1:{redis.http}/debug/pprof/cmdline")
        return status, body.split("\0")[0]

    streams = [socket.create_connection(("127.0.0.1", redis.http), 30) for _ in range(8)]
    for one in streams:
        one.sendall(serving.get("/debug/pprof/trace?seconds=60").encode())
    for one in streams:
        assert one.recv(100).startswith(b"HTTP/1.1 200"), "one of eight"
    serving.expect(ask(), (503, "too many clients: try again later\n"), "the ninth")
    for one in streams:
        one.close()
    serving.settles(lambda: ask()[0], 200, "when they have gone")


def main(folder):
    with Redis(folder) as redis:
        load(redis, folder)


def load(redis, folder):
    pid = redis.record.pid
    first = Crowd(redis, folder)            # what the first request of each kind leaves is there for good
    with concurrent.futures.ThreadPoolExecutor(crowded) as pool:
        for done in [pool.submit(first.whole, turn) for turn in range(len(ASKED))]:
            done.result()
    assert not first.wrong, first.wrong
    time.sleep(0.2 if inside else 1)
    before = left(pid)
    redis.keep_busy()
    crowd = Crowd(redis, folder)
    probe = serving.Probe(redis.http, pid, seconds - 1)
    memory, program = zip(*crowd.run())
    short = probe.end()
    redis.rest()
    if inside:
        ninth(redis)
    serving.settles(lambda: left(pid) - before, collections.Counter(), "descriptors and threads left over", 30)
    assert redis.answers(), "redis does not answer any more"
    after = resident(pid)
    status = redis.end()
    problems = crowd.wrong + list(read_all(crowd))
    kept = {reader: len(files) for reader, files in sorted(crowd.kept.items())}
    print(f"  whole replies: {kept}; memory: {', '.join(f'{m:.0f}' for m in memory[::max(1, len(memory) // 12)])}, "
          f"then {after:.0f} MiB; of redis: {program[len(program) // 3]:.0f}, then {program[-1]:.0f} MiB\n  {short}")
    assert not problems, f"{len(problems)} problems: {problems[:6]}"
    serving.expect(status, 0, "redis under ctrace ends with")
    assert len(kept) == 8 and sum(kept.values()) > (20 if inside and not long else 60), "hardly any reply"
    short.check(0.1, 100) if long else short.check(5, 10)
    if long:
        for whose, seen in ("ctrace", memory), ("redis", program):
            third = len(seen) // 3
            first, last = max(seen[third:2 * third]), max(seen[2 * third:])
            assert last <= first * 1.1 + 4, f"the memory of {whose} grows: {first:.0f} MiB, then {last:.0f} MiB"


if not all(map(shutil.which, ("redis-server", "redis-benchmark", "go", "curl"))):
    print("redis, go or curl is not installed")
    sys.exit(77)
with tempfile.TemporaryDirectory(prefix="ctrace-load-") as scratch:
    main(scratch)

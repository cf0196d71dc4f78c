#!/usr/bin/python3
"""
truth.py BUILD [NAME...]: what a trace says of a real program is what strace saw of the same run.

Each program runs recorded with strace around it all.  strace also tells from where each system call was made.  Those
that a program or a library makes through a name which ctrace wraps must be in the trace, thread by thread, in order,
with the same descriptor and the same result; and nothing else may be there.  What libc does within itself (stdio's reads,
the loader's) is left out on both sides, and so is what is no descriptor's call (stdio, names of files, locks, children),
which wrap_counts holds against strace.  Threads and forks are counted too.  TRUTH_VERBOSE=1 shows
the first calls of a thread that differs.
"""

import collections
import errno
import glob
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time

import traces

build = os.path.abspath(sys.argv[1])
verbose = os.environ.get("TRUTH_VERBOSE")
ctrace = f"{build}/ctrace"

# System call -> name in the trace.  Several names of libc may end in one system call; the first of them stands for all.
SYSCALLS = {
    "read": "read", "write": "write", "pread64": "pread", "pwrite64": "pwrite", "readv": "readv", "writev": "writev",
    "preadv": "preadv", "pwritev": "pwritev", "preadv2": "preadv", "pwritev2": "pwritev",
    "sendto": "send", "recvfrom": "recv", "sendmsg": "sendmsg", "recvmsg": "recvmsg", "sendmmsg": "sendmmsg",
    "recvmmsg": "recvmmsg", "accept": "accept", "accept4": "accept", "connect": "connect", "sendfile": "sendfile",
    "splice": "splice", "copy_file_range": "copy_file_range",
    "open": "open", "openat": "open", "creat": "open", "close": "close",
    "fsync": "fsync", "fdatasync": "fdatasync", "sync_file_range": "sync_file_range", "msync": "msync",
    "poll": "poll", "ppoll": "poll", "select": "select", "pselect6": "select",
    "epoll_wait": "epoll_wait", "epoll_pwait": "epoll_wait",
}
ONE_OF = {"sendto": "send", "recvfrom": "recv", "openat": "open", "creat": "open", "ppoll": "poll", "pselect": "select",
          "epoll_pwait": "epoll_wait"}
MAKERS = ("clone", "clone3", "fork", "vfork")
WITHOUT_FD = ("open", "poll", "select", "msync", "splice", "copy_file_range", "sendfile")

CALL = re.compile(r"(\d+\.\d+) (\w+)\((.*)\)\s+= (-?\d+|\?)(?: ([A-Z]+))?")
FRAME = re.compile(r" > ([^(]*)\(([^+)]*)")


class Call:
    """One system call: when it began, its name, descriptor and result, and the (module, function) of its stack."""

    def __init__(self, match):
        self.time = float(match[1])
        self.name, self.arguments = match[2], match[3]
        self.result = -getattr(errno, match[5], 0) if match[5] else 0 if match[4] == "?" else int(match[4])
        self.restarted = bool(match[5]) and match[5].startswith("ERESTART")
        self.frames = []

    def fd(self):
        first = re.match(r"(-?\d+)", self.arguments)
        return int(first[1]) if first else -1

    def key(self):
        name = SYSCALLS[self.name]
        return name, -1 if name in WITHOUT_FD else self.fd(), self.result

    def caller(self):
        """'wrapper', 'recorder', 'inside' libc, or 'program': who asked for it."""
        modules = [os.path.basename(module) for module, _ in self.frames]
        if not modules:
            return "recorder"
        if modules[0].startswith("libctrace-rt") or "ctrace" in modules:     # also `ctrace` itself, about to exec
            return "recorder"
        outside = next((i for i, m in enumerate(modules) if not m.startswith(("libc.so", "ld-linux"))), None)
        if outside is None or modules[0].startswith("ld-linux"):
            return "inside"
        entry = self.frames[0][1]        # closedir() and the like jump into it: their own frame is gone
        if outside > 1 or entry == "syscall" or entry.endswith("_nocancel"):
            return "inside"
        return "wrapper" if modules[outside].startswith("libctrace-rt") else "program"


def read_strace(prefix):
    """tid -> calls."""
    threads = {}
    for path in glob.glob(f"{prefix}.*"):
        calls = threads[int(path.rsplit(".", 1)[1])] = []
        with open(path, encoding="utf-8", errors="replace") as f:
            for line in f:
                match = CALL.match(line)
                frame = not match and FRAME.match(line)
                if match:
                    calls.append(Call(match))
                elif frame and calls:
                    calls[-1].frames.append((frame[1], frame[2]))
    return threads


def recorded_key(event):
    name = event.fields["call"]
    name = ONE_OF.get(name, name)
    fd = event.fields.get("fd")
    return name, -1 if fd is None or name in WITHOUT_FD else int(fd), event.number("result")


def recorded_calls(trace):
    """tid -> keys of its I/O, poll and file events, by time; and the times of the first and last event of each process."""
    threads = collections.defaultdict(list)
    for event in sorted(trace.events, key=lambda e: e.time):
        if event.name in ("IO", "IO_SLOW", "POLL", "POLL_SLOW", "OPEN", "FILE", "FILE_SLOW"):
            key = recorded_key(event)
            if key[0] in SYSCALLS.values():
                threads[trace.tid(event)].append(key)
    return threads


def is_subsequence(short, long):
    rest = iter(long)
    return all(any(item == other for other in rest) for item in short)


def first_difference(ours, theirs):
    for i, (a, b) in enumerate(zip(ours, theirs)):
        if a != b:
            return f"call {i + 1} is {a} in the trace, {b} to strace"
    longer, who = (ours, "the trace") if len(ours) > len(theirs) else (theirs, "strace")
    return f"call {min(len(ours), len(theirs)) + 1}, {longer[min(len(ours), len(theirs))]}, is known to {who} only"


def compare(trace, strace):
    """Sentences about what differs, and the number of calls that agree."""
    problems, agreed, moved = [], 0, 0
    ours = recorded_calls(trace)
    pids = {int(program["pid"]) for program in trace.programs.values()}
    tids = {int(row["tid"]) for row in trace.threads.values()} | pids
    for tid in sorted(tids):
        calls = [c for c in strace.get(tid, []) if c.name in SYSCALLS and not c.restarted]
        wrapped = [c.key() for c in calls if c.caller() == "wrapper"]
        mine = ours.get(tid, [])
        if mine != wrapped:
            problems.append(f"thread {tid}: {first_difference(mine, wrapped)}")
            problems += [f"    {c.name}({c.arguments}) = {c.result} by {c.frames}" for c in calls[:3] if verbose]
        else:
            agreed += len(mine)
            moved += sum(result for name, _, result in mine if result > 0 and ("read" in name or "write" in name))
        missed = collections.Counter(f"{c.name} by {c.frames[0][1]} from {c.frames[1][0]}" for c in calls if c.caller() == "program")
        problems += [f"thread {tid}: {count} x {call} is not wrapped" for call, count in missed.items()]
    made = [c for tid in tids for c in strace.get(tid, []) if c.name in MAKERS and c.result > 0
            and c.frames and not os.path.basename(c.frames[0][0]).startswith("libctrace-rt")]
    threads = {c.result for c in made if "CLONE_THREAD" in c.arguments}
    forks = sum(e.name == "FORK" and e.number("result") > 0 for e in trace.events)
    if threads != tids - pids:
        problems.append(f"threads {sorted(tids - pids)} in the trace, {sorted(threads)} to strace")
    if forks != len(made) - len(threads):
        problems.append(f"{forks} forks in the trace, {len(made) - len(threads)} to strace")
    return problems, f"{agreed} calls, {moved} bytes, {len(threads)} threads, {forks} forks"


def run(name, command, beside=None, **options):
    """Records one program under strace and compares; True when both agree."""
    folder = f"{scratch}/{name}"
    os.mkdir(folder)
    trace_path, prefix = f"{folder}/trace.out", f"{folder}/strace"
    watched = ",".join([*SYSCALLS, *MAKERS])
    full = ["strace", "-ff", "-k", "-ttt", "-s", "0", "-e", f"trace={watched}", "-e", "signal=none", "-o", prefix,
            ctrace, "record", "-o", trace_path, "--", *command]
    process = subprocess.Popen(full, cwd=folder, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, **options)
    if beside:
        beside()
    if process.wait(120) != 0:
        print(f"{name}: status {process.returncode}")
        return False
    trace, said = traces.read(ctrace, trace_path)
    lost = sum(int(end["lost"]) for end in trace.ends.values())
    problems, summary = compare(trace, read_strace(prefix))
    if lost:
        problems.append(f"{lost} events were lost")
    if said.strip():
        problems.append(said.strip())
    for problem in problems[:12]:
        print(f"{name}: {problem}")
    print(f"{name}: {summary}", flush=True)
    return not problems


PYTHON = """
import os, threading
def work(name):
    with open(name, "wb", buffering=0) as f:
        for _ in range(50):
            f.write(os.urandom(100))
    with open(name, "rb", buffering=0) as f:
        while f.read(333):
            pass
    os.unlink(name)
threads = [threading.Thread(target=work, args=(f"file{i}",)) for i in range(4)]
for t in threads: t.start()
for t in threads: t.join()
a, b = __import__("socket").socketpair()
a.sendall(b"x" * 5000); print(len(b.recv(10000)))
"""


def redis_load(port):
    def load():
        client = ["redis-cli", "-p", str(port)]
        for _ in range(400):
            if subprocess.run([*client, "ping"], capture_output=True, check=False).stdout == b"PONG\n":
                break
            time.sleep(0.05)
        subprocess.run(["redis-benchmark", "-p", str(port), "-n", "300", "-c", "5", "-t", "set,get,lpush", "-q"],
                       stdout=subprocess.DEVNULL, check=True)
        subprocess.run([*client, "shutdown", "nosave"], capture_output=True, check=False)
    return load


def free_port():
    import socket
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


def programs():
    data = f"{scratch}/data"
    with open(data, "wb") as f:
        f.write(b"".join(b"%d squared is %d\n" % (i, i * i) for i in range(120000)))
    port = free_port()
    sql = "create table t(a,b); with recursive n(i) as (select 1 union all select i+1 from n where i<2000) " \
          "insert into t select i, i*i from n; select sum(b) from t; create index x on t(b); vacuum;"
    yield "xz", ["xz", "-T2", "-1", "--block-size=512KiB", "-k", "-c", data], None
    yield "pigz", ["pigz", "-p", "2", "-k", "-c", data], None
    yield "sqlite3", ["sqlite3", "truth.db", sql], None
    yield "python3", ["/usr/bin/python3", "-c", PYTHON], None
    yield "bash", ["bash", "-c", f"head -c 300000 {data} | tr 0-9 a-j | gzip -c | wc -c; echo done > file; cat file"], None
    yield "redis", ["redis-server", "--port", str(port), "--bind", "127.0.0.1", "--save", "", "--io-threads", "1"], \
        redis_load(port)


def main():
    wanted = sys.argv[2:]
    ok = True
    for name, command, beside in programs():
        if wanted and name not in wanted:
            continue
        if not shutil.which(command[0]):
            print(f"{name}: {command[0]} is not installed")
            ok = False
            continue
        ok = run(name, command, beside) and ok
    return 0 if ok else 1


if not shutil.which("strace"):
    sys.exit(77)
with tempfile.TemporaryDirectory(prefix="ctrace-truth-") as scratch:
    sys.exit(main())

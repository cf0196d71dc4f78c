#!/usr/bin/python3
"""
capture.py BUILD: examples/capture.sh takes heap profiles of a leaking program and keeps the newest, in every shell and with
every client that people have.
"""

import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time

from serving import Recorded, expect, settles

script = os.path.abspath(f"{os.path.dirname(sys.argv[0])}/../../examples/capture.sh")
LEAK = r"""
#include <stdlib.h>
#include <unistd.h>
#include <poll.h>

__attribute__((noinline)) static void leak(void) { volatile char *kept = malloc(100000); kept[0] = 1; }

int main(void)
{
    struct pollfd end = { 0, POLLIN, 0 };

    while (poll(&end, 1, 10) == 0)
        leak();
    return 0;
}
"""
# What a capture needs besides its shell and its client.
TOOLS = ["date", "gzip", "mkdir", "mv", "rm", "sleep", "cat", "timeout"]


def folder_of(name, *clients):
    """A folder of tools with these clients alone; NAME=busybox: all of it is busybox."""
    path = f"{scratch}/bin.{name}"
    os.mkdir(path)
    for tool in (*TOOLS, *clients):
        os.symlink(shutil.which("busybox" if name.startswith("busybox") else tool), f"{path}/{tool}")
    return path


def capture(shell, path, *words, **more):
    return subprocess.run([*shell, script, *words], env={"PATH": path}, capture_output=True, text=True, timeout=60, cwd=scratch, **more)


def profiles(folder):
    return sorted(name for name in os.listdir(folder) if not name.startswith("."))


def once(r):
    """One profile by each shell with each client."""
    ways = [(shell, client) for shell in (["sh"], ["bash", "--posix"]) for client in ("curl", "wget") if shutil.which(client)]
    ways += [(["busybox", "sh"], "busybox")] if shutil.which("busybox") else []
    for number, (shell, client) in enumerate(ways):
        path = folder_of(f"{client}{number}", "wget" if client == "busybox" else client)
        done = capture([shutil.which(shell[0]), *shell[1:]], path, "-1", "-d", f"one{number}", r.url("/debug/pprof/"))
        expect((done.returncode, done.stdout + done.stderr), (0, ""), f"{shell} with {client}")
        names = profiles(f"{scratch}/one{number}")
        assert len(names) == 1 and re.fullmatch(r"heap\.\d{8}-\d{6}\.pb\.gz", names[0]), names
        expect(subprocess.run(["gzip", "-t", f"{scratch}/one{number}/{names[0]}"]).returncode, 0, names[0])
    print(f"  {len(ways)} shells and clients")


def many(r):
    """The newest three of many, with no part of one beside them at any time; two of them tell who leaks."""
    folder = f"{scratch}/many"
    os.mkdir(folder)
    for kept in ("heap.note", "allocs.20200101-000000.pb.gz"):
        open(f"{folder}/{kept}", "w", encoding="ascii").close()
    taker = subprocess.Popen(["sh", script, "-e", "1s", "-k", "3", "-d", folder, r.url("/debug/pprof")], stderr=subprocess.PIPE)
    seen = set()
    until = time.monotonic() + 30
    while len(seen) < 5 and time.monotonic() < until:
        time.sleep(0.1)
        names = [name for name in profiles(folder) if name.startswith("heap.2")]
        assert len(names) <= 4, names                   # one has come, the oldest has not gone yet
        seen |= set(names)
    assert len(seen) >= 5, f"{sorted(seen)}"
    began = time.monotonic()
    taker.send_signal(signal.SIGTERM)
    expect((taker.wait(20), taker.stderr.read()), (0, b""), "its end")
    assert time.monotonic() - began < 5, "it sleeps on"
    names = [name for name in profiles(folder) if name.startswith("heap.2")]
    assert 3 <= len(names) <= 4 and max(seen) in names, names
    expect([name for name in os.listdir(folder) if name.endswith(".part")], [], "parts")
    assert os.path.exists(f"{folder}/heap.note") and os.path.exists(f"{folder}/allocs.20200101-000000.pb.gz"), "it removed others'"
    if shutil.which("go"):
        done = subprocess.run(["go", "tool", "pprof", "-top", "-base", f"{folder}/{names[0]}", f"{folder}/{names[-1]}"],
                              env=dict(os.environ, PPROF_TMPDIR=scratch, HOME=scratch, GOCACHE=scratch), capture_output=True, text=True)
        assert re.search(r"MB.*MB.*\bleak$", done.stdout, re.M), done.stdout + done.stderr


def troubles(port):
    """What is wrong is told in a line; a server that is not there may come back, words that are wrong may not."""
    server = f"http://127.0.0.1:{port}/debug/pprof"
    done = subprocess.run(["sh", script, "-1", "-d", f"{scratch}/none", server], capture_output=True, text=True)
    assert done.returncode == 1 and done.stderr.count("\n") == 1 and "no profile from http://127.0.0.1" in done.stderr, done
    expect(os.listdir(f"{scratch}/none"), [], "what a failure left")
    taker = subprocess.Popen(["sh", script, "-e", "1s", "-d", f"{scratch}/none", server], stderr=subprocess.PIPE, text=True)
    assert "no profile" in taker.stderr.readline() and "no profile" in taker.stderr.readline(), "it gave up"
    taker.terminate()
    taker.wait(20)
    taker.stderr.close()
    for words, said in ((["-e", "soon"], "no time"), (["-e", "0"], "no time"), (["-k", "-1"], "no count"), (["-k", "0"], "no count"),
                        (["-p", "../x"], "no profile's name"), (["evil"], "no URL"), (["a", "b"], "one URL"), (["-z"], "usage"),
                        (["-d", "/proc/nowhere"], "cannot write")):
        done = subprocess.run(["sh", script, *words], capture_output=True, text=True)
        assert done.returncode == 2 and said in done.stderr, f"{words}: {done}"
    bare = capture([shutil.which("sh")], folder_of("bare"), "-1")
    assert bare.returncode == 2 and "neither curl nor wget" in bare.stderr, bare
    for word in ("--help", "-h"):
        done = subprocess.run(["sh", script, word], capture_output=True, text=True)
        assert done.returncode == 0 and done.stdout.startswith("usage: ") and not done.stderr, done


with tempfile.TemporaryDirectory(prefix="ctrace-capture-") as scratch:
    with open(f"{scratch}/leaking.c", "w", encoding="ascii") as file:
        file.write(LEAK)
    subprocess.run(["cc", "-g", "-O1", "-o", f"{scratch}/leaking", f"{scratch}/leaking.c"], check=True)
    with Recorded([f"{scratch}/leaking"], folder=scratch) as recorded:
        for test in (once, many):
            test(recorded)
            print(f"{test.__name__}: ok", flush=True)
        closed = recorded.port
    troubles(closed)
    print("troubles: ok")

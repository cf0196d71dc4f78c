#!/usr/bin/env python3
"""Every way to look that `go tool pprof` has, at every profile there is, from a file and from a URL.

    tests/e2e/pprof_tools.py BUILD
"""
import os
import re
import shutil
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request

import pprofs

CTRACE = os.path.join(os.path.abspath(sys.argv[1]), "ctrace")

PROGRAM = """
#include <pthread.h>
#include <stdlib.h>
#include <unistd.h>

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static volatile double sum;

__attribute__((noinline)) static void burn(void)
{
    for (int i = 0; i < 500000; i++)
        sum += i * 1.5;
}

__attribute__((noinline)) static void leak(void)
{
    volatile char *kept = malloc(900000);

    kept[0] = 1;
}

static void *work(void *unused)
{
    for (;;) {
        pthread_mutex_lock(&lock);
        burn();
        leak();
        pthread_mutex_unlock(&lock);
        usleep(1000);
    }
    return unused;
}

__attribute__((noinline)) static void *park(void *unused)
{
    for (;;)
        sleep(1000);
    return unused;
}

/* Three threads at one lock and one that rests, until its standard input ends. */
int main(void)
{
    pthread_t thread;
    char byte;

    for (int i = 0; i < 3; i++)
        pthread_create(&thread, NULL, work, NULL);
    pthread_create(&thread, NULL, park, NULL);
    while (read(0, &byte, 1) > 0)
        ;
    return 0;
}
"""

# Profile -> the function that it is about.
PROFILES = {"profile": "burn", "heap": "leak", "allocs": "leak", "block": "work", "mutex": "work", "threads": "park",
            "threadcreate": "main"}

# Way to look -> what it must say of that function, F.
WAYS = {
    "-top": r"(?m)^ .*\bF\b", "-tree": r"\bF\b", "-peek=F": r"\bF\b", "-list=F": r"ROUTINE =+ F in .*busy\.c",
    "-traces": r"(?m)^[ \d.a-zA-Z]* F\b", "-raw": r"(?s)Locations\n.*: 0x[0-9a-f]+ M=\d+ .*\bF [^\n]*busy\.c:\d+.*Mappings\n.*/busy",
    "-svg": r"(?s)<svg.*F.*</svg>",
}

failures = []


def pprof(*words):
    done = subprocess.run(["go", "tool", "pprof", *words], capture_output=True, text=True, timeout=60)
    return done.stdout if done.returncode == 0 else f"exit status {done.returncode}: {done.stderr}"


def check(what, pattern, said):
    if not re.search(pattern, said):
        failures.append(f"{what}: wanted <{pattern}> in\n{said[:1500]}")


def look(source, way, function, what):
    check(f"{way} of {what}", WAYS[way].replace("F", function), pprof(way.replace("F", function), source))


def differences(name, function, source):
    """Of two files, and of a file and a URL: what came to it between them, and all of it is of that function."""
    for way in "-base", "-diff_base":
        for one in f"{name}.late.pb.gz", source:
            check(f"{way} of {name}, {one}", WAYS["-top"].replace("F", function), pprof("-top", way, f"{name}.pb.gz", one))


def texts(served, path):
    """The text, too, is a profile: pprof takes it for what it says, and scales nothing up a second time."""
    with open(path, "w", encoding="utf-8") as f:
        f.write(text := served.get("heap?debug=1").decode())
    told = re.match(r"heap profile: (\d+): (\d+) \[(\d+): (\d+)\] @ heap/2\n", text)
    if not told:
        failures.append(f"a heap's first line: {text[:100]}")
        return
    for command in ["go", "tool", "pprof", "-unit=B", "-top", path], ["google-pprof", "--text", "--show_bytes", "busy", path], \
            ["jeprof", "--text", "--show_bytes", "busy", path]:
        if not shutil.which(command[0]):
            continue
        done = subprocess.run(command, capture_output=True, text=True, timeout=60)
        total = re.search(r"of (\d+)B total|Total: (\d+)", done.stdout)
        if not total or int(total[1] or total[2]) != int(told[2]):
            failures.append(f"{command[0]} makes {total and total[0]} of {told[2]} bytes")


def pages(name, function):
    """`go tool pprof -http`: its pages are made of our file.  Not /source: Go 1.19 reads no position-independent programs there."""
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        port = s.getsockname()[1]
    server = subprocess.Popen(["go", "tool", "pprof", "-no_browser", f"-http=127.0.0.1:{port}", f"{name}.pb.gz"],
                              stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True)
    try:
        for page in "", "top", "flamegraph", f"peek?f={function}":
            check(f"page /{page} of {name}", rf"\b{function}\b", page_of(f"http://127.0.0.1:{port}/ui/{page}"))
    finally:
        os.killpg(server.pid, 9)
        server.wait()


def page_of(url):
    until = time.monotonic() + 20
    while True:
        try:
            return urllib.request.urlopen(url, timeout=20).read().decode()
        except OSError as error:
            if time.monotonic() > until or isinstance(error, urllib.error.HTTPError):
                return f"{url}: {error}"
            time.sleep(0.1)


def main():
    with open("busy.c", "w") as f:
        f.write(PROGRAM)
    subprocess.run(["cc", "-g", "-O1", "-o", "busy", "busy.c", "-pthread"], check=True)
    served = pprofs.Served(CTRACE, [os.path.abspath("busy")])
    url = {name: f"{served.base}/{name}" + ("?seconds=1" if name == "profile" else "") for name in PROFILES}
    time.sleep(0.5)
    for round_ in ".pb.gz", ".late.pb.gz":
        for name in PROFILES:
            with open(name + round_, "wb") as f:
                f.write(served.get(url[name][len(served.base) + 1:]))
    for name, function in PROFILES.items():
        for way in WAYS:
            look(f"{name}.pb.gz", way, function, f"{name}.pb.gz")
        for way in WAYS if name in ("heap", "block") else ["-top", "-raw"]:
            look(url[name], way, function, url[name])
    differences("heap", "leak", url["heap"])
    for name in "heap", "allocs":       # blocks of 900,000 bytes fall into a class of 896 KiB
        check(f"sizes of blocks in {name}", r"(?s)bytes: Total.*\(\s*(100|9\d(\.\d+)?)%\): 896kB", pprof("-tags", f"{name}.pb.gz"))
    texts(served, "heap.txt")
    differences("mutex", "work", url["mutex"])
    pages("profile", "burn")
    pages("heap", "leak")
    if served.end() != 0:
        failures.append("the program did not end as it should")


if not shutil.which("go") or not shutil.which("dot"):
    print("go or dot is not installed")
    sys.exit(77)
with tempfile.TemporaryDirectory(prefix="ctrace-pprof-") as folder:
    os.chdir(folder)
    os.environ.update(HOME=folder, PPROF_TMPDIR=folder, GOCACHE=folder)
    main()
    os.chdir("/")
print("\n".join(failures))
sys.exit(1 if failures else 0)

#!/usr/bin/python3
"""
http_prefork.py BUILD: a prefork server under `ctrace record --http`.  The first process's server serves each worker at ?pid=,
workers come and go, and many of them cost ctrace little memory.
"""

import os
import re
import subprocess
import sys
import tempfile
import time
import urllib.error

import pprofs

build = os.path.abspath(sys.argv[1])
ctrace = f"{build}/ctrace"
WORKERS, MOST_KIB = 60, 300

PREFORK = r"""
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

static volatile double sum;

__attribute__((noinline)) static void handle_request(void)
{
    volatile char *kept = malloc(600000);

    kept[0] = 1;
    for (int i = 0; i < 100000; i++)
        sum += i;
}

/* Works until its parent closes the pipe. */
static void worker(int end)
{
    struct pollfd p = { .fd = end };

    while (poll(&p, 1, 100) == 0)
        handle_request();
    _exit(0);
}

/* Keeps the workers at work, until its standard input ends; tells the pid of each. */
int main(int argc, char **argv)
{
    struct pollfd input = { .fd = 0, .events = POLLIN };
    int pair[2], wanted = atoi(argv[1]), there = 0;

    if (pipe(pair) != 0)
        return 1;
    while (poll(&input, 1, 20) == 0) {
        while (waitpid(-1, NULL, WNOHANG) > 0)
            there--;
        for (; there < wanted; there++) {
            pid_t pid = fork();

            if (pid == 0) {
                close(pair[1]);
                worker(pair[0]);
            }
            printf("%d\n", (int)pid);
            fflush(stdout);
        }
    }
    close(pair[0]);
    close(pair[1]);
    while (wait(NULL) > 0)
        ;
    return 3;
}
"""


def expect(condition, what):
    if not condition:
        raise AssertionError(what)


def memory_kib(served):
    with open(f"/proc/{served.process.pid}/smaps_rollup", encoding="ascii") as f:
        return int(re.search(r"^Anonymous:\s+(\d+)", f.read(), re.M)[1])


def settles(ask, what):
    """Until `ask()` is true: a worker has to connect first."""
    until = time.monotonic() + 30
    while not ask():
        expect(time.monotonic() < until, what)
        time.sleep(0.1)


def status(served, path):
    try:
        served.get(path)
        return 200
    except urllib.error.HTTPError as e:
        return e.code


def serve_workers():
    served = pprofs.Served(ctrace, ["./prefork", "3"])
    workers = [served.process.stdout.readline().strip() for _ in range(3)]
    for pid in workers:
        settles(lambda: status(served, f"heap?pid={pid}") == 200, f"worker {pid} is not served")
        settles(lambda: served.profile(f"heap?pid={pid}").total("alloc_space", "handle_request"), f"worker {pid} has no heap")
    expect(not served.profile("heap").total("alloc_space", "handle_request"), "the first process is shown with its workers")
    index = served.get("").decode()
    for pid in workers:
        expect(f'href="?pid={pid}"' in index, f"no link to worker {pid}: {index}")
    expect(f"of process {workers[1]}" in served.get(f"?pid={workers[1]}").decode(), "the index of a worker")
    os.kill(int(workers[0]), 9)
    new = served.process.stdout.readline().strip()
    settles(lambda: status(served, f"heap?pid={new}") == 200, "the worker that came for one that was killed is not served")
    settles(lambda: f'href="?pid={workers[0]}"' not in served.get("").decode(), "a link to the worker that was killed")
    expect(status(served, "heap?pid=1") == 404, "a process that is not traced")
    expect(served.end() == 3, "the program's status")


def many_workers():
    few = pprofs.Served(ctrace, ["./prefork", "1"])
    many = pprofs.Served(ctrace, ["./prefork", str(WORKERS)])
    for served, count in (few, 1), (many, WORKERS):
        for _ in range(count):
            pid = served.process.stdout.readline().strip()
        settles(lambda: status(served, f"heap?pid={pid}") == 200, f"worker {pid} is not served")
        # Names of functions take some 15 MB, once: both have them, or the one that found a stack would stand against one without.
        settles(lambda: served.profile(f"heap?pid={pid}").total("alloc_space", "handle_request"), f"worker {pid} has no heap")
    each = lambda: (memory_kib(many) - memory_kib(few)) / (WORKERS - 1)
    settles(lambda: each() < MOST_KIB, f"{each():.0f} KiB for each process, {MOST_KIB} at most")
    time.sleep(1)
    seen = each()
    expect(few.end() == 3 and many.end() == 3, "the program's status")
    print(f"  {seen:.0f} KiB for each process")
    expect(seen < MOST_KIB, f"{seen:.0f} KiB for each process, {MOST_KIB} at most")


DAEMON = r"""
#include <stdlib.h>
#include <unistd.h>

__attribute__((noinline)) static void serve_in_background(void)
{
    volatile char *kept = malloc(4000000);
    char byte;

    kept[0] = 1;
    while (read(0, &byte, 1) > 0)
        ;
}

/* The first process ends at once, and so does the second. */
int main(void)
{
    if (fork() != 0)
        _exit(4);
    setsid();
    if (fork() == 0)
        serve_in_background();
    _exit(0);
}
"""


def daemon():
    """Of a program that goes into the background, what is left of it is served: nobody has to know its pid."""
    served = pprofs.Served(ctrace, ["./daemon"])
    settles(lambda: status(served, "heap") == 200 and served.profile("heap").total("inuse_space", "serve_in_background"), "its heap")
    index = served.get("").decode()
    expect(re.search(r"of process \d+ daemon<", index) and "Processes:" not in index, index)
    expect(b"daemon" in served.get("cmdline") and b"serve_in_background" in served.get("threads?debug=1"), "what it does")
    expect(served.end() == 4, "the first one's status")


def main():
    with tempfile.TemporaryDirectory(prefix="ctrace-prefork-") as scratch:
        os.chdir(scratch)
        for name, text in ("prefork", PREFORK), ("daemon", DAEMON):
            with open(f"{name}.c", "w", encoding="ascii") as f:
                f.write(text)
            subprocess.run(["cc", "-g", "-O1", "-o", name, f"{name}.c"], check=True)
        for test in (serve_workers, many_workers, daemon):
            print(test.__name__, flush=True)
            test()
        os.chdir("/")


main()

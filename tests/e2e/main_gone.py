#!/usr/bin/python3
"""
main_gone.py BUILD: a program whose first thread has ended (pthread_exit() in main) while others go on.  What /proc has of the process
by its pid is empty from then on, but for sums; all that ctrace tells of it is there all the same.
"""

import os
import re
import subprocess
import sys
import tempfile
import time
import urllib.request

import pprofs

build = os.path.abspath(sys.argv[1])
ctrace = f"{build}/ctrace"
root = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))

PLUGIN = r"""
#include <stdlib.h>

static volatile unsigned sum;

/* Some milliseconds of work. */
void work_of_plugin(void)
{
    *(volatile char *)malloc(100000) = 1;
    for (unsigned i = 0; i < 2000000; i++)
        sum += i * i;
}
"""

PROGRAM = r"""
#define TRACE_WEAK
#include <ctrace.h>
#include <dlfcn.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

/* What it loads, opens and asks, it does when main has ended. */
static void *go_on(void *first)
{
    struct pollfd orders = { .fd = 0, .events = POLLIN };
    struct trace_memory memory = { .size = sizeof memory };
    void (*work)(void);
    char bytes[16];
    int file, result;

    pthread_join(*(pthread_t *)first, NULL);
    work = (void (*)(void))dlsym(dlopen("./plugin.so", RTLD_NOW), "work_of_plugin");
    file = open("known-file", O_RDONLY);
    result = trace_mem_stats(&memory);
    printf("%d %d\n", result, memory.rss > 1 << 20 && memory.vss > memory.rss && memory.pss && memory.brk);
    fflush(stdout);
    while (poll(&orders, 1, 5) == 0) {
        work();
        if (pread(file, bytes, sizeof bytes, 0) != 6)
            exit(2);
    }
    exit(6);
}

int main(void)
{
    static pthread_t first, thread;

    first = pthread_self();
    pthread_create(&thread, NULL, go_on, &first);
    pthread_exit(NULL);
}
"""

problems = []


def has(what, pattern, text):
    if not re.search(pattern, text, re.M):
        problems.append(f"{what}: wanted <{pattern}> in\n{text[:1500]}")


def numbers(what, text, pattern, names):
    """Each of them is there and is not 0."""
    found = {name: float(value) for name, value in re.findall(pattern, text, re.M)}
    lacking = [name for name in names if found.get(name, 0) <= 0]
    if lacking:
        problems.append(f"{what}: no {', '.join(lacking)} in\n{text[-1500:]}")


def ask(served):
    has("the command line", r"^\./gone\0one$", served.get("cmdline").decode())
    has("the index", r"of process \d+ gone<", served.get("").decode())
    with urllib.request.urlopen(served.base.replace("/debug/pprof", "/metrics"), timeout=60) as reply:
        metrics = reply.read().decode()
    numbers("metrics", metrics, r"^(\w+) ([\d.]+)$", [f"process_{name}" for name in (
        "cpu_seconds_total", "resident_memory_bytes", "virtual_memory_bytes", "open_fds", "max_fds", "threads", "start_time_seconds")])
    heap = served.get("heap?debug=1").decode()
    numbers("the heap's tail", heap, r"^# (\w+) = (\d+)$", ["RSS", "PSS", "VSS", "MmapFiles", "Brk", "MinorFaults"])
    has("who allocates", r"^#\t.*\twork_of_plugin\+", heap)
    has("threads", r"^work_of_plugin\(\)|^poll\(\)", served.get("threads?debug=2").decode())
    has("their number", r"^threads profile: total 1$", served.get("threads?debug=1").decode())
    cpu = served.profile("profile?seconds=1")
    if not cpu.total("cpu", "work_of_plugin"):
        problems.append(f"CPU time: {[row.frames for row in cpu.rows][:5]}")
    with open("t.out", "wb") as f:
        f.write(served.get("trace?seconds=0.5"))
    text = subprocess.run([ctrace, "convert", "-t", "text", "-o", "-", "t.out"], capture_output=True, text=True, check=True).stdout
    has("the file's name", r'FD.*"[^"]*/known-file"', text)
    has("the function's name", r'function="work_of_plugin"', text)
    has("the program's name", r'^program .* name="[^"]*/gone"', text)


def main():
    for name, text in ("plugin.c", PLUGIN), ("gone.c", PROGRAM), ("known-file", "known\n"):
        with open(name, "w", encoding="ascii") as f:
            f.write(text)
    subprocess.run(["cc", "-g", "-O1", "-shared", "-fPIC", "-o", "plugin.so", "plugin.c"], check=True)
    subprocess.run(["cc", "-g", "-O1", f"-I{root}/tracer", "-o", "gone", "gone.c", f"-L{build}", "-Wl,--no-as-needed", "-lctrace",
                    f"-Wl,-rpath,{build}", "-pthread"], check=True)
    served = pprofs.Served(ctrace, ["./gone", "one"])
    said = served.process.stdout.readline()
    if said != "0 1\n":
        problems.append(f"trace_mem_stats(), and whether its numbers make sense: {said}")
    time.sleep(0.3)
    ask(served)
    if served.end() != 6:
        problems.append("the program's status")


with tempfile.TemporaryDirectory(prefix="ctrace-gone-") as scratch:
    os.chdir(scratch)
    main()
    os.chdir("/")
if problems:
    sys.exit("\n".join(problems))

#!/usr/bin/python3
"""
list.py BUILD: `ctrace list` shows every program that can be reached, and is not led astray by what lies in /dev/shm.
"""

import json
import os
import shutil
import subprocess
import sys
import tempfile
import time

import pprofs

build = os.path.abspath(sys.argv[1])
source = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
ctrace = f"{build}/ctrace"

OWN = r"""
#include <stdio.h>
#include <unistd.h>
#include "ctrace.h"

int main(void)
{
    char byte;

    if (trace_start("own.out") != 0)
        return 1;
    puts("started");
    fflush(stdout);
    while (read(0, &byte, 1) > 0)
        ;
    trace_stop();
    return 0;
}
"""


def expect(condition, what):
    if not condition:
        raise AssertionError(what)


def listed(*options):
    done = subprocess.run([ctrace, "list", *options], capture_output=True, text=True, timeout=60)
    expect(done.returncode == 0, done.stderr)
    return done.stdout


def rows():
    return {row["pid"]: row for row in json.loads(listed("--json"))["processes"]}


def settles(ask, what):
    until = time.monotonic() + 20
    while not (got := ask()):
        expect(time.monotonic() < until, what)
        time.sleep(0.05)
    return got


def start(command):
    return subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)


def row_of(drainer):
    return settles(lambda: next((row for row in rows().values() if row["drained_by"] == drainer), None), "a program is missing")


def programs():
    """Under record, served, and with a session of its own."""
    strange = "\x1b[31mred\n"
    shutil.copy("/bin/cat", strange)
    recorded = start([ctrace, "record", "-o", "r.out", "--only", "lock,user", "--", f"./{strange}"])
    served = pprofs.Served(ctrace, ["cat"])
    own = start(["./own"])
    expect(own.stdout.readline() == "started\n", "the program with a session of its own")
    row = row_of(recorded.pid)
    expect(row["state"] == "recording" and row["categories"] == ["trace", "lock", "user"] and row["http"] is None, row)
    expect(abs(row["since"] - time.time()) < 120, row)
    row = row_of(served.process.pid)
    expect(row["http"] == f"{served.base}/" and row["program"] == "cat", row)
    expect("cpu" not in row["categories"] and "alloc" in row["categories"], row)
    row = rows()[own.pid]
    expect(row["program"] == "own" and row["drained_by"] == own.pid, row)
    text = listed()
    expect("\x1b" not in text and "?[31mred" in text and f"  {served.base}/" in text, text)
    expect(all(len(line) <= 80 for line in text.split("\n")), text)
    for process in recorded, own:
        process.stdin.close()
        process.wait(60)
    served.end()
    mine = {own.pid}
    settles(lambda: not mine & set(rows()), "a program that has ended")
    os.remove(strange)


def hostile():
    """Directories with our name but not ours, and files in them that are no arenas."""
    place = f"/dev/shm/ctrace-{os.geteuid()}-hostile"
    own = start(["./own"])
    expect(own.stdout.readline() == "started\n", "the program with a session of its own")
    session = rows()[own.pid]["session"]
    os.mkdir(place, 0o700)
    try:
        arena = f"{place}/{'ab' * 16}"
        os.mkfifo(arena)
        listed()
        os.remove(arena)
        os.mkdir(arena)
        listed()
        os.rmdir(arena)
        os.symlink("/dev/zero", arena)
        listed()
        os.remove(arena)
        for size in 0, 100, 5000, 1 << 20:
            with open(arena, "wb") as f:
                f.write(os.urandom(size))
            listed()
        os.remove(arena)
        os.mkfifo(f"{place}/place")
        for name in os.listdir(session):
            if len(name) == 32:
                shutil.copy(f"{session}/{name}", f"{place}/{name}")
        expect(place in listed() and session in listed(), "an arena in a directory of ours")
        os.chmod(place, 0o777)
        expect(place not in listed() and session in listed(), "a directory that others may write to")
    finally:
        shutil.rmtree(place)
        own.stdin.close()
        own.wait(60)


def main():
    with tempfile.TemporaryDirectory(prefix="ctrace-list-") as scratch:
        os.chdir(scratch)
        with open("own.c", "w", encoding="ascii") as f:
            f.write(OWN)
        subprocess.run(["cc", "-I", f"{source}/tracer", "-o", "own", "own.c", f"-L{build}", "-lctrace", f"-Wl,-rpath,{build}"], check=True)
        for test in (programs, hostile):
            print(test.__name__, flush=True)
            test()
        os.chdir("/")


main()

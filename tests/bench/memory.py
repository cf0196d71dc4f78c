#!/usr/bin/python3
"""memory.py BUILD DATA: resident memory that the recorder adds to a program when it is only preloaded, and to each thread that it records."""

import os
import shutil
import subprocess
import sys
import time

import programs

build, data = (os.path.abspath(path) for path in sys.argv[1:3])


def resident(**variables):
    """Of a program that does nothing, in KiB, with pages of libraries."""
    process = subprocess.Popen(["cat"], stdin=subprocess.PIPE, env={**os.environ, **variables})
    time.sleep(1)
    with open(f"/proc/{process.pid}/status", encoding="ascii") as f:
        kib = next(int(line.split()[1]) for line in f if line.startswith("VmRSS:"))
    process.stdin.close()
    process.wait()
    return kib


def thread(*before):
    return float(programs.run([*before, f"{build}/tests/bench/bench-memory", "memory.thread"]).split()[1])


programs.show("memory.idle", (resident(LD_PRELOAD=f"{build}/libctrace-rt.so.0") - resident()) / 1024, "MiB", 1)
programs.show("memory.thread", thread(f"{build}/ctrace", "record", "-o", f"{data}/memory/", "--") - thread(), "KiB", 8)
shutil.rmtree(f"{data}/memory", ignore_errors=True)

#!/usr/bin/python3
"""
folding.py BUILD: whoever reads a trace while its last events are being folded into it, or while others read it, sees all.

A program and its `ctrace record` are killed with many events still in shared memory.  Then `ctrace info` looks at the
trace again and again while `ctrace recover` folds them in; the same is done over, from the same state.
"""

import glob
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time

build = os.path.abspath(sys.argv[1])
ctrace = f"{build}/ctrace"
here = os.path.dirname(os.path.abspath(__file__))
ROUNDS, READERS, EVENTS = 16, 5, 1500000

PROGRAM = """
#include <ctrace.h>
#include <stdio.h>
#include <unistd.h>

/* Says who it is, waits for a byte, counts, says so, and waits to be killed. */
int main(void)
{
    char byte = 0;

    if (printf("%%d\\n", getpid()) < 0 || fflush(stdout) != 0 || read(0, &byte, 1) != 1)
        return 1;
    for (int i = 0; i < %d; i++)
        trace_counter("step", i);
    if (write(1, "d", 1) != 1)
        return 1;
    pause();
}
""" % EVENTS


def record_and_kill():
    """Leaves trace.out, and an arena with what ctrace had no time for."""
    run = subprocess.Popen([ctrace, "record", "-o", "trace.out", "--only", "user", "--", "./counts"], stdin=subprocess.PIPE,
                           stdout=subprocess.PIPE)
    program = int(run.stdout.readline())
    time.sleep(0.2)
    os.kill(run.pid, signal.SIGSTOP)
    os.write(run.stdin.fileno(), b"g")
    assert run.stdout.read(1) == b"d"
    os.kill(program, signal.SIGKILL)
    os.kill(run.pid, signal.SIGKILL)
    run.wait()


def our_session():
    for output in glob.glob(f"/dev/shm/ctrace-{os.getuid()}-*/output"):
        with open(output, encoding="utf-8", errors="replace") as f:
            if os.getcwd() + "/" in f.read():
                return os.path.dirname(output)
    raise AssertionError("nothing was left in shared memory")


def look():
    return subprocess.Popen([ctrace, "info", "--json", "trace.out"], stdout=subprocess.PIPE, stderr=subprocess.PIPE)


def steps_of(reader):
    out, err = reader.communicate()
    if reader.returncode != 0:
        return f"status {reader.returncode}: {err.decode().strip()}"
    programs = json.loads(out)["programs"]
    return sum(row["count"] for program in programs for row in program["events"] if row["name"] == "COUNTER")


def one_round(number):
    """Readers that come before, while, and after the rest is folded in."""
    readers = [look() for _ in range(number % READERS)]
    folder = subprocess.Popen([ctrace, "recover", ["trace.out", "."][number % 2]], stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    readers += [look() for _ in range(READERS - number % READERS)]
    said = folder.communicate()[0].decode()
    assert folder.returncode == 0 and "bytes of" in said, f"recover: status {folder.returncode}: {said}"
    return [steps_of(reader) for reader in readers + [look()]]


def listed(*words):
    """How many arenas of ours `ctrace recover --list` tells of."""
    said = subprocess.run([ctrace, "recover", "--list", *words], check=True, capture_output=True).stdout.decode()
    return said.count(f"{os.getcwd()}/trace.out ")


def main():
    with open("counts.c", "w", encoding="utf-8") as f:
        f.write(PROGRAM)
    subprocess.run(["cc", "-O2", f"-I{here}/../../tracer", "counts.c", "-o", "counts", f"-L{build}", "-Wl,--no-as-needed",
                    "-lctrace", "-lctrace-rt"], check=True)
    os.environ["LD_LIBRARY_PATH"] = build
    record_and_kill()
    session = our_session()
    os.mkdir("elsewhere")
    lists = [listed(), listed("trace.out"), listed("."), listed("counts"), listed("elsewhere")]
    assert lists == [1, 1, 1, 0, 0], f"recover --list, of all, the trace, its folder, another file and folder: {lists}"
    shutil.copytree(session, "session", ignore=shutil.ignore_patterns("ctl"))
    with open("trace.out", "rb") as f:
        trace = f.read()
    wanted = steps_of(look())
    assert isinstance(wanted, int) and wanted > EVENTS / 2, f"there are {wanted} events to begin with"
    failed = 0
    for number in range(ROUNDS):
        got = one_round(number)
        if any(steps != wanted for steps in got):
            print(f"round {number}: {wanted} steps are there, and seen were {got}")
            failed += 1
        shutil.copytree("session", session, dirs_exist_ok=True)         # the same dead arena once more
        os.chmod(session, 0o700)
        with open("trace.out", "r+b") as f:                             # the same file: its inode is noted
            f.write(trace)
            f.truncate()
    shutil.rmtree(session)
    return 1 if failed else 0


# Any `ctrace record` of this user folds what it finds in /dev/shm: where that may be, ours is not there.
ALONE = ["unshare", "-m", "--propagation", "private", "sh", "-c", 'mount -t tmpfs none /dev/shm && exec "$@"', "sh"]
if "FOLDING_ALONE" not in os.environ and subprocess.run(ALONE + ["true"], capture_output=True, check=False).returncode == 0:
    os.environ["FOLDING_ALONE"] = "1"
    os.execvp(ALONE[0], ALONE + [sys.executable, os.path.abspath(__file__), build])

with tempfile.TemporaryDirectory(prefix="ctrace-folding-") as scratch:
    os.chdir(scratch)
    sys.exit(main())

#!/usr/bin/python3
"""
api.py BUILD [CASE...]: what a program asks of ctrace.h beside annotations: facts, labels, rates.

api_work.c is the program, and checks what it can see itself.
"""

import json
import os
import re
import signal
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request

build = os.path.abspath(sys.argv[1])
ctrace = f"{build}/ctrace"
root = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
work = tempfile.TemporaryDirectory(prefix="ctrace-api-")
program = f"{work.name}/api_work"
environment = {**os.environ, "PPROF_TMPDIR": work.name, "GOCACHE": work.name, "HOME": work.name}


def fail(text):
    sys.exit(f"FAIL: {text}")


def run(*command, status=0):
    done = subprocess.run(command, cwd=work.name, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                          timeout=120, check=False)
    if done.returncode != status:
        fail(f"{' '.join(command)}: status {done.returncode}\n{done.stdout}{done.stderr}")
    return done.stdout


def pprof(*arguments):
    return run("go", "tool", "pprof", *arguments)


def near(what, seen, true, share):
    if abs(seen - true) > share * true:
        fail(f"{what}: {seen}, not {true}")


def tags(profile):
    """{"key=value": ms} of a CPU profile."""
    key, found = "", {}
    for line in pprof("-tags", "-unit=ms", profile).splitlines():
        if match := re.match(r"\s*(\S+): Total", line):
            key = match[1]
        elif match := re.match(r"\s*([\d.]+)ms \(.*\): (.*)", line):
            found[f"{key}={match[2]}"] = float(match[1])
    return found


def rows(profile, index):
    """{function: cumulative value} of a profile, as -top tells it; counts and ns in full."""
    found = {}
    for line in pprof("-top", "-cum", "-nodecount=1000", "-nodefraction=0", "-unit=ns", f"-sample_index={index}", profile).splitlines():
        words = line.split()
        if len(words) >= 6 and words[1].endswith("%"):
            found[words[5]] = float(re.match(r"[-\d.]+", words[3])[0])
    return found


def process():
    """The same numbers with and without a recording: ctrace's own threads are none of the program's."""
    run(program, "process")
    run(ctrace, "record", "-o", "process.trace", "--", program, "process")


def labels():
    """They were set before the trace began; each generation tells them; scopes bring back what was before."""
    run(program, "labels", "labels.trace")
    run(ctrace, "convert", "-t", "cpu", "-o", "labels.pb.gz", "labels.trace")
    found = tags("labels.pb.gz")
    near("time of a cook", found["role=cook"], 600, 0.2)
    near("time of a waiter", found["role=waiter"], 600, 0.2)
    near("time of both", found["role=both"], 600, 0.2)
    near("time inside", found["phase=inner"], 600, 0.2)
    if "gone=x" in found:
        fail(f"a label that was taken away: {found}")
    run(ctrace, "convert", "-t", "chrome", "-o", "labels.json", "labels.trace")
    with open(f"{work.name}/labels.json", encoding="utf-8") as file:
        events = json.load(file)["traceEvents"]
    inside = [e["args"].get("labels") for e in events if e.get("name") == "inside" and e["ph"] == "X"]
    outside = [e["args"].get("labels") for e in events if e.get("name") == "outside" and e["ph"] == "X"]
    if inside != [{"phase": "inner", "role": "both"}] * 2:
        fail(f"labels of slices inside: {inside}")
    if sorted(o["role"] for o in outside) != ["cook", "waiter"] or any("phase" in o for o in outside):
        fail(f"labels of slices outside: {outside}")
    main = [e["args"]["labels"] for e in events if "'key'" in str(e.get("args"))]
    if not main or any(one["key"] != "1" for one in main):
        fail(f"labels of the main thread: {main}")


def stand():
    """Threads that wait carry their labels in every form of the profile of threads."""
    started = subprocess.Popen([ctrace, "record", "--http", "127.0.0.1:0", "--", program, "stand"], cwd=work.name, env=environment,
                               stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    try:
        url = re.search(r"http://\S+/", started.stderr.readline())[0]
        if started.stdout.readline() != "ready\n":
            fail("the program does not stand")

        def get(path):
            for patience in range(100, -1, -1):         # ctrace may not have heard of it yet
                try:
                    with urllib.request.urlopen(url + path, timeout=20) as reply:
                        return reply.read()
                except urllib.error.HTTPError as error:
                    if error.code != 404 or not patience:
                        raise
                    time.sleep(0.1)

        label = '# labels: {"quote\\"d":"a?b", "role":"cook"}'
        for patience in range(100, -1, -1):             # both must have got from the barrier to where they stay
            grouped = get("threads?debug=1").decode()
            if re.search(r"^2 @.*\n" + re.escape(label) + "$", grouped, re.M):
                break
            if not patience:
                fail(f"threads?debug=1:\n{grouped}")
            time.sleep(0.1)
        single = get("goroutine?debug=2").decode()
        if single.count(label + "\n") != 2:
            fail(f"goroutine?debug=2:\n{single}")
        with open(f"{work.name}/threads.pb.gz", "wb") as file:
            file.write(get("threads"))
        if not re.search(r"role: Total 2\b.*\n.*cook", pprof("-tags", "threads.pb.gz")):
            fail(pprof("-tags", "threads.pb.gz"))
    finally:
        started.send_signal(signal.SIGTERM)
        started.communicate(timeout=30)


def rates():
    """What is counted by every one is exact; what is switched off is not there; long waits are themselves."""
    run(ctrace, "record", "-o", "rates.trace", "--", program, "rates")
    for kind in "heap", "block", "mutex", "cpu":
        run(ctrace, "convert", "-t", kind, "-o", f"{kind}.pb.gz", "rates.trace")
    objects = rows("heap.pb.gz", "alloc_objects")
    if objects.get("each") != 1000:
        fail(f"of 1,000 allocations were counted: {objects}")
    if "none" in objects:
        fail(f"allocations while none was to be sampled: {objects}")
    block, mutex = rows("block.pb.gz", "delay"), rows("mutex.pb.gz", "delay")
    if not 80e6 < block.get("wait_for_lock", 0) < 5e9:
        fail(f"a wait longer than the rate is one wait of 100 ms: {block}")
    if rows("block.pb.gz", "contentions")["wait_for_lock"] != 1:
        fail("the other wait was to go unseen")
    if "unseen_convoy" in block or "unseen_convoy" in mutex or "sampled_convoy" not in mutex:
        fail(f"what was switched off: {block}, {mutex}")
    found = tags("cpu.pb.gz")
    if found.get("rate=none", 0) > 50:         # of 500: a turn may be put off while the drainer is behind
        fail(f"CPU samples while there were to be none: {found}")
    near("time at 50 Hz", found["rate=slow"], 500, 0.3)


if subprocess.run(["which", "go"], stdout=subprocess.DEVNULL, check=False).returncode:
    print("go is not installed")
    sys.exit(77)
run("cc", "-std=gnu11", "-O2", "-g", "-Wall", "-Wextra", f"-I{root}/tracer", "-o", program, f"{root}/tests/e2e/api_work.c",
    f"-L{build}", f"-Wl,-rpath,{build}", "-Wl,--no-as-needed", "-lctrace", "-lctrace-rt", "-pthread")
cases = [process, labels, stand, rates]
for case in cases:
    if not sys.argv[2:] or case.__name__ in sys.argv[2:]:
        case()
        print(f"{case.__name__} ok")

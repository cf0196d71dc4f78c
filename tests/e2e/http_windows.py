#!/usr/bin/python3
"""
http_windows.py BUILD [NAME...]: windows and traces of several clients at once under `ctrace record --http`.  Each gets what it asked
for and nothing of what others asked for, and when the program ends, all get what there was until then.
"""

import http.client
import os
import re
import socket
import subprocess
import sys
import tempfile
import threading
import time
import urllib.request

import pprofs

build = os.path.abspath(sys.argv[1])
ctrace = f"{build}/ctrace"

BUSY = r"""
#include <pthread.h>
#include <stdlib.h>
#include <unistd.h>

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static volatile double sum;

__attribute__((noinline)) static void burn(void)
{
    for (int i = 0; i < 300000; i++)
        sum += i * 1.5;
}

__attribute__((noinline)) static void leak(void)
{
    volatile char *kept = malloc(300000);

    kept[0] = 1;
}

static void *work(void *unused)
{
    for (;;) {
        pthread_mutex_lock(&lock);
        burn();
        pthread_mutex_unlock(&lock);
        leak();
        usleep(1000);
    }
    return unused;
}

/* Two threads at one lock, until the standard input ends. */
int main(void)
{
    pthread_t thread;
    char byte;

    for (int i = 0; i < 2; i++)
        pthread_create(&thread, NULL, work, NULL);
    while (read(0, &byte, 1) > 0)
        ;
    return 5;
}
"""


STORM = r"""
#include <fcntl.h>
#include <pthread.h>
#include <unistd.h>

static void *storm(void *zeros)
{
    char bytes[16];

    while (read(*(int *)zeros, bytes, sizeof bytes) > 0)
        ;
    return NULL;
}

/* One thread that reads without end, more than a socket holds in a second, until the standard input ends. */
int main(void)
{
    int zeros = open("/dev/zero", O_RDONLY);
    pthread_t thread;
    char byte;

    pthread_create(&thread, NULL, storm, &zeros);
    while (read(0, &byte, 1) > 0)
        ;
    return 5;
}
"""


def expect(condition, what):
    if not condition:
        raise AssertionError(what)


class Client(threading.Thread):
    """Asks for one thing; its reply, or what went wrong, and when that was."""

    def __init__(self, served, path):
        super().__init__()
        self.url, self.path, self.status, self.body, self.at = f"{served.base}/{path}", path, None, b"", 0
        self.start()

    def run(self):
        try:
            with urllib.request.urlopen(self.url, timeout=60) as reply:
                self.body = reply.read()
                self.status = reply.status
        except (OSError, http.client.HTTPException) as e:
            self.status = e
        self.at = time.monotonic()

    def done(self):
        self.join()
        expect(self.status == 200, f"{self.path}: {self.status}")
        return self.body

    def trace(self):
        """The lines of its trace as text; it must be whole."""
        path = f"{re.sub(r'[^a-z0-9]', '_', self.path)}.out"
        with open(path, "wb") as f:
            f.write(self.done())
        said = subprocess.run([ctrace, "info", path], capture_output=True, text=True)
        expect(said.returncode == 0 and said.stdout.startswith(f"{path}: complete"), f"{self.path}: {said.stdout}{said.stderr}")
        return subprocess.run([ctrace, "convert", "-t", "text", "-o", "-", path], capture_output=True, text=True, check=True).stdout


def events(text):
    """Name -> how often."""
    found = {}
    for name in re.findall(r"^[\d.]+ \d+:\d+!? ([A-Z_]+)", text, re.M):
        found[name] = found.get(name, 0) + 1
    return found


TRACE = {"LOST", "WAIT_DONE", "WAIT_FAILED"}
LOCK = {"MUTEX_WAIT", "UNLOCK_WAKE", "WAKE"}


def each_its_own():
    """Traces with ?only= and ?without=, beside one of everything and a CPU profile."""
    served = pprofs.Served(ctrace, ["./busy"])
    paths = ["trace?seconds=1", "trace?seconds=1&only=lock", "trace?seconds=1&only=user", "trace?seconds=1&only=cpu,sleep",
             "trace?seconds=1&without=lock,alloc"]
    clients = [Client(served, path) for path in paths]
    cpu = Client(served, "profile?seconds=1")
    text = [client.trace() for client in clients]
    everything, lock, user, some, without = map(events, text)
    cpu = pprofs.Profile(cpu.done())
    expect(served.end() == 5, "the program's status")
    expect({"MUTEX_WAIT", "SLEEP", "ALLOC_SAMPLE", "CPU_SAMPLE", "WAIT_DONE", "HEAP_GROW"} <= set(everything), everything)
    expect(lock.get("MUTEX_WAIT") and set(lock) <= TRACE | LOCK, f"only=lock: {lock}")
    expect(abs(lock["MUTEX_WAIT"] - lock["WAIT_DONE"]) <= 2, f"only=lock: {lock}")
    expect(set(user) <= {"LOST"}, f"only=user: {user}")
    expect(some.get("SLEEP") and some.get("CPU_SAMPLE"), f"only=cpu,sleep: {some}")
    expect(set(some) <= TRACE | {"SLEEP", "CPU_SAMPLE"}, f"only=cpu,sleep: {some}")
    expect(not set(without) & (LOCK | {"ALLOC_SAMPLE", "FREE_SAMPLE"}) and without.get("SLEEP"), f"without=: {without}")
    expect("categories=0x5 " in text[1] and 'function="work"' in text[1], "only=lock: its categories and its names")
    expect(" reason=MUTEX_WAIT" not in text[3] and "state=waiting" not in text[2], "a thread waits for what was not asked for")
    expect(cpu.total("samples", "burn") > 0, "the CPU profile beside them")


def share(profile):
    """CPUs that were used on the average."""
    return profile.total("cpu") / profile.duration_ns


def rates():
    """One sampler at the highest rate that anybody asked for; what each sample weighs keeps every profile true."""
    served = pprofs.Served(ctrace, ["./busy"])
    tick = round(1e9 * time.clock_getres(6))     # of CLOCK_MONOTONIC_COARSE

    def used():
        metrics = urllib.request.urlopen(served.base.replace("/debug/pprof", "/metrics"), timeout=60).read().decode()
        return float(re.search(r"^process_cpu_seconds_total (.*)$", metrics, re.M)[1]), time.monotonic()

    def density(profile):
        return profile.total("samples") / (profile.total("cpu") or 1)

    slow = served.profile("profile?seconds=1&hz=10")
    expect(slow.period == 1e8, f"10 Hz: a period of {slow.period} ns")

    def beside():
        """Three windows that overlap; what is wrong with what they say of the program's time, or None."""
        before = used()
        usual = Client(served, "profile?seconds=2")
        time.sleep(0.5)
        fast, most = Client(served, "profile?seconds=1&hz=200"), Client(served, "profile?seconds=1&hz=99999")
        fast, most, usual = (pprofs.Profile(client.done()) for client in (fast, most, usual))
        after = used()
        true = (after[0] - before[0]) / (after[1] - before[1])
        again = served.profile("profile?seconds=1&hz=x")
        expect(again.period == 1e7, f"the usual rate: a period of {again.period} ns")
        for profile in (fast, most, usual):
            expect(profile.period == max(tick, 1e6), f"the rate in force: a period of {profile.period} ns")
        if not 0.6 * true < share(usual) < 1.6 * true:
            return f"{share(usual):.2f} CPUs instead of {true:.2f}"
        if not 0.5 * share(most) < share(fast) < 2 * share(most):
            return f"{share(fast):.2f} and {share(most):.2f} CPUs at the same time"
        if not density(most) > 1.3 * density(again):
            return f"{density(most) * 1e9} samples a second instead of {density(again) * 1e9}"
        return None

    for _ in range(8):                      # on a busy machine a window gets little, and threads run for less than a tick at a time
        wrong = beside()
        if not wrong:
            break
    expect(not wrong, wrong)
    expect(density(slow) * 1e8 < 1.001, "at 10 Hz a sample stands for less than 100 ms")
    expect(served.end() == 5, "the program's status")


def the_end():
    """Everything that is under way when the program ends is answered then, whole."""
    served = pprofs.Served(ctrace, ["./busy"])
    paths = ["profile?seconds=600", "heap?seconds=600", "mutex?seconds=600"]
    windows = [Client(served, path) for path in paths]
    traces = [Client(served, path) for path in ("trace?seconds=600", "trace?seconds=600&only=lock")]
    time.sleep(1)
    begun = time.monotonic()
    expect(served.end() == 5, "the program's status")
    profiles = [pprofs.Profile(client.done()) for client in windows]
    expect(profiles[0].total("samples", "burn") > 0, "CPU time until the end")
    expect(profiles[1].total("alloc_space", "leak") > 0, "what was allocated until the end")
    expect(profiles[2].total("contentions", "work") > 0, "who held the lock until the end")
    for profile, path in zip(profiles, paths):
        expect(0.5e9 < profile.duration_ns < 60e9, f"{path}: over {profile.duration_ns} ns")
    for client in traces:
        text = client.trace()
        expect(re.search(r"^end 1 reason=exit status=5 ", text, re.M) and events(text).get("MUTEX_WAIT"), client.path)
    late = max(client.at for client in windows + traces) - begun
    expect(late < 30, f"the last answer came after {late:.1f} s")


def a_client_that_does_not_read():
    """It holds nobody up: neither the others nor the end of `ctrace record`."""
    served = pprofs.Served(ctrace, ["./busy"])
    host, port = re.match(r"http://([\d.]+):(\d+)/", served.base).groups()
    deaf = http.client.HTTPConnection(host, int(port), timeout=60)
    deaf.request("GET", "/debug/pprof/trace?seconds=600")
    gone = http.client.HTTPConnection(host, int(port), timeout=60)
    gone.request("GET", "/debug/pprof/profile?seconds=600")
    time.sleep(0.3)
    gone.close()
    expect(b"threadcreate" in served.get(""), "the index")
    expect(served.end() == 5, "the program's status")
    deaf.close()


def a_slow_client_sees_what_it_lacks():
    """Whole generations, and `ctrace info` and the converted trace say so."""
    served = pprofs.Served(ctrace, ["./storm"])
    host, port = re.match(r"http://([\d.]+):(\d+)/", served.base).groups()
    slow = socket.socket()
    slow.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    slow.settimeout(60)
    slow.connect((host, int(port)))
    slow.sendall(b"GET /debug/pprof/trace?seconds=3 HTTP/1.0\r\nHost: localhost\r\n\r\n")
    until = time.monotonic() + 3.3
    while time.monotonic() < until:             # each question makes a generation end
        served.get("heap?symbolize=0")
        time.sleep(0.02)
    with slow, slow.makefile("rb") as reply, open("slow.out", "wb") as f:
        f.write(reply.read().split(b"\r\n\r\n", 1)[1])
    expect(served.end() == 5, "the program's status")
    said = subprocess.run([ctrace, "info", "slow.out"], capture_output=True, text=True, check=True).stdout
    lacks = re.search(r"^generations +\d+; (\d+) more are not in the trace: [\d.]+ s$", said, re.M)
    expect(said.startswith("slow.out: complete") and lacks, said)
    text = subprocess.run([ctrace, "convert", "-o", "-", "slow.out"], capture_output=True, text=True, check=True).stdout
    told = re.findall(r'"name":"not in the trace",.*"missing_generations":(\d+)', text)
    expect(sum(map(int, told)) == int(lacks[1]), f"{told}: {said}")


def nobody_asks():
    """Without an audience there are no rounds of 10 ms; what was recorded is there all the same."""
    def wakes(pid):
        total = 0
        for task in os.listdir(f"/proc/{pid}/task"):
            with open(f"/proc/{pid}/task/{task}/status", encoding="ascii") as f:
                total += int(re.search(r"^voluntary_ctxt_switches:\s+(\d+)", f.read(), re.M)[1])
        return total

    served = pprofs.Served(ctrace, ["cat"])
    served.get("heap")
    time.sleep(0.5)                     # for what that began
    first = wakes(served.process.pid)
    time.sleep(3)
    woken = wakes(served.process.pid) - first
    expect(woken <= 30, f"{woken} wake-ups in 3 s")
    expect(served.get("threads?debug=1").startswith(b"threads profile: total 1\n"), "threads")
    expect(served.end() == 0, "the program's status")


def main():
    with tempfile.TemporaryDirectory(prefix="ctrace-windows-") as scratch:
        os.chdir(scratch)
        with open("busy.c", "w") as f:
            f.write(BUSY)
        with open("storm.c", "w") as f:
            f.write(STORM)
        for name in "busy", "storm":
            subprocess.run(["cc", "-g", "-O1", "-o", name, f"{name}.c", "-pthread"], check=True)
        for test in (each_its_own, rates, the_end, a_client_that_does_not_read, a_slow_client_sees_what_it_lacks, nobody_asks):
            if not sys.argv[2:] or test.__name__ in sys.argv[2:]:
                print(test.__name__, flush=True)
                test()
        os.chdir("/")


main()

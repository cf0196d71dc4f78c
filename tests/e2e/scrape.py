#!/usr/bin/python3
"""
scrape.py BUILD [ROUNDS [EVERY]]: Prometheus, Parca and Pyroscope at a program under `ctrace record --http`, request by
request as they send them: their Host, their headers, on connections that they keep; again and again.  And the dashboard of
examples/grafana.json asks for metrics that there are.
"""

import http.client
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import threading
import time

from prometheus_client.openmetrics.parser import text_string_to_metric_families as parse

from serving import Recorded, build, expect

rounds = int(sys.argv[2]) if len(sys.argv) > 2 else 3
every = float(sys.argv[3]) if len(sys.argv) > 3 else 2
os.environ.pop("MALLOC_PERTURB_", None)     # with it each large block is written to: pauses of tens of ms
examples = os.path.abspath(f"{os.path.dirname(sys.argv[0])}/../../examples")
seconds = max(1, int(every) - 1)            # of a CPU profile, as Parca and Pyroscope reckon it

PROFILES = ["allocs", "heap", "block", "goroutine", "mutex", f"profile?seconds={seconds}"]
SCRAPERS = {                                # by the pod's address, by a port-forward, by the service's name that is allowed
    "Prometheus": ("10.244.1.7:6060", ["/metrics"], {
        "User-Agent": "Prometheus/2.42.0", "Accept-Encoding": "gzip", "X-Prometheus-Scrape-Timeout-Seconds": "10",
        "Accept": "application/openmetrics-text;version=1.0.0,application/openmetrics-text;version=0.0.1;q=0.75,"
                  "text/plain;version=0.0.4;q=0.5,*/*;q=0.1"}),
    "Parca": ("10.244.1.7:6060", [f"/debug/pprof/{name}" for name in PROFILES + ["threadcreate"]],
              {"User-Agent": "Parca/v0.22.0", "Accept-Encoding": "gzip"}),
    "Pyroscope": ("server.prod.svc.cluster.local:6060", [f"/debug/pprof/{name}" for name in PROFILES],
                  {"User-Agent": "Alloy/v1.8.0 (linux; docker)", "Accept-Encoding": "gzip"}),
}


class Scraper(threading.Thread):
    """One of them asks for one path, again and again, each time at the same moment of its round."""

    def __init__(self, port, name, path):
        super().__init__()
        self.host, _, self.headers = SCRAPERS[name]
        self.port, self.name, self.path = port, f"{name} {path}", path
        self.connection, self.bodies, self.problem = None, [], None

    def ask(self):
        """As Go's client does: a connection that the server has closed meanwhile is made anew, once."""
        for fresh in (False, True):
            if fresh or not self.connection:
                self.connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=20 + seconds)
            try:
                self.connection.request("GET", self.path, headers={"Host": self.host, **self.headers})
                reply = self.connection.getresponse()
                return reply, reply.read()
            except (http.client.RemoteDisconnected, BrokenPipeError, ConnectionResetError):
                if fresh:
                    raise
        return None

    def run(self):
        begin = time.monotonic()
        try:
            for number in range(rounds):
                time.sleep(max(0, begin + number * every - time.monotonic()))
                reply, body = self.ask()
                kind = "application/openmetrics-text" if self.path == "/metrics" else "application/octet-stream"
                assert reply.status == 200 and reply.headers["Content-Type"].startswith(kind), f"{reply.status} {body[:200]}"
                assert body and not reply.headers["Content-Encoding"], "an empty body"
                self.bodies.append(body)
        except (AssertionError, OSError, http.client.HTTPException) as error:
            self.problem = f"{self.name}, round {len(self.bodies) + 1}: {type(error).__name__} {error}"


def check_profiles(scrapers):
    """Each is a profile; those of one path and scraper are read at once."""
    for number, s in enumerate(scrapers):
        names = []
        for i, body in enumerate(s.bodies):
            expect(body[:2], b"\x1f\x8b", f"{s.name}: the beginning")
            names.append(f"{scratch}/{number}.{i}")
            with open(names[-1], "wb") as file:
                file.write(body)
        done = subprocess.run(["go", "tool", "pprof", "-symbolize=none", "-raw", *names], capture_output=True, text=True,
                              env=dict(os.environ, PPROF_TMPDIR=scratch, HOME=scratch, GOCACHE=scratch))
        assert done.returncode == 0 and "PeriodType" in done.stdout, f"{s.name}: {done.stderr}"
        if "profile?" in s.path:
            assert re.search(r"burn", done.stdout), f"{s.name} lacks what burns"


def samples_of(body):
    """The samples of /metrics by name, in a text that a strict parser takes."""
    families = list(parse(body.decode()))
    assert all(family.type in ("gauge", "counter") and family.documentation for family in families), families
    return {sample.name: sample.value for family in families for sample in family.samples}


def check_metrics(bodies):
    rows = [samples_of(body) for body in bodies]
    for name, value in rows[0].items():
        values = [row[name] for row in rows]
        assert not name.endswith("_total") or values == sorted(values), f"{name} goes back: {values}"
    expect([set(row) for row in rows], [set(rows[0])] * len(rows), "the names of each round")
    first, last = rows[0], rows[-1]
    assert last["process_cpu_seconds_total"] > first["process_cpu_seconds_total"], "no CPU time"
    assert last["ctrace_events_total"] > 0 and last["ctrace_recorded_bytes_total"] > 0, "nothing recorded"
    assert abs(last["process_start_time_seconds"] - time.time()) < 3600 and last["process_resident_memory_bytes"] > 1 << 20
    assert last["process_threads"] in (4, 5), "four threads, and the recorder's own"
    assert last["ctrace_allocator_pauses_total"] > first["ctrace_allocator_pauses_total"], f"no pause: {rows}"
    assert 0 < last["ctrace_allocator_pause_seconds_total"] < 60, "pauses of no length"
    expect(last["ctrace_events_lost_total"], 0, "what was lost")
    return last


def check_dashboard(known):
    """Each metric that a panel asks for is there, and RSS and pauses are among them."""
    with open(f"{examples}/grafana.json", encoding="utf-8") as file:
        board = json.load(file)
    asked = set()
    for panel in board["panels"]:
        assert panel["title"] and panel["type"] and panel["gridPos"]["w"] <= 24 and panel["targets"], panel
        for target in panel["targets"]:
            names = set(re.findall(r"\b(?:process|ctrace)_[a-z_]+", target["expr"]))
            assert names, f"{panel['title']}: {target['expr']}"
            asked |= names
    expect(sorted(asked - set(known)), [], "metrics that the dashboard asks for and nobody tells")
    assert "process_resident_memory_bytes" in asked and any("pause" in name for name in asked), asked
    expect(len({panel["id"] for panel in board["panels"]}), len(board["panels"]), "panels by number")
    variables = {row["name"] for row in board["templating"]["list"]}
    used = set(re.findall(r"\$\{?(\w+)", json.dumps(board["panels"]))) - {"__rate_interval"}
    expect(used <= variables, True, f"variables {used} of {variables}")


PROGRAM = r"""
#include <pthread.h>
#include <stdlib.h>
#include <unistd.h>

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static volatile unsigned sum;

__attribute__((noinline)) static void burn(void) { for (unsigned i = 0; i < 3000000; i++) sum += i * i; }

static void *work(void *unused)
{
    void *volatile block;

    for (;;) {
        pthread_mutex_lock(&lock);
        burn();
        pthread_mutex_unlock(&lock);
        block = malloc(40 << 20);       /* always by mmap: a pause */
        free(block);
        usleep(5000);
    }
    return unused;
}

int main(void)
{
    pthread_t thread;
    char byte;

    for (int i = 0; i < 3; i++)
        pthread_create(&thread, NULL, work, NULL);
    while (read(0, &byte, 1) > 0)
        ;
    return 0;
}
"""


def main():
    with open(f"{scratch}/work.c", "w", encoding="ascii") as file:
        file.write(PROGRAM)
    subprocess.run(["cc", "-g", "-O1", "-o", f"{scratch}/work", f"{scratch}/work.c", "-pthread"], check=True)
    with Recorded([f"{scratch}/work"], "--http-host", "server.prod.svc.cluster.local", folder=scratch) as r:
        time.sleep(0.5)
        all_of = [Scraper(r.port, name, path) for name, (_, paths, _) in SCRAPERS.items() for path in paths]
        for s in all_of:
            s.start()
        for s in all_of:
            s.join()
    problems = [s.problem for s in all_of if s.problem]
    assert not problems, f"{len(problems)} of {len(all_of)}: {problems[:5]}"
    check_profiles([s for s in all_of if s.path != "/metrics"])
    known = check_metrics(next(s.bodies for s in all_of if s.path == "/metrics"))
    check_dashboard(known)
    print(f"  {len(all_of)} targets, {rounds} rounds; metrics: {', '.join(sorted(known))}")


if not shutil.which("go"):
    print("go is not installed")
    sys.exit(77)
with tempfile.TemporaryDirectory(prefix="ctrace-scrape-") as scratch:
    main()

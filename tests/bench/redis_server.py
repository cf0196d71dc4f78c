"""A redis-server to measure: its CPU time a request, and its instructions."""

import os
import shutil
import signal
import subprocess
import sys

import programs

REQUESTS = int(os.environ.get("BENCH_REQUESTS", 60000))
cpus = sorted(os.sched_getaffinity(0))


class Server:
    """
    A redis-server on the last CPU; `before` stands in front of its command.  Without its log of slow requests: under
    stepping each request is one.
    """

    def __init__(self, folder, before=(), preload=None, environment=None):
        self.port = programs.free_port()
        environment = dict(os.environ, **(environment or {}), **({"LD_PRELOAD": preload} if preload else {}))
        command = ["redis-server", "--port", str(self.port), "--bind", "127.0.0.1", "--save", "", "--hz", "1",
                   "--appendonly", "no", "--slowlog-log-slower-than", "-1", "--dir", folder]
        self.top = subprocess.Popen(["taskset", "-c", str(cpus[-1]), *before, *command], env=environment,
                                    stdout=subprocess.DEVNULL)
        programs.wait_for(lambda: self.top.poll() is not None or self.answers(), "redis-server's answer")
        if self.top.poll() is not None:
            sys.exit(f"redis-server ended at once, status {self.top.returncode}")
        self.pid = programs.children(self.top.pid)[0] if before else self.top.pid
        if before:                                      # the drainer works beside the server, not in its place
            for tid in programs.thread_ids(self.top.pid):
                os.sched_setaffinity(tid, cpus[:1])

    def answers(self):
        return subprocess.run(["redis-cli", "-p", str(self.port), "ping"], capture_output=True, check=False).stdout == b"PONG\n"

    def load(self, requests, clients=20, kinds="get,set"):
        return ["taskset", "-c", str(cpus[0]), "redis-benchmark", "-p", str(self.port), "-n", str(requests),
                "-c", str(clients), "-t", kinds, "-q"]

    def cost(self, requests=REQUESTS):
        """CPU time a request, in ns."""
        programs.run(self.load(requests // 10))
        before = programs.cpu_ns(self.pid)
        programs.run(self.load(requests))
        return (programs.cpu_ns(self.pid) - before) / (2 * requests)

    def steps(self, build, module=None):
        """Instructions of one turn of the event loop, which serves one request of one client; [all, those in `module`]."""
        programs.run(self.load(500))
        command = [f"{build}/tests/bench/bench-steps", "-p", str(self.pid), *(["-m", module] if module else []),
                   *self.load(30, 1, "get")]
        return [int(word) for word in programs.run(command).splitlines()[-1].split()]

    def end(self):
        os.kill(self.pid, signal.SIGTERM)
        self.top.wait(30)


def once(folder, measure, **how):
    """Starts a server in an empty folder, measures it, ends it."""
    shutil.rmtree(folder, ignore_errors=True)
    os.makedirs(folder)
    server = Server(folder, **how)
    try:
        return measure(server)
    finally:
        server.end()
        shutil.rmtree(folder, ignore_errors=True)

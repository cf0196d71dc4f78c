"""Servers to measure, redis, nginx and memcached: their CPU time a request, and their instructions."""

import os
import shutil
import signal
import subprocess
import sys
import time

import programs

CONNECTIONS = 4
NGINX = """worker_processes 1;
daemon off;
pid {folder}/pid;
error_log {folder}/error.log;
events {{ worker_connections 64; }}
http {{
    access_log {folder}/access.log;
    client_body_temp_path {folder}/temp; proxy_temp_path {folder}/temp; fastcgi_temp_path {folder}/temp;
    uwsgi_temp_path {folder}/temp; scgi_temp_path {folder}/temp;
    keepalive_requests 1000000000;
    server {{ listen 127.0.0.1:{port}; root {folder}; }}
}}
"""

cpus = sorted(os.sched_getaffinity(0))


def redis(folder, port):
    """Without its log of slow requests: under stepping each request is one."""
    return ["redis-server", "--port", str(port), "--bind", "127.0.0.1", "--save", "", "--hz", "1", "--appendonly", "no",
            "--slowlog-log-slower-than", "-1", "--dir", folder]


def nginx(folder, port):
    with open(f"{folder}/nginx.conf", "w", encoding="ascii") as f:
        f.write(NGINX.format(folder=folder, port=port))
    with open(f"{folder}/page", "w", encoding="ascii") as f:
        f.write("x" * 1000)
    return ["nginx", "-c", f"{folder}/nginx.conf"]


def memcached(folder, port):
    return ["memcached", "-p", str(port), "-U", "0", "-l", "127.0.0.1", "-t", "1", *(["-u", "root"] if os.getuid() == 0 else [])]


# name -> (command of a server, what it is asked in turn)
SERVERS = {
    "redis": (redis, ["SET key 123\r\n", "GET key\r\n"]),
    "nginx": (nginx, ["GET /page HTTP/1.1\r\nHost: localhost\r\n\r\n"]),
    "memcached": (memcached, ["set key 0 0 3\r\n123\r\n", "get key\r\n"]),
}


def settle(pid, cpu):
    """What runs is kept on one CPU, where it interrupts nobody who shares it: both change by turns as each waits."""
    for tid in programs.thread_ids(pid):
        os.sched_setaffinity(tid, [cpu])
        os.sched_setscheduler(tid, os.SCHED_BATCH, os.sched_param(0))


class Server:
    """A server on the last CPU, and who asks it there; `before` stands in front of its command."""

    def __init__(self, build, folder, kind, before=(), preload=None, environment=None):
        make, self.requests = SERVERS[kind]
        self.build, self.port = build, programs.free_port()
        environment = dict(os.environ, **(environment or {}), **({"LD_PRELOAD": preload} if preload else {}))
        self.top = subprocess.Popen([*before, *make(folder, self.port)], env=environment, stdout=subprocess.DEVNULL,
                                    preexec_fn=lambda: settle(os.getpid(), cpus[-1]))
        programs.wait_for(lambda: self.top.poll() is not None or programs.answers(self.port), f"{kind}'s answer")
        if self.top.poll() is not None:
            sys.exit(f"{kind} ended at once, status {self.top.returncode}")
        self.pid = programs.children(self.top.pid)[0] if before else self.top.pid
        if before:                                      # the drainer works beside the server, not in its place
            settle(self.top.pid, cpus[0])
        self.asker = self.ask()

    def ask(self, connections=CONNECTIONS):
        asker = subprocess.Popen([f"{self.build}/tests/bench/bench-load", str(self.port), str(connections), *self.requests],
                                 stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        settle(asker.pid, cpus[-1])
        return asker

    def serve(self, rounds):
        """So many rounds of requests; how many requests that were."""
        self.asker.stdin.write(f"{rounds}\n")
        self.asker.stdin.flush()
        return int(self.asker.stdout.readline())

    def cost(self, rounds):
        """CPU time a request in ns, of all of the server's processes and threads."""
        before = programs.tree_cpu_ns(self.pid)
        served = self.serve(rounds)
        return (programs.tree_cpu_ns(self.pid) - before) / served

    def steps(self, module=None):
        """Instructions of one turn of the event loop, which serves one request of one client; [all, those in `module`]."""
        before = {tid: programs.thread_cpu_ns(tid) for tid in programs.tree_thread_ids(self.pid)}
        self.serve(200)
        tid = max(before, key=lambda tid: programs.thread_cpu_ns(tid) - before[tid])
        time.sleep(0.2)                                 # until it waits
        for each in before:                             # at each step it waits for its turn, if it is never let in between
            os.sched_setscheduler(each, os.SCHED_OTHER, os.sched_param(0))
        command = ["taskset", "-c", str(cpus[0]), f"{self.build}/tests/bench/bench-steps", "-p", str(tid), *(["-m", module] if module else []),
                   f"{self.build}/tests/bench/bench-load", str(self.port), "1", self.requests[-1]]
        return [int(word) for word in programs.run(command, input="30\n").splitlines()[-1].split()]

    def end(self):
        self.asker.stdin.close()
        self.asker.wait(30)
        os.kill(self.pid, signal.SIGTERM)
        self.top.wait(30)


class Servers:
    """One server of each way; `ways`: name -> arguments of Server."""

    def __init__(self, build, folder, kind, ways):
        self.folder = folder
        self.each = {}
        shutil.rmtree(folder, ignore_errors=True)
        for way, how in ways.items():
            own = f"{folder}/{way.replace(' ', '-')}"
            os.makedirs(own)
            self.each[way] = Server(build, own, kind, **how)

    def __enter__(self):
        return self.each

    def __exit__(self, *_):
        for server in self.each.values():
            server.end()
        shutil.rmtree(self.folder, ignore_errors=True)

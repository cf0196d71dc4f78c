"""Live sessions of LTTng's for tests: relay daemons, programs that tell something, and two machines on one."""

import contextlib
import os
import shutil
import socket
import subprocess
import sys
import time

from lttng_session import Session
from serving import settles
from viewing import ctrace


given = set()
ESTABLISHED, LISTENS = "01", "0A"       # of sockets, as /proc/net/tcp says them


def free_ports(count):
    """Ports that nobody has, and no other call got: who was given one may take it only later."""
    sockets = []
    while len(sockets) < count:
        one = socket.create_server(("127.0.0.1", 0))
        if one.getsockname()[1] in given:
            one.close()
            continue
        given.add(one.getsockname()[1])
        sockets.append(one)
    ports = [each.getsockname()[1] for each in sockets]
    for each in sockets:
        each.close()
    return ports


class Relay:
    """A relay daemon, and live sessions of programs' events that it streams."""

    def __init__(self, session, address="127.0.0.1"):
        """Of the session's machine, which has this address."""
        self.session, self.address = session, address
        for _ in range(5):              # who else looks for ports may have taken one meanwhile
            self.ports = free_ports(3)
            if self.start():
                return
        raise AssertionError("no relay daemon")

    def start(self):
        """Runs it, and waits until it listens: LTTng connects only at a session's first event, and tries that once.  Whether it does."""
        control, data, viewer = (f"tcp://{self.address}:{port}" for port in self.ports)
        words = ["lttng-relayd", f"--control-port={control}", f"--data-port={data}", f"--live-port={viewer}", f"--output={self.session.home}/relay"]
        self.to, self.url = (f"--ctrl-url={control}", f"--data-url={data}"), f"net{viewer[3:]}/host"
        self.daemon = subprocess.Popen(self.session.on_machine(words), env=self.session.env, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
                                       **({} if self.session.machine else self.session.who))
        settles(lambda: self.daemon.poll() is not None or all(self.sockets(port, LISTENS) for port in self.ports), True, "a relay daemon", 20)
        return self.daemon.poll() is None

    def sockets(self, port, state):
        """How many sockets of its machine have that port and are in that state."""
        try:
            with open(f"/proc/{self.daemon.pid}/net/tcp", encoding="ascii") as f:
                return sum(line.split()[1].endswith(f":{port:04X}") and line.split()[3] == state for line in f)
        except OSError:
            return 0                    # it has ended

    def watched(self, count):
        """Waits until so many look at its sessions, who see what happens from then on."""
        settles(lambda: self.sockets(self.ports[2], ESTABLISHED), count, "who looks at sessions", 30)
        time.sleep(1)

    def begin(self, name, session=None, host=None, events="ctrace:*"):
        """A live session of that session daemon, as its host is called; where it can be looked at."""
        session = session or self.session
        session("create", name, "--live=200000", *self.to)
        session("enable-event", "-u", events)
        session("add-context", "-u", "-t", "vpid", "-t", "vtid", "-t", "procname")
        session("start")
        return f"{self.url}/{host or (session.machine.name if session.machine else socket.gethostname())}/{name}"


def redis(session, port):
    server = subprocess.Popen([ctrace, "record", "--lttng", "-o", f"{session.home}/redis.out", "--", "redis-server", "--port", str(port),
                               "--save", "", "--daemonize", "no"], env=session.env, cwd=session.home, stdout=subprocess.DEVNULL,
                              stderr=subprocess.DEVNULL, **session.who)
    settles(lambda: subprocess.run(["redis-cli", "-p", str(port), "ping"], capture_output=True, text=True, timeout=20).stdout, "PONG\n", "redis", 20)
    return server


def benchmark(port, count):
    subprocess.run(["redis-benchmark", "-p", str(port), "-n", str(count), "-c", "4", "-t", "set,get", "-q"], check=True,
                   stdout=subprocess.DEVNULL, timeout=60)


@contextlib.contextmanager
def load(port):
    """redis-benchmark, at full speed and without end."""
    running = subprocess.Popen(["redis-benchmark", "-p", str(port), "-n", "1000000000", "-c", "4", "-t", "set,get", "-q"], stdout=subprocess.DEVNULL)
    try:
        yield running
        assert running.poll() is None, "redis-benchmark ended before it was looked at"
    finally:
        running.kill()
        running.wait(30)


# One end of a connection: sends and answers until its input ends.
TALK = """
import select, socket, sys, time
port, listens = int(sys.argv[1]), sys.argv[2] == "server"
if listens:
    s = socket.create_server(("127.0.0.1", port)).accept()[0]
else:
    for i in range(100):
        try:
            s = socket.create_connection(("127.0.0.1", port))
            break
        except OSError:
            time.sleep(0.1)
while not select.select([0], [], [], 0.02)[0]:
    if not listens:
        s.sendall(b"ping")
    if select.select([s], [], [], 0.5)[0] and s.recv(100) and listens:
        s.sendall(b"pong")
"""


def talker(session, *words):
    return subprocess.Popen([ctrace, "record", "--lttng", "-o", f"{session.home}/talk.out", "--", sys.executable, "-c", TALK, *words], env=session.env,
                            cwd=session.home, stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, **session.who)


@contextlib.contextmanager
def two_machines(scratch):
    """Session daemons of two machines, and where their live sessions can be looked at; what is put into the list ends with them."""
    os.chmod(scratch, 0o755)
    with Session(f"{scratch}/one") as one, Session(f"{scratch}/other", host="elsewhere") as other:
        relay, running = Relay(one), []
        try:
            yield one, other, [relay.begin("one"), relay.begin("other", other, "elsewhere")], running
        finally:
            for each in [relay.daemon, *running]:
                each.terminate()
                each.wait(30)
    for home in ("one", "other"):
        shutil.rmtree(f"{scratch}/{home}")


def talk(one, other):
    [port] = free_ports(1)
    return [talker(one, str(port), "server"), talker(other, str(port), "client")]


def fall_silent(one, other, running):
    for each in running:
        each.stdin.close()
        each.wait(30)
    one("destroy", "one")
    other("destroy", "other")

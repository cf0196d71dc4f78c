"""Machines for tests: namespaces of network, host name and time on this one, with a cable between two of them."""

import os
import subprocess
import sys

# Holds the namespaces until its input ends; a time namespace begins with the first child.
HOLD = r"""
import ctypes, os, socket, sys
NET, UTS, TIME = 0x40000000, 0x04000000, 0x80
libc = ctypes.CDLL(None, use_errno=True)
if libc.unshare(NET | UTS | TIME):
    sys.exit(f"unshare: {os.strerror(ctypes.get_errno())}")
seconds, ns = divmod(int(sys.argv[2]), 10**9)
with open("/proc/self/timens_offsets", "w") as f:
    f.write(f"monotonic {seconds} {ns}\nboottime {seconds} {ns}\n")
socket.sethostname(sys.argv[1])
child = os.fork()
if child == 0:
    print(os.getpid(), flush=True)
    sys.stdin.read()
    os._exit(0)
os.waitpid(child, 0)
"""


def may_make():
    """Root must be able to; who is not makes them in a user namespace, where that is allowed.  Called first: it may begin the test anew."""
    if os.getuid() == 0:
        return True
    as_root = ["unshare", "--user", "--map-root-user"]
    if subprocess.run([*as_root, "true"], capture_output=True, check=False).returncode != 0:
        return False
    os.execvp(as_root[0], [*as_root, sys.executable, *sys.argv])


def is_real_root():
    with open("/proc/self/uid_map", encoding="ascii") as f:
        return os.getuid() == 0 and int(f.read().split()[2]) > 65534


class Machine:
    """CLOCK_MONOTONIC is ahead by so many ns: of the wall clock there is only one."""

    def __init__(self, name, ahead_ns=0):
        self.name = name
        self.holder = subprocess.Popen([sys.executable, "-c", HOLD, name, str(ahead_ns)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self.pid = self.holder.stdout.readline().strip()
        assert self.pid, f"{name}: no namespaces"
        self.wires = ["nsenter", f"--net=/proc/{self.pid}/ns/net", f"--uts=/proc/{self.pid}/ns/uts"]    # without its clock
        self.within = [*self.wires, f"--time=/proc/{self.pid}/ns/time"]
        self("ip", "link", "set", "lo", "up")

    def __call__(self, *words):
        subprocess.run([*self.within, *words], check=True, timeout=30)

    def __enter__(self):
        return self

    def __exit__(self, kind, value, trace):
        self.holder.stdin.close()
        self.holder.wait(30)


def connect(one, other):
    """A cable; their addresses."""
    one("ip", "link", "add", "cable", "type", "veth", "peer", "name", "cable", "netns", other.pid)
    addresses = "10.66.0.1", "10.66.0.2"
    for machine, address in zip((one, other), addresses):
        machine("ip", "addr", "add", f"{address}/24", "dev", "cable")
        machine("ip", "link", "set", "cable", "up")
    return addresses

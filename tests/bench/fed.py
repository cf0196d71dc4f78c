"""Programs that are given work through a pipe, a piece at a time: their CPU time a piece, as of a server a request."""

import array
import fcntl
import os
import subprocess
import sys
import termios
import threading
import time

import programs
from server import cpus, settle

# All that is in it is gone after each piece.  What is said at the end comes out when all before it is done.
SQL = """create table t(a integer primary key, b text, c integer);
with recursive n(i) as (select 1 union all select i + 1 from n where i < 10000)
insert into t select i, 'row ' || i, i * 7919 % 100003 from n;
create index x on t(c);
select count(*), sum(length(b)) from t where c between 100 and 90000;
select count(*) from (select c, count(*), max(b) from t group by c % 1000 order by 2);
update t set b = b || '!' where a % 3 = 0;
select count(*) from (select b from t order by b desc);
drop table t;
"""
DONE = b"all done\n"
XZ_PIECE = 512 << 10


def xz_piece(data):
    with open(programs.text_file(f"{data}/text6", 6 << 20), "rb") as f:
        return f.read(XZ_PIECE)


# name -> (command, how its piece of work is made, whether it says that it has done it)
PROGRAMS = {
    "sqlite": (["sqlite3", "-batch", ":memory:"], lambda data: SQL.encode() + b".print " + DONE, True),
    "xz": (["xz", "-T2", "-1", "--block-size=256KiB", "-c"], xz_piece, False),
}


class Fed:
    """A program on the last CPU, fed from the others; as Server in server.py."""

    def __init__(self, data, kind, before=(), preload=None, environment=None):
        command, piece, self.says = PROGRAMS[kind]
        self.piece = piece(data)
        environment = dict(os.environ, **(environment or {}), **({"LD_PRELOAD": preload} if preload else {}))
        self.top = subprocess.Popen([*before, *command], env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                    stderr=subprocess.DEVNULL, bufsize=0, preexec_fn=lambda: settle(os.getpid(), cpus[-1]))
        self.said, self.heard = b"", threading.Event()
        self.listener = threading.Thread(target=self.listen, daemon=True)
        self.listener.start()
        self.pid = self.top.pid
        self.feed()                                     # now it is there
        if before:                                      # the drainer works beside it, not in its place
            self.pid = programs.children(self.top.pid)[0]
            settle(self.top.pid, cpus[0])

    def listen(self):
        while True:
            said = os.read(self.top.stdout.fileno(), 1 << 16)
            if not said:
                self.heard.set()
                return
            self.said = (self.said + said)[-len(DONE):]
            if self.said == DONE:
                self.said = b""
                self.heard.set()

    def is_full(self):
        """It has taken all that it was given, and has nothing to do."""
        unread = array.array("i", [0])
        fcntl.ioctl(self.top.stdin.fileno(), termios.FIONREAD, unread)
        return unread[0] == 0 and all(self.state(tid) == "S" for tid in programs.tree_thread_ids(self.pid))

    @staticmethod
    def state(tid):
        with open(f"/proc/{tid}/stat", encoding="ascii") as f:
            return f.read().rpartition(")")[2].split()[0]

    def feed(self):
        left = memoryview(self.piece)
        self.heard.clear()
        while left:
            left = left[self.top.stdin.write(left):]
        if self.says:
            self.heard.wait(60)
        else:                                           # seen idle twice: a thread is waking up another one at times
            while not (self.is_full() and time.sleep(0.002) is None and self.is_full()):
                pass
        if self.top.poll() is not None:
            sys.exit(f"{self.top.args[0]} ended with status {self.top.returncode}")

    def cost(self, pieces):
        """CPU time a piece in ns, of all of its threads."""
        before = programs.tree_cpu_ns(self.pid)
        for _ in range(pieces):
            self.feed()
        return (programs.tree_cpu_ns(self.pid) - before) / pieces

    def end(self):
        self.top.stdin.close()
        self.top.wait(60)
        self.listener.join()
        self.top.stdout.close()


class AllFed:
    """One of each way; `ways`: name -> arguments of Fed."""

    def __init__(self, data, kind, ways):
        self.each = {way: Fed(data, kind, **how) for way, how in ways.items()}

    def __enter__(self):
        return self.each

    def __exit__(self, *_):
        for fed in self.each.values():
            fed.end()

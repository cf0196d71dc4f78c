"""LTTng session daemons that tests start for themselves, with a home of their own, and what LTTng recorded beside trace.out."""

import collections
import glob
import os
import re
import shutil
import signal
import subprocess
import sys
import time

root = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))


def run(*words, status=0, **more):
    r = subprocess.run(words, capture_output=True, text=True, timeout=60, errors="replace", **more)
    assert status is None or r.returncode == status, f"{words}: exit {r.returncode}\n{r.stdout[-500:]}\n{r.stderr[-2000:]}"
    return r


class Session:
    """A session daemon of its own, as a user without rights, so that no other one is met."""

    as_user = ["setpriv", "--reuid", "65534", "--regid", "65534", "--clear-groups"]

    def __init__(self, home, host=None, machine=None, preload=None):
        """`host`: what the machine is called for it; `machine`: where it runs, a Machine.  Both only root can do.  `preload`: for the daemon."""
        self.home, self.host, self.machine, self.preload = home, host, machine, {"LD_PRELOAD": preload} if preload else {}
        self.who = {"user": 65534, "group": 65534, "extra_groups": []} if os.getuid() == 0 else {}
        self.env = {**os.environ, "HOME": home, "LTTNG_HOME": home, "LTTNG_UST_REGISTER_TIMEOUT": "20000"}
        os.mkdir(home)
        if self.who:
            os.chown(home, 65534, 65534)

    def __enter__(self):
        self.begin_daemon()
        return self

    def begin_daemon(self):
        words, who = ["lttng-sessiond", "--no-kernel"], self.who
        if self.host:
            words, who = ["unshare", "--uts", "sh", "-c", f'hostname {self.host} && exec "$@"', "sh", *self.as_user, *words], {}
        if self.machine:
            words, who = self.on_machine(words), {}
        self.daemon = subprocess.Popen(words, env={**self.env, **self.preload}, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, **who)
        until = time.monotonic() + 30
        while self("list", status=None).returncode != 0:
            assert time.monotonic() < until and self.daemon.poll() is None, "no session daemon"
            time.sleep(0.1)

    def end_daemon(self, how=signal.SIGTERM):
        self.daemon.send_signal(how)
        self.daemon.wait(30)

    def on_machine(self, words):
        return [*self.machine.wires, *self.as_user, *words] if self.machine else words

    def __exit__(self, kind, value, trace):
        if self.daemon.poll() is None:
            self.end_daemon()

    def __call__(self, *words, status=0):
        return run("lttng", "--no-sessiond", *words, status=status, env=self.env, **self.who)

    def begin(self, name="s", events="ctrace:*"):
        self("create", name, f"--output={self.home}/{name}")
        self("enable-channel", "-u", "-s", name, "--subbuf-size=1M", "--num-subbuf=8", "c")
        self("enable-event", "-u", "-s", name, "-c", "c", events)
        self("add-context", "-u", "-s", name, "-t", "vpid", "-t", "vtid", "-t", "procname")
        self("start", name)

    def finish(self, name="s"):
        """Ends it; where its trace is."""
        self("stop", name)
        discarded = re.search(r"Discarded events: (\d+)", self("list", name).stdout)
        assert discarded and discarded[1] == "0", discarded
        self("destroy", name)
        return f"{self.home}/{name}"

    def pretty(self, name="s"):
        """What babeltrace2 says of it; it may be under way."""
        return run("babeltrace2", f"{self.home}/{name}", status=None).stdout


class Built:
    """What is run, copied to where all may read: the session's user cannot look into each build folder (root's home)."""

    def __init__(self, build, folder):
        if not all(shutil.which(tool) for tool in ("babeltrace2", "lttng-sessiond")) or not os.path.exists(f"{build}/libctrace-lttng.so"):
            print("no LTTng here")
            sys.exit(77)
        os.mkdir(folder, 0o755)
        for path in [f"{build}/ctrace"] + glob.glob(f"{build}/libctrace*.so*") + glob.glob(f"{build}/babeltrace-plugin-*.so"):
            if os.path.isfile(path):
                shutil.copy(path, folder, follow_symlinks=False)
        os.environ["LD_LIBRARY_PATH"] = folder
        self.folder, self.ctrace, self.recorder = folder, f"{folder}/ctrace", f"{folder}/libctrace-rt.so.0"

    def texts(self, trace):
        return run(self.ctrace, "convert", "-t", "text", "-o", "-", trace).stdout

    def compile(self, session, name):
        run("cc", "-pthread", f"-I{root}/tracer", "-o", f"{session.home}/{name}", f"{root}/tests/e2e/{name}.c", f"-L{self.folder}", "-Wl,--no-as-needed",
            "-lctrace", "-lctrace-rt", "-lutil")


def schema():
    """{event: (category, [(type, field)])} of events.def."""
    with open(f"{root}/tracer/format/events.def", encoding="utf-8") as f:
        text = f.read()
    found = re.findall(r'^EVENT\(\d+,\s+(\w+),\s+\w+,\s+(\w+),\s+"[^"]*"(.*?)\)\n(?=EVENT|\n|#)', text, re.M | re.S)
    return {name: (category, re.findall(r"FIELD\((\w+), (\w+)\)", fields)) for name, category, fields in found}


Told = collections.namedtuple("Told", "time name fields spans")      # spans in ns, by two estimates of how fast ticks are


def by_thread(text):
    """{(pid, tid): its events}, with fields that mean the same whoever recorded them: tids, return addresses, ns."""
    types = {(name, field): kind for name, (_, fields) in schema().items() for kind, field in fields}
    tids = {m[1]: m[2] for m in re.finditer(r"^thread ((?:\d+(?:@\d+)?):\d+) tid=(\d+)", text, re.M)}
    pids = {m[1]: int(m[2]) for m in re.finditer(r"^program (\S+) pid=(\d+)", text, re.M)}
    stacks, threads = {}, collections.defaultdict(list)
    for line in text.splitlines():
        stack = re.match(r"stack (\S+) (\d+) ([^#]*)", line)
        event = re.match(r"([\d.]+) (\d+(?:@\d+)?):(\d+) (\w+)(.*)", line)
        if stack:
            stacks[stack[1], stack[2]] = stack[3].strip()
        elif event:
            at, program, thread, name, rest = event.groups()
            fields, spans = [], []
            for field, value in re.findall(r' (\w+)=("(?:[^"\\]|\\.)*"|\S+)', rest):
                kind = types[name, field]
                if kind == "TICKS":
                    spans.append(int(value))
                elif kind == "THREAD" and value != "0":
                    fields.append((field, tids[f"{program}:{value}"]))
                else:
                    fields.append((field, stacks.get((program, value), value) if kind == "STACK" else value))
            threads[pids[program], int(tids[f"{program}:{thread}"])].append(Told(float(at), name, fields, spans))
    return threads


def agree(one, two):
    return one.name == two.name and one.fields == two.fields and all(abs(a - b) <= 2 + a / 1000 for a, b in zip(one.spans, two.spans))


def can_be_told(events, known):
    """
    Of a thread that our pthread_create() did not make, as jemalloc's own: nothing before an event that no allocator makes, under a
    lock of its own, but the CPU.
    """
    if known or any(e.name == "THREAD_START" for e in events):
        return events
    waits = ("COND_WAIT", "SEM_WAIT", "BARRIER_WAIT")
    categories = {name: category for name, (category, _) in schema().items()}
    first = next((i for i, e in enumerate(events) if e.name in waits or
                  e.name != "CPU" and categories[e.name] not in ("heap", "lock", "alloc", "cpu", "trace")), len(events))
    return [e for e in events[:first] if e.name == "CPU"][-1:] * (first < len(events)) + events[first:]


def lost_by_thread(text):
    """How many events of each thread trace.out says it lacks: one that a handler made, a tick, while its thread took a slice, has no place."""
    lost = collections.defaultdict(int)
    pids = {m[1]: int(m[2]) for m in re.finditer(r"^program (\S+) pid=(\d+)", text, re.M)}
    tids = {}
    for m in re.finditer(r"^thread ((\d+(?:@\d+)?):\d+) tid=(\d+).* lost=(\d+)", text, re.M):
        tids[m[1]] = pids[m[2]], int(m[3])
        lost[tids[m[1]]] = max(lost[tids[m[1]]], int(m[4]))
    for m in re.finditer(r"^[\d.]+ (\S+) LOST count=(\d+)", text, re.M):
        lost[tids[m[1]]] += int(m[2])
    return lost


def without_lost(mine, its, lost):
    """`its` without what it alone has, as far as that was lost."""
    kept = []
    for i, event in enumerate(its):
        if lost and len(its) - i + len(kept) > len(mine) and (len(kept) == len(mine) or not agree(mine[len(kept)], event)):
            lost -= 1
        else:
            kept.append(event)
    return kept


def same(built, trace, session_trace):
    """
    Both say the same, event by event and field by field; how often each.  But for what comes after the end of its process was
    announced: LTTng's library says farewell then, and hears no more; nor of what each thread was about to tell it.
    """
    texts = [built.texts(path) for path in (trace, session_trace)]
    (ours, theirs), lost = map(by_thread, texts), lost_by_thread(texts[0])
    lines = run("babeltrace2", session_trace).stdout
    counted = collections.Counter(re.findall(r" ctrace:(\w+): ", lines))
    kept = collections.Counter(event.name.lower() for events in theirs.values() for event in events)
    assert counted == kept and counted, counted - kept
    assert "<unknown>" not in lines, "a number that is none of its enumeration's"
    assert not set(theirs) - set(ours), f"threads that trace.out does not have: {set(theirs) - set(ours)}"
    for thread, events in ours.items():
        events, other = can_be_told(events, thread[0] == thread[1]), theirs.get(thread, [])
        ends = [e.time for t, all_of_it in ours.items() if t[0] == thread[0] for e in all_of_it if e.name == "EXIT"]
        # A tick may come between the two times that another event is told, here and there: each kind in its order.
        for chosen in (lambda e: not e.name.startswith("CPU"), lambda e: e.name == "CPU", lambda e: e.name == "CPU_SAMPLE"):
            mine, its = [e for e in events if chosen(e) and e.name != "LOST"], [e for e in other if chosen(e)]
            its = without_lost(mine, its, lost[thread] if its and its[0].name.startswith("CPU") else 0)
            for i, (a, b) in enumerate(zip(mine, its)):
                assert agree(a, b), (thread, i, a, b, mine[max(0, i - 2):i], mine[i + 1:i + 3], its[i + 1:i + 3])
            rest = mine[len(its):]
            assert len(its) <= len(mine), (thread, "LTTng has more", its[len(mine):][:5], lost[thread])
            assert not rest or (ends and all(e.time > ends[0] for e in rest[1:])), (thread, "LTTng has less", len(mine), rest[:5], ends)
    return counted

#!/usr/bin/python3
"""
ctf_kernel.py BUILD: traces of LTTng's kernel tracer, and user space of the same session, are one timeline: exact states and
CPUs, wakers, system calls, interrupts.  LTTng's modules need a kernel of their own, so the traces are written by
babeltrace2.  Exit 77 where it or its Python bindings are not.
"""

import json
import os
import re
import shutil
import subprocess
import sys
import tempfile

import ctf_needed

build = os.path.abspath(sys.argv[1])
ctrace = f"{build}/ctrace"

MS, US = 10**6, 10**3
START = 1700000000 * 10**9


def run(*words, status=0, **more):
    r = subprocess.run(words, capture_output=True, text=True, timeout=60, errors="replace", **more)
    assert status is None or r.returncode == status, f"{words}: exit {r.returncode}\n{r.stdout[-500:]}\n{r.stderr[-2000:]}"
    return r


def switch(ns, cpu, prev, next_, state=0):
    """`prev` and `next_` are (tid, name)."""
    return (ns, cpu, "sched_switch", {"prev_comm": prev[1], "prev_tid": prev[0], "prev_prio": 20, "prev_state": state,
                                      "next_comm": next_[1], "next_tid": next_[0], "next_prio": 20})


def wake(ns, cpu, who, name="sched_waking"):
    return (ns, cpu, name, {"comm": who[1], "tid": who[0], "prio": 120, "target_cpu": 0})


def process(ns, tid, pid, name, kind=0):
    return (ns, 0, "lttng_statedump_process_state", {"tid": tid, "pid": pid, "ppid": 1, "name": name, "type": kind, "mode": 5,
                                                     "submode": 0, "status": 5, "cpu": 0})


IPV4 = {"version": 4, "ihl": 5, "tos": 0, "tot_len": 60, "id": 1, "frag_off": 0, "ttl": 64, "protocol": 6, "checksum": 2,
        "saddr": [10, 0, 0, 1], "daddr": [10, 0, 0, 2]}
IDLE0, IDLE1 = (0, "swapper/0"), (0, "swapper/1")
SERVER, WORKER, CLIENT, KWORKER = (100, "server"), (101, "worker"), (200, "client"), (30, "kworker/0:1")


def story():
    """The client writes to the server, which waits in read; the worker waits for the disk, and is woken by an interrupt."""
    return [
        switch(100 * US, 0, IDLE0, KWORKER),                      # seen before the state dump says whose it is
        switch(200 * US, 0, KWORKER, SERVER, 1026),               # TASK_IDLE: not runnable
        (300 * US, 0, "lttng_statedump_start", {}),
        process(310 * US, *(100, 100, "server")), process(311 * US, 101, 100, "worker"),
        process(312 * US, 200, 200, "client"), process(313 * US, 30, 30, "kworker/0:1", 1),
        (320 * US, 0, "lttng_statedump_end", {}),
        (2 * MS, 0, "syscall_entry_read", {"fd": 5, "count": 100}),
        switch(2 * MS + 10 * US, 0, SERVER, IDLE0, 1),
        switch(3 * MS, 1, IDLE1, CLIENT),
        (3 * MS + 50 * US, 1, "syscall_entry_write", {"fd": 7, "buf": 0x1000, "count": 100}),
        wake(3 * MS + 60 * US, 1, SERVER),
        wake(3 * MS + 61 * US, 1, SERVER, "sched_wakeup"),
        switch(3 * MS + 90 * US, 0, IDLE0, SERVER),
        (3 * MS + 95 * US, 0, "syscall_exit_read", {"ret": 100, "buf": 0x2000}),
        (3 * MS + 99 * US, 1, "syscall_exit_write", {"ret": 100}),
        switch(4 * MS, 1, CLIENT, WORKER, 256),                   # preempted
        (4 * MS + 5 * US, 1, "syscall_entry_fsync", {"fd": 9}),
        (4 * MS + 8 * US, 1, "block_rq_issue", {"dev": 8 << 20, "sector": 64, "nr_sector": 8, "bytes": 4096, "tid": 101, "rwbs": 1,
                                                "cmd": [0x2a, 0], "comm": "worker"}),
        switch(4 * MS + 10 * US, 1, WORKER, CLIENT, 2),
        (5 * MS, 0, "irq_handler_entry", {"irq": 42, "name": "nvme0q1"}),
        (5 * MS + 1 * US, 0, "block_rq_complete", {"dev": 8 << 20, "sector": 64, "nr_sector": 8, "error": 0, "rwbs": 1, "cmd": []}),
        wake(5 * MS + 2 * US, 0, WORKER),
        (5 * MS + 3 * US, 0, "irq_handler_exit", {"irq": 42, "ret": 1}),
        (5 * MS + 4 * US, 0, "irq_softirq_entry", {"vec": 3}),
        (5 * MS + 5 * US, 0, "net_dev_queue", {"skbaddr": 1, "len": 60, "name": "eth0", "network_header_type": 1, "network_header": ("ipv4", IPV4)}),
        (5 * MS + 6 * US, 0, "irq_softirq_exit", {"vec": 3}),
        switch(5 * MS + 20 * US, 0, SERVER, WORKER, 0),
        (5 * MS + 30 * US, 0, "syscall_exit_fsync", {"ret": -5}),
        (6 * MS, 0, "sched_process_fork", {"parent_comm": "worker", "parent_tid": 101, "parent_pid": 100, "parent_ns_inum": 4026531836,
                                           "child_comm": "worker", "child_tid": 102, "vtids": [102], "child_pid": 100,
                                           "child_ns_inum": 4026531836}),
        wake(6 * MS + 1 * US, 0, (102, "worker"), "sched_wakeup_new"),
        switch(6 * MS + 10 * US, 0, WORKER, (102, "worker"), 0),
        (6 * MS + 20 * US, 0, "sched_process_exit", {"comm": "worker", "tid": 102, "prio": 20}),
        switch(6 * MS + 30 * US, 0, (102, "worker"), SERVER, 32),
        (6 * MS + 50 * US, 0, "syscall_entry_openat", {"dfd": -100, "filename": "/etc/hosts", "flags": {"access": 0, "options": 524288}, "mode": 0}),
        (6 * MS + 60 * US, 0, "syscall_exit_openat", {"ret": 7}),
        (6 * MS + 70 * US, 0, "syscall_entry_epoll_wait", {"epfd": 3, "maxevents": 8, "timeout": 0}),
        (6 * MS + 80 * US, 0, "syscall_exit_epoll_wait", {"ret": 1, "fds_length": 1, "overflow": 0,
                                                         "fds": [{"raw_events": 1, "fd": 5, "data_union": 5}]}),
        (7 * MS, 0, "syscall_entry_epoll_wait", {"epfd": 3, "maxevents": 8, "timeout": -1}),
        switch(7 * MS + 10 * US, 0, SERVER, IDLE0, 1),
        switch(8 * MS, 1, CLIENT, IDLE1, 1),
    ]


def user():
    who = {"vpid": 100, "vtid": 101, "procname": "worker"}
    return [(4 * MS + 2 * US, 1, "shop:order_begin", {"id": 7, "context": who}),
            (5 * MS + 31 * US, 0, "lttng_ust_cyg_profile:func_entry", {"addr": 0x401000, "call_site": 0x402000, "context": who}),
            (5 * MS + 32 * US, 0, "lttng_ust_cyg_profile:func_entry", {"addr": 0x401100, "call_site": 0x401010, "context": who}),
            (5 * MS + 33 * US, 0, "lttng_ust_cyg_profile:func_exit", {"addr": 0x401100, "call_site": 0x401010, "context": who}),
            (5 * MS + 34 * US, 0, "lttng_ust_cyg_profile:func_exit", {"addr": 0x401000, "call_site": 0x402000, "context": who}),
            (5 * MS + 35 * US, 0, "shop:order_end", {"id": 7, "context": who})]


class Chrome:
    """The records of `ctrace convert`, by the names of their rows."""

    def __init__(self, *paths):
        self.records = json.loads(run(ctrace, "convert", "-o", "-", *paths).stdout)["traceEvents"]
        names = {(e["pid"], e.get("tid"), e["name"]): e["args"].get("name") for e in self.records if e["ph"] == "M"}
        self.process = {pid: name for (pid, _, what), name in names.items() if what == "process_name"}
        self.row = {(pid, tid): name for (pid, tid, what), name in names.items() if what == "thread_name"}

    def slices(self, row, process=None):
        """(start, end, name, args) of the row, in us."""
        found = [e for e in self.records if e["ph"] == "X" and self.row.get((e["pid"], e["tid"])) == row and
                 process in (None, self.process[e["pid"]])]
        return sorted((round(e["ts"], 3), round(e["ts"] + e["dur"], 3), e["name"], e.get("args", {})) for e in found)


def names(slices):
    return [(start, end, name) for start, end, name, _ in slices]


def check_states(c):
    """Times are us behind the first event, which is at 100."""
    assert names(c.slices("server (100) state")) == [
        (100, 1910, "Running"), (1910, 2960, "read"), (2960, 2990, "Runnable"), (2990, 4920, "Running"),
        (4920, 5930, "Runnable"), (5930, 6910, "Running"), (6910, 7900, "epoll_wait")], c.slices("server (100) state")
    assert names(c.slices("worker (101) state")) == [
        (3900, 3910, "Running"), (3910, 4902, "fsync"), (4902, 4920, "Runnable"), (4920, 5910, "Running"),
        (5910, 7900, "Runnable")], c.slices("worker (101) state")
    assert names(c.slices("client (200) state")) == [
        (2900, 3900, "Running"), (3900, 3910, "Runnable"), (3910, 7900, "Running")], c.slices("client (200) state")
    assert names(c.slices("worker (102) state")) == [(5901, 5910, "Runnable"), (5910, 5930, "Running")], c.slices("worker (102) state")


def check_cpus(c):
    assert "CPUs" in c.process.values() and not any("estimated" in name for name in c.process.values()), c.process
    assert names(c.slices("CPU 0", "CPUs")) == [
        (0, 100, "kworker/0:1 (30)"), (100, 1910, "server (100)"), (2990, 4920, "server (100)"), (4920, 5910, "worker (101)"),
        (5910, 5930, "worker (102)"), (5930, 6910, "server (100)")], c.slices("CPU 0", "CPUs")
    assert names(c.slices("CPU 1", "CPUs")) == [
        (2900, 3900, "client (200)"), (3900, 3910, "worker (101)"), (3910, 7900, "client (200)")], c.slices("CPU 1", "CPUs")


def check_calls(c):
    calls = {name: (start, end, args) for start, end, name, args in c.slices("server (100)") + c.slices("worker (101)") +
             c.slices("client (200)") if name in ("read", "write", "fsync", "epoll_wait", "openat")}
    assert calls["read"][:2] == (1900, 2995) and calls["read"][2] == {"arguments": "fd=5 count=100", "result": 100,
                                                                     "returned": "buf=0x2000"}, calls
    assert calls["openat"][2] == {"result": 7, "arguments": "dfd=-100 filename=/etc/hosts flags={access=O_RDONLY(0) options=O_CLOEXEC(524288)} "
                                                            "mode=0"}, calls
    polled = [args["returned"] for *_, name, args in c.slices("server (100)") if name == "epoll_wait"][0]
    assert polled.endswith("fds=[{raw_events=0x1 fd=5 data_union=0x5}]"), polled
    assert calls["write"][:2] == (2950, 2999) and calls["write"][2]["result"] == 100, calls
    assert calls["fsync"][:2] == (3905, 4930) and calls["fsync"][2] == {"arguments": "fd=9", "error": "EIO"}, calls
    assert calls["epoll_wait"][:2] == (6900, 7900) and "not within" in calls["epoll_wait"][2]["returned"], calls


def check_wakers(c):
    waits = [s for s in c.slices("server (100)") if s[2] == "blocked"]
    assert waits[0][:2] == (1910, 2990) and waits[0][3] == {"in": "read", "woken_by": "client (200)"}, waits
    disk = [s for s in c.slices("worker (101)") if s[2] == "blocked"]
    assert disk[0][:2] == (3910, 4920) and disk[0][3] == {"in": "fsync", "interruptible": "no",
                                                          "woken_by": "interrupts 0"}, disk
    arrows = sorted((e["ts"], e["ph"], c.row[e["pid"], e["tid"]]) for e in c.records if e["ph"] in "sf")
    assert (2960.001, "s", "client (200)") in arrows and (2989.999, "f", "server (100)") in arrows, arrows


def check_interrupts(c):
    rows = c.slices("interrupts 0", "kernel")
    assert (4900, 4903, "irq 42 nvme0q1", {}) in rows and (4904, 4906, "softirq NET_RX", {}) in rows, rows
    queued = [e for e in c.records if e["name"] == "net_dev_queue"]
    assert queued[0]["args"] == {"skbaddr": 1, "len": 60, "name": "eth0", "network_header_type": "_ipv4(1)", "network_header":
                                 "{version=4 ihl=5 tos=0 tot_len=60 id=0x1 frag_off=0 ttl=64 protocol=6 checksum=0x2 "
                                 "saddr=[10, 0, 0, 1] daddr=[10, 0, 0, 2]}"}, queued[0]["args"]
    assert c.row[queued[0]["pid"], queued[0]["tid"]] == "interrupts 0"
    request = [(e["ts"], e["ph"]) for e in c.records if e["name"] == "write 8:0 sector 64 +8" and e["ph"] in "be"]
    assert sorted(request) == [(3908, "b"), (4901, "e")], request


def kernel_alone(making):
    making.write("alone/kernel", {**making.KERNEL, "hostname": "web1"}, story())
    c = Chrome("alone")
    for check in (check_states, check_cpus, check_calls, check_wakers, check_interrupts):
        check(c)
    assert {"server", "client", "kernel"} <= set(c.process.values()), c.process
    assert len(c.slices("kworker/0:1 (30) state", "kernel")) > 0, "threads of the kernel are the kernel's"
    text = run(ctrace, "convert", "-t", "text", "-o", "-", "alone").stdout
    assert 'SYSCALL dur=1095000 call=read name="read" arguments="fd=5 count=100" result=100 returned="buf=0x2000"' in text
    run(ctrace, "convert", "-t", "trace", "-o", "alone.cut", "alone")
    assert Chrome("alone.cut").records == c.records, "as a trace"


def with_user_space(making):
    environment = {"hostname": "web1"}
    making.write("both/kernel", {**making.KERNEL, **environment}, story())
    calls = {f"lttng_ust_cyg_profile:func_{what}": "addr:u64 call_site:u64" for what in ("entry", "exit")}
    layout = {**calls, "shop:order_begin": "id:i32", "shop:order_end": "id:i32"}
    making.write("both/ust/uid/1000/64-bit", {**making.USER, **environment}, user(), layout, "vpid:i32 vtid:i32 procname:s")
    c = Chrome("both")
    check_states(c)
    check_cpus(c)
    orders = [s for s in c.slices("worker (101)") if s[2] == "shop:order"]
    assert names(orders) == [(3902, 4935, "shop:order")], orders
    functions = [s for s in c.slices("worker (101)") if s[2].startswith("0x")]
    assert names(functions) == [(4931, 4934, "0x401000"), (4932, 4933, "0x401100")], functions
    info = run(ctrace, "info", "both").stdout
    assert len(re.findall(r"server", info)) >= 1, info


def what_is_not_told(making):
    """No state dump, no contexts: threads of processes that nobody knows, and no more than that."""
    events = [e for e in story() if "statedump" not in e[2]]
    making.write("bare", {**making.KERNEL, "hostname": "web1"}, events)
    c = Chrome("bare")
    check_cpus(c)
    assert "(process not told)" in c.process.values(), c.process
    switches = [(ns, cpu, name, {**fields, "context": {"tid": fields["prev_tid"], "pid": {101: 100}.get(fields["prev_tid"], fields["prev_tid"])}})
                for ns, cpu, name, fields in events if name == "sched_switch"]
    making.write("contexts", {**making.KERNEL, "hostname": "web1"}, switches, context="tid:i32 pid:i32")
    c = Chrome("contexts")
    check_cpus(c)
    assert {"server", "client"} <= set(c.process.values()), c.process
    assert (1910, 2990, "Blocked") in names(c.slices("server (100) state")), c.slices("server (100) state")


def lost(making):
    """What was lost of a CPU: nobody knows who runs there until it is told again; other CPUs are as they were."""
    events = [switch(1 * MS, 0, IDLE0, SERVER), switch(1 * MS, 1, IDLE1, CLIENT), (1500 * US, 0, "irq_handler_entry", {"irq": 1, "name": "a"}),
              (2 * MS, 0, "lost events", {"count": 7, "until": 6 * MS}), switch(5 * MS, 0, WORKER, IDLE0, 1), switch(7 * MS, 1, CLIENT, IDLE1, 1),
              (8 * MS, 1, "lost packets", {"count": 2, "until": 9 * MS}), switch(9 * MS, 1, IDLE1, CLIENT), switch(10 * MS, 0, IDLE0, SERVER)]
    making.write("lost", {**making.KERNEL, "hostname": "web1"}, events)
    c = Chrome("lost")
    assert names(c.slices("CPU 0", "CPUs")) == [(0, 1000, "server (100)")], c.slices("CPU 0", "CPUs")
    assert names(c.slices("CPU 1", "CPUs")) == [(0, 6000, "client (200)"), (8000, 9000, "client (200)")], c.slices("CPU 1", "CPUs")
    assert names(c.slices("interrupts 0")) == [(500, 1000, "irq 1 a")], c.slices("interrupts 0")
    text = run(ctrace, "convert", "-t", "text", "-o", "-", "lost").stdout
    told = re.findall(r"^0\.(\d+) \S+ LOST count=(\d+)", text, re.M)
    assert sorted(told) == [("001000000", "0"), ("001000000", "7"), ("007000000", "0")], told
    assert re.search("^lost +7$", run(ctrace, "info", "lost").stdout, re.M), "what was lost"


def main():
    making = ctf_needed.making(build)
    with tempfile.TemporaryDirectory(prefix="ctrace-kernel-") as scratch:
        os.chdir(scratch)
        for test in (kernel_alone, with_user_space, what_is_not_told, lost):
            print(test.__name__, flush=True)
            for folder in ("alone", "both/ust/uid/1000"):
                os.makedirs(folder, exist_ok=True)
            test(making)
        os.chdir("/")


main()

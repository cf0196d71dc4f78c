#!/usr/bin/python3
"""
profile_program.py BUILD DATA xz|redis|sqlite: CPU time of a program whose CPU time or heap is profiled, against the program
alone; and the same of peers.

Runs of all ways take turns; what counts is what the cheapest of each cost.  A peer that replaces the allocator is
compared with its own allocator without a profile.  heaptrack follows each allocation; its reader's time is left out, as
is that of `ctrace`.
"""

import glob
import os
import subprocess
import sys

import programs
from server import Servers

build, data, which = sys.argv[1:4]
ctrace = f"{build}/ctrace"
folder = f"{data}/profile"
LIBRARIES = "/usr/lib/x86_64-linux-gnu"
JEMALLOC, TCMALLOC = f"{LIBRARIES}/libjemalloc.so.2", f"{LIBRARIES}/libtcmalloc.so.4"

# name -> (what stands before the command, environment, its library or None)
WAYS = {
    "alone": ([], {}, None),
    "cpu": ([ctrace, "record", "--cpuprofile", f"{folder}/cpu.%p.pb.gz", "--"], {}, None),
    "heap": ([ctrace, "record", "--memprofile", f"{folder}/heap.%p.pb.gz", "--"], {}, None),
}
PEERS = {
    "alone": ([], {}, None),
    "cpu.gperftools": ([], {"CPUPROFILE": f"{folder}/gperftools.prof", "CPUPROFILE_FREQUENCY": "100"},
                       f"{LIBRARIES}/libprofiler.so.0"),
    "jemalloc": ([], {}, JEMALLOC),
    "heap.jemalloc": ([], {"MALLOC_CONF": f"prof:true,prof_final:true,prof_prefix:{folder}/jeprof"}, JEMALLOC),
    "tcmalloc": ([], {}, TCMALLOC),
    "heap.gperftools": ([], {"HEAPPROFILE": f"{folder}/gperftools"}, TCMALLOC),
    "heap.heaptrack": ([], {"DUMP_HEAPTRACK_OUTPUT": f"{folder}/heaptrack"}, "/usr/lib/heaptrack/libheaptrack_preload.so"),
}
BASES = {"heap.jemalloc": "jemalloc", "heap.gperftools": "tcmalloc"}
SQL = """create table t(a integer primary key, b text, c integer);
with recursive n(i) as (select 1 union all select i + 1 from n where i < 200000)
insert into t select i, 'row ' || i, i * 7919 % 100003 from n;
create index x on t(c);
select count(*), sum(length(b)) from t where c between 100 and 90000;
select c, count(*), max(b) from t group by c % 1000 order by 2;
update t set b = b || '!' where a % 3 = 0;
select count(*) from (select b from t order by b desc);
"""


def command():
    if which == "sqlite":
        return ["sqlite3", ":memory:", SQL]
    return ["xz", "-T2", "-1", "--block-size=2MiB", "-k", "-c", programs.text_file(f"{data}/text", 30 << 20)]


def clean():
    for path in glob.glob(f"{folder}/*"):
        if os.path.isfile(path):
            os.unlink(path)


def metered(before, environment, preload):
    """CPU time of a command, by the meter that stands right before it."""
    clean()
    costs = f"{folder}/costs"
    words = ["env", *(f"{name}={value}" for name, value in environment.items())]
    words += [f"LD_PRELOAD={preload}"] if preload else []
    with open(os.devnull, "wb") as out:
        done = subprocess.run([*before, f"{build}/tests/bench/bench-meter", costs, *words, *command()], stdout=out, stderr=out,
                              check=False)
    if done.returncode != 0:
        sys.exit(f"{which} ended with status {done.returncode} ({before or environment})")
    with open(costs, encoding="ascii") as f:
        return int(f.read())


def redis(before, environment, preload):
    clean()
    how = {"before": before, "environment": environment, "preload": preload}
    with Servers(build, f"{folder}/redis", "redis", {"it": how}) as servers:
        servers["it"].cost(2000)
        return servers["it"].cost(20000)


def runs(ways):
    """Those whose library is there, each as a function."""
    once = redis if which == "redis" else metered
    found = {}
    for name, way in ways.items():
        if which == "sqlite" and name.startswith("cpu"):
            continue
        if way[2] and not os.path.exists(way[2]):
            print(f"profile.{name}.{which}: not measured: {way[2]} is missing", file=sys.stderr)
            continue
        found[name] = lambda way=way: once(*way)
    return found


os.makedirs(folder, exist_ok=True)
ours = programs.Ways(runs(WAYS))
ours.alternate()
for kind, most in ("cpu", 0.5), ("heap", 1):
    if kind in ours.runs:
        name = f"profile.{kind}.{which}"
        programs.show(name, ours.more(kind, "alone"), "%", most)
        programs.show(f"{name}.paired", ours.more_paired(kind, "alone"), "%")
peers = programs.Ways(runs(PEERS))
peers.alternate(max(2, programs.ROUNDS // 2))
for name in peers.runs:
    base = BASES.get(name, "alone")
    if "." in name and base in peers.runs:
        kind, peer = name.split(".")
        programs.show(f"profile.{kind}.{which}.{peer}", peers.more(name, base), "%")
clean()

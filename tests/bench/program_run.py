#!/usr/bin/python3
"""
program_run.py BUILD DATA xz|sqlite: CPU time of a program that runs and ends, recorded with everything on, against the program
alone.

Many short runs take turns, on the last CPU; who drains works beside it.  What counts is the median of the ratios of neighbouring
runs: what the machine does to one it does to the other, as a rule.
"""

import glob
import os
import shutil
import subprocess
import sys

import programs

build, data, kind = sys.argv[1:4]
folder = f"{data}/{kind}"
meter, ctrace, costs = f"{build}/tests/bench/bench-meter", f"{build}/ctrace", f"{data}/{kind}.costs"
pinned = ["taskset", "-c", str(max(os.sched_getaffinity(0)))]
SQL = """pragma journal_mode=wal; pragma synchronous=normal;
create table t(a integer primary key, b text, c integer);
create index x on t(c);
""" + "".join(f"""begin;
with recursive n(i) as (select 1 union all select i + 1 from n where i < 100)
insert into t(b, c) select 'row ' || i, (i + {turn}) * 7919 % 100003 from n;
commit;
select count(*), sum(length(b)) from t where c between {turn} and {turn * 90};
""" for turn in range(300)) + """select c, count(*), max(b) from t group by c % 1000 order by 2 limit 9;
update t set b = b || '!' where a % 3 = 0;
delete from t where a % 5 = 0;
"""


def command():
    if kind == "sqlite":
        return ["sqlite3", "-batch", f"{folder}/base", SQL]
    return ["xz", "-T2", "-1", "--block-size=1MiB", "-k", "-c", programs.text_file(f"{data}/text6", 6 << 20)]


def metered(words):
    """CPU time by the meter that stands in the command."""
    shutil.rmtree(folder, ignore_errors=True)
    os.makedirs(folder)
    for path in glob.glob(costs):
        os.unlink(path)
    done = subprocess.run(words + command(), stdout=subprocess.DEVNULL, check=False)
    if done.returncode != 0:
        sys.exit(f"{kind} ended with status {done.returncode}")
    with open(costs, encoding="ascii") as f:
        return int(f.read())


record = [ctrace, "record", "-o", f"{folder}/trace.out", "--"]
ways = programs.Ways({
    "alone": lambda: metered([*pinned, meter, costs]),
    "recorded": lambda: metered([*record, *pinned, meter, costs]),
    "idle": lambda: metered([*pinned, "env", f"LD_PRELOAD={build}/libctrace-rt.so.0", meter, costs]),
    "with ctrace": lambda: metered([meter, costs, *record]),
})
ways.alternate(3 * programs.ROUNDS)
shutil.rmtree(folder)
name = f"program.{kind}"
programs.show(f"{name}.alone", ways.least("alone") / 1e6, "ms")
programs.show(name, ways.more_paired("recorded", "alone"), "%", 2)
programs.show(f"{name}.least", ways.more("recorded", "alone"), "%")
programs.show(f"{name}.idle", ways.more_paired("idle", "alone"), "%")
programs.show(f"{name}.with_ctrace", ways.more_paired("with ctrace", "alone"), "%")

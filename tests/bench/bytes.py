#!/usr/bin/python3
"""bytes.py BUILD DATA PREFIX: how many bytes of trace an annotation takes, an I/O call, and a wait with its stack."""

import json
import os
import sys

import programs

build, data, prefix = sys.argv[1:4]
COUNT = 200000
BUDGETS = {"annotation": 5, "io": 10, "wait": 8}
COUNTED = {
    "annotation": {"REGION_BEGIN", "REGION_END", "COUNTER", "MARK"},
    "io": {"IO", "IO_SLOW"},
    "wait": {"SEM_WAIT", "WAIT_DONE"},
}


def measure(kind):
    trace = f"{data}/bytes.trace"
    programs.run([f"{build}/ctrace", "record", "-o", trace, "--", f"{build}/tests/bench/bench-events", kind, str(COUNT)])
    info = json.loads(programs.run([f"{build}/ctrace", "info", "--json", trace]))
    size = os.path.getsize(trace)
    events = {e["name"]: e for p in info["programs"] for e in p["events"]}
    for path in (trace, f"{trace}.old"):
        if os.path.exists(path):
            os.unlink(path)
    lost = sum(p["lost"] for p in info["programs"])
    if lost:
        sys.exit(f"bytes.{kind}: {lost} events were lost; the number says nothing")
    counted = [events[name] for name in COUNTED[kind] if name in events]
    # A wait is two events, its begin and its end.
    number = events["SEM_WAIT"]["count"] if kind == "wait" else sum(e["count"] for e in counted)
    programs.show(f"bytes.{kind}", sum(e["bytes"] for e in counted) / number, "bytes", BUDGETS[kind])
    everything = sum(e["count"] for e in events.values())
    programs.show(f"bytes.{kind}.file", size / everything, "bytes")


for kind in BUDGETS:
    if f"bytes.{kind}".startswith(prefix) or prefix.startswith(f"bytes.{kind}"):
        measure(kind)

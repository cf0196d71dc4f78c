#!/usr/bin/python3
"""page_view.py BUILD DATA EVENTS: how soon and how smoothly the page of `ctrace view` shows a made-up trace of 200 threads.

Prints `NAME VALUE UNIT` lines, with the budget where there is one.  77: chromium or node is not here.
"""
import os
import re
import subprocess
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), "e2e"))
from page_tools import copy, end, install, missing, no_page, start

THREADS = 200
BUDGETS = {
    "view.paint_cold": 2, "view.paint_warm": 0.3, "view.frame_pan_p95": 16, "view.frame_zoom_p95": 16, "view.page": 250,
}


def main(build, data, events):
    why = missing() or no_page(build)
    work = None if why else copy(build)
    why = why or install(work)
    if why:
        print(why, file=sys.stderr)
        return 77
    trace = os.path.join(data, "page.trace")
    subprocess.run([os.path.join(build, "tests/bench/mktrace"), events, str(THREADS), "mixed", trace], check=True)
    try:
        end("building the page", start(work, "vite", "build"), show=False)
        said = end("the page in chromium", start(work, "vitest", "run", "--project", "bench", CTRACE_BUILD=os.path.abspath(build),
                                                 BENCH_TRACE=os.path.abspath(trace)), show=False)
    finally:
        for name in os.listdir(data):
            if name.startswith("page.trace"):
                os.unlink(os.path.join(data, name))
    print(f"view.page_events {int(events) / 1e6:g} M")
    for name, value, unit in re.findall(r"^(view\.\S+) (\S+) (\S+)$", said, re.M):
        budget = BUDGETS.get(name)
        verdict = f" <={budget} {'ok' if float(value) <= budget else 'missed'}" if budget else ""
        print(f"{name} {value} {unit}{verdict}")
    return 0


sys.exit(main(*sys.argv[1:4]))

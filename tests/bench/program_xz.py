#!/usr/bin/python3
"""program_xz.py BUILD DATA: CPU time of xz -T2 on 30 MB, recorded with everything on, against xz alone."""

import glob
import os
import subprocess
import sys

import programs

build, data = sys.argv[1:3]
text = programs.text_file(f"{data}/text", 30 << 20)
meter, ctrace, costs = f"{build}/tests/bench/bench-meter", f"{build}/ctrace", f"{data}/xz.costs"
xz = ["xz", "-T2", "-1", "--block-size=2MiB", "-k", "-c", text]


def cost():
    with open(costs, encoding="ascii") as f:
        return int(f.read())


def clean():
    for path in glob.glob(f"{data}/xz.*"):
        os.unlink(path)


def metered(before, within):
    """CPU time by the meter that stands last in the command."""
    clean()
    with open(f"{data}/xz.out", "wb") as out:
        done = subprocess.run(before + within + xz, stdout=out, check=False)
    if done.returncode != 0:
        sys.exit(f"xz ended with status {done.returncode}")
    return cost()


record = [ctrace, "record", "-o", f"{data}/xz.trace", "--"]
ways = programs.Ways({
    "alone": lambda: metered([meter, costs], []),
    "recorded": lambda: metered(record, [meter, costs]),
    "with ctrace": lambda: metered([meter, costs], record),
})
ways.alternate()
clean()
programs.show("program.xz.alone", ways.least("alone") / 1e6, "ms")
programs.show("program.xz", ways.more("recorded", "alone"), "%", 2)
programs.show("program.xz.paired", ways.more_paired("recorded", "alone"), "%")
programs.show("program.xz.with_ctrace", ways.more("with ctrace", "alone"), "%")

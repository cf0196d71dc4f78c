"""What a trace's text form says of samples: each with its thread, its numbers and the names of its stack."""

import re
import subprocess

SAMPLE = re.compile(r"(\S+) (\d+)(?:@\d+)?:(\d+)!? (CPU_SAMPLE|ALLOC_SAMPLE|FREE_SAMPLE|UNLOCK_WAKE)((?: \w+=\S+)*)$")
SYMBOL = re.compile(r'symbol (\d+) pc=(\w+) function="([^"]*)"')


class Sample:
    def __init__(self, match, frames, truncated):
        self.time, self.program, self.thread, self.kind = float(match[1]), match[2], match[3], match[4]
        self.fields = dict(pair.split("=") for pair in match[5].split())
        self.frames = frames                            # names, innermost first; None when there is no stack
        self.truncated = truncated

    def number(self, field):
        return int(self.fields[field], 0)


def read(ctrace, trace):
    """All samples of a trace, in order of time."""
    text = subprocess.run([ctrace, "convert", "-t", "text", "-o", "-", trace], stdout=subprocess.PIPE, check=True,
                          encoding="utf-8", errors="replace").stdout
    names, stacks, found = {}, {}, []
    for line in text.splitlines():
        match = SYMBOL.match(line)
        if match:
            names.setdefault((match[1], match[2]), []).append(match[3])
    for line in text.splitlines():
        if line.startswith("stack "):
            words = line.split("  #")[0].split()
            stacks[words[1].split("@")[0], words[2]] = words[3:]
            continue
        match = SAMPLE.match(line)
        if not match:
            continue
        sample = Sample(match, None, False)
        pcs = stacks.get((sample.program, sample.fields.get("at")))
        if pcs is not None:
            sample.frames = [name for pc in pcs for name in names.get((sample.program, pc), [pc])]
            sample.truncated = "truncated" in pcs
        found.append(sample)
    return found


def share(samples, function):
    """The part of all weight that has `function` on its stack, in per cent."""
    total = sum(sample.number("weight") for sample in samples)
    part = sum(sample.number("weight") for sample in samples if sample.frames and function in sample.frames)
    return 100 * part / total if total else 0

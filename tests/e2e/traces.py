"""Reading traces in end-to-end tests, by way of `ctrace convert -t text`."""

import re
import subprocess

EVENT = re.compile(r"(-?\d+\.\d{9}) (\d+)(?:@\d+)?:(\d+)(!?) ([A-Z_]+)(.*)")
FIELD = re.compile(r' ([a-z_]+)=("(?:[^"\\]|\\.)*"|\S+)')


class Event:
    """One event: `time` in seconds, `program` and `thread` (its serial) as numbers, `fields` as they stand."""

    __slots__ = ("time", "program", "thread", "nested", "name", "fields")

    def __init__(self, match):
        self.time = float(match[1])
        self.program, self.thread = int(match[2]), int(match[3])
        self.nested = bool(match[4])
        self.name = match[5]
        self.fields = {key: value.strip('"') for key, value in FIELD.findall(match[6])}

    def number(self, field):
        return int(self.fields[field])


class Trace:
    """All programs of a family of traces."""

    def __init__(self, text):
        self.programs = {}          # number -> fields of its line
        self.threads = {}           # (program, serial) -> fields of its last row
        self.ends = {}              # program -> fields of its end
        self.events = []
        for line in text.splitlines():
            match = EVENT.match(line)
            if match:
                self.events.append(Event(match))
                continue
            word, _, rest = line.partition(" ")
            if word == "program":
                self.programs[int(rest.split(" ", 1)[0])] = dict(FIELD.findall(rest))
            elif word == "thread":
                program, serial = rest.split(" ", 1)[0].split(":")
                self.threads[int(program), int(serial)] = dict(FIELD.findall(rest))
            elif word == "end":
                self.ends[int(rest.split(" ", 1)[0])] = dict(FIELD.findall(rest))

    def tid(self, event):
        """The kernel's number of its thread, 0 when the trace does not say."""
        row = self.threads.get((event.program, event.thread))
        return int(row["tid"]) if row else 0

    def pid(self, event):
        return int(self.programs[event.program]["pid"])


def read(ctrace, *paths, alone=False):
    """The trace at `paths`, and what `ctrace convert` said of it on stderr; fails when it does not read."""
    command = [ctrace, "convert", "-t", "text", "--no-stacks", "-o", "-", *(["--alone"] if alone else []), *paths]
    done = subprocess.run(command, capture_output=True, check=False)
    if done.returncode != 0:
        raise AssertionError(f"{' '.join(command)}: status {done.returncode}: {done.stderr.decode()}")
    return Trace(done.stdout.decode()), done.stderr.decode()

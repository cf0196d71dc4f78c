"""Profiles as tests read them: of a file of pprof's format, by nothing but its bytes; and of a program that is served."""

import gzip
import re
import subprocess
import urllib.request


def varint(data, at):
    value = shift = 0
    while True:
        byte = data[at]
        value |= (byte & 127) << shift
        at, shift = at + 1, shift + 7
        if byte < 128:
            return value, at


def message(data):
    """Field number -> its values in order; numbers, or bytes of what has a length."""
    fields, at = {}, 0
    while at < len(data):
        key, at = varint(data, at)
        value, at = varint(data, at)
        if key & 7 == 2:
            value, at = data[at:at + value], at + value
        elif key & 7:
            raise ValueError(f"wire type {key & 7}")
        fields.setdefault(key >> 3, []).append(value)
    return fields


def numbers(fields, field):
    """A repeated number, packed or not; negative ones as they were."""
    found = []
    for value in fields.get(field, []):
        at = 0
        while isinstance(value, bytes) and at < len(value):
            number, at = varint(value, at)
            found.append(number)
        if isinstance(value, int):
            found.append(value)
    return [n - (1 << 64) if n >> 63 else n for n in found]


class Row:
    """
    One sample: the names of its frames, innermost first; its values; its labels (the last of each key); where the innermost
    is, as a file and an offset in it.
    """

    def __init__(self, frames, values, labels, place):
        self.frames, self.values, self.labels, self.place = frames, values, labels, place


class Profile:
    def __init__(self, data):
        fields = message(gzip.decompress(data))
        strings = [text.decode("utf-8", "replace") for text in fields[6]]

        def text(fields, field):
            return strings[fields.get(field, [0])[0]]
        functions = {f[1][0]: text(f, 2) for f in map(message, fields.get(5, []))}
        mappings = {mapping[1][0]: mapping for mapping in map(message, fields.get(3, []))}
        locations, places = {}, {}
        for location in map(message, fields.get(4, [])):
            lines = [functions[message(line).get(1, [0])[0]] for line in location.get(4, [])]
            address = location.get(3, [0])[0]
            locations[location[1][0]] = lines or [hex(address)]
            mapping = mappings.get(location.get(2, [0])[0], {})
            places[location[1][0]] = text(mapping, 5), address - mapping.get(2, [0])[0] + mapping.get(4, [0])[0]
        self.types = [text(message(kind), 1) for kind in fields.get(1, [])]
        self.duration_ns = fields.get(10, [0])[0]
        self.period = fields.get(12, [0])[0]
        self.rows = []
        for sample in map(message, fields.get(2, [])):
            labels = {text(label, 1): text(label, 2) or label.get(3, [0])[0] for label in map(message, sample.get(3, []))}
            stack = numbers(sample, 1)
            frames = [name for number in stack for name in locations[number]]
            self.rows.append(Row(frames, numbers(sample, 2), labels, places[stack[0]] if stack else None))

    def total(self, kind, function=None):
        """The sum of one sample type, over rows with `function` on their stack."""
        column = self.types.index(kind)
        return sum(row.values[column] for row in self.rows if not function or function in row.frames)


def read(path):
    with open(path, "rb") as f:
        return Profile(f.read())


class Served:
    """A program under `ctrace record --http`, with its standard input and output in our hands."""

    def __init__(self, ctrace, command, options=()):
        self.process = subprocess.Popen([ctrace, "record", "--http", "127.0.0.1:0", *options, "--", *command], text=True,
                                        stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        said = self.process.stderr.readline()
        self.base = re.search(r"(http://\S+?)/?$", said.strip())[1]

    def get(self, path):
        with urllib.request.urlopen(f"{self.base}/{path}", timeout=60) as reply:
            return reply.read()

    def profile(self, path):
        return Profile(self.get(path))

    def end(self):
        """Ends its input; its exit status."""
        self.process.stdin.close()
        self.process.stdout.read()
        return self.process.wait(60)

"""What threads.py, stacks.py and heap_tail.py share: a program of tests/tracer/service under `ctrace record --http`."""

import os
import re
import subprocess
import sys
import tempfile
import time
import urllib.request

build = os.path.abspath(sys.argv[1])


def fail(text):
    sys.exit(f"FAIL: {text}")


class Served:
    """The program under `ctrace record --http`; its standard input ends with the block."""

    def __init__(self, name, *words, env=None, options=()):
        self.said = tempfile.TemporaryFile("w+")
        program = f"{build}/tests/tracer/service/service-{name}"
        self.process = subprocess.Popen([f"{build}/ctrace", "record", "--http", "127.0.0.1:0", *options, "--", program, *words],
                                        stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=self.said, text=True, env=env)
        until = time.monotonic() + 20
        self.base = None
        while not self.base and time.monotonic() < until:
            time.sleep(0.02)
            self.said.seek(0)
            found = re.search(r" (http://\S+)/$", self.said.read(), re.M)
            self.base = found and found.group(1)
        if not self.base:
            fail("it does not say where it serves")
        while ">threads<" not in self.get(""):          # the program has not come up yet
            if time.monotonic() > until:
                fail("the program is not served")
            time.sleep(0.02)

    def __enter__(self):
        return self

    def __exit__(self, kind, value, trace):
        self.process.stdin.close()
        self.rest = self.process.stdout.read()
        self.status = self.process.wait(60)
        self.said.seek(0)
        self.errors = self.said.read()

    def get(self, path):
        with urllib.request.urlopen(f"{self.base}/{path}", timeout=30) as reply:
            return reply.read().decode(errors="replace")

    def order(self, word):
        """Writes a line to the program; the line that it answers."""
        self.process.stdin.write(word + "\n")
        self.process.stdin.flush()
        return self.process.stdout.readline()

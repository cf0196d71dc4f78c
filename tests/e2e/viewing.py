"""What the tests of `ctrace view` share: a running viewer, and ways to ask it."""

import json
import os
import re
import signal
import subprocess
import sys
import tempfile

from serving import curl, expect, settles

build = os.path.abspath(sys.argv[1])
ctrace = f"{build}/ctrace"
root = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))


class Viewer:
    """`ctrace view` of some files; at the end it is interrupted, must exit with 0 and leave nothing but what it should."""

    def __init__(self, *words, folder=None, home=None, environment=None):
        self.home = home or tempfile.mkdtemp(prefix="ctrace-view-home-", dir=folder)
        env = {k: v for k, v in os.environ.items() if k not in ("DISPLAY", "WAYLAND_DISPLAY", "SSH_CONNECTION")}
        env |= {"XDG_CONFIG_HOME": self.home, "XDG_CACHE_HOME": f"{self.home}/cache", "TZ": "UTC", **(environment or {})}
        self.process = subprocess.Popen([ctrace, "view", *words], cwd=folder, env=env, stdout=subprocess.PIPE,
                                        stderr=subprocess.PIPE, text=True)
        self.line = self.process.stdout.readline().rstrip("\n")
        match = re.fullmatch(r"http://([^/]+):(\d+)/\?token=([A-Za-z0-9_-]{32})", self.line)
        if not match:
            raise AssertionError(f"no URL but {self.line!r}, {self.process.stderr.read()}")
        self.port, self.token = int(match[2]), match[3]

    def __enter__(self):
        return self

    def __exit__(self, kind, value, trace):
        self.process.send_signal(signal.SIGINT)
        rest, self.said = self.process.communicate(timeout=30)
        if not kind:
            expect((self.process.returncode, rest), (0, ""), f"the end of ctrace view: {self.said}")

    def url(self, path):
        return f"http://127.0.0.1:{self.port}{path}"

    def ask(self, path, *options, method=None):
        """Status, headers, body; with the token."""
        return curl(self.url(path), "-H", f"Authorization: Bearer {self.token}", *options, method=method)

    def json(self, path, *options, status=200, method=None):
        got, headers, body = self.ask(path, *options, method=method)
        expect((got, headers["content-type"]), (status, "application/json"), f"{path}: {body[:200]}")
        return json.loads(body.encode("latin-1"))

    def error(self, path, status, *options, method=None):
        return self.json(path, *options, status=status, method=method)["error"]

    def ready(self):
        settles(lambda: self.json("/api/progress")["state"], "ready", "the index", 30)
        return self


# --- of what grows ---

def state(v):
    return v.json("/api/progress")["state"]


def starts(v):
    try:
        settles(lambda: v.json("/api/progress")["covered_ns"] > 0, True, "the first second", 10)
    except AssertionError:
        raise AssertionError(f'nothing came: {v.json("/api/progress")}') from None


def more_than(v, events):
    return v.json("/api/meta")["trace"]["events"] > events


def rows_of(v):
    return [(lane["id"], lane["kind"], [row["id"] for row in lane["rows"]]) for lane in v.json("/api/lanes")["lanes"]]

"""What inside.py and inside_life.py share: the program that serves itself (inside.c), and who asks it."""

import os
import re
import shutil
import subprocess
import sys
import tempfile
import time

from serving import expect

build = os.path.abspath(sys.argv[1])
root = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
scratch = tempfile.mkdtemp(prefix="ctrace-inside-")


def compile_program(name, *flags, libraries=build):
    path = f"{scratch}/{name}"
    subprocess.run(["cc", "-g", "-O1", f"-I{root}/tracer", *flags, "-o", path, f"{root}/tests/e2e/inside.c", f"-L{build}",
                    f"-Wl,-rpath,{libraries}", "-Wl,--no-as-needed", "-lctrace", "-lctrace-rt", "-pthread"], check=True)
    return path


class Program:
    """The program, running; its end is checked."""

    def __init__(self, *before, path=None, **environment):
        self.err = open(f"{scratch}/err", "w+")
        kept = {name: value for name, value in os.environ.items() if not name.startswith("CTRACE_")}
        self.process = subprocess.Popen([*before, path or program], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                        stderr=self.err, text=True, env={**kept, **environment}, cwd=scratch)
        self.pid = self.process.pid

    def __enter__(self):
        return self

    def __exit__(self, kind, value, trace):
        arenas = sessions(self.pid)
        self.process.stdin.close()
        status = self.process.wait(20)
        self.said = self.errors()
        self.err.close()
        if not kind:
            assert status == 7, f"exit status {status}: {self.said}"
            assert not any(os.path.exists(os.path.dirname(arena)) for arena in arenas), "a session's directory is left behind"

    def ask(self, order):
        self.process.stdin.write(order + "\n")
        self.process.stdin.flush()
        return self.process.stdout.readline().strip()

    def errors(self):
        with open(f"{scratch}/err") as file:
            return file.read()

    def url(self, path="", pid=None):
        base = self.ask("url")
        assert base.startswith("http://127.0.0.1:"), base
        return base + path + (("&" if "?" in path else "?") + f"pid={pid}" if pid else "")


def sessions(pid):
    """Files of arenas that this process has mapped."""
    try:
        with open(f"/proc/{pid}/maps") as maps:
            return sorted(set(re.findall(r"/dev/shm/ctrace-\d+-\w+/\w{32}$", maps.read(), re.M)))
    except OSError:
        return []


def pprof(url, *words):
    done = subprocess.run(["go", "tool", "pprof", *words, url], capture_output=True, text=True,
                          env={**os.environ, "PPROF_TMPDIR": scratch, "HOME": scratch, "GOCACHE": scratch})
    assert done.returncode == 0, done.stderr
    return done.stdout


def download(url, name):
    path = f"{scratch}/{name}"
    done = subprocess.run(["curl", "-s", "-m", "20", "-o", path, "-w", "%{http_code}", url], capture_output=True, text=True)
    expect(done.stdout, "200", url)
    return path


def info(path):
    done = subprocess.run([f"{build}/ctrace", "info", path], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return done.stdout

def main(*tests):
    """Runs the tests, or those that the command line names."""
    global program, own
    for tool in ("go", "curl", "cc"):
        if not shutil.which(tool):
            print(f"{tool} is not installed")
            sys.exit(77)
    try:
        program = compile_program("program")
        own = compile_program("own", "-DOWN_WEB_SERVER", "-rdynamic")
        for test in tests:
            if not sys.argv[2:] or test.__name__ in sys.argv[2:]:
                began = time.monotonic()
                test()
                print(f"{test.__name__}: {time.monotonic() - began:.1f} s")
    finally:
        shutil.rmtree(scratch, ignore_errors=True)

#!/usr/bin/python3
"""
profiled_tests.py BUILD: examples/profiled_tests by `meson test --wrap` and CTest, with the commands that its files tell: a CPU
and a heap profile of each test, read by pprof; a test that fails still fails.
"""

import glob
import os
import re
import shutil
import subprocess
import sys
import tempfile

build = os.path.abspath(sys.argv[1])
example = os.path.abspath(f"{os.path.dirname(sys.argv[0])}/../../examples/profiled_tests")


def commands(file):
    """Those of its first comment, but for pprof's."""
    with open(f"{example}/{file}", encoding="utf-8") as text:
        found = re.findall(r"^#   (.*)$", text.read(), re.M)
    return [line for line in found if not line.startswith("go ")]


def run(folder, lines):
    """Ninja is what a machine that builds ctrace has; make is CMake's own choice."""
    script = "set -e\n" + "\n".join(lines)
    environment = dict(os.environ, PATH=f"{build}:{os.environ['PATH']}", CMAKE_GENERATOR="Ninja")
    return subprocess.run(["bash", "-c", script], cwd=folder, env=environment,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False)


def top(folder, pattern):
    files = glob.glob(f"{folder}/{pattern}")
    done = subprocess.run(["go", "tool", "pprof", "-top", *files], capture_output=True, text=True, check=False,
                          env=dict(os.environ, PPROF_TMPDIR=scratch, HOME=scratch, GOCACHE=scratch))
    assert done.returncode == 0, done.stderr
    return len(files), done.stdout


def runner(name, file, failing):
    folder = f"{scratch}/{name}"
    shutil.copytree(example, folder)
    done = run(folder, commands(file))
    assert done.returncode == 0 and not glob.glob(f"{folder}/**/trace.out", recursive=True), done.stdout
    count, said = top(folder, "cpu.*.pb.gz")
    assert count == 2 and re.search(r"\bby_value\b", said, re.M) and re.search(r"\bcount_bits\b", said, re.M), f"{count}\n{said}"
    count, said = top(folder, "mem.*.pb.gz")
    assert count == 2 and "Type: inuse_space" in said, f"{count}\n{said}"
    with open(f"{folder}/{file}", "a", encoding="utf-8") as text:
        text.write(failing)
    shutil.rmtree(f"{folder}/build")
    done = run(folder, commands(file))
    assert done.returncode != 0 and re.search(r"Fail: +1\b|1 tests? failed", done.stdout), done.stdout
    assert len(glob.glob(f"{folder}/cpu.*.pb.gz")) == 2 + 3, "profiles of all three tests"
    print(f"{name}: ok", flush=True)


with tempfile.TemporaryDirectory(prefix="ctrace-tests-") as scratch:
    missing = [tool for tool in ("go", "meson", "cmake", "ctest") if not shutil.which(tool)]
    if missing:
        print(f"not installed: {' '.join(missing)}")
        sys.exit(77)
    runner("meson", "meson.build", "\ntest('fail', words, args: 'fail')\n")
    runner("cmake", "CMakeLists.txt", "\nadd_test(NAME fail COMMAND words fail)\n")

#!/usr/bin/python3
"""The page of `ctrace view`: its types, its unit tests, and chromium on it by mouse, by touch and by keys.

    browser.py BUILD [long]        long adds what axe finds and how long a frame takes
"""
import os
import re
import shutil
import subprocess
import sys

TESTS = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
WEB = os.path.join(os.path.dirname(TESTS), "web")
QUICK = ["timeline", "tools", "pictures", "pages", "real"]
NOT_COPIED = ("node_modules", "dist")


def skip(why):
    print("not run:", why)
    sys.exit(77)


def need():
    for command in ("node", "npm", "chromium"):
        if not shutil.which(command):
            skip(f"there is no {command}")
    said = subprocess.run(["node", "--version"], capture_output=True, text=True).stdout
    version = re.match(r"v(\d+)", said)
    if not version or int(version.group(1)) < 18:
        skip(f"node is {said.strip()}, 18 is the least")


def read(path):
    try:
        with open(path, encoding="utf-8") as file:
            return file.read()
    except OSError:
        return ""


def packages(work):
    """What the page and its tests need, installed once for each state of the lock file."""
    stamp, lock = os.path.join(work, "node_modules", ".lock"), read(os.path.join(WEB, "package-lock.json"))
    if read(stamp) == lock:
        return
    done = subprocess.run(["npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--prefer-offline"], cwd=work,
                          stdin=subprocess.DEVNULL, capture_output=True, text=True)
    if done.returncode != 0:
        skip("npm cannot install the page's packages: " + done.stderr[-300:])
    with open(stamp, "w", encoding="utf-8") as file:
        file.write(lock)


def start(work, *words, **environment):
    """A command of the packages, without the time that npx takes to find it."""
    return subprocess.Popen(["node", os.path.join("node_modules", ".bin", words[0]), *words[1:]], cwd=work,
                            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                            errors="replace", env=dict(os.environ, CI="true", NO_COLOR="1", **environment))


def end(title, process):
    said = process.communicate()[0]
    print(said[-6000:])
    if process.returncode != 0:
        sys.exit(f"{title} failed")


def main(build, long=False):
    need()
    work = os.path.join(os.path.abspath(build), "page-tests")
    if os.path.isdir(work):
        for name in os.listdir(work):
            if name not in NOT_COPIED:
                path = os.path.join(work, name)
                shutil.rmtree(path) if os.path.isdir(path) else os.unlink(path)
    shutil.copytree(WEB, work, ignore=shutil.ignore_patterns(*NOT_COPIED), dirs_exist_ok=True)
    packages(work)
    types = start(work, "tsc", "--noEmit")
    end("building the page", start(work, "vite", "build"))
    end("the unit tests", start(work, "vitest", "run", "--project", "unit"))
    end("checking types", types)
    files = [] if long else [f"tests/e2e/{name}.test.ts" for name in QUICK]
    end("the page in chromium", start(work, "vitest", "run", "--project", "e2e", *files, CTRACE_BUILD=os.path.abspath(build)))


main(sys.argv[1], "long" in sys.argv[2:])

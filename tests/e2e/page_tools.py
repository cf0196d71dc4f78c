"""The page's own tools - vite, vitest, tsc, chromium - in a copy of web/ below a build folder."""
import os
import re
import shutil
import subprocess
import sys

TESTS = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
WEB = os.path.join(os.path.dirname(TESTS), "web")
NOT_COPIED = ("node_modules", "dist")


def missing():
    """Why they cannot run here, or nothing."""
    for command in ("node", "npm", "chromium"):
        if not shutil.which(command):
            return f"there is no {command}"
    said = subprocess.run(["node", "--version"], capture_output=True, text=True).stdout
    version = re.match(r"v(\d+)", said)
    return None if version and int(version.group(1)) >= 18 else f"node is {said.strip()}, 18 is the least"


def no_page(build):
    """Why there is no page in that build's ctrace, and what helps; or nothing."""
    embedded = os.path.join(build, "page_assets.bin")
    if os.path.exists(embedded) and os.path.getsize(embedded) > 0:
        return None
    return f"the ctrace in {build} has no page: meson configure -Dweb=auto there, and build again"


def read(path):
    try:
        with open(path, encoding="utf-8") as file:
            return file.read()
    except OSError:
        return ""


def copy(build):
    """web/ as it is now, in BUILD/page-tests; what is installed there stays."""
    work = os.path.join(os.path.abspath(build), "page-tests")
    if os.path.isdir(work):
        for name in os.listdir(work):
            if name not in NOT_COPIED:
                path = os.path.join(work, name)
                shutil.rmtree(path) if os.path.isdir(path) else os.unlink(path)
    shutil.copytree(WEB, work, ignore=shutil.ignore_patterns(*NOT_COPIED), dirs_exist_ok=True)
    return work


def install(work):
    """Packages, once for each state of the lock file.  Why they cannot be had, or nothing."""
    stamp, lock = os.path.join(work, "node_modules", ".lock"), read(os.path.join(WEB, "package-lock.json"))
    if read(stamp) == lock:
        return None
    done = subprocess.run(["npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--prefer-offline"], cwd=work,
                          stdin=subprocess.DEVNULL, capture_output=True, text=True)
    if done.returncode != 0:
        return "npm cannot install the page's packages: " + done.stderr[-300:]
    with open(stamp, "w", encoding="utf-8") as file:
        file.write(lock)
    return None


def start(work, *words, **environment):
    """A command of the packages, without the time that npx takes to find it."""
    return subprocess.Popen(["node", os.path.join("node_modules", ".bin", words[0]), *words[1:]], cwd=work,
                            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                            errors="replace", env=dict(os.environ, CI="true", NO_COLOR="1", **environment))


def end(title, process, show=True):
    """What it said, when it was right."""
    said = process.communicate()[0]
    if show or process.returncode != 0:
        print(said[-6000:])
    if process.returncode != 0:
        sys.exit(f"{title} failed")
    return said

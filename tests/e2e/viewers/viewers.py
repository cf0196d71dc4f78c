"""What the viewers' tests share: the browser drivers' home in the build folder, and running them."""
import json
import os
import shutil
import subprocess
import sys
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
TESTS = os.path.dirname(os.path.dirname(HERE))
DRIVERS = ["browser.mjs", "catapult.mjs", "phone.mjs", "speedscope.mjs", "package.json", "package-lock.json"]


def skip(why):
    print("not run:", why)
    sys.exit(77)


def need(*commands):
    for command in commands:
        if not shutil.which(command):
            skip(f"there is no {command}")


def drivers(build):
    """Installs the drivers and what they need into BUILD/viewers, once."""
    need("node", "npm", "chromium")
    home = os.path.join(build, "viewers")
    os.makedirs(home, exist_ok=True)
    fresh = not os.path.isdir(os.path.join(home, "node_modules"))
    for name in DRIVERS:
        source, copy = os.path.join(HERE, name), os.path.join(home, name)
        if name.startswith("package") and not fresh:
            fresh = open(source).read() != open(copy).read()
        shutil.copy(source, copy)
    if fresh:
        done = subprocess.run(["npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund"], cwd=home,
                              capture_output=True, text=True)
        if done.returncode != 0:
            shutil.rmtree(os.path.join(home, "node_modules"), ignore_errors=True)
            skip("npm cannot install the drivers' packages: " + done.stderr[-300:])
    return home


def run(home, driver, traces):
    """The driver's report on each trace."""
    done = subprocess.run(["node", driver, *traces], cwd=home, capture_output=True, text=True, timeout=280)
    if done.returncode != 0:
        sys.exit(f"{driver} failed: {done.stderr[-3000:]}")
    return json.loads(done.stdout)


class Workshop:
    """A folder for traces, gone at the end."""

    def __init__(self, build):
        self.build = build
        self.ctrace = os.path.join(build, "ctrace")
        self.folder = tempfile.mkdtemp(prefix="ctrace-viewers-")

    def __enter__(self):
        return self

    def __exit__(self, *_):
        shutil.rmtree(self.folder, ignore_errors=True)

    def path(self, name):
        return os.path.join(self.folder, name)

    def convert(self, trace, output, *options):
        subprocess.run([self.ctrace, "convert", *options, "-o", self.path(output), trace], check=True,
                       stderr=subprocess.DEVNULL)
        return self.path(output)

    def golden(self, name, suffix=".json"):
        """tests/golden/NAME.txt, converted."""
        trace = self.path(name + ".out")
        subprocess.run([self.ctrace, "assemble", "-o", trace, os.path.join(TESTS, "golden", name + ".txt")], check=True)
        return self.convert(trace, name + suffix)

    def record(self, name):
        """What the example NAME does, recorded and converted."""
        trace = self.path(name + ".out")
        program = os.path.join(self.build, "examples", name)
        subprocess.run([self.ctrace, "record", "-o", trace, "--", program], check=True, cwd=self.folder,
                       stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, timeout=60)
        return self.convert(trace, name + ".json")

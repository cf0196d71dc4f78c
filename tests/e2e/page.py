#!/usr/bin/python3
"""page.py BUILD [script|modes]: where the page of `ctrace view` comes from: web/dist, npm in the build folder, or nowhere, which is said."""

import os
import re
import shutil
import subprocess
import sys
import tempfile

from viewing import root

scratch = tempfile.mkdtemp(prefix="ctrace-page-")
SCRIPT = f"{root}/viewer/view/page.py"
tree = f"{scratch}/tree"


def run(*words, status=0, **more):
    done = subprocess.run(words, capture_output=True, text=True, **more)
    assert done.returncode == status, f"{words}: {done.returncode}: {done.stdout} {done.stderr}"
    return done.stdout + done.stderr


def assets(*words, **more):
    """The C that comes of it, and what was said."""
    said = run("/usr/bin/python3", SCRIPT, *words, f"{scratch}/a.c", f"{scratch}/a.bin", f"{scratch}/a.d", **more)
    with open(f"{scratch}/a.c", encoding="utf-8") as file:
        return file.read(), said


def tools(**programs):
    """A folder with programs, the only ones besides the usual."""
    folder = tempfile.mkdtemp(dir=scratch)
    for name, text in programs.items():
        with open(f"{folder}/{name}", "w", encoding="ascii") as file:
            file.write(f"#!/bin/sh\n{text}\n")
        os.chmod(f"{folder}/{name}", 0o755)
    return dict(os.environ, PATH=f"{folder}:/usr/bin:/bin")


def make_dist(folder):
    os.makedirs(f"{folder}/assets")
    for name, text in (("index.html", "<!doctype html><title>a page</title>\n"), ("assets/index-abCD1234.js", "1;\n" * 1000), ("x.svg", "<svg/>")):
        with open(f"{folder}/{name}", "w", encoding="ascii") as file:
            file.write(text)


def script():
    """What is embedded, by name; the same bytes each time; what fails is an error, or a reason where going on is allowed."""
    make_dist(f"{scratch}/dist")
    first, said = assets("embed", f"{scratch}/dist")
    assert "no licenses.txt" in said and "/licenses.txt" not in first, said
    assert re.search(r'"/assets/index-abCD1234\.js", "text/javascript; charset=utf-8", .*, 3000, true', first), first
    assert re.search(r'"/index\.html", "text/html; charset=utf-8", .*false', first) and "image/svg+xml" in first, first
    with open(f"{scratch}/a.bin", "rb") as file:
        blob = file.read()
    again, _ = assets("embed", f"{scratch}/dist")
    with open(f"{scratch}/a.bin", "rb") as file:
        assert (again, file.read()) == (first, blob), "another page of the same files"
    web = f"{scratch}/web"
    os.makedirs(f"{web}/tests")
    for name in ("package.json", "package-lock.json", "tests/one"):
        with open(f"{web}/{name}", "w", encoding="ascii") as file:
            file.write('{"packages":{}}')
    good = tools(npm=f'[ "$1" != ci ] || mkdir node_modules; [ "$1" != run ] || cp -r {scratch}/dist dist')
    made, _ = assets("build", web, f"{scratch}/work", env=good)
    assert "/index.html" in made and "/licenses.txt" in made and not os.path.exists(f"{scratch}/work/tests"), made
    make_dist(f"{web}/dist")            # as `npm run build` leaves it, with the packages beside it
    os.makedirs(f"{web}/node_modules")
    beside, _ = assets("embed", f"{web}/dist")
    assert "/licenses.txt" in beside, beside
    shutil.rmtree(f"{web}/dist")
    os.rmdir(f"{web}/node_modules")
    assert sorted(os.listdir(web)) == ["package-lock.json", "package.json", "tests"], "something was written beside the sources"
    bad = tools(npm="echo no network; exit 1")
    made, said = assets("build", "--may-fail", web, f"{scratch}/other", env=bad)
    assert "npm ci failed" in made and "WARNING" in said and "no network" in said, (made, said)
    assert "npm ci failed" in assets("build", web, f"{scratch}/other", env=bad, status=1)[1]


def configure(mode, folder, environment=None, status=0):
    said = run("meson", "setup", f"{scratch}/{folder}", tree, "-Dtests=disabled", "-Dexamples=false", f"-Dweb={mode}", status=status,
               env=environment or os.environ)
    if status:
        return said, ""
    with open(f"{scratch}/{folder}/build.ninja", encoding="utf-8") as file:
        return said, re.search(r"page\.py (.*) page_assets\.c", file.read().replace("$ ", " "))[1]


def modes():
    """-Dweb: what each makes of a tree with and without web/dist, and of a machine without node."""
    shutil.copytree(root, tree, ignore=shutil.ignore_patterns("build", "build-*", ".git", "node_modules", "dist"))
    bare = tools(node="echo v16.0.0", npm="echo 8.0.0")
    said, command = configure("auto", "1", bare)
    assert "WARNING" in said and "node >= 18 and npm were not there" in said and " none " in f" {command} ", (said, command)
    configure("build", "2", bare, status=1)
    assert "there is no web/dist/index.html" in configure("prebuilt", "3", status=1)[0]
    said, command = configure("disabled", "4")
    assert "built without" not in said and "none" in command, (said, command)
    make_dist(f"{tree}/web/dist")
    for mode, folder in (("auto", "5"), ("prebuilt", "6")):
        assert f"embed {tree}/web/dist" in configure(mode, folder, bare)[1], mode


try:
    for part in [globals()[name] for name in sys.argv[2:]] or [script]:
        part()
finally:
    shutil.rmtree(scratch)

#!/usr/bin/python3
"""House rules a machine can see: which folder may include which, no circles, no file too long, nothing unfinished.

    tests/layers.py [ROOT]      prints each broken rule as FILE:LINE: sentence; exit status 1 when there is one
"""
import os
import re
import subprocess
import sys

# A folder may include itself and the folders (or single headers) named here.  The ladder is docs/architecture.md's.
ARROWS = {
    "tracer": [],
    "tracer/format": [],
    "tracer/record": ["tracer/format"],
    "tracer/profile": ["tracer/record", "tracer/format"],
    "tracer/wrap": ["tracer/profile", "tracer/record", "tracer/format"],
    # control_ask.h: the requests that the entry takes.
    "tracer/api": ["tracer/ctrace.h", "tracer/record/entry.h", "tracer/record/control_ask.h",
                   "tracer/record/rates.h", "tracer/format"],
    "tracer/drain": ["tracer/format"],
    "tracer/lttng": ["tracer/format"],
    "tracer/serve": ["tracer/drain", "converter/profile", "converter/symbols", "tracer/format"],
    "tracer/service": ["tracer/serve", "tracer/drain", "converter/profile", "converter/symbols", "converter/read", "tracer/format"],
    "converter": ["converter/gzip", "converter/read", "converter/model", "converter/profile", "converter/symbols", "tracer/format"],
    "converter/chrome": ["converter/json.h", "converter/output.h", "converter/read", "converter/model", "tracer/format"],
    "converter/text": ["converter/build.h", "converter/output.h", "converter/read", "tracer/format"],
    "converter/gzip": [],
    "converter/read": ["tracer/format"],
    "converter/model": ["converter/read", "tracer/format"],
    "converter/symbols": ["converter/read", "tracer/format"],
    "converter/index": ["converter/read", "converter/model", "tracer/format"],
    "converter/bt2": ["converter/build.h", "converter/output.h", "converter/read", "converter/symbols", "converter/profile/utf8.h", "tracer/format"],
    "converter/profile": ["converter/read", "converter/model", "converter/symbols", "converter/gzip", "tracer/format"],
    "viewer/view": ["converter", "converter/gzip", "converter/read", "converter/model", "converter/profile", "converter/symbols",
                    "converter/index", "tracer/serve", "tracer/format"],
    "viewer": ["viewer/view", "converter", "converter/chrome", "converter/text", "converter/bt2", "converter/read", "converter/model", "converter/profile", "converter/symbols", "converter/index",
               "tracer/drain", "tracer/service", "tracer/format"],
    "examples": ["tracer/ctrace.h"],
    "docs": ["tracer/format", "tracer/wrap/real.def", "tracer/wrap/syscalls.def"],
}
FREE = ("tests",)           # tests may include everything
LONGEST_FILE = 450
LONGEST_FUNCTION = 70

# Files, and functions as FILE:NAME, that break a rule, each with the reason why that is right.
DEBTS = {
    "tracer/ctrace.h": "C99, for compilers that may not know #pragma once",
    "tests/bench/lttng_provider.h": "LTTng reads a provider's header several times over: no #pragma once",
}

UNFINISHED = re.compile(r"\b(TODO|FIXME|XXX|HACK|for now|not implemented|placeholder|stub)\b")
# Chromium's driver does not await it: a promise is true, and the wait over at once.
WAITS_FOR_NOTHING = re.compile(r"waitForFunction\(\s*async\b")
SPELLS_THEM_OUT = ("tests/layers.py", "docs/hacking.md", "CONTRIBUTING.md")
INCLUDE = re.compile(r'^\s*#\s*include\s+"([^"]+)"')
FUNCTION = re.compile(r"^[A-Za-z_][^;=#]*\)?\s*$")

problems = []


def problem(path, line, sentence):
    problems.append(f"{path}:{line}: {sentence}")


def tracked(root):
    listing = subprocess.run(["git", "-C", root, "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
                             capture_output=True, text=True)
    if listing.returncode == 0:
        return sorted(p for p in listing.stdout.split("\0") if p and os.path.isfile(os.path.join(root, p)))
    return sorted(os.path.relpath(os.path.join(folder, name), root)       # a tarball
                  for folder, dirs, names in os.walk(root) for name in names
                  if not os.path.relpath(folder, root).startswith(("build", ".")) and not name.endswith(".pyc"))


def resolve(path, name, files):
    """The file of the tree that `path` means by #include "name"; None when it is a generated or foreign one."""
    for base in (os.path.dirname(path), "tracer", ""):
        candidate = os.path.normpath(os.path.join(base, name))
        if candidate in files:
            return candidate
    return None


def may_include(path, target):
    folder, other = os.path.dirname(path), os.path.dirname(target)
    if folder == other or folder.split("/")[0] in FREE:
        return True
    return folder in ARROWS and (other in ARROWS[folder] or target in ARROWS[folder])


def check_includes(texts):
    graph = {}
    for path, lines in texts.items():
        graph[path] = []
        for number, line in enumerate(lines, 1):
            found = INCLUDE.match(line)
            target = found and resolve(path, found.group(1), texts)
            if not target:
                continue
            graph[path].append(target)
            if not may_include(path, target):
                problem(path, number, f"{os.path.dirname(path)} may not include {target}")
    done, trail = set(), []

    def visit(path):
        if path in trail:
            problem(path, 1, "includes itself: " + " -> ".join(trail[trail.index(path):] + [path]))
        if path in done or path in trail:
            return
        trail.append(path)
        for target in graph[path]:
            visit(target)
        trail.pop()
        done.add(path)

    for path in graph:
        visit(path)


def check_functions(path, lines):
    start = name = None
    for number, line in enumerate(lines, 1):
        if FUNCTION.match(line):
            name = line
        if line == "{" and name:
            start = number
        elif line == "}" and start:
            if number - start > LONGEST_FUNCTION and f"{path}:{called(name)}" not in DEBTS:
                problem(path, start, f"{called(name)} has {number - start} lines, {LONGEST_FUNCTION} are the limit")
            start = None


def called(line):
    return line.split("(")[0].split()[-1].lstrip("*")


def check_file(path, lines):
    if len(lines) > LONGEST_FILE and path not in DEBTS:
        problem(path, len(lines), f"{len(lines)} lines, {LONGEST_FILE} are the limit: one noun a file")
    if path.endswith((".c", ".h")) and lines and not lines[0].startswith("/*"):
        problem(path, 1, "the first line says in a comment what lives here")
    if path.endswith(".h") and path not in DEBTS and "#pragma once" not in lines:
        problem(path, 1, "a header says #pragma once")
    if re.search(r"(^|/)utils?[./]", path):
        problem(path, 1, "there is no utils: a file is named after its noun")
    for number, line in enumerate(lines, 1):
        if UNFINISHED.search(line) and path not in SPELLS_THEM_OUT:
            problem(path, number, "unfinished work: " + line.strip())
        if WAITS_FOR_NOTHING.search(line):
            problem(path, number, "waitForFunction() does not wait for an async function")


def main():
    root = sys.argv[1] if len(sys.argv) > 1 else os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
    texts = {}
    for path in tracked(root):
        if path.endswith((".c", ".h", ".def", ".py", ".sh", ".js", ".ts")) or path.startswith(("tests/e2e/", "tests/lib/")):
            with open(os.path.join(root, path), encoding="utf-8") as file:
                texts[path] = file.read().splitlines()
    check_includes({p: t for p, t in texts.items() if p.endswith((".c", ".h", ".def"))})
    for path, lines in texts.items():
        check_file(path, lines)
        if path.endswith(".c"):
            check_functions(path, lines)
    for debt, reason in DEBTS.items():
        if debt.split(":")[0] not in texts or not reason:
            problem("tests/layers.py", 1, f"the debt {debt} names no file of the tree, or no reason")
    print("\n".join(problems) or f"{len(texts)} files keep the house rules")
    return 1 if problems else 0


sys.exit(main())

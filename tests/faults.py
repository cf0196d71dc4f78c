#!/usr/bin/python3
"""The map in docs/hacking.md from faults to tests: each test and case that it names exists, and no number is missing.

    tests/faults.py ROOT
"""
import glob
import os
import re
import sys

root = sys.argv[1]
WANTED = set(range(1, 101))
SECTIONS = ("## Nobody notices", "## What samplers of others got wrong")
problems = []


def text_of(*patterns):
    found = [path for pattern in patterns for path in glob.glob(os.path.join(root, "tests", pattern), recursive=True)]
    return "\n".join(open(path, encoding="utf-8").read() for path in found if os.path.isfile(path))


builds = text_of("**/meson.build")
harmless = text_of("harmless/meson.build")


def sources(test):
    """Where the cases of a test are spelled out."""
    base = test.removesuffix(".py")
    if base.startswith("harmless_"):
        return text_of(f"harmless/{base[9:]}.c", f"e2e/{base}", f"e2e/{base}.py")
    if base == "wrap":
        return text_of("tracer/wrap/*.c", "tracer/wrap/*.cpp", "e2e/wrap")
    script = re.search(r"\['" + re.escape(base) + r"', '([\w.]+)'", builds)     # a test with a case of a script
    return text_of(f"e2e/{script[1] if script else test}", f"e2e/{base}", f"e2e/{base}.py", f"e2e/{base}.c")


def check(line, test, *cases):
    program = test.startswith("harmless_") and f"'{test.removeprefix('harmless_')}'"
    if f"'{test}'" not in builds and f"'{test}.py'" not in builds and not (program and program in harmless):
        problems.append(f"docs/hacking.md:{line}: there is no test {test}")
        return
    text = sources(test)
    words = set(re.findall(r"[\w-]+", text))
    if "\ncases = {" in text or test.startswith("harmless_"):     # which have tables of theirs
        words = set(re.findall(r"""["']([\w-]+)["']""", text)) | set(re.findall(r"^(\w+)\(\) \{", text, re.M))
    for case in cases:
        if case not in words:
            problems.append(f"docs/hacking.md:{line}: {test} has no case {case}")


numbers = set()
with open(os.path.join(root, "docs", "hacking.md"), encoding="utf-8") as file:
    inside = False
    for number, row in enumerate(file, 1):
        if row.startswith("## "):
            inside = row.rstrip() in SECTIONS
        cells = [cell.strip() for cell in row.strip().strip("|").split("|")]
        if not inside or not row.startswith("| ") or cells[0] in ("no.", "what"):
            continue
        if re.fullmatch(r"[\d, ]+", cells[0]):
            numbers |= {int(n) for n in cells[0].split(",")}
        tests = re.findall(r"`([^`]+)`", cells[-1])
        if not tests:
            problems.append(f"docs/hacking.md:{number}: no test and no reason")
        for named in tests:
            check(number, *named.split())
if WANTED - numbers:
    problems.append(f"docs/hacking.md: nothing is said of {sorted(WANTED - numbers)}")
print("\n".join(problems) or f"{len(numbers)} faults")
sys.exit(bool(problems))

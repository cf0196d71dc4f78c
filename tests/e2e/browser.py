#!/usr/bin/python3
"""The page of `ctrace view`: its types, its unit tests, and chromium on it by mouse, by touch and by keys.

    browser.py BUILD [long]        long adds what axe finds and how long a frame takes
"""
import os
import sys

from page_tools import copy, end, install, missing, no_page, start

QUICK = ["timeline", "tools", "pictures", "pages", "real", "live"]


def skip(why):
    print("not run:", why)
    sys.exit(77)


def main(build, long=False):
    why = missing()
    if why:
        skip(why)
    work = copy(build)
    why = install(work)
    if why:
        skip(why)
    types = start(work, "tsc", "--noEmit")
    end("building the page", start(work, "vite", "build"))
    end("the unit tests", start(work, "vitest", "run", "--project", "unit"))
    end("checking types", types)
    files = [] if long else [f"tests/e2e/{name}.test.ts" for name in QUICK]
    end("the page in chromium", start(work, "vitest", "run", "--project", "e2e", *files, CTRACE_BUILD=os.path.abspath(build)))
    if no_page(build):
        skip(f"the tests of a real `ctrace view`, all others passed; {no_page(build)}")


main(sys.argv[1], "long" in sys.argv[2:])

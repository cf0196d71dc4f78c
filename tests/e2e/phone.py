#!/usr/bin/python3
"""
phone.py BUILD: the index of the debug server on a phone, in chromium: nothing is cut off at the right, what one taps is large enough,
nothing is small print, the forms lead to files.
"""
import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "viewers"))
import pprofs
import viewers

LONG = "a-program-whose-name-is-long-and-has-no-place-to-break-anywhere"
problems = []


def main(build):
    home = viewers.drivers(build)
    with viewers.Workshop(build) as shop:
        program = shop.path(LONG)
        os.symlink("/bin/sh", program)
        # Two processes, so that the index lists them.
        served = pprofs.Served(shop.ctrace, [program, "-c", "cat; true"], ["--http-token", "a-secret-token&<of> some length"])
        url = f"{served.base}/?token=a-secret-token%26%3Cof%3E+some+length"
        for report in viewers.run(home, "phone.mjs", [url]):
            for what in "errors", "outside", "low", "small":
                if report[what]:
                    problems.append(f"{what}: {report[what]}")
            if report["wide"] > 360:
                problems.append(f"it is {report['wide']} pixels wide")
            if [file["name"] for file in report["files"].values()] != ["profile", "trace"] or \
                    any(file["size"] < 50 for file in report["files"].values()):
                problems.append(f"its forms get {report['files']}")
            if len(report["links"]) < 12 or not all("token=a-secret-token" in link for link in report["links"]):
                problems.append(f"links: {report['links']}")
        served.end()


main(os.path.abspath(sys.argv[1]))
if problems:
    sys.exit("\n".join(problems))

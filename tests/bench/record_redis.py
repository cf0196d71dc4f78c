#!/usr/bin/python3
"""record_redis.py BUILD DATA TRACE SECONDS: records redis-server, everything on, while it is asked; the viewer's benchmark of a real trace."""

import os
import shutil
import sys
import time

import programs
from server import Server

ROUNDS = 2000


def main(build, data, trace, seconds):
    folder = f"{data}/recorded"
    os.makedirs(folder, exist_ok=True)
    server = Server(build, folder, "redis", before=[f"{build}/ctrace", "record", "-o", trace, "--"])
    try:
        until, asked = time.monotonic() + float(seconds), 0
        while time.monotonic() < until:
            asked += server.serve(ROUNDS)
    finally:
        server.end()
        shutil.rmtree(folder, ignore_errors=True)
    programs.show("view.recorded.requests", asked, "requests")


main(*sys.argv[1:5])

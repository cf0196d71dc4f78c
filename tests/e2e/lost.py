#!/usr/bin/python3
"""
lost.py BUILD: what is lost is told where it is missing, and how much it was, in text and in Chrome's JSON.

The program numbers its events (a write of so many bytes); in the middle it stops the drainer, until its buffer has long been
full.  Each gap between two numbers has a LOST in it that says how many are missing.
"""

import json
import os
import re
import subprocess
import sys
import tempfile

build = os.path.abspath(sys.argv[1])
ctrace = f"{build}/ctrace"
EVENT = re.compile(r"(\S+) \S+ (?:IO(?:_SLOW)? .*call=write fd=\d+ result=(\d+)|LOST count=(\d+))")
EVENTS = 400000
SOURCE = r"""
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <time.h>
#include <unistd.h>

static char bytes[500000];

static void spin(int ms)        /* without an event */
{
    struct timespec t;
    long until;

    clock_gettime(CLOCK_MONOTONIC, &t);
    until = t.tv_sec * 1000 + t.tv_nsec / 1000000 + ms;
    do
        clock_gettime(CLOCK_MONOTONIC, &t);
    while (t.tv_sec * 1000 + t.tv_nsec / 1000000 < until);
}

static void *number(void *parent)
{
    int null = open("/dev/null", O_WRONLY);

    for (int i = 1; i <= 400000; i++) {
        if (i == 1000)
            kill((pid_t)(long)parent, SIGSTOP);
        if (i == 399000) {
            kill((pid_t)(long)parent, SIGCONT);
            spin(700);
        }
        (void)!write(null, bytes, (size_t)i);
    }
    return NULL;
}

int main(void)
{
    pthread_t t;

    pthread_create(&t, NULL, number, (void *)(long)getppid());
    pthread_join(t, NULL);
    return 0;
}
"""


def fail(text):
    sys.exit(f"FAIL: {text}")


def read_text(trace):
    """(time, number, 0) of writes and (time, 0, count) of losses, in order."""
    text = subprocess.run([ctrace, "convert", "-t", "text", "-o", "-", trace], stdout=subprocess.PIPE, check=True, text=True).stdout
    return [(float(m[1]), int(m[2] or 0), int(m[3] or 0)) for m in map(EVENT.match, text.splitlines()) if m]


def check_places(rows):
    """The time of each loss."""
    last, missing, losses = 0, 0, []
    for time, number, count in rows:
        if count:
            missing += count
            losses.append((time, count))
            continue
        gone = number - last - 1
        if not gone <= missing <= gone + (5 if gone else 0):            # a descriptor is described once more now and then
            fail(f"between {last} and {number} {missing} are said to be lost")
        last, missing = number, 0
    if last != EVENTS or not losses or sum(count for _, count in losses) < 100000:
        fail(f"the last is {last}, of {EVENTS}; lost: {losses}")
    return losses


def check_chrome(trace, losses):
    done = subprocess.run([ctrace, "convert", "-o", "-", trace], stdout=subprocess.PIPE, check=True)
    events = json.loads(done.stdout)["traceEvents"]
    told = [(event["ts"] / 1e6, int(event["name"].split()[0])) for event in events if event["name"].endswith(" events lost")]
    if [count for _, count in told] != [count for _, count in losses] or \
            any(abs(a[0] - b[0]) > 1e-6 for a, b in zip(told, losses)):
        fail(f"Chrome's JSON tells {told}, the text {losses}")


with tempfile.TemporaryDirectory(prefix="ctrace-lost-") as scratch:
    with open(f"{scratch}/numbers.c", "w", encoding="ascii") as file:
        file.write(SOURCE)
    subprocess.run(["cc", "-O1", "-pthread", "-o", f"{scratch}/numbers", f"{scratch}/numbers.c"], check=True)
    subprocess.run([ctrace, "record", "--only", "io", "--buffer", "1M", "-o", f"{scratch}/trace", "--", f"{scratch}/numbers"],
                   check=True, stderr=subprocess.DEVNULL, timeout=120)
    lost = check_places(read_text(f"{scratch}/trace"))
    check_chrome(f"{scratch}/trace", lost)
    print(f"{sum(count for _, count in lost)} of {EVENTS} events were lost in {len(lost)} places")

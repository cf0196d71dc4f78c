#!/usr/bin/python3
"""
production.py BUILD: what docs/production.md says is so: its unit is one for systemd, its YAML is YAML, its files are there, and a
trace goes the way it tells: wget in the place where the program is, a copy, and reading where the program is not.
"""

import glob
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time

from serving import Recorded, build, curl, expect

ctrace = f"{build}/ctrace"
tree = os.path.abspath(f"{os.path.dirname(sys.argv[0])}/../..")
with open(f"{tree}/docs/production.md", encoding="utf-8") as page:
    text = page.read()


def blocks(kind):
    return re.findall(rf"^```{kind}\n(.*?)^```$", text, re.M | re.S)


def words():
    """What it links to is there; its commands and options are ctrace's; each program that it says tests something is a test."""
    for link in re.findall(r"\]\((\.\./[^)]+)\)", text):
        assert os.path.exists(f"{tree}/docs/{link}"), link
    known = subprocess.run([ctrace, "record", "--help"], capture_output=True, text=True, check=True).stdout
    for option in set(re.findall(r"(?:`|record )(--(?:http|no|buffer)[a-z-]*)", text)):
        assert option in known, f"{option} is no option"
    for variable in set(re.findall(r"CTRACE_[A-Z_]+", text)):
        assert variable in known, f"{variable} is no variable"
    with open(f"{tree}/tests/meson.build", encoding="utf-8") as file:
        tests = file.read()
    for name in re.findall(r"`(?:tests/e2e/)?([a-z_]+\.py)`", text):
        assert f"'{name}'" in tests, f"{name} is no test"
    dockerfile = blocks("dockerfile")[0]
    with open(f"{tree}/packages.txt", encoding="utf-8") as file:
        needed = [word for line in file if line.startswith("build ") for word in line.split("#")[0].split()[1:]]
    for package in set(needed) - {"libcurl4-openssl-dev"}:      # what is looked at is looked at elsewhere: no `ctrace view` there
        if "?" in package:
            continue
        assert re.search(rf"(^| ){re.escape(package)}( |$)", dockerfile, re.M), f"the Dockerfile lacks {package}"


def unit():
    """The drop-in, for a unit such as there are, is taken by systemd."""
    if not shutil.which("systemd-analyze"):
        print("  not tried: systemd-analyze is not installed")
        return
    folder = f"{scratch}/units"
    os.makedirs(f"{folder}/server.service.d")
    with open(f"{folder}/server.service", "w", encoding="ascii") as file:
        file.write("[Unit]\nDescription=A server\n[Service]\nType=notify\nExecStart=/usr/bin/true --old\n")
    drop_in = blocks("ini")[0].replace("/usr/bin/ctrace", ctrace)
    with open(f"{folder}/server.service.d/ctrace.conf", "w", encoding="ascii") as file:
        file.write(drop_in)
    done = subprocess.run(["systemd-analyze", "verify", "--man=no", f"{folder}/server.service"], capture_output=True, text=True,
                          env=dict(os.environ, SYSTEMD_UNIT_PATH=f"{folder}:"))
    said = [line for line in done.stderr.splitlines() if "server.service" in line or "ctrace.conf" in line]
    expect((done.returncode, said), (0, []), "systemd-analyze verify")
    with open(f"{folder}/server.service.d/ctrace.conf", "a", encoding="ascii") as file:
        file.write("KillMode=never-heard-of\n")
    done = subprocess.run(["systemd-analyze", "verify", "--man=no", f"{folder}/server.service"], capture_output=True, text=True,
                          env=dict(os.environ, SYSTEMD_UNIT_PATH=f"{folder}:"))
    assert "kill mode" in done.stderr, "it would not have noticed"


def yaml_blocks():
    """The manifests are YAML, and name their volumes alike."""
    try:
        import yaml
    except ImportError:
        print("  not tried: python3-yaml is not installed")
        return
    rows = [yaml.safe_load(block) for block in blocks("yaml")]
    pod = rows[0]["spec"]
    volumes = {volume["name"] for volume in pod["volumes"]}
    for container in pod["initContainers"] + pod["containers"]:
        assert {mount["name"] for mount in container["volumeMounts"]} <= volumes, container
    assert pod["containers"][0]["command"][:3] == ["/opt/ctrace/bin/ctrace", "record", "--http"], pod
    for row in rows[1:]:
        assert row["scrape_configs"][0]["static_configs"][0]["targets"], row


PROGRAM = r"""
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <unistd.h>

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;

__attribute__((noinline)) static void holds_the_lock(void)
{
    pthread_mutex_lock(&lock);
    usleep(3000);
    pthread_mutex_unlock(&lock);
}

static void *work(void *unused)
{
    for (;;)
        holds_the_lock();
    return unused;
}

static void leave(int number) { _exit(number == SIGTERM ? 7 : 8); }

int main(void)
{
    pthread_t thread;

    signal(SIGTERM, leave);
    for (int i = 0; i < 2; i++)
        pthread_create(&thread, NULL, work, NULL);
    poll(NULL, 0, -1);
    return 0;
}
"""


def way_of_a_trace():
    """wget beside the program, a copy, and reading where neither the program nor its libraries are; a port-forward; the end."""
    inside, elsewhere = f"{scratch}/pod", f"{scratch}/elsewhere"
    os.mkdir(inside), os.mkdir(elsewhere)
    with open(f"{inside}/server.c", "w", encoding="ascii") as file:
        file.write(PROGRAM)
    subprocess.run(["cc", "-g", "-O1", "-o", f"{inside}/server", f"{inside}/server.c", "-pthread"], check=True)
    getters = [name for name in ("wget", "busybox wget") if shutil.which(name.split()[0])]
    with Recorded([f"{inside}/server"], folder=inside, environment={"CTRACE_HTTP_TOKEN": "se-cret"}, token="se-cret") as r:
        asked = re.search(r"wget -q -O (\S+) \"(\S+)\"'", text)
        url = asked[2].replace("$CTRACE_HTTP_TOKEN", "se-cret").replace("6060", str(r.port)).replace("seconds=30", "seconds=1")
        for number, getter in enumerate(getters):
            subprocess.run([*getter.split(), "-q", "-O", f"{inside}/trace.{number}", url], check=True)
        expect(curl(f"http://127.0.0.1:{r.port}/debug/pprof/heap", "-H", "Host: localhost:16060", "-u", "x:se-cret")[0], 200,
               "by a port-forward")
        os.kill(r.process.pid, signal.SIGTERM)
        until = time.monotonic() + 30
        while r.process.poll() is None and time.monotonic() < until:
            time.sleep(0.05)
        expect(r.process.returncode, 7, "the status after the SIGTERM that ctrace passed on")
    for number in range(len(getters)):
        shutil.copy(f"{inside}/trace.{number}", f"{elsewhere}/trace.{number}")
    shutil.rmtree(inside)
    for trace in sorted(glob.glob(f"{elsewhere}/trace.*")):
        assert ": complete" in subprocess.run([ctrace, "info", trace], capture_output=True, text=True, check=True).stdout, trace
        subprocess.run([ctrace, "convert", "-o", f"{trace}.json.gz", trace], check=True)
        said = subprocess.run(["gzip", "-dc", f"{trace}.json.gz"], capture_output=True, check=True).stdout
        assert b"holds_the_lock" in said and b"MUTEX" in said.upper(), f"{trace} lacks names"
    print(f"  by {' and '.join(getters)}")


with tempfile.TemporaryDirectory(prefix="ctrace-production-") as scratch:
    for test in (words, unit, yaml_blocks, way_of_a_trace):
        began = time.monotonic()
        test()
        print(f"{test.__name__}: ok ({time.monotonic() - began:.1f} s)", flush=True)

#!/usr/bin/python3
"""
like_go.py BUILD [CASE...]: the same requests to net/http/pprof of a Go program and to ctrace: status, headers and sentences are
the same to the byte, texts have the same lines in the same columns, and profiles the same types.

What is different on purpose is in tests/tracer/serve/endpoints.c and serve.py: HEAD measures nothing, paths that step about.
"""

import http.client
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time

build = os.path.abspath(sys.argv[1])
root = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))

GO = r"""
package main

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/http"
	_ "net/http/pprof"
	"os"
	"regexp"
	"runtime"
	"runtime/pprof"
	"sync"
	"text/tabwriter"
	"time"
)

var kept [][]byte

// What is read is set anew, as runtime/pprof sets it.
func tabs() {
	w := tabwriter.NewWriter(os.Stdout, 1, 8, 1, '\t', 0)
	lines := bufio.NewReader(os.Stdin)
	several := regexp.MustCompile("\t+")
	for {
		line, err := lines.ReadString('\n')
		io.WriteString(w, several.ReplaceAllString(line, "\t"))
		if err != nil {
			break
		}
	}
	w.Flush()
}

func main() {
	if len(os.Args) > 1 {
		tabs()
		return
	}
	runtime.SetBlockProfileRate(1)
	runtime.SetMutexProfileFraction(1)
	pprof.NewProfile("mine").Add(&kept, 0)
	var lock sync.Mutex
	for i := 0; i < 3; i++ {
		go func() {
			for {
				lock.Lock()
				time.Sleep(2 * time.Millisecond)
				lock.Unlock()
			}
		}()
	}
	for i := 0; i < 8; i++ {
		kept = append(kept, make([]byte, 1<<20))
	}
	listener, _ := net.Listen("tcp", "127.0.0.1:0")
	fmt.Println(listener.Addr().(*net.TCPAddr).Port)
	go http.Serve(listener, nil)
	io.Copy(io.Discard, os.Stdin)
}
"""

C = r"""
#include <ctrace.h>
#include <pthread.h>
#include <stdlib.h>
#include <unistd.h>

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;

__attribute__((noinline)) static void *hold(void *unused)
{
    for (;;) {
        pthread_mutex_lock(&lock);
        usleep(2000);
        pthread_mutex_unlock(&lock);
    }
    return unused;
}

__attribute__((noinline)) static void allocate_it_all(void)
{
    for (int i = 0; i < 8; i++)
        *(volatile char *)malloc(1 << 20) = 1;
}

int main(void)
{
    pthread_t thread;
    char byte;

    trace_profile_add(trace_profile_new("mine"), &lock, 0);
    for (int i = 0; i < 3; i++)
        pthread_create(&thread, NULL, hold, NULL);
    allocate_it_all();
    while (read(0, &byte, 1) > 0)
        ;
    return 0;
}
"""

PROFILES = "allocs", "block", "goroutine", "heap", "mine", "mutex", "threadcreate"
PLAIN = [
    "/", "/debug", "/debug/", "/debug/pprofx", "/debug/pprof", "/debug/pprof/", "/debug/pprof/nosuch", "/debug/pprof/Heap",
    "/debug/pprof/heap/", "/debug/pprof/heap/x", "/debug/pprof/nosuch?seconds=x", "/debug/pprof/nosuch?seconds=1&debug=1",
    "/debug/pprof/he%61p", "/debug/pprof%2Fheap", "/debug/pprof/cmdline", "/debug/pprof/cmdline?seconds=1&debug=x",
    "/debug/pprof/symbol", "/debug/pprof/symbol?0", "/debug/pprof/symbol?1+0x2+zzz+", "/debug/pprof/profile?seconds=1",
    "/debug/pprof/trace?seconds=0.1", "/debug/pprof/trace?seconds=1e-1&debug=1",
]
QUERIES = [
    "", "debug=0", "debug=1", "debug=-1", "debug=x", "debug=1x", "debug=+1", "debug=%2B1", "debug=", "debug=99999999999999999999",
    "debug=1&debug=0", "debug=0&debug=1", "debug=%zz&debug=1", "DEBUG=1", "gc=1", "gc=x&debug=1", "seconds=", "seconds=&seconds=1",
    "seconds=abc", "seconds=0", "seconds=-1", "seconds=1.5", "seconds=0x1", "seconds=1_0", "seconds=%201", "seconds=9999999999999999999",
    "seconds=x&debug=1", "seconds=1&debug=1", "seconds=1&debug=-1", "seconds=1;debug=1", "seconds=%zz", "seconds", "&&", "=1",
]
DELTAS = ["seconds=1", "seconds=%31&debug=0", "seconds=%2B1&debug=x", "seconds=1&gc=1"]
HEADERS = "Content-Type", "Content-Disposition", "X-Go-Pprof", "X-Content-Type-Options", "Location"

problems = []


def expect(got, wanted, what):
    if got != wanted:
        problems.append(f"{what}: {got!r:.300}, Go says {wanted!r:.300}")


def ask(port, path, method="GET"):
    """Status and headers, and the body."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
    connection.request(method, path)
    reply = connection.getresponse()
    body = reply.read()
    connection.close()
    return (reply.status, *(reply.headers[name] for name in HEADERS)), body


def replies(go, ours):
    """Statuses and headers, and the bodies that are sentences."""
    paths = PLAIN + [f"/debug/pprof/{name}?{query}" for name in PROFILES for query in QUERIES]
    paths += [f"/debug/pprof/{name}?{query}" for name in ("heap", "mine", "goroutine") for query in DELTAS]
    for path in paths:
        (head, body), (our_head, our_body) = ask(go, path), ask(ours, path)
        if head[0] == 301:                          # we say nosniff there, too
            head = (*head[:4], our_head[4], head[5])
        expect(our_head, head, path)
        if head[0] != 200 or "/symbol" in path:
            expect(our_body, body, path)
        if "seconds=1" not in path and not path.startswith("/debug/pprof/trace"):       # which Go measures
            (head, body), (our_head, our_body) = ask(go, path, "HEAD"), ask(ours, path, "HEAD")
            expect((our_head[0], our_body), (head[0], body), f"HEAD {path}")


# ---- texts ----

NAME = r"#\t+0x[0-9a-f]+\t+\S.*\+0x[0-9a-f]+\t+\S.*:\d+"
LINES = {
    "heap": [r"heap profile: \d+: \d+ \[\d+: \d+\] @ heap/\d+", r"\d+: \d+ \[\d+: \d+\] @( 0x[0-9a-f]+)*", NAME, "", "# .*"],
    "block": ["--- contention:", r"cycles/second=\d+", r"\d+ \d+ @( 0x[0-9a-f]+)*", NAME, ""],
    "mutex": ["--- mutex:", r"cycles/second=\d+", r"sampling period=1", r"\d+ \d+ @( 0x[0-9a-f]+)*", NAME, ""],
    "count": [r"NAME profile: total \d+", r"\d+ @( 0x[0-9a-f]+)*", NAME, "", "# labels: .*"],
}
LINES["allocs"] = LINES["heap"]
WITHOUT_FILE = r"#\t+0x[0-9a-f]+(\t+\S.*\+0x[0-9a-f]+)?"       # of a library that tells nothing of its lines


def columns(text):
    """The same text as Go would have set it."""
    return subprocess.run(["./go", "tabs"], input=text, capture_output=True, text=True, check=True).stdout


def check_lines(name, text, more, who):
    """Each line is one of Go's, and each name stands below its record, with the address of a call."""
    patterns = [p.replace("NAME", name) for p in LINES.get(name, LINES["count"])] + more
    for line in text.split("\n"):
        if not any(re.fullmatch(pattern, line) for pattern in patterns):
            problems.append(f"{name}, {who}: {line!r}")
            break
    records = re.findall(r"@((?: 0x[0-9a-f]+)*)\n((?:#.*\n)*)", text)
    for addresses, names in records:
        calls = {int(word, 16) - 1 for word in addresses.split()}
        named = {int(word, 16) for word in re.findall(r"^#\t+(0x[0-9a-f]+)", names, re.M)}
        if not (named <= calls if who == "Go" else named == calls):
            problems.append(f"{name}, {who}: {names} of {addresses}")
            break
    if not records or ("\n#\t" not in text and name != "threadcreate"):
        problems.append(f"{name}, {who}: no names in {text[:300]!r}")


def texts(go, ours):
    found = {}
    for name in PROFILES:
        path = f"/debug/pprof/{name}?debug=1"
        text, our_text = (ask(port, path)[1].decode() for port in (go, ours))
        check_lines(name, text.replace("\n#\t0x0\n", "\n"), [], "Go")      # a stack of nothing
        check_lines(name, our_text, [WITHOUT_FILE, "# without a stack: .*", "# mutex .*"], "ctrace")
        for who, one in ("Go", text), ("ctrace", our_text):
            if columns(one) != one:
                problems.append(f"{name}, {who}: its columns\n{one[:400]}")
        for address, function, into in re.findall(r"^#\t+(0x[0-9a-f]+)\t+(\w+)\+(0x[0-9a-f]+)\t", our_text, re.M):
            found[function] = int(address, 16) - int(into, 16)
    each = ask(ours, "/debug/pprof/goroutine?debug=2")[1].decode()
    if not re.search(r"^hold\(\)\n\t/\S+/ours\.c:\d+ \+0x[0-9a-f]+\n", each, re.M):
        problems.append(f"debug=2 of threads: {each[:400]}")
    symbols = {line.split()[2]: int(line.split()[0], 16)
               for line in subprocess.run(["nm", "ours"], capture_output=True, text=True, check=True).stdout.splitlines()
               if len(line.split()) == 3}
    for one in "hold", "allocate_it_all":
        expect(found.get(one, 0) - found.get("main", 0), symbols[one] - symbols["main"], f"from where main begins to {one}")


# ---- profiles ----

def types(data, name):
    """What stands above the samples, as pprof reads it."""
    with open(name, "wb") as f:
        f.write(data)
    environment = dict(os.environ, PPROF_TMPDIR=".", HOME=os.getcwd(), GOCACHE=os.getcwd())
    said = subprocess.run(["go", "tool", "pprof", "-raw", name], capture_output=True, text=True, check=True, env=environment).stdout
    lines = said.replace("[dflt]", "").split("\n")
    return [line for line in lines if line.startswith("Period")] + [lines[lines.index("Samples:") + 1].strip()]


def kinds(go, ours):
    """Types of samples and periods."""
    for name in (*PROFILES, "profile"):             # the last one may have no sample: who waits uses no time
        path = f"/debug/pprof/{name}" + ("?seconds=1" if name == "profile" else "")
        expect(types(ask(ours, path)[1], f"{name}.ours"), types(ask(go, path)[1], f"{name}.go"), f"types of {name}")


# ---- both ----

def start():
    """Both programs; their ports."""
    for name, text in ("go.go", GO), ("ours.c", C):
        with open(name, "w", encoding="utf-8") as f:
            f.write(text)
    environment = dict(os.environ, GOCACHE=os.getcwd() + "/cache", GOFLAGS="-mod=mod", GO111MODULE="off", HOME=os.getcwd())
    subprocess.run(["go", "build", "-o", "go", "go.go"], check=True, env=environment)
    subprocess.run(["cc", "-g", "-O1", f"-I{root}/tracer", "-o", "ours", os.path.abspath("ours.c"), f"-L{build}", f"-Wl,-rpath,{build}",
                    "-lctrace", "-lctrace-rt", "-pthread"], check=True)
    go = subprocess.Popen(["./go"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    ours = subprocess.Popen([f"{build}/ctrace", "record", "--http", "127.0.0.1:0", "--", "./ours"], stdin=subprocess.PIPE,
                            stderr=subprocess.PIPE, text=True)
    return go, int(go.stdout.readline()), ours, int(re.search(r":(\d+)/", ours.stderr.readline())[1])


def main():
    go, go_port, ours, our_port = start()
    try:
        time.sleep(1)
        for case in replies, texts, kinds:
            if not sys.argv[2:] or case.__name__ in sys.argv[2:]:
                began = time.monotonic()
                case(go_port, our_port)
                print(f"{case.__name__}: {time.monotonic() - began:.1f} s", flush=True)
    finally:
        for process in go, ours:
            process.stdin.close()
            process.wait(60)
    expect(ours.returncode, 0, "the program's status")


if not shutil.which("go"):
    print("go is not installed")
    sys.exit(77)
with tempfile.TemporaryDirectory(prefix="ctrace-go-") as scratch:
    os.chdir(scratch)
    main()
    os.chdir("/")
if problems:
    sys.exit("\n".join(problems[:20]))

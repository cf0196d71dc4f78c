#!/usr/bin/python3
"""
serve_crowd.py BUILD: 64 clients at once for 10 s, some of them slow or dropping.  Every whole reply is whole, a short reply
does not take longer than 100 ms, and nothing is left over.
"""

import re
import socket
import threading
import time

from serving import Probe, Server, expect, get, receive_all


def crowd():
    stop, wrong, counts = time.monotonic() + 10, [], {"ok": 0, "short": 0}
    paths = ["heap", "allocs?debug=1", "threads?debug=2", "symbol?0x1001", "cmdline", "", "mine", "large",
             "profile?seconds=1", "heap?seconds=1", "trace?seconds=0.5"]

    def client(number):
        turn = number
        while time.monotonic() < stop:
            turn += 1
            path = "/debug/pprof/" + paths[turn % len(paths)]
            try:
                with s.connect() as c:
                    if number % 8 == 0:             # sends slowly, and not all
                        for byte in get(path).encode()[:30]:
                            c.sendall(bytes([byte]))
                            time.sleep(0.1)
                        continue
                    c.sendall(get(path).encode())
                    if number % 8 == 1:             # goes away
                        c.recv(1)
                        continue
                    if number % 8 == 2:             # reads a byte a second
                        c.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 2048)
                        while time.monotonic() < stop and c.recv(1):
                            time.sleep(1)
                        continue
                    got = receive_all(c)
                head, _, body = got.partition(b"\r\n\r\n")
                length = re.search(rb"Content-Length: (\d+)", head)
                whole = len(body) == int(length.group(1)) if length else body.endswith(b"0\r\n\r\n")
                if not head.startswith(b"HTTP/1.1 200") or not whole:
                    wrong.append(f"{path}: {got[:80]} ({len(body)} bytes)")
                counts["ok"] += 1
            except OSError as error:
                wrong.append(f"{path}: {error}")

    def resident():
        with open(f"/proc/{s.pid}/statm", encoding="ascii") as file:
            return int(file.read().split()[1]) * 4096

    with Server() as s:
        threads = [threading.Thread(target=client, args=(number,)) for number in range(64)]
        probe = Probe(s.port, s.pid, 9, ["/debug/pprof/cmdline", "/debug/pprof/heap", "/debug/pprof/symbol?0x1001", "/metrics"])
        for t in threads:
            t.start()
        probe.end()
        for t in threads:
            t.join()
        time.sleep(1)
        assert not wrong, f"{len(wrong)} of {counts['ok']} went wrong: {wrong[:5]}"
        expect(s.metric("host_traces_open"), 0, "traces left over")
        assert resident() < 64 << 20, f"{resident() >> 20} MiB resident"
    print(f"  {counts['ok']} whole replies; {probe}")
    probe.check(0.1, 100)


crowd()

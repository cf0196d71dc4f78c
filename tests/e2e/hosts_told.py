#!/usr/bin/python3
"""
hosts_told.py BUILD: clocks of two machines are compared by what LTTng was told, which is stamped when it is told and not when it was done.
The server loses its CPU within a call's telling: behind what its descriptor is, behind the CPU that it goes on at, before the call itself.
What it tells before its answer it tells after that has arrived, and nothing may follow from that but wider bounds.
"""

import json
import os
import subprocess
import sys
import tempfile

ctrace = os.path.abspath(f"{sys.argv[1]}/ctrace")
AHEAD = 5_000_000           # ns that the server's clock is ahead
US, MS = 1000, 1_000_000
MESSAGES = 50


def write(path, host, lines):
    """`lines`: when it was told, in ns, and what."""
    head = f"""program 1 pid=10 parent=0 uid=0 start_time=0 clock=monotonic ticks_per_second=1000000000 cpus=0 categories=0x0 \
run={'0' * 31}{host[-1]} arena={'0' * 31}{host[-1]} boot={'0' * 31}{host[-1]} host="{host}" name="talk" arguments="" version="lttng-ust" system=""
end 1 reason=exit status=0 lost=0 text=""
generation 1:1 start=0/0/0 pause=0 kind=0 end=1000000000/1000000000/1000000000 lost=0 flags=0
thread 1:1 tid=10 parent=0 routine=0x0 name="" state=running reason=0 object=0x0 lost=0
"""
    with open(path, "w", encoding="ascii") as f:
        f.write(head)
        for ns, told in lines:
            f.write(f"{ns // 10**9}.{ns % 10**9:09d} 1:1 {told}\n")


def talk(late):
    """What client and server tell of messages each 100 us, each 10 us on its way.  `late`: what the server tells before it loses its CPU."""
    client = [(MS, "IO dur=30000 call=connect fd=4 result=0"), (MS, 'FD fd=4 kind=4 name="10.0.0.2:7000"')]
    server = [(0, 'FD fd=3 kind=4 name="at 10.0.0.2:7000"'), (MS, "IO dur=900000 call=accept fd=3 result=5"),
              (MS, 'FD fd=5 kind=4 name="10.0.0.1:40000"')]
    for i in range(MESSAGES):
        sent = 2 * MS + i * 100 * US
        client += [(sent, "IO dur=5000 call=send fd=4 result=4"), (sent + 40 * US, "IO dur=35000 call=recv fd=4 result=4")]
        server += [(sent + 10 * US, "IO dur=20000 call=recv fd=5 result=4")]
        if i == MESSAGES // 2:                  # done at 25, told at 60, when the client has it since long
            server += [(sent + 45 * US, late), (sent + 60 * US, "IO dur=3000 call=send fd=5 result=4")]
        else:
            server += [(sent + 25 * US, "IO dur=3000 call=send fd=5 result=4")]
    client += [(900 * MS, "IO dur=100 call=close fd=4 result=0")]
    server += [(900 * MS, "IO dur=100 call=close fd=5 result=0")]
    write("client.txt", "web1", client)
    write("server.txt", "web2", [(ns + AHEAD, told) for ns, told in server])


def clock():
    for name in ("client", "server"):
        subprocess.run([ctrace, "assemble", "-o", f"{name}.trace", f"{name}.txt"], check=True)
    info = subprocess.run([ctrace, "info", "--json", "client.trace", "server.trace"], check=True, capture_output=True, text=True).stdout
    return {p["host"]: p["host_clock"] for p in json.loads(info)["programs"]}


def main():
    with tempfile.TemporaryDirectory(prefix="ctrace-told-") as scratch:
        os.chdir(scratch)
        for late in ('FD fd=5 kind=4 name="10.0.0.1:40000"', "CPU cpu=1", "CPU_SAMPLE weight=10000000 at=-"):
            talk(late)
            found = clock()["web2"]
            assert found["how"] == "compared" and found["messages"] >= MESSAGES, (late, found)
            assert abs(found["offset_ns"] + AHEAD) <= found["uncertain_ns"] <= 50 * US, (late, found)
            print(f"{late}: found to {(found['offset_ns'] + AHEAD) / 1e3:.1f} us, and said to +-{found['uncertain_ns'] / 1e3:.1f} us")
        os.chdir("/")


main()

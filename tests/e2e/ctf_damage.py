#!/usr/bin/python3
"""
ctf_damage.py BUILD: damaged CTF, of kernels, of user space and of ours.  Packets that are cut, another UUID, metadata that is none: babeltrace2's
causes as one chain, and exit 1.  Words of the metadata, any bytes: a trace, or one chain and exit 1, whatever was done to it.  Meant for builds with sanitizers, whose reports are looked for
also where the process that reads CTF is silent.  Exit 77 where babeltrace2's Python bindings are not.
"""

import glob
import os
import random
import re
import shutil
import sys
import tempfile

import ctf_needed
from lttng_session import run

build = os.path.abspath(sys.argv[1])
tests = os.environ.get("TESTS_DIR", os.path.abspath(f"{os.path.dirname(sys.argv[0])}/.."))
ctrace = f"{build}/ctrace"
MS, US = 10**6, 10**3
rounds = int(sys.argv[2]) if len(sys.argv) > 2 else 8


def kernel():
    """A bit of everything that the kernel tells."""
    tasks = [(0, "swapper/0"), (100, "server"), (101, "worker"), (30, "kworker/0:1")]
    events = [(10, 0, "lttng_statedump_process_state", {"tid": 100, "pid": 100, "ppid": 1, "name": "server", "type": 0, "mode": 5, "submode": 0,
                                                        "status": 5, "cpu": 0})]
    for i in range(1, 60):
        prev, after = tasks[i % 4], tasks[(i + 1) % 4]
        events += [(i * 100, i % 2, "sched_switch", {"prev_comm": prev[1], "prev_tid": prev[0], "prev_prio": 20, "prev_state": i % 3,
                                                     "next_comm": after[1], "next_tid": after[0], "next_prio": 20}),
                   (i * 100 + 1, i % 2, "syscall_entry_read", {"fd": 5, "count": 100}),
                   (i * 100 + 2, i % 2, "irq_handler_entry", {"irq": 4, "name": "disk"}),
                   (i * 100 + 3, i % 2, "sched_waking", {"comm": prev[1], "tid": prev[0], "prio": 120, "target_cpu": 0}),
                   (i * 100 + 4, i % 2, "irq_handler_exit", {"irq": 4, "ret": 1}),
                   (i * 100 + 5, i % 2, "syscall_exit_read", {"ret": 100, "buf": 0x2000})]
    return [(ns * US, *rest) for ns, *rest in events] + [(3001 * US, 0, "lost events", {"count": 7, "until": 5000 * US})]


USER = {"shop:order_begin": "id:i32", "shop:order_end": "id:i32", "lttng_ust_libc:malloc": "size:u64 ptr:u64",
        "lttng_ust_libc:realloc": "in_ptr:u64 size:u64 ptr:u64", "lttng_ust_pthread:pthread_mutex_lock_req": "mutex:u64",
        "lttng_ust_pthread:pthread_mutex_lock_acq": "mutex:u64 status:i32", "lttng_ust_pthread:pthread_mutex_unlock": "mutex:u64 status:i32",
        "lttng_ust_statedump:bin_info": "baddr:u64 memsz:u64 path:s is_pic:u8 has_build_id:u8",
        "lttng_ust_cyg_profile:func_entry": "addr:u64 call_site:u64", "lttng_ust_cyg_profile:func_exit": "addr:u64 call_site:u64"}


def user():
    chance, events = random.Random(1), [(1, 0, "lttng_ust_statedump:bin_info", {"baddr": 0x400000, "memsz": 0x10000, "path": "/bin/true",
                                                                               "is_pic": 1, "has_build_id": 0})]
    for i in range(2, 200):
        name = chance.choice(list(USER)[:7] + list(USER)[8:])
        fields = {field.split(":")[0]: chance.choice([0, 1, 0x400100, 0x400200]) for field in USER[name].split()}
        events.append((i, i % 2, name, fields))
    return [(ns * US, cpu, name, {**fields, "context": {"vpid": 100, "vtid": 100 + cpu, "procname": "shop", "ip": 0x400300}})
            for ns, cpu, name, fields in events] + [(90 * US, 1, "lost events", {"count": 7, "until": 110 * US})]


def make(making):
    os.makedirs("all")
    making.write("all/kernel", {**making.KERNEL, "hostname": "web1"}, kernel())
    making.write("all/user", {**making.USER, "hostname": "web1"}, user(), USER, "vpid:i32 vtid:i32 procname:s ip:u64")
    for name in ("generations", "losses", "mutex"):
        run(ctrace, "assemble", "-o", f"{name}.trace", f"{tests}/golden/{name}.txt")
        run(ctrace, "convert", "-t", "ctf", "-o", f"all/{name}", f"{name}.trace")


def change(path, work):
    with open(path, "rb") as f:
        content = bytearray(f.read())
    with open(path, "wb") as f:
        f.write(work(content))


# --- what is always found, and what is said of it ---

def that_are_read(paths):
    """What our own CTF says twice, for other viewers, is not."""
    return [path for path in paths if os.path.getsize(path) and "/states" not in path]


def packets(content):
    """Where they begin."""
    return [m.start() for m in re.finditer(re.escape(bytes(content[:20])), bytes(content))]


def cut_packet(chance, folder):
    path = chance.choice(that_are_read(streams(folder)))
    change(path, lambda b: b[:chance.randrange(packets(b)[-1] + 60, len(b))])
    return (rf"[^\n]*: (Invalid packet size reported in file: stream=[^;]*|User function returned EOF[^;]*; [^\n]*); "
            rf"(Failed to index CTF stream file|Cannot get stream file's first packet)[^\n]*{path}[^\n]*")


def packet_of_another(chance, folder):
    def spoil(content):
        at = chance.choice(packets(content))
        content[at + 4 + chance.randrange(16)] ^= 1 << chance.randrange(8)
        return content
    path = chance.choice(that_are_read(streams(folder)))
    change(path, spoil)
    return rf"{path}: a packet has the UUID [0-9a-f-]{{36}}, and the metadata beside it [0-9a-f-]{{36}}: it is of another trace \(at byte \d+\)"


def metadata_of_another(chance, folder):
    path = chance.choice(that_are_read(metadata(folder)))
    change(path, lambda b: re.sub(rb'uuid = "........', b'uuid = "01234567', bytes(b), count=1))
    return r"[^\n]*: a packet has the UUID [0-9a-f-]{36}, and the metadata beside it 01234567-[0-9a-f-]{27}: it is of another trace \(at byte 0\)"


def metadata_cut(chance, folder):
    return spoil_metadata(chance, folder, lambda b: b[:b.rindex(b"}") - chance.randrange(3)])


def metadata_no_words(chance, folder):
    return spoil_metadata(chance, folder, lambda b: b.replace(b"struct", b"strukt", 1))


def metadata_unknown_type(chance, folder):
    spoil_metadata(chance, folder, lambda b: bytes(b).replace(b"integer {", b"nothing_known {", 1))
    return r"[^\n]*At line \d+ in metadata stream: [^\n]+; Cannot create [^\n]*"


def spoil_metadata(chance, folder, work):
    path = chance.choice(that_are_read(metadata(folder)))
    change(path, work)
    return rf"{os.path.dirname(path)}: At line \d+ in metadata stream: syntax error, unexpected [^\n]*; Cannot create [^\n]*"


EXACT = (cut_packet, packet_of_another, metadata_of_another, metadata_cut, metadata_no_words, metadata_unknown_type)


# --- anything ---

def metadata_words(chance, folder):
    words = [b"struct", b"integer", b"size = 32", b"size = 64", b"signed = true", b"variant", b"string", b"}", b"{", b"[3]", b"event", b"stream_id = 0",
             b"id = 0", b"align = 1", b"freq = 1000000000", b"\x00", b"cpu_id", b"enum", b"timestamp", b"offset = "]
    one, other = chance.choice(words), chance.choice(words)
    change(chance.choice(metadata(folder)), lambda b: bytes(b).replace(one, other, chance.choice([1, 2, -1])))


def any_bytes(chance, folder):
    def spoil(content):
        for _ in range(chance.choice([1, 3, 20])):
            at = chance.randrange(min(len(content), chance.choice([64, 4096, 1 << 20])))
            content[at] = chance.choice([0, 255, chance.randrange(256), content[at] ^ 1 << chance.randrange(8)])
        return content
    change(chance.choice([path for path in streams(folder) + metadata(folder) if os.path.getsize(path)]), spoil)


def streams(folder):
    return [path for path in sorted(glob.glob(f"{folder}/**", recursive=True)) if os.path.isfile(path) and not path.endswith("metadata")]


def metadata(folder):
    return sorted(glob.glob(f"{folder}/**/metadata", recursive=True))


def judge(what, r):
    reports = glob.glob("report*")
    assert not reports, (what, open(reports[0], encoding="utf-8", errors="replace").read()[:3000])
    assert r.returncode in (0, 1), (what, r)
    wanted = r"(ctrace: [^\n]+\n)*" if r.returncode == 0 else r"(ctrace: [^\n]+\n)*ctrace convert: [^\n]+\n"
    assert re.fullmatch(wanted, r.stderr) and "comp-addr" not in r.stderr, (what, r.stderr)
    assert os.path.exists("x.json") == (r.returncode == 0), what
    if r.returncode == 0:
        os.unlink("x.json")


def main():
    making = ctf_needed.making(build)
    with tempfile.TemporaryDirectory(prefix="ctrace-damage-") as scratch:
        os.chdir(scratch)
        make(making)
        reports = {name: os.environ.get(name, "") + f":log_path={scratch}/report" for name in ("ASAN_OPTIONS", "UBSAN_OPTIONS")}
        convert = lambda folder: run(ctrace, "convert", "-o", "x.json", folder, status=None, env={**os.environ, **reports})
        whole = convert("all")
        judge("whole", whole)
        assert whole.returncode == 0, whole
        for seed in range(rounds):
            for damage in EXACT:
                shutil.copytree("all", "some")
                wanted = damage(random.Random(seed), "some")
                r = convert("some")
                judge((damage.__name__, seed), r)
                assert r.returncode == 1 and re.fullmatch(rf"ctrace convert: {wanted}\n", r.stderr), (damage.__name__, seed, r, wanted)
                shutil.rmtree("some")
        ends = {0: 0, 1: 0}
        for seed in range(rounds):
            for damage in (metadata_words, any_bytes):
                shutil.copytree("all", "some")
                damage(random.Random(seed), "some")
                r = convert("some")
                judge((damage.__name__, seed), r)
                ends[r.returncode] += 1
                shutil.rmtree("some")
        assert rounds < 10 or min(ends.values()) > 3, f"damage that is none, or nothing but damage: {ends}"
        print(f"{ends[0]} traces, {ends[1]} sentences")
        os.chdir("/")


main()

#!/usr/bin/python3
"""As many calls are recorded as strace(1) sees, where a call of libc is a call of the kernel.

wrap_counts.py BUILD_DIR
"""
import collections
import os
import re
import shutil
import subprocess
import sys
import tempfile

BUILD = os.path.abspath(sys.argv[1])
HERE = os.path.join(BUILD, "tests", "tracer", "wrap")
RECORDER = os.path.join(BUILD, "libctrace-rt.so.0")

# Case of a program: recorded calls, and the system calls that they are.
SAME = {
    "calls names": [
        ("rename renameat", "rename renameat renameat2"), ("link linkat", "link linkat"), ("symlink", "symlink symlinkat"),
        ("unlink unlinkat remove", "unlink unlinkat"), ("mkdir", "mkdir mkdirat"), ("rmdir", "rmdir"),
        ("chmod", "chmod fchmodat fchmodat2"), ("chown lchown", "chown lchown fchownat"), ("truncate", "truncate"),
        ("utimensat", "utimensat"), ("statx", "statx"), ("statfs", "statfs"), ("chdir", "chdir"), ("creat", "creat openat"),
    ],
    "calls descriptors": [
        ("ftruncate", "ftruncate"), ("fallocate posix_fallocate", "fallocate"), ("fchmod", "fchmod"), ("fchown", "fchown"),
        ("fchdir", "fchdir"), ("readahead", "readahead"),
    ],
    "calls directories": [("unlink", "unlink unlinkat"), ("close closedir scandir", "close"), ("creat opendir scandir", "creat openat")],
    "calls file-locks": [("flock", "flock")],
    "calls between-processes": [("msgrcv", "msgrcv"), ("msgsnd", "msgsnd"), ("semop", "semop semtimedop")],
    "calls signals": [("pause", "pause ppoll"), ("sigsuspend", "rt_sigsuspend"), ("sigwait sigwaitinfo sigtimedwait", "rt_sigtimedwait")],
    "calls children": [("waitid", "waitid")],
    "calls memory": [("madvise", "madvise"), ("mremap", "mremap"), ("mlock", "mlock"), ("mprotect", "mprotect")],
    "calls others": [("tee", "tee")],
    "io files": [("pread", "pread64"), ("pwrite", "pwrite64"), ("writev", "writev"), ("fsync", "fsync"),
                 ("fdatasync", "fdatasync"), ("sync_file_range", "sync_file_range"), ("syncfs", "syncfs"), ("msync", "msync"),
                 ("sendfile", "sendfile"), ("copy_file_range", "copy_file_range")],
    "io sockets": [("connect", "connect"), ("accept", "accept accept4"), ("sendmsg", "sendmsg"), ("recvmsg", "recvmsg"),
                   ("sendmmsg", "sendmmsg"), ("recvmmsg", "recvmmsg"), ("send sendto", "sendto"), ("recv recvfrom", "recvfrom")],
    "io kinds": [("epoll_wait", "epoll_wait"), ("epoll_pwait", "epoll_pwait"), ("splice", "splice")],
}


def strace(words, scratch):
    path = os.path.join(scratch, "strace")
    subprocess.run(["strace", "-f", "-qq", "-o", path] + words, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                   stderr=subprocess.DEVNULL, check=False)
    with open(path, errors="replace") as file:
        return collections.Counter(m.group(1) for m in re.finditer(r"^\d+ +(\w+)\(", file.read(), re.M))


def record(words, scratch):
    path = os.path.join(scratch, "events")
    subprocess.run([os.path.join(HERE, "wrap-watch"), RECORDER, path] + words, stdin=subprocess.DEVNULL,
                   stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=False)
    with open(path, errors="replace") as file:
        return collections.Counter(re.findall(r" dur=\d+ call=(\w+) ", file.read()))


def main():
    if not shutil.which("strace") or not os.path.exists(os.path.join(HERE, "wrap-watch")):
        print("no strace, or not built")
        return 77
    bad = count = 0
    for case, pairs in SAME.items():
        program, name = case.split()
        path = os.path.join(HERE, "wrap-" + program)
        with tempfile.TemporaryDirectory() as scratch:
            before = strace([path, "no-such-case"], scratch)
            seen = strace([path, name], scratch)
            told = record([path, name], scratch)
        if not seen:
            print("strace may not trace here")
            return 77
        for calls, system in pairs:
            recorded = sum(told[c] for c in calls.split())
            real = sum(seen[c] - before[c] for c in system.split())
            count += 1
            if recorded != real or recorded == 0:
                bad += 1
                print(f"FAIL: {case}: {calls}: {recorded} recorded, strace sees {real} of {system}")
    print(f"{count} kinds of calls compared, {bad} differ")
    return bad != 0


sys.exit(main())

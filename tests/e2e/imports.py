#!/usr/bin/python3
"""What the programs and libraries of this machine import from libc and may wait in has a wrapper, or a reason.

imports.py BUILD_DIR [FOLDER...]        FOLDER: other places than those of Debian
"""
import collections
import glob
import os
import struct
import sys

BUILD = os.path.abspath(sys.argv[1])
FOLDERS = sys.argv[2:] or ["/usr/bin", "/usr/sbin"] + [found for pattern in (
    "/usr/lib/*-linux-gnu", "/usr/lib/postgresql/*/bin", "/usr/lib/postgresql/*/lib", "/usr/lib/apache2/modules") for found in glob.glob(pattern)]
SERVERS = ("redis-", "sqlite3", "xz", "pigz", "bash", "curl", "busybox", "nginx", "postgres", "memcached", "haproxy", "apache2", "mariadbd")
DYNSYM, UNDEFINED, FUNCTIONS = 11, 0, (0, 2, 10)        # NOTYPE, FUNC, IFUNC
OWN = "libc.so", "libc-", "ld-linux", "libpthread", "libresolv", "libnss_", "libanl", "librt.", "libdl.", "libctrace"


def symbols(path):
    """(name, is defined) of each dynamic function of an ELF file of 64 bits; nothing of others."""
    with open(path, "rb") as file:
        data = file.read()
    if data[:4] != b"\x7fELF" or data[4] != 2 or data[5] != 1:
        return
    at, = struct.unpack_from("<Q", data, 40)
    size, count = struct.unpack_from("<HH", data, 58)
    sections = [struct.unpack_from("<IIQQQQIIQQ", data, at + i * size) for i in range(count)]
    for section in sections:
        if section[1] != DYNSYM:
            continue
        strings = sections[section[6]][4]
        for i in range(section[5] // 24):
            name, info, _, index = struct.unpack_from("<IBBH", data, section[4] + i * 24)
            if info & 15 in FUNCTIONS and name:
                end = data.index(b"\0", strings + name)
                yield data[strings + name:end].decode("ascii", "replace"), index != UNDEFINED


def reviewed():
    """The functions that may wait: name -> why it is left out, or None."""
    names, reason = {}, None
    with open(os.path.join(os.path.dirname(os.path.abspath(__file__)), "imports.txt"), encoding="utf-8") as file:
        for line in file:
            if line.startswith("left: "):
                reason = line[6:].strip()
            elif not line.startswith("#"):
                for name in line.split():
                    if name in names:
                        sys.exit(f"FAIL: {name} stands in the list twice")
                    names[name] = reason
    return names


def files():
    seen = set()
    for folder in FOLDERS:
        for name in sorted(os.listdir(folder)):
            path = os.path.realpath(os.path.join(folder, name))
            if os.path.isfile(path) and path not in seen and not os.path.basename(path).startswith(OWN):
                seen.add(path)
                yield path


def main():
    names = reviewed()
    ours = {name for name, defined in symbols(os.path.join(BUILD, "libctrace-rt.so.0")) if defined}
    users, count = collections.defaultdict(list), 0
    for path in files():
        try:
            imported = {name for name, defined in symbols(path) if not defined}
        except (OSError, struct.error, ValueError, IndexError):
            continue                    # no file of ours to judge
        count += bool(imported)
        for name in imported & names.keys():
            users[name].append(path)
    bad = 0
    for name in sorted(names):
        if users[name] and name not in ours and not names[name]:
            bad += 1
            print(f"FAIL: {name} may wait and has no wrapper; imported by {len(users[name])}, such as {users[name][0]}")
        if names[name] and name in ours:
            bad += 1
            print(f"FAIL: {name} is said to be left out, and has a wrapper")
    if count < 20 or not ours:
        sys.exit(f"FAIL: only {count} files import anything")
    here = [name for name in SERVERS if any(os.path.basename(p).startswith(name) for ps in users.values() for p in ps)]
    left = sorted(name for name in names if names[name] and users[name])
    print(f"{count} files ({', '.join(here)}); {sum(1 for n in names if users[n])} of {len(names)} functions that may wait are "
          f"imported; without a wrapper: {' '.join(left)}")
    return bad != 0


sys.exit(main())

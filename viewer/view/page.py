#!/usr/bin/env python3
"""The page of `ctrace view`: from web/ to one C file that holds it.  Called by meson; nothing is written into the source tree.

    page.py embed DIST C BIN DEPS             a page that is built already
    page.py build [--may-fail] WEB WORK C BIN DEPS     builds it by npm in WORK, a copy of WEB, first
    page.py none REASON C BIN DEPS            no page
    page.py dist WEB WORK [--may-fail]        as meson's dist script: puts the built page into the tarball
"""
import gzip
import hashlib
import json
import os
import re
import shutil
import subprocess
import sys

TYPES = {
    ".html": "text/html; charset=utf-8", ".js": "text/javascript; charset=utf-8", ".css": "text/css; charset=utf-8",
    ".svg": "image/svg+xml", ".png": "image/png", ".ico": "image/x-icon", ".woff2": "font/woff2", ".json": "application/json",
    ".wasm": "application/wasm", ".txt": "text/plain; charset=utf-8", ".webmanifest": "application/manifest+json",
}
# vite's names: a change of the contents is a change of the name.
HASHED = re.compile(r"^assets/.*[-.][A-Za-z0-9_-]{8,}\.[a-z0-9]+$")
LEFT_OUT = ("node_modules", "dist", "tests")
SAYS_LICENSE = re.compile(r"^(licen[cs]e|copying|notice)", re.I)


def files_below(folder, left_out=()):
    """Paths below a folder, relative to it, in an order that does not depend on the file system."""
    found = []
    for base, dirs, names in os.walk(folder):
        dirs[:] = sorted(d for d in dirs if d not in left_out)
        found += [os.path.relpath(os.path.join(base, name), folder) for name in sorted(names)]
    return found


def folders_below(folder, left_out=()):
    found = []
    for base, dirs, _ in os.walk(folder):
        dirs[:] = sorted(d for d in dirs if d not in left_out)
        found.append(base)
    return found


def write(path, text):
    with open(path, "w", encoding="utf-8") as file:
        file.write(text)


def write_deps(deps, target, paths):
    escaped = (re.sub(r"([ #])", r"\\\1", os.path.abspath(p)).replace("$", "$$") for p in paths)
    write(deps, f"{target}: {' '.join(escaped)}\n")


# --- embedding ---

HEAD = '/* Made by viewer/view/page.py: the files of the page, gzipped. */\n#include "viewer/view/assets.h"\n\n'


def embed(dist, c, blob):
    """The files of `dist` as C."""
    rows, at = [], 0
    with open(blob, "wb") as out:
        for name in files_below(dist):
            with open(os.path.join(dist, name), "rb") as file:
                plain = file.read()
            packed = gzip.compress(plain, 9, mtime=0)
            kind = TYPES.get(os.path.splitext(name)[1], "application/octet-stream")
            tag = hashlib.sha256(plain).hexdigest()[:16]
            rows.append(f'    {{ {json.dumps("/" + name)}, "{kind}", "\\"{tag}\\"", ct_assets_bytes + {at}, {len(packed)}, '
                        f'{len(plain)}, {"true" if HASHED.match(name) else "false"} }},\n')
            out.write(packed)
            at += len(packed)
    write(c, HEAD + '__asm__(".pushsection .rodata\\n.globl ct_assets_bytes\\n.hidden ct_assets_bytes\\n"\n'
          f'        "ct_assets_bytes:\\n.incbin {json.dumps(json.dumps(os.path.abspath(blob)))[1:-1]}\\n.popsection\\n");\n'
          'extern const unsigned char ct_assets_bytes[];\n\n'
          f'static const struct ct_asset rows[] = {{\n{"".join(rows)}}};\n'
          f'const struct ct_assets ct_page_assets = {{ rows, {len(rows)}, 0 }};\n')


def embed_nothing(reason, c, blob):
    write(blob, "")
    write(c, HEAD + f'const struct ct_assets ct_page_assets = {{ 0, 0, {json.dumps(reason)} }};\n')


# --- building ---

def copy_sources(web, work):
    """Makes `work` a copy of `web`, but for what npm put there."""
    wanted = set(files_below(web, LEFT_OUT))
    for name in files_below(work, LEFT_OUT) if os.path.isdir(work) else []:
        if name not in wanted:
            os.unlink(os.path.join(work, name))
    for name in wanted:
        to = os.path.join(work, name)
        os.makedirs(os.path.dirname(to), exist_ok=True)
        shutil.copy2(os.path.join(web, name), to)


def npm(work, *words):
    said = subprocess.run(["npm", *words], cwd=work, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                          text=True, errors="replace", env=dict(os.environ, CI="true", NO_COLOR="1"))
    if said.returncode:
        print(said.stdout[-4000:], file=sys.stderr)
        raise OSError(f"npm {words[0]} {words[1] if words[0] == 'run' else ''}".strip() + " failed")


def licenses(work):
    """What of others is in the page: the packages that it depends on at run time, with their licences."""
    with open(os.path.join(work, "package-lock.json"), encoding="utf-8") as file:
        packages = json.load(file)["packages"]
    text = []
    for place, row in sorted(packages.items()):
        folder = os.path.join(work, place)
        if not place or row.get("dev") or row.get("optional") or not os.path.isdir(folder):
            continue
        text.append(f"{'=' * 80}\n{place.split('node_modules/')[-1]} {row.get('version', '')} ({row.get('license', 'no licence named')})\n\n")
        for name in sorted(os.listdir(folder)):
            if SAYS_LICENSE.match(name) and os.path.isfile(os.path.join(folder, name)):
                with open(os.path.join(folder, name), encoding="utf-8", errors="replace") as file:
                    text.append(file.read().strip() + "\n\n")
    return "The page of ctrace holds parts of these packages.\n\n" + "".join(text)


def build(web, work):
    """The folder with the built page."""
    copy_sources(web, work)
    stamp, dist = os.path.join(work, "node_modules", ".ctrace-lock"), os.path.join(work, "dist")
    with open(os.path.join(work, "package-lock.json"), "rb") as file:
        lock = hashlib.sha256(file.read()).hexdigest()
    try:
        with open(stamp, encoding="utf-8") as file:
            there = file.read()
    except OSError:
        there = ""
    if there != lock:
        npm(work, "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--fetch-retries=2", "--fetch-timeout=60000")
        write(stamp, lock)
    shutil.rmtree(dist, ignore_errors=True)
    npm(work, "run", "build")
    if not os.path.isfile(os.path.join(dist, "index.html")):
        raise OSError("npm run build made no dist/index.html")
    write(os.path.join(dist, "licenses.txt"), licenses(work))
    return dist


def complete(dist):
    """Adds the licences to what `npm run build` made beside the packages: whoever hands the page on has to hand them on."""
    web = os.path.dirname(os.path.abspath(dist))
    if os.path.isfile(os.path.join(dist, "licenses.txt")):
        return
    if os.path.isdir(os.path.join(web, "node_modules")) and os.path.isfile(os.path.join(web, "package-lock.json")):
        write(os.path.join(dist, "licenses.txt"), licenses(web))
    else:
        print(f"WARNING: {dist} has no licenses.txt, and no packages are beside it to make one of", file=sys.stderr)


def main(verb, *words):
    may_fail = "--may-fail" in words
    words = [w for w in words if w != "--may-fail"]
    if verb == "embed":
        dist, c, blob, deps = words
        complete(dist)
        embed(dist, c, blob)
        write_deps(deps, c, [os.path.join(dist, name) for name in files_below(dist)] + folders_below(dist))
    elif verb == "none":
        reason, c, blob, deps = words
        embed_nothing(reason, c, blob)
        write_deps(deps, c, [])
    elif verb == "build":
        web, work, c, blob, deps = words
        try:
            embed(build(web, work), c, blob)
        except OSError as error:
            if not may_fail:
                raise
            print(f"WARNING: ctrace is built without the page of `ctrace view`: {error}", file=sys.stderr)
            embed_nothing(f"{error}; remove {c} from the build folder to try again", c, blob)
        write_deps(deps, c, [os.path.join(web, name) for name in files_below(web, LEFT_OUT)] + folders_below(web, LEFT_OUT))
    elif verb == "dist":
        web, work = words
        there = os.path.join(web, "dist")
        target = os.path.join(os.environ["MESON_DIST_ROOT"], "web", "dist")
        if os.path.isfile(os.path.join(there, "index.html")):
            complete(there)
        else:
            there = build(web, work)
        shutil.copytree(there, target)
    else:
        sys.exit(__doc__)


if __name__ == "__main__":
    try:
        main(*sys.argv[1:])
    except OSError as failure:
        sys.exit(f"page.py: {failure}")

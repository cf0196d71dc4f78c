#!/usr/bin/env bash
# Both commands of the README in a clean Debian 12: a chroot made for it, with nothing but what apt needs; and the whole of
# ctrace compiled for arm64, in another that has arm64's libraries.
#
#   tests/fresh.sh [demo|quick|arm64]...     by default all three; the chroots are removed afterwards
#
# The packages come from the mirror this machine uses.  Needs root, or a user who may map ids (newuidmap).
set -euo pipefail
. "$(dirname "$0")/setup.sh"

chroot=
enter=(unshare --mount --pid --fork --kill-child)
[ "$(id -u)" -eq 0 ] || enter=(unshare --map-root-user --map-auto --mount --pid --fork --kill-child)

remove() {
    [ -z "$chroot" ] || "${enter[@]}" rm -rf "$chroot"
}
trap remove EXIT
trap 'exit 130' INT TERM HUP

# The files of this machine's apt that name a Debian mirror for bookworm; without one, mmdebstrap's default.
mirrors() {
    grep -lE '^(deb |URIs:).*debian' /etc/apt/sources.list /etc/apt/sources.list.d/*.list /etc/apt/sources.list.d/*.sources \
        2>/dev/null | xargs -r grep -lE '^(deb|Suites:).* ?bookworm' | xargs -r grep -LE 'deb-src http' || true
}

# make_chroot OPTION...      options for mmdebstrap
make_chroot() {
    local mode=root
    remove
    [ "$(id -u)" -eq 0 ] || mode=unshare
    chroot=$(mktemp -d "${TMPDIR:-/var/tmp}/ctrace-fresh.XXXXXX")
    # mmdebstrap's helpers and the chroot's own users must be able to reach it.
    chmod 755 "$chroot"
    # shellcheck disable=SC2046
    mmdebstrap --quiet --mode="$mode" --variant=apt "$@" bookworm "$chroot" $(mirrors)
    mkdir -p "$chroot/root/ctrace"
    if git -C "$ROOT" rev-parse --git-dir >/dev/null 2>&1; then
        git -C "$ROOT" ls-files -z
    else
        (cd "$ROOT" && find . -path ./build -prune -o -type f -print0)
    fi | tar -C "$ROOT" --null --files-from=- --ignore-failed-read -cf - |
        "${enter[@]}" tar --no-same-owner -xf - -C "$chroot/root/ctrace"
}

# Runs a command in the chroot, at the root of the tree, with no terminal and its own /proc, /dev and /dev/shm.
inside() {
    "${enter[@]}" bash -c '
        set -e
        chroot=$1; shift
        mount --make-rprivate /
        # A mount of its own, or nothing in there could unshare mounts: some tests do.
        mount --bind "$chroot" "$chroot"
        mount -t proc proc "$chroot/proc"
        mount --rbind /sys "$chroot/sys"
        mount -t tmpfs -o mode=755 tmpfs "$chroot/dev"
        for device in null zero full random urandom tty; do
            : > "$chroot/dev/$device"
            mount --bind "/dev/$device" "$chroot/dev/$device"
        done
        ln -s /proc/self/fd "$chroot/dev/fd"
        ln -s fd/0 "$chroot/dev/stdin"; ln -s fd/1 "$chroot/dev/stdout"; ln -s fd/2 "$chroot/dev/stderr"
        mkdir -m 1777 "$chroot/dev/shm"
        mkdir "$chroot/dev/pts"
        mount -t tmpfs -o mode=1777 tmpfs "$chroot/dev/shm"
        mount -t devpts -o newinstance,ptmxmode=0666 devpts "$chroot/dev/pts"
        ln -s pts/ptmx "$chroot/dev/ptmx"
        for file in /etc/resolv.conf /etc/hosts; do
            [ ! -e "$file" ] || cat "$file" > "$chroot$file"
        done
        # Behind a proxy with an authority of its own, npm must know that authority in there too.
        authority=
        if [ -r "${NODE_EXTRA_CA_CERTS:-}" ]; then
            authority=NODE_EXTRA_CA_CERTS=/etc/extra-authority.crt
            cat "$NODE_EXTRA_CA_CERTS" > "$chroot/etc/extra-authority.crt"
        fi
        exec env -i HOME=/root PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin TERM=dumb CI=true \
            ${http_proxy:+http_proxy="$http_proxy"} ${https_proxy:+https_proxy="$https_proxy"} \
            $authority chroot "$chroot" /bin/bash -c "cd /root/ctrace && $*" </dev/null
    ' bash "$chroot" "$@"
}

# How long a command took in the chroot must stay under MINUTES.
within() {
    local minutes=$1 from=$SECONDS
    shift
    say "== $* (a clean Debian 12, at most $minutes minutes)"
    inside "$*"
    local took=$((SECONDS - from))
    say "== $* took $((took / 60)) min $((took % 60)) s"
    [ "$took" -le $((minutes * 60)) ] || die "$* took longer than $minutes minutes"
}

check_demo() {
    local status=0
    # Nobody can become root here, so nothing may be installed, and the line to type must be shown.
    inside "chmod 755 /root; setpriv --reuid 65534 --regid 65534 --clear-groups ./examples/demo.sh" \
        > "$chroot/tmp/refused" 2>&1 || status=$?
    [ "$status" -eq 1 ] || die "without root and sudo the demo must exit 1, not $status"
    grep -q 'apt-get install .*libdw-dev' "$chroot/tmp/refused" || die "the demo did not print the apt-get line"

    within 15 ./examples/demo.sh
    [ -s "$chroot/root/ctrace/build/demo/xz.json.gz" ] || die "the demo left no build/demo/xz.json.gz"

    say "== once more, with apt out of reach"
    inside "chmod 000 /usr/bin/apt-get && ./examples/demo.sh && chmod 755 /usr/bin/apt-get" \
        > "$chroot/tmp/again" 2>&1 || { cat "$chroot/tmp/again"; die "the second run of the demo failed"; }
    ! grep -q 'apt-get' "$chroot/tmp/again" || die "with everything installed the demo still speaks of apt-get"

    say "== once more, on what says that it is another distribution"
    inside "sed -i s/^ID=debian/ID=other/ /etc/os-release && ./examples/demo.sh" > "$chroot/tmp/other" 2>&1 ||
        { cat "$chroot/tmp/other"; die "the demo does not go on where meson finds everything"; }
    grep -q 'libdw-dev' "$chroot/tmp/other" || die "on another distribution the demo does not name the packages"
}

check_arm64() {
    say "== everything compiled for arm64"
    make_chroot --architectures=amd64,arm64 --include=gcc-aarch64-linux-gnu,libc6-dev-arm64-cross,meson,ninja-build \
        --include=pkg-config,protobuf-c-compiler,libdw-dev:arm64,zlib1g-dev:arm64,liblzma-dev:arm64,libprotobuf-c-dev:arm64
    inside "meson setup build/arm64 --cross-file tests/arm64.ini -Dtests=disabled && ninja -C build/arm64" \
        > "$chroot/tmp/arm64" 2>&1 || { tail -n 40 "$chroot/tmp/arm64"; die "it does not compile for arm64"; }
    grep -q 'Machine: *AArch64' <<<"$(readelf -h "$chroot/root/ctrace/build/arm64/ctrace")" || die "ctrace is not for arm64"
}

command -v mmdebstrap >/dev/null || { say "mmdebstrap is missing"; exit 77; }
"${enter[@]}" true 2>/dev/null || { say "this user may not unshare mounts"; exit 77; }
[ $# -gt 0 ] || set -- demo quick arm64
for part; do
    case $part in
        demo)
            make_chroot
            check_demo
            ;;
        quick)
            make_chroot
            within 25 ./tests/run.sh quick
            ;;
        arm64) check_arm64 ;;
        *) die "usage: tests/fresh.sh [demo|quick|arm64]..." ;;
    esac
done
say "done: $*"

# shellcheck shell=bash
# Setting up a machine for the two user commands: sourced by examples/demo.sh, tests/run.sh and tests/bench/run.sh.
#
#   setup_machine GIGABYTES KIND...   checks the machine and installs the packages of these kinds that are missing
#   setup_build FOLDER OPTION...      configures and builds FOLDER (an older one is kept and brought up to date)
#
# Nothing here asks a question, changes a sysctl, or touches apt when everything is there.

ROOT=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
export LC_ALL=C.UTF-8
# Debian's own python3 and meson before anything a version manager put in front of them.
export PATH="/usr/local/sbin:/usr/sbin:/usr/bin:/sbin:/bin:$PATH"

say() { printf '%s\n' "$*"; }
die() { printf '%s: %s\n' "$(basename "$0")" "$*" >&2; exit 1; }

nobody_there() { [ "${CI:-}" = true ] || [ ! -t 0 ] || [ ! -t 1 ]; }

# Is COMMAND, or COMMAND>=VERSION, there from wherever?
is_there() {
    local command=${1%%>=*} version
    command -v "$command" >/dev/null || return 1
    [ "$command" = "$1" ] && return 0
    version=$("$command" --version 2>/dev/null </dev/null | grep -oE '[0-9]+(\.[0-9]+)*' | head -n 1) || return 1
    at_least "$version" "${1#*>=}"
}

# The packages of the given kinds, one a line.
packages_of() {
    local kinds=" $* " kind rest word
    while read -r kind rest; do
        [[ $kinds == *" $kind "* ]] || continue
        for word in ${rest%%#*}; do
            [[ $word == *\?* ]] && is_there "${word#*\?}" && continue
            say "${word%%\?*}"
        done
    done < "$ROOT/packages.txt"
}

is_installed() {
    [ "$(dpkg-query -W -f '${db:Status-Status}' "$1" 2>/dev/null)" = installed ]
}

is_debian_12() {
    [ -r /etc/os-release ] && (. /etc/os-release && [ "${ID:-}" = debian ] && [ "${VERSION_ID:-}" = 12 ])
}

# Is version $1 at least $2?
at_least() { [ "$(printf '%s\n%s\n' "$2" "$1" | sort -V | head -n 1)" = "$2" ]; }

check_disk() {
    local need_kb=$(($1 * 1024 * 1024)) free_kb
    free_kb=$(df -Pk "$ROOT" | awk 'NR == 2 { print $4 }')
    [ "$free_kb" -ge "$need_kb" ] ||
        die "$ROOT has $((free_kb / 1024)) MiB free; $1 GiB are needed"
}

check_machine() {
    [ "$(uname -s)" = Linux ] || die "ctrace records Linux programs only"
    case $(uname -m) in
        x86_64) ;;
        aarch64) say "arm64 compiles, but is untested." ;;
        *) die "$(uname -m) is not supported: amd64 is, arm64 compiles untested" ;;
    esac
    local glibc
    glibc=$(getconf GNU_LIBC_VERSION 2>/dev/null) || die "the C library is not glibc; ctrace needs glibc >= 2.35"
    at_least "${glibc#glibc }" 2.35 || die "$glibc is too old; ctrace needs glibc >= 2.35"
}

check_meson() {
    local version
    version=$(meson --version 2>/dev/null) || die "meson is missing"
    at_least "$version" 1.0 || die "meson $version is too old; ctrace needs meson >= 1.0"
}

# Prints how to become root ("" when we are), or fails when that is not possible without somebody there.
root_command() {
    [ "$(id -u)" -eq 0 ] && return 0
    command -v sudo >/dev/null || return 1
    if sudo -n true 2>/dev/null; then
        say "sudo -n"
    elif nobody_there; then
        return 1
    else
        say "sudo"
    fi
}

apt_size() {
    { apt-get install -o Debug::NoLocking=1 --assume-no --no-install-recommends "$@" 2>/dev/null || true; } |
        grep -E '^(Need to get|After this operation)' | sed 's/ \[Y.*//'
}

install_packages() {
    local line="apt-get install -y --no-install-recommends $*" become size
    if ! become=$(root_command); then
        say "$(("$#")) packages are missing and there is neither root nor sudo to install them.  As root:"
        say "    $line"
        apt_size "$@" || true
        exit 1
    fi
    say "$(("$#")) packages are missing:"
    say "    ${become:+sudo }$line"
    # A bare image has no lists, and with old ones the files may be gone from the mirror.
    $become apt-get update -qq || die "apt-get update failed"
    size=$(apt_size "$@") || die "apt finds no way to install these packages"
    say "$size"
    $become env DEBIAN_FRONTEND=noninteractive NEEDRESTART_MODE=a \
        apt-get install -y -qq --no-install-recommends -o DPkg::Lock::Timeout=120 -o Dpkg::Use-Pty=0 "$@" </dev/null ||
        die "apt-get install failed"
}

setup_machine() {
    local gigabytes=$1 missing=() package
    shift
    check_machine
    check_disk "$gigabytes"
    if is_debian_12; then
        for package in $(packages_of "$@"); do
            is_installed "$package" || missing+=("$package")
        done
        [ "${#missing[@]}" -eq 0 ] || install_packages "${missing[@]}"
    else
        say "This is not Debian 12: nothing is installed.  On Debian 12 the packages would be:"
        packages_of "$@" | tr "\n" " " | sed "s/^/    /"
        say
        say "Going on; meson says what it does not find."
    fi
    check_meson
}

setup_build() {
    local folder=$1 log
    shift
    mkdir -p "$(dirname "$folder")"
    log=$folder.log
    if [ -f "$folder/build.ninja" ]; then
        meson configure "$folder" "$@" > "$log" 2>&1
    else
        meson setup "$folder" "$ROOT" "$@" > "$log" 2>&1
    fi || { cat "$log" >&2; die "meson did not configure $folder"; }
    ninja -C "$folder" >> "$log" 2>&1 || { tail -n 40 "$log" >&2; die "$folder does not build"; }
}

#!/bin/sh
# The leak hunt of a long-lived service: a heap profile every few minutes, the newest of which are kept.
#
#   examples/capture.sh --help
#
# Needs a POSIX shell, and curl or any wget: busybox has it all.
set -u

usage() {
    cat <<'END'
usage: capture.sh [-e EVERY] [-k COUNT] [-d FOLDER] [-p PROFILE] [-1] [URL]

  -e EVERY    from one profile to the next: 10m, 90s, 1h; a plain number means
              minutes (10m)
  -k COUNT    how many are kept (48); older ones are removed
  -d FOLDER   where they are kept (.)
  -p PROFILE  heap, allocs, block, mutex, threads ... (heap)
  -1          take one and end; what cron and systemd timers want
  URL         of the debug server (http://127.0.0.1:6060/debug/pprof), with a
              token http://x:TOKEN@HOST:PORT/debug/pprof

What came between two of them, and by whom:

  go tool pprof -top -base heap.20260101-000000.pb.gz heap.20260102-000000.pb.gz
END
}

complain() { printf 'capture.sh: %s\n' "$*" >&2; }
die() { complain "$*"; exit 2; }

# seconds TEXT: 10m, 90s, 1h, or minutes; nothing when it is no time
seconds() {
    case $1 in
        *s) number=${1%s} factor=1 ;;
        *m) number=${1%m} factor=60 ;;
        *h) number=${1%h} factor=3600 ;;
        *) number=$1 factor=60 ;;
    esac
    case $number in
        '' | *[!0-9]* | ???????* | 0*) ;;
        *) echo $((number * factor)) ;;
    esac
}

every=10m keep=48 folder=. profile=heap once=
case ${1-} in --help) usage; exit 0 ;; esac
while getopts e:k:d:p:1h option; do
    case $option in
        e) every=$OPTARG ;;
        k) keep=$OPTARG ;;
        d) folder=$OPTARG ;;
        p) profile=$OPTARG ;;
        1) once=1 ;;
        h) usage; exit 0 ;;
        *) usage >&2; exit 2 ;;
    esac
done
shift $((OPTIND - 1))
[ $# -le 1 ] || die "one URL is enough; see --help"
url=${1-http://127.0.0.1:6060/debug/pprof}
url=${url%/}
pause=$(seconds "$every")
[ -n "$pause" ] || die "-e $every: that is no time; 10m, 90s and 1h are"
case $keep in '' | *[!0-9]* | 0* | ??????*) die "-k $keep: that is no count" ;; esac
case $profile in '' | *[!a-z0-9_-]*) die "-p $profile: that is no profile's name" ;; esac
case $url in http://?* | https://?*) ;; *) die "$url: that is no URL; http://127.0.0.1:6060/debug/pprof is one" ;; esac
mkdir -p "$folder" 2>/dev/null && [ -w "$folder" ] || die "$folder: cannot write there"

if command -v curl >/dev/null; then
    fetch() { curl -sS -f -m 120 -o "$2" "$1"; }
elif command -v wget >/dev/null; then
    # Not wget's own -T: that of busybox 1.35 crashes.
    limit=
    ! command -v timeout >/dev/null || limit='timeout 120'
    fetch() { $limit wget -q -O "$2" "$1"; }
else
    die "neither curl nor wget is there"
fi

part=$folder/.$profile.$$.part
pause_pid=
leave() { [ -z "$pause_pid" ] || kill "$pause_pid" 2>/dev/null; rm -f "$part"; }
trap leave EXIT
trap 'exit 0' INT TERM HUP

# A profile has its name when it is whole, and never before.
take() {
    what="${url##*@}/$profile"
    rm -f "$part"
    if ! said=$(fetch "$url/$profile" "$part" 2>&1); then
        complain "$(date '+%F %T'): no profile from $what: ${said:-the server refused or is not there}"
        return 1
    fi
    if ! gzip -t "$part" 2>/dev/null; then
        complain "$(date '+%F %T'): what came from $what is no whole profile"
        return 1
    fi
    mv "$part" "$folder/$profile.$(date -u '+%Y%m%d-%H%M%S').pb.gz" || return 1
}

# Names tell the time, and sort by it.
forget_old() {
    set -- "$folder/$profile".[0-9]*-[0-9]*.pb.gz
    while [ $# -gt "$keep" ]; do
        rm -f "$1"
        shift
    done
}

next=$(date +%s)
while :; do
    status=0
    take || status=1
    forget_old
    [ -z "$once" ] || exit $status
    now=$(date +%s)
    while [ "$next" -le "$now" ]; do
        next=$((next + pause))
    done
    sleep $((next - now)) &
    pause_pid=$!
    wait "$pause_pid"
    pause_pid=
done

# Sourced by the tests of limits, harm and plugins: folders, a program to trace, and what must be true of every run.
#
#   $build $ctrace $here    the build folder, its command, where this file lies
#   $folder                 a folder of this test's own, the current one; removed at the end
#   fail TEXT...            notes a failure and goes on; `finish` at the end of the script tells

set -uo pipefail
# Signals as a terminal gives them, whatever nohup or a shell's & left ignored.
[ -n "${LIMITS_SIGNALS:-}" ] || LIMITS_SIGNALS=1 exec env --default-signal "$0" "$@"
umask 022
name=$(basename "$0")
here=$(dirname "$(realpath "${BASH_SOURCE[0]}")")
build=$(realpath "$1")
ctrace=$build/ctrace
failures=0
ulimit -c 0

# So do those who are given a folder by the test that runs them elsewhere: another user, another mount namespace.
if [ -n "${LIMITS_FOLDER:-}" ]; then
    folder=$LIMITS_FOLDER
else
    folder=$(mktemp -d "${TMPDIR:-/tmp}/ctrace-limits-XXXXXX")
    trap 'cd /; rm -rf "$folder"' EXIT
fi
cd "$folder" || exit 1

fail() {
    echo "$name: $*" >&2
    failures=$((failures + 1))
}

skip() {
    echo "$name: not tested: $*"
    exit 77
}

finish() {
    [ "$failures" -eq 0 ] || echo "$name: $failures failures" >&2
    exit $((failures > 0))
}

need() {
    local word
    for word; do
        command -v "$word" >/dev/null || skip "there is no $word"
    done
}

# for_everybody: $folder and, in it, a $ctrace that other users reach, who may not enter the home of this tree.
for_everybody() {
    chmod 777 "$folder"
    mkdir "$folder/build"
    cp "$build/ctrace" "$build"/libctrace*.so.0 "$folder/build"
    ctrace=$folder/build/ctrace
}

# compile FILE [OPTION...]: tests/e2e/FILE.c or .cpp becomes ./FILE
compile() {
    local file=$1 source
    shift
    source=$(ls "$here/$file".c "$here/$file".cpp 2>/dev/null)
    case $source in
        *.cpp) c++ -O2 -g -pthread -o "$file" "$source" "$@" || exit 1 ;;
        *) cc -O2 -g -pthread -o "$file" "$source" "$@" || exit 1 ;;
    esac
}

# same NAME COMMAND...: the program behaves under `ctrace record $options` as without; NAME.err is what was said.
# Without `wanted_says` nothing may be said, else something that matches it must be.
same() {
    local what=$1 status plain
    shift
    timeout -k 5 100 "$@" >plain.out 2>plain.err </dev/null
    plain=$?
    rm -f "$what.err"
    # shellcheck disable=SC2086
    timeout -k 5 100 "$ctrace" record ${options:-} -o "${output:-$folder/$what.trace}" -- "$@" >traced.out 2>"$what.err" </dev/null
    status=$?
    [ "$status" = "$plain" ] || fail "$what: exit status $status instead of $plain: $(head -c 300 "$what.err")"
    cmp -s plain.out traced.out || fail "$what: other output: $(head -c 300 traced.out)"
    if [ -z "${wanted_says:-}" ]; then
        cmp -s plain.err "$what.err" || fail "$what: said: $(head -c 300 "$what.err")"
    elif ! grep -Eq -- "$wanted_says" "$what.err"; then
        fail "$what: did not say '$wanted_says' but: $(head -c 300 "$what.err")"
    fi
}

# reads TRACE [PATTERN]: `ctrace info` and `convert` take it; what `info` says matches.
reads() {
    "$ctrace" info "$1" >info.out 2>info.err || fail "$1: info fails: $(head -c 300 info.err)"
    "$ctrace" convert -t text -o events.txt "$1" 2>convert.err || fail "$1: convert fails: $(head -c 300 convert.err)"
    [ -z "${2:-}" ] || grep -Eq -- "$2" info.out || fail "$1: info does not say '$2': $(head -2 info.out)"
}

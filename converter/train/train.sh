#!/bin/sh
# Runs an instrumented build of reader, model and index, and lays what gcc is to know of it beside the objects of the second build.
#
#   train.sh MKTRACE INDEX OUTPUT BUILD
#
# Traces of few threads and of many, of waits, calls, regions and all together.  Where this cannot be run, releases are only
# slower: that is said and no error.
set -eu
maker=$1 index=$2 output=$3 build=$4
folder=$(mktemp -d "$output.XXXXXX")
trap 'rm -rf "$folder"' EXIT

run() {
    timeout 300 "$maker" "$2" "$3" "$1" "$folder/trace"
    GCOV_PREFIX=$folder/seen timeout 300 "$index" "$folder/trace" > /dev/null
}

train() {
    run mixed 400000 8
    run mixed 200000 60
    run wait 300000 8
    run io 100000 4
    run region 100000 3
    GCOV_PREFIX=$folder/seen timeout 300 "$index" "$folder/trace" "$folder" ask ask > /dev/null
}

# Objects are named by where their source lies as seen from the folder of the meson.build that lists their target.
lay() {
    find "$folder/seen" -name '.._*.gcda' | while read -r file; do
        part=$(basename "$(dirname "$file")")
        name=$(basename "$file")
        mkdir -p "$build/libct_${part#libct_train_}"
        cp "$file" "$build/libct_${part#libct_train_}/converter_${name#.._}"
    done
}

(train && lay) || echo "train.sh: reader, model and index are not trained, and so slower than they could be" >&2
: > "$output"

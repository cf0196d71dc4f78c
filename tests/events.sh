#!/usr/bin/env bash
# docs/NAME.md is what docs/NAME.c prints; with CT_BLESS=1 it is written anew.
set -euo pipefail
program=$1
name=$3
file=$2/docs/$name.md
if [ "${CT_BLESS:-}" = 1 ]; then
    "$program" > "$file"
fi
"$program" | diff -u "$file" - || { echo "docs/$name.md is stale: CT_BLESS=1 meson test $name"; exit 1; }

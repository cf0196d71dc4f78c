#!/usr/bin/env bash
# docs/events.md is what docs/events.c prints; with CT_BLESS=1 it is written anew.
set -euo pipefail
program=$1
file=$2/docs/events.md
if [ "${CT_BLESS:-}" = 1 ]; then
    "$program" > "$file"
fi
"$program" | diff -u "$file" - || { echo "docs/events.md is stale: CT_BLESS=1 meson test events"; exit 1; }

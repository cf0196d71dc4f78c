#!/bin/sh
# convert.chrome: events a second that a core turns into Chrome JSON; see convert.py.
exec /usr/bin/python3 "$(dirname "$0")/convert.py" "$@"

"""What tests of CTF that they write themselves need of babeltrace2: without it they are skipped (exit 77)."""

import os
import sys


def making(build):
    """The module ctf_making, which imports babeltrace2's bindings; `build` has our plugin."""
    try:
        import ctf_making
    except ImportError as e:
        print(f"no bindings of babeltrace2 here: {e}")
        sys.exit(77)
    if not os.path.exists(f"{build}/babeltrace-plugin-ctrace.so"):
        print("no babeltrace2 here")
        sys.exit(77)
    return ctf_making

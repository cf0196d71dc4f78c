/* What `ctrace` asks of babeltrace2.  The code is in its plugin, so that everything else works where babeltrace2 is not. */
#pragma once

#include "converter/bt2/door.h"

/*
 * Loads babeltrace-plugin-ctrace.so, from beside `ctrace` or from where it is installed.
 * Returns its door, which is never closed, or NULL with `err`: it or libbabeltrace2 is missing, or it is of another version.
 */
const struct ct_bt2_door *ct_bt2_open(struct ct_error *err);

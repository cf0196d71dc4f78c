/* The recorder's table, found once. */
#pragma once

#include "record/entry.h"

/* NULL when this process has no recorder that fits.  Never freed. */
extern const struct ct_entry *ct_door __attribute__((visibility("hidden")));

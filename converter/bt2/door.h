/* What the plugin offers to `ctrace`, which loads it. */
#pragma once

#include <stddef.h>

#include "converter/bt2/ctf_in.h"
#include "converter/bt2/source_options.h"

struct ct_bt2_door {
    const char *version;                /* of ctrace; the rest is to be used by the same only */
    /* see ct_sink_ctf */
    int (*write_ctf)(const struct ct_bt2_source_options *options, const char *directory, struct ct_error *err);
    /* see ct_ctf_read */
    int (*read_ctf)(const char *place, const struct ct_ctf_options *options, const char *output, struct ct_error *err);
    /* see ct_bt2_add_words */
    size_t (*add_words)(struct ct_error *err, int words, size_t told);
};

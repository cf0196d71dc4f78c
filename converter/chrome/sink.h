/* Chrome trace-event JSON, for ui.perfetto.dev, chrome://tracing and speedscope. */
#pragma once

#include "converter/model/model.h"
#include "converter/output.h"

struct ct_chrome;

struct ct_chrome_options {
    int64_t from_ns, to_ns;             /* see struct ct_model_options */
    bool stacks;
};

/* Begins a file on `out` (borrowed until finish).  `reader` has not been read from.  NULL when memory is short. */
struct ct_chrome *ct_chrome_new(struct ct_reader *reader, const struct ct_chrome_options *options,
                                struct ct_output *out);

/* Takes the reader's next items, one or more.  0, or -ENOMEM. */
int ct_chrome_items(struct ct_chrome *chrome, const struct ct_read_item *items, size_t count);

/* The trace is damaged beyond what was taken: says so at the last moment seen. */
void ct_chrome_damage(struct ct_chrome *chrome, const struct ct_error *err);

/* Ends the file: valid JSON whatever came. */
void ct_chrome_finish(struct ct_chrome *chrome);

void ct_chrome_free(struct ct_chrome *chrome);

/* How far a conversion is, for who waits at a terminal. */
#pragma once

#include <time.h>

#include "converter/read/reader.h"

struct ct_progress {
    bool on;
    int64_t end_ns;
    struct timespec next;
    uint64_t items;
};

/* Nothing is said within the first second, nor where stderr is no terminal.  `to_ns`: what is from then on is left out. */
void ct_progress_begin(struct ct_progress *p, const struct ct_reader *reader, int64_t to_ns);
/* `count` more items, the last of that time; true now and then, when it is time to look whether the output still takes bytes. */
bool ct_progress_items(struct ct_progress *p, size_t count, int64_t ns);
void ct_progress_end(const struct ct_progress *p);

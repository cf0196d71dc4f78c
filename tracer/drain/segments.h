/*
 * A consumer whose trace comes in segments: files in memory, each a trace by itself of one or several whole generations,
 * handed over as soon as they are whole.
 */
#pragma once

#include "drain/consumer.h"

struct ct_segments {
    struct ct_segments *next;           /* of the same process */
    struct ct_consumer consumer;
    uint64_t categories;                /* what is to be recorded for it, and all that it gets: a bit mask */
    unsigned cpu_rate;                  /* samples a second that it wants at least; 0: as many as usual */
    /* On the drain's thread: `fd` is given, and after `last` the segments are no longer looked at. */
    void (*take)(void *context, int fd, bool last);
    void *context;
};

/* 0, or a negative errno when there is no memory for a file. */
int ct_segments_init(struct ct_segments *s, uint64_t categories, void (*take)(void *context, int fd, bool last), void *context);
/* Undoes that, for segments that were never watched. */
void ct_segments_fini(struct ct_segments *s);
/* The consumer was ended: hands over the last segment. */
void ct_segments_end(struct ct_segments *s);

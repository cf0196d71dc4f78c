/* Decoding in a second thread, a bounded number of events ahead of who reads them. */
#pragma once

#include "converter/read/reader.h"
#include "converter/read/second.h"

struct ct_read_ahead;

enum { CT_READ_RUN = 128 };             /* events handed over at once: few enough for the nearest cache */

/*
 * The two steps of reading.  Events come as long as nothing else is due: a generation that begins, a program that ends,
 * the end of all; those change what consumers may be looking at, and are done while no event is under way.
 */
enum { CT_READER_AGAIN = 2 };           /* nothing to hand out, but not the end: ask for events again */
/* The next events, as many as CT_READ_RUN; fewer when something else is due after them. */
unsigned ct_reader_take_events(struct ct_reader *reader, struct ct_read_item *items);
int ct_reader_take_other(struct ct_reader *reader, const struct ct_read_item **ret, struct ct_error *err);

/* Makes items that ct_reader_take_events can fill. */
void ct_read_items_init(struct ct_read_item *items);

/* Starts the thread: from now on nobody else calls ct_reader_take_events.  0, -ENOMEM, or what pthread_create said. */
int ct_read_ahead_new(struct ct_reader *reader, struct ct_read_ahead **ret);

/* The thread, for who has other work for it; borrowed until ct_read_ahead_free. */
struct ct_second *ct_read_ahead_second(struct ct_read_ahead *ahead);

/* As ct_reader_next_run. */
int ct_read_ahead_next(struct ct_read_ahead *ahead, const struct ct_read_item **ret, size_t *ret_count,
                       struct ct_error *err);

/* Ends the thread; takes NULL. */
void ct_read_ahead_free(struct ct_read_ahead *ahead);

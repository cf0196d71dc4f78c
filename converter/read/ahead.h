/* Decoding in a second thread, a bounded number of events ahead of who reads them. */
#pragma once

#include "converter/read/reader.h"

struct ct_read_ahead;

/*
 * The two steps of reading.  Events come as long as nothing else is due: a generation that begins, a program that ends,
 * the end of all; those change what consumers may be looking at, and are done while no event is under way.
 */
enum { CT_READER_AGAIN = 2 };           /* nothing to hand out, but not the end: ask for events again */
int ct_reader_take_event(struct ct_reader *reader, const struct ct_read_item **ret, struct ct_error *err);
int ct_reader_take_other(struct ct_reader *reader, const struct ct_read_item **ret, struct ct_error *err);

/* Starts the thread: from now on it alone calls ct_reader_take_event.  0, -ENOMEM, or what pthread_create said. */
int ct_read_ahead_new(struct ct_reader *reader, struct ct_read_ahead **ret);

/* As ct_reader_next. */
int ct_read_ahead_next(struct ct_read_ahead *ahead, const struct ct_read_item **ret, struct ct_error *err);

/* Ends the thread; takes NULL. */
void ct_read_ahead_free(struct ct_read_ahead *ahead);

/* Clocks of several machines in one timeline: what was said of them, and what messages between them tell. */
#pragma once

#include "converter/read/reader.h"

enum { CT_HOSTS_MAX = 64, CT_HOSTS_NAME = 64 };

struct ct_hosts {
    struct ct_read_shift shift[CT_HOSTS_MAX];
    char name[CT_HOSTS_MAX][CT_HOSTS_NAME];     /* which they point to */
    unsigned count;
};

/* Takes "HOST=NS", or with a unit "HOST=-1.5ms".  0, or negative with `err`. */
int ct_hosts_say(struct ct_hosts *hosts, const char *text, struct ct_error *err);

/* Adds the machines of what was read.  True when there are several, and at least one of which nothing is known. */
bool ct_hosts_find(struct ct_hosts *hosts, const struct ct_reader *reader);

/*
 * Looks whether the inputs are of several machines, and when they are, at each message that went from one to another by TCP:
 * it arrives after it was sent.  From messages both ways follows how far apart the clocks are, to half the shortest round
 * trip.  Adds what it finds to `hosts`; what was said stays.  Reads the inputs once more when there are several machines
 * and not all were spoken of.  0 or negative with `err`: the inputs cannot be read.
 */
int ct_hosts_compare(struct ct_hosts *hosts, const struct ct_read_input *inputs, size_t count, struct ct_error *err);

/* Opens the inputs as one timeline, by clocks that were said or compared; as ct_reader_open. */
int ct_hosts_open(struct ct_hosts *hosts, const struct ct_read_input *inputs, size_t count,
                  const struct ct_reader_options *options, struct ct_reader **ret, struct ct_error *err);

/* A live session of LTTng's, which another process turns into a trace that grows. */
#pragma once

#include <sys/types.h>

#include "format/error.h"

struct ct_ctf_options;

struct ct_import_live {
    pid_t child;                    /* 0: none */
    int answer;                     /* where it says how it ended; -1: nothing more is to be heard */
    int file;                       /* of the trace, without a name */
    unsigned deaths;                /* of children that had told nothing */
    const char *place;
    const struct ct_ctf_options *options;
};

/*
 * babeltrace2 2.0 may die when the first program of a session begins while it looks: as long as nothing had come, somebody else begins
 * anew, so many times.
 */
enum { CT_IMPORT_DEATHS_MAX = 5 };

/* Begins to follow net://RELAY/host/HOST/SESSION.  0, or negative with `err`; ct_import_live_end undoes it.  Both are borrowed until then. */
int ct_import_live_begin(const char *place, const struct ct_ctf_options *options, struct ct_import_live *ret, struct ct_error *err);

/* 1: it goes on; 0: the session has ended; negative with `err`: it has ended otherwise. */
int ct_import_live_look(struct ct_import_live *live, struct ct_error *err);

/* Ends it and closes the file.  Takes one that did not begin, as zeros. */
void ct_import_live_end(struct ct_import_live *live);

/* A glance over a trace file's blocks: where it ends whole, which program is its last, what that still lacks. */
#pragma once

#include "drain/drain.h"

struct ct_scan {
    uint64_t whole;                     /* bytes of whole blocks; what follows was cut */
    uint64_t size;                      /* of the file */
    bool has_run;
    uint8_t arena_id[CT_UUID_SIZE];     /* of the last program */
    bool ended;                         /* that has its END block */
    bool named;                         /* the file holds names of code addresses */
    uint32_t generation;                /* its last one; 0: none */
    bool generation_ended;
    struct ct_clock_sample start;       /* of that generation */
    uint64_t first_generation;          /* where the first generation of the file begins; 0: none */
};

/*
 * Reads the heads of all blocks of `fd`.  Returns 0, or -EINVAL with `err` when it is no trace or there is something
 * else than a cut end behind the whole blocks.  An empty file is a trace without anything.
 */
int ct_scan_file(int fd, struct ct_scan *ret, struct ct_error *err);

/* The same at a glance: true when the file's last block says that it is whole.  `ret` has no generations then. */
bool ct_scan_foot(int fd, struct ct_scan *ret);

/* Marks in a fresh drain what of its batches the file has already, so that it is not written twice. */
void ct_scan_mark(int fd, const struct ct_scan *scan, struct ct_drain *d);

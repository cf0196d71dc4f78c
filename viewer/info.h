/* What a trace holds, counted: the facts behind `ctrace info`. */
#pragma once

#include "converter/output.h"
#include "converter/read/reader.h"

struct ct_info_count {
    const struct ct_read_event_info *event;     /* NULL: none of this number */
    uint64_t count, bytes;
};

struct ct_info_program {
    const struct ct_read_program *program;
    uint64_t threads, generations, recovered_generations;
    uint64_t missing_generations;               /* between others: who read them while they were made was too slow */
    int64_t missing_ns;
    uint64_t last_generation;                   /* number; 0: none yet */
    int64_t last_end_ns;
    uint64_t events, event_bytes, lost;
    struct { uint64_t count; int64_t ns; } pauses[CT_PAUSE_STOP + 1];   /* the tracer's own, by enum ct_pause_kind */
    struct ct_info_count counts[256];           /* by number in the file */
};

struct ct_info {
    struct ct_reader *reader;
    const char *const *paths;                   /* of the inputs */
    unsigned input_count;
    struct ct_info_program *programs;
    unsigned program_count;
    int damage;                                 /* what reading ended with */
    struct ct_error error;
};

/* Reads the whole trace.  0 (also when it is damaged: see `damage`), or -ENOMEM.  `reader`, `paths` are borrowed. */
int ct_info_gather(struct ct_reader *reader, const char *const *paths, unsigned count, struct ct_info *ret);

void ct_info_fini(struct ct_info *info);

/* For a person, and for a program (one JSON object). */
void ct_info_write_text(const struct ct_info *info, struct ct_output *out);
void ct_info_write_json(const struct ct_info *info, struct ct_output *out);

/* "complete", "cut" or "damaged". */
const char *ct_info_ending(const struct ct_read_ending *ending);

/* What the lines of the text form are made of, and what is known while they are read. */
#pragma once

#include "converter/build.h"
#include "converter/read/trace.h"
#include "converter/text/words.h"

/* What is known of a program while its lines are read. */
struct ct_assembly_program {
    struct ct_build_program *build;
    struct ct_program *clock;           /* of ct_assembly.clocks */
    struct ct_build_generation *current;    /* begun last; NULL before the first */
    struct ct_event_info *schema[256];  /* what `event` lines say; NULL: this version's own */
    bool has_schema;
};

struct ct_assembly {
    struct ct_build build;
    struct ct_trace clocks;             /* programs and generations without bytes: only for their times */
    CT_LIST(struct ct_assembly_program) programs;
    char *cover;
    char *pool;                         /* unquoted texts */
    size_t pool_used, pool_room;
    struct ct_text line;                /* what is left of it */
    unsigned long line_number;
    uint64_t line_offset;
    struct ct_error *err;
};

void ct_assembly_fini(struct ct_assembly *a);

/* Fills a->err for the line that is being read; is -EINVAL. */
__attribute__((format(printf, 2, 3)))
int ct_assemble_fail(struct ct_assembly *a, const char *format, ...);

/*
 * The fields "name=value" of the rest of the line: each calls `take` with its place in `names` (which NULL ends).
 * A word without '=' comes with its place in `names` too, if it stands there with a '!' before it.
 */
int ct_assemble_fields(struct ct_assembly *a, const char *const *names,
                       int (*take)(struct ct_assembly *a, unsigned field, struct ct_text value, void *to), void *to);

/* Values.  Each is 0, or -EINVAL with a->err. */
int ct_assemble_number(struct ct_assembly *a, struct ct_text value, uint64_t *ret);
int ct_assemble_quoted(struct ct_assembly *a, struct ct_text value, struct ct_text *ret);
int ct_assemble_word(struct ct_assembly *a, enum ct_words_set set, struct ct_text value, uint64_t *ret);

/* "P", "P@G", "P:T", "P@G:T!": the program must be there; `ret_g` is its current generation without @. */
struct ct_assembly_owner {
    struct ct_assembly_program *program;
    struct ct_build_generation *generation;
    uint64_t number;                    /* behind the colon */
    bool has_number, nested;
};
int ct_assemble_owner(struct ct_assembly *a, struct ct_text word, struct ct_assembly_owner *ret);

/* A time of the text as ticks of a program. */
uint64_t ct_assemble_ticks(const struct ct_assembly_program *program, int64_t ns);

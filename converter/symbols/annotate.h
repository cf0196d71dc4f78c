/* Writes names into a trace, so that it reads on a machine that lacks the programs it speaks of. */
#pragma once

#include <stdint.h>

#include "converter/read/reader.h"
#include "converter/symbols/symbols.h"
#include "format/error.h"

struct ct_annotation {
    uint64_t addresses; /* code addresses without a name until now */
    uint64_t named;     /* of them, those that have one now */
    uint64_t unplaced;  /* others that lie in no module: code made at run time */
    unsigned modules;   /* files that were looked at */
    char note[256];     /* why the file with the most nameless addresses has none; may be empty */
};

/*
 * Looks up every code address of the trace behind `fd` (a plain file, readable and writable,
 * drained to its end) and appends SYMBOLS blocks for them.  What has a name already is left alone,
 * so it can be called again.  On failure the file is as it was.  `fd` is borrowed; its position
 * does not matter and does not move.
 * Returns 0, or negative with `err`: -EINVAL not a plain trace or damaged, -ENODATA it ends within
 * a block, -ENOMEM, or what writing said.
 */
int ct_annotate(int fd, struct ct_symbols *symbols, struct ct_annotation *ret,
                struct ct_error *err);

/*
 * The same for a trace that is not to be changed: the blocks go to `out`, behind its first `*size` bytes; they continue
 * the trace, as its tail.  One that is cut or damaged gets names for what precedes that.
 */
int ct_annotate_into(const struct ct_read_input *input, struct ct_symbols *symbols, int out, uint64_t *size,
                     struct ct_annotation *ret, struct ct_error *err);

/*
 * Names for traces that grow: each look takes in what the inputs got since the last one, and finds names for the code that is
 * new in it.  One thread at a time.
 */
struct ct_annotator;

/*
 * `symbols` is borrowed until ct_annotator_free, as is `out`, a file that each look fills from its beginning.  0, or negative
 * with `err` as ct_reader_open: try again when there is more.
 */
int ct_annotator_new(const struct ct_read_input *inputs, size_t count, struct ct_symbols *symbols, int out,
                     struct ct_annotator **ret, struct ct_error *err);
void ct_annotator_free(struct ct_annotator *annotator);

/* Of one program: its names are the bytes [from, to) of `out`.  0, or what the look is to return. */
typedef int ct_annotator_sink(void *context, const struct ct_read_program *program, uint64_t from, uint64_t to);

/* Inputs that are new stand behind those of before.  0, or negative with `err`: it is over. */
int ct_annotator_look(struct ct_annotator *annotator, const struct ct_read_input *inputs, size_t count, ct_annotator_sink *sink,
                      void *context, struct ct_error *err);

/* What the reader knows of its inputs after walking over their blocks: programs, generations, and where their bytes lie. */
#pragma once

#include "converter/read/clock.h"
#include "converter/read/idmap.h"
#include "converter/read/list.h"
#include "converter/read/plan.h"
#include "converter/read/reader.h"
#include "converter/read/source.h"
#include "format/file.h"

enum {
    CT_READ_BLOCK_TYPES = 16,           /* counted one by one; newer ones together as number 0 */
    CT_READ_MODULES_MAX = 1 << 16,      /* of one program */
    CT_READ_SCHEMAS_MAX = 64,           /* different ones in all inputs */
    CT_READ_STREAMS_MAX = 1 << 17,      /* threads that emit within one generation */
    CT_READ_IDS_MAX = 1 << 20,          /* strings, addresses or stacks of one generation; a recorder has far fewer */
    CT_READ_GENERATIONS_MAX = 1 << 21,  /* of one program: some weeks */
    CT_READ_PROGRAMS_MAX = 1 << 16,     /* in all inputs */
    CT_READ_SEGMENTS_MAX = CT_READ_ROLLS_MAX + 2,       /* of an input: its files, and a tail */
};

#define CT_EXTENT_NONE UINT32_MAX

/* Neighbouring blocks of one generation, or of none. */
struct ct_extent {
    uint64_t from, to;
    uint32_t segment;                   /* 0 the file, then those of a ring that came after it, then its tail */
    uint32_t next;                      /* in ct_trace_input.extents; CT_EXTENT_NONE ends */
};

struct ct_extent_chain {
    uint32_t first, last;
};

struct ct_generation_index {
    uint64_t number;
    struct ct_generation start;
    struct ct_generation_end end;
    bool has_start, has_end, recovered;
    uint64_t start_at, end_at;          /* bytes of the file where those two stand */
    uint64_t first_ticks, last_ticks;   /* smallest and largest base of its batches; first > last: it has none */
    struct ct_extent_chain blocks;
};

struct ct_program {
    struct ct_read_program pub;         /* first: consumers hold pointers to it */
    struct ct_reader *reader;
    struct ct_read_clock clock;
    int64_t known_end_ns;               /* pub.end_ns as it was before the first event: that one grows with them */
    int64_t shift_ns;                   /* what to add to the clock's ns to get times of the timeline */
    struct ct_read_plans *plans;
    CT_LIST(struct ct_generation_index) generations;    /* by number, after the walk */
    struct ct_idmap generation_places;                  /* during the walk */
    struct ct_extent_chain tables;      /* blocks that belong to no generation */
    CT_LIST(struct ct_read_thread *) threads;
    struct ct_idmap thread_places;      /* by serial */
    CT_LIST(struct ct_read_module) modules;
    struct ct_idmap module_places;      /* by a hash of the row */
    CT_LIST(struct ct_read_frame) frames;
    struct ct_idmap frame_places;       /* by pc: its first frame */
    size_t whole;                       /* of a file that grows: generations that were over at the last look, */
    size_t ready;                       /* and those that can be loaded; of another all of them */
    bool placed;                        /* its clock is known, and what to add to it */
    bool over;                          /* no more generations come */
    size_t next_generation;             /* the merge: what is to be loaded next */
    unsigned loaded;                    /* generations that have events left */
    size_t agenda_place;
    int64_t next_ns;                    /* when the next generation begins, or the program ends; INT64_MAX: not yet known */
    bool ended;
};

struct ct_trace_segment {
    struct ct_read_source source;
    uint64_t limit;                     /* blocks from here on are not used */
};

struct ct_trace_input {
    const char *name;
    struct ct_trace_segment segments[CT_READ_SEGMENTS_MAX];
    unsigned segment_count;
    unsigned rolled;                    /* as it was when the first was opened */
    CT_LIST(struct ct_extent) extents;
    struct ct_program *program;         /* the walk: whose blocks come now */
    struct ct_read_plans *plans;        /* the walk: the schema that was seen last */
    struct ct_idmap program_places;     /* by arena id */
    struct ct_text cover;
    bool by_directory;                  /* the blocks of generations were not seen: loading counts and checks them */
    struct ct_read_ending ending;
    uint64_t block_bytes[CT_READ_BLOCK_TYPES], blocks[CT_READ_BLOCK_TYPES];
};

/* The inputs as a whole. */
struct ct_trace {
    CT_LIST(struct ct_trace_input) inputs;
    CT_LIST(struct ct_program *) programs;
    CT_LIST(struct ct_read_thread *) threads;
    struct ct_read_plans *plans;        /* all schemas, linked */
    struct ct_read_oddities oddities;
    int64_t start_abs_ns;               /* of the clock that all programs share */
    int64_t end_ns, realtime_ns;
    uint64_t inflate_max;
    const struct ct_read_shift *shifts;
    size_t shift_count;
    CT_LIST(struct ct_read_shift *) own_shifts;     /* of machines that came while files grew, and nobody spoke of */
    int64_t first_shift_ns;             /* of the program that realtime_ns is told by */
    bool follow;                        /* files grow, */
    int64_t horizon_ns;                 /* and up to here all is known; else INT64_MAX */
};

/* One block, its head checked. */
struct ct_block {
    struct ct_block_head head;
    uint64_t offset;                    /* of the head */
    struct ct_cursor payload;
};

/* Adds an input: opens it and walks over its blocks.  0 or negative with `err`. */
int ct_trace_add(struct ct_trace *trace, const struct ct_read_input *input, struct ct_error *err);

/* Call after the last ct_trace_add: clocks, order of programs, tables that belong to no generation. */
int ct_trace_ready(struct ct_trace *trace, struct ct_error *err);

/*
 * The part of ct_trace_ready that needs no bytes: sorts generations, makes clocks, and brings all programs to one time.
 * For those who build programs by hand to use their clocks.
 */
int ct_trace_align(struct ct_trace *trace, struct ct_error *err);

/*
 * Of files that grow: takes in what they got, and those of `inputs` that are new.  With `last` what is not over is taken
 * as well, tails included.  0, or negative with `err`.  Call it after ct_trace_ready, too.
 */
int ct_trace_extend(struct ct_trace *trace, struct ct_reader *reader, const struct ct_read_input *inputs, size_t count,
                    bool last, struct ct_error *err);

/* Names that somebody found for the program of an input: 0, or negative with `err`. */
int ct_trace_names(struct ct_trace *trace, const struct ct_read_names *names, struct ct_error *err);

/* Its parts: a schema for a program; its tables of segment `segment` from `from` on; its clock; from when to when it lasts. */
int ct_program_schema(struct ct_trace *trace, struct ct_program *program);
int ct_program_tables(struct ct_trace *trace, struct ct_program *program, unsigned segment, uint64_t from, struct ct_error *err);
int ct_program_clock(struct ct_program *program);
/* What was said or found of its machine's clock; NULL: nothing. */
const struct ct_read_shift *ct_program_shift(const struct ct_trace *trace, const struct ct_program *program);
void ct_program_span(struct ct_program *program);
/*
 * Whether both count from the same start of one machine; what came from CTF has the wall clock alone, whatever boot it tells of.
 * Their clocks are known.
 */
bool ct_program_same_clock(const struct ct_program *a, const struct ct_program *b);

void ct_trace_fini(struct ct_trace *trace);

/*
 * Reads the block at `at` of a segment; its CRC is not checked.  0, -ENODATA when the segment ends within it, -EINVAL
 * when it is none.
 */
int ct_trace_block(const struct ct_trace_segment *segment, uint64_t at, struct ct_block *ret, struct ct_error *err);

/* Counts a block for `info`; false when this version does not know its type. */
bool ct_trace_count(struct ct_trace *trace, struct ct_trace_input *input, const struct ct_block *block);

/* Whether the block's CRC is right: 0 or -EINVAL. */
int ct_block_check(const struct ct_block *block, struct ct_error *err);

/* Marks an input damaged at a place: what lies behind is not used any more.  The first damage is the one that is told. */
void ct_trace_damage(struct ct_trace_input *input, unsigned segment, const struct ct_error *err);

/* Notes that a file was cut short since it was opened, if it was: nothing that was read of the rest is true. */
void ct_trace_vanished(struct ct_trace_input *input);

/* The thread with this serial, made when it is new; NULL without memory. */
struct ct_read_thread *ct_program_thread(struct ct_program *program, uint64_t serial);

/* Takes in one MODULES or SYMBOLS block: 0, or negative with `err`. */
int ct_program_modules(struct ct_program *program, struct ct_cursor payload, struct ct_error *err);
int ct_program_symbols(struct ct_program *program, struct ct_cursor payload, struct ct_error *err);

/* Ticks of this program as a time of the timeline; 0 ticks are CT_READ_NEVER. */
int64_t ct_program_ns(const struct ct_program *program, uint64_t ticks);

/* The reader's trace, for parts that only hold a program. */
struct ct_trace *ct_reader_trace(struct ct_reader *reader);

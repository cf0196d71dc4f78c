/* A trace under construction: programs, their generations, tables and events; written out as blocks when all is there. */
#pragma once

#include "converter/output.h"
#include "converter/read/idmap.h"
#include "converter/read/list.h"
#include "format/event.h"
#include "format/tables.h"

/* Bytes that grow. */
struct ct_build_bytes {
    CT_LIST(uint8_t) list;
};

/* Events of one thread (or of its signal handlers) in one generation: becomes one batch, in pieces. */
struct ct_build_stream {
    uint64_t serial, base_ticks, ticks;
    bool nested;
    struct ct_build_bytes events;
    CT_LIST(size_t) cuts;               /* where a new piece begins */
};

struct ct_build_generation {
    uint64_t number;
    struct ct_generation start;
    struct ct_generation_end end;
    bool has_start, has_end, recovered;
    uint64_t first_ticks;               /* UINT64_MAX, or base of its first batch, when it has no start */
    struct ct_build_bytes strings, addresses, stacks, modules, threads, symbols;    /* rows */
    struct ct_idmap string_places;      /* by hash of the text */
    CT_LIST(struct ct_string_row) string_rows;
    struct ct_idmap address_ids;
    uint64_t next_string, next_address;
    struct ct_idmap stream_places;
    CT_LIST(struct ct_build_stream) streams;
};

struct ct_build_program {
    struct ct_run run;
    bool has_end;
    struct ct_end end;
    struct ct_build_bytes schema, modules, symbols;     /* rows; no schema: this version's own */
    struct ct_idmap generation_places;
    CT_LIST(struct ct_build_generation *) generations;
    uint64_t last_batch;                /* id */
};

struct ct_build {
    struct ct_text cover;
    CT_LIST(struct ct_build_program *) programs;
    struct ct_idmap reserved_strings, reserved_addresses;   /* ids that are referred to, and must stay undefined */
};

void ct_build_fini(struct ct_build *build);

/* Adds a program or a generation; NULL without memory.  Texts of all rows are borrowed until ct_build_write. */
struct ct_build_program *ct_build_program(struct ct_build *build);
struct ct_build_generation *ct_build_generation(struct ct_build_program *program, uint64_t number);
/* The one with this number, or NULL. */
struct ct_build_generation *ct_build_find(const struct ct_build_program *program, uint64_t number);

/* Ids of what is defined here on first use.  0 or -ENOMEM. */
int ct_build_string(struct ct_build *build, struct ct_build_generation *g, struct ct_text text, uint64_t *ret);
int ct_build_address(struct ct_build *build, struct ct_build_generation *g, uint64_t address, uint64_t *ret);

/* Appends an event.  0, -ENOMEM, -ERANGE when it is earlier than the one before it, -E2BIG when no block can hold it. */
int ct_build_event(struct ct_build_generation *g, uint64_t serial, bool nested, const struct ct_event_info *info,
                   const struct ct_event *event);

/* Appends one row to a table: ct_build_row(&g->stacks, stack_row, &row), 0, -ENOMEM or -E2BIG. */
#define ct_build_row(bytes, name, row) \
    ct_build_put(bytes, (void (*)(struct ct_buffer *, const void *))ct_##name##_put, row)
int ct_build_put(struct ct_build_bytes *bytes, void (*put)(struct ct_buffer *, const void *), const void *row);

/* Appends what events of number `no` are to a program's schema: as ct_build_row. */
int ct_build_event_info(struct ct_build_bytes *schema, unsigned no, const struct ct_event_info *info);

/* Writes the file.  0, or what `out` said. */
int ct_build_write(const struct ct_build *build, struct ct_output *out);

/*
 * The same in parts, for what does not fit into memory: the head, then for each program its head, its generations (one
 * by one, freed when written), its names, its end.  Before a part of another program than the last its head is repeated.
 */
void ct_build_write_head(const struct ct_build *build, struct ct_output *out);
int ct_build_write_program(const struct ct_build_program *program, struct ct_output *out);
int ct_build_write_generation(struct ct_build_program *program, struct ct_build_generation *g, struct ct_output *out);
int ct_build_write_end(const struct ct_build_program *program, struct ct_output *out);

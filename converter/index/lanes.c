/* Lanes and rows of an index in the making: what programs, threads and CPUs have, made when it is first needed. */
#include <stdio.h>
#include <stdlib.h>

#include "converter/index/builder.h"
#include "converter/index/frames.h"
#include "converter/index/keys.h"

enum {
    COMMAND_MAX = 1000,
    CPU_ROWS_MAX = 4096,
    ROWS_MAX = 200000,                  /* 1.6 KB each: only a hostile trace has more */
};

/* Threads and CPUs have numbers, and names that may change; what else there is of one kind in a program has only its name. */
static uint64_t key_of(struct ct_builder *b, const struct ct_lane_record *lane)
{
    uint64_t key = lane->program == CT_INDEX_NONE ? lane->key : b->programs.items[lane->program].key;
    struct ct_text name = ct_strings_text(&b->strings, lane->name);

    key = ct_key_add_number(ct_key_add_number(key, lane->kind), lane->serial);
    return lane->kind == CT_LANE_THREAD || lane->kind == CT_LANE_CPU ? key : ct_key_add(key, name.at, name.size);
}

uint32_t ct_build_lane(struct ct_builder *b, const struct ct_lane_record *record)
{
    struct ct_lane_record *lane = ct_list_add(&b->lanes);

    if (!lane) {
        b->no_memory = true;
        return CT_INDEX_NONE;
    }
    *lane = *record;
    lane->first_row = lane->last_row = CT_INDEX_NONE;
    lane->key = key_of(b, lane);
    b->revision++;
    return (uint32_t)b->lanes.count - 1;
}

struct ct_row_live *ct_build_row(struct ct_builder *b, uint32_t lane, enum ct_index_row_kind kind, unsigned depth,
                                 const char *name)
{
    uint32_t id = (uint32_t)b->rows.count;
    struct ct_row_live *row, **place;
    struct ct_lane_record *l;

    if (id >= ROWS_MAX) {
        b->too_many_rows = true;
        return NULL;
    }
    row = lane < b->lanes.count ? aligned_alloc(CT_LINE, sizeof *row) : NULL;
    place = row ? ct_list_add(&b->rows) : NULL;
    if (!place) {
        free(row);
        b->no_memory = true;
        return NULL;
    }
    *place = row;
    row->id = id;
    row->start = INT64_MAX;
    row->end = INT64_MIN;
    row->busy = 0;
    row->record = (struct ct_row_record){ .lane = lane, .kind = kind, .depth = depth, .next = CT_INDEX_NONE,
                                          .name = ct_strings_of(&b->strings, (struct ct_text){ name, strlen(name) }) };
    memset(&row->column, 0, sizeof row->column);
    row->column.tree.values = kind == CT_ROW_VALUE;
    l = &b->lanes.items[lane];
    if (l->last_row == CT_INDEX_NONE)
        l->first_row = id;
    else
        b->rows.items[l->last_row]->record.next = id;
    l->last_row = id;
    b->revision++;
    return row;
}

/* --- programs --- */

static uint32_t command_of(struct ct_builder *b, const struct ct_read_program *read)
{
    char line[COMMAND_MAX];
    size_t size = read->run.arguments.size < sizeof line ? read->run.arguments.size : sizeof line;

    if (size)
        memcpy(line, read->run.arguments.at, size);
    while (size > 0 && line[size - 1] == 0)
        size--;
    for (size_t i = 0; i < size; i++)
        line[i] = line[i] ? line[i] : ' ';
    return ct_strings_of(&b->strings, (struct ct_text){ line, size });
}

/* The machine, and how uncertain its clock is; nothing when there is only one. */
static uint32_t host_of(struct ct_builder *b, const struct ct_read_program *read)
{
    enum { ON = 4 };                    /* " on " */
    char room[CT_READ_PLACE];
    struct ct_text place = ct_read_place(read, room);

    return place.size > ON ? ct_strings_of(&b->strings, (struct ct_text){ place.at + ON, place.size - ON }) : CT_STRINGS_EMPTY;
}

static uint32_t program_name(struct ct_builder *b, const struct ct_read_program *read)
{
    char room[CT_READ_PLACE];
    struct ct_text place = ct_read_place(read, room), name = ct_run_name(&read->run);

    return ct_strings_print(&b->strings, "%.*s%.*s", (int)name.size, name.size ? name.at : "", (int)place.size, place.size ? place.at : "");
}

/* The same program opened twice, or made anew by exec without telling so: the later one has the next key. */
static uint64_t program_key(const struct ct_builder *b, const struct ct_run *run)
{
    uint64_t key = ct_key_of_program(run);

    for (size_t i = 0; i < b->programs.count; i++)
        if (b->programs.items[i].key == key)
            key = ct_key_add_number(key, 1);
    return key;
}

static __attribute__((noinline)) struct ct_build_owner *new_owner(struct ct_builder *b, struct ct_model_program *p)
{
    uint64_t key = program_key(b, &p->read->run);
    struct ct_program_record *record;
    struct ct_build_owner *own;

    own = calloc(1, sizeof *own);
    record = own ? ct_list_add(&b->programs) : NULL;
    if (!record) {
        free(own);
        b->no_memory = true;
        return NULL;
    }
    *record = (struct ct_program_record){ .pid = p->read->run.pid, .key = key, .start = p->read->start_ns, .end = p->read->end_ns,
                                          .name = program_name(b, p->read),
                                          .host = host_of(b, p->read), .command = command_of(b, p->read) };
    own->id = (uint32_t)b->programs.count - 1;
    own->pauses.lane = own->tasks.lane = CT_INDEX_NONE;
    p->user = own;
    b->revision++;
    return own;
}

struct ct_build_owner *ct_build_owner_of(struct ct_builder *b, struct ct_model_program *p)
{
    return p->user ? p->user : new_owner(b, p);
}

void ct_build_program_free(struct ct_model_program *p)
{
    struct ct_build_owner *own = p->user;

    for (struct ct_model_thread *t = p->threads; t; t = t->next) {
        struct ct_build_thread *thread = t->user;

        if (thread && thread->depth != thread->near_depth)
            free(thread->depth);
        free(thread);
        t->user = NULL;
    }
    if (own)
        ct_list_fini(&own->counters);
    free(own);
    p->user = NULL;
}

/* --- threads --- */

/*
 * Threads that were never named bear the name of the program: then the function they started with says more, if it has
 * a name, and else their number.
 */
static uint32_t thread_name(struct ct_builder *b, const struct ct_model_thread *t)
{
    const struct ct_read_thread *read = t->read;
    struct ct_text program = ct_run_name(&read->program->run), name = { t->name, strlen(t->name) };
    bool own = name.size > 0 && (program.size < name.size || memcmp(program.at, name.at, name.size) != 0);
    const struct ct_read_frame *frames;

    if (own || (read->serial == 1 && name.size > 0))
        return ct_strings_of(&b->strings, name);
    if (program.size > 64)
        program.size = 64;
    if (read->serial == 1 && program.size > 0)
        return ct_strings_of(&b->strings, program);
    if (read->routine && ct_read_frames(read->program, read->routine, &frames) > 0 && frames[0].function.size > 0)
        return ct_strings_of(&b->strings, frames[0].function);
    return ct_strings_print(&b->strings, "%.*s%sthread %llu", (int)program.size, program.at ? program.at : "",
                            program.size ? " " : "", (unsigned long long)read->serial);
}

static uint32_t group_of(struct ct_builder *b, const struct ct_read_thread *read)
{
    const struct ct_read_frame *frames;
    char address[256];

    if (read->serial == 1)
        return ct_strings_of(&b->strings, (struct ct_text){ "main", 4 });
    if (read->routine == 0)
        return CT_STRINGS_EMPTY;
    if (ct_read_frames(read->program, read->routine, &frames) > 0 && frames[0].function.size > 0)
        return ct_strings_of(&b->strings, frames[0].function);
    return ct_strings_of(&b->strings, (struct ct_text){ address, ct_frames_address(read->program, read->routine, address,
                                                                                   sizeof address) });
}

void ct_build_thread_name(struct ct_builder *b, struct ct_model_thread *t)
{
    struct ct_build_thread *own = ct_build_thread_of(b, t);
    uint32_t name = own ? thread_name(b, t) : 0;

    if (!own || b->lanes.items[own->lane].name == name)
        return;
    b->lanes.items[own->lane].name = name;
    own->running = own->maybe = 0;
    b->revision++;
}

struct ct_build_thread *ct_build_thread_of(struct ct_builder *b, struct ct_model_thread *t)
{
    struct ct_build_thread *own = t->user;
    struct ct_build_owner *owner = own ? NULL : ct_build_owner_of(b, t->program);
    const struct ct_read_thread *read = t->read;

    if (own)
        return own;
    own = owner ? aligned_alloc(CT_LINE, sizeof *own) : NULL;
    if (!own) {
        b->no_memory = true;
        return NULL;
    }
    memset(own, 0, sizeof *own);
    own->depth = own->near_depth;
    own->start = INT64_MAX;
    own->lane = ct_build_lane(b, &(struct ct_lane_record){ .kind = CT_LANE_THREAD, .program = owner->id, .tid = read->tid,
                                                           .serial = read->serial, .routine = read->routine,
                                                           .name = thread_name(b, t), .group = group_of(b, read),
                                                           .start = INT64_MAX, .end = INT64_MIN });
    own->seen = INT64_MIN;
    if (own->lane == CT_INDEX_NONE) {
        free(own);
        return NULL;
    }
    b->programs.items[owner->id].threads++;
    b->summary.threads++;
    t->user = own;
    return own;
}

/* --- what is known only later, while the trace grows --- */

static void set(struct ct_builder *b, uint32_t *text, uint32_t to)
{
    b->revision += *text != to;
    *text = to;
}

/* CPUs of which no machine was told are of the first, which was alone when they came. */
static void name_hosts(struct ct_builder *b)
{
    uint32_t first = CT_STRINGS_EMPTY;

    for (unsigned i = 0; i < ct_reader_program_count(b->reader); i++) {
        const struct ct_read_program *read = ct_reader_program(b->reader, i);
        const struct ct_model_program *p = read->user;
        const struct ct_build_owner *own = p ? p->user : NULL;
        struct ct_program_record *record = own ? &b->programs.items[own->id] : NULL;

        if (!record || !read->shift || record->host != CT_STRINGS_EMPTY)
            continue;
        first = first == CT_STRINGS_EMPTY ? host_of(b, read) : first;
        set(b, &record->host, host_of(b, read));
        set(b, &record->name, program_name(b, read));
    }
    for (size_t i = 0; first != CT_STRINGS_EMPTY && i < b->lanes.count; i++)
        if (b->lanes.items[i].kind == CT_LANE_CPU && b->lanes.items[i].host == CT_STRINGS_EMPTY)
            set(b, &b->lanes.items[i].host, first);
}

void ct_builder_tell_apart(struct ct_builder *b, bool names)
{
    name_hosts(b);
    for (unsigned i = 0; names && i < ct_reader_program_count(b->reader); i++) {
        struct ct_model_program *p = ct_reader_program(b->reader, i)->user;

        for (struct ct_model_thread *t = p ? p->threads : NULL; t; t = t->next) {
            struct ct_build_thread *own = t->user;

            if (!own)
                continue;
            ct_build_thread_name(b, t);
            set(b, &b->lanes.items[own->lane].group, group_of(b, t->read));
        }
    }
}

/* --- CPUs --- */

struct ct_row_live *ct_build_cpu_row(struct ct_builder *b, unsigned host, int cpu, bool exact, const struct ct_read_program *of)
{
    uint64_t key = (uint64_t)host << 32 | (unsigned)cpu;
    uint32_t at = ct_idmap_get(&b->cpu_places, key), name, lane;
    struct ct_row_live **row;

    if (at != CT_IDMAP_NONE)
        return b->cpus.items[at];
    if (b->cpus.count >= CPU_ROWS_MAX)
        return NULL;
    name = host ? ct_strings_print(&b->strings, "CPU %d of host %u", cpu, host + 1)
                : ct_strings_print(&b->strings, "CPU %d", cpu);
    lane = ct_build_lane(b, &(struct ct_lane_record){ .kind = CT_LANE_CPU, .program = CT_INDEX_NONE, .name = name,
                                                      .group = exact ? 0 : ct_strings_print(&b->strings, "estimated"),
                                                      .host = host_of(b, of), .key = ct_key_of_host(&of->run), .serial = (unsigned)cpu, .start = INT64_MAX, .end = INT64_MIN });
    row = ct_list_add(&b->cpus);
    if (!row)
        return NULL;
    *row = ct_build_row(b, lane, CT_ROW_SLICES, 0, "");
    if (!*row || ct_idmap_add(&b->cpu_places, key, (uint32_t)b->cpus.count - 1) < 0) {
        b->cpus.count--;
        b->no_memory = true;
        return NULL;
    }
    if (host == 0 && (unsigned)cpu < CT_NEAR_CPUS)
        b->near_cpu[cpu] = *row;
    return *row;
}

/* --- what overlaps --- */

struct ct_row_live *ct_build_packed(struct ct_builder *b, struct ct_packed *packed, enum ct_index_lane_kind kind,
                                    struct ct_model_program *program, int64_t *start, int64_t end)
{
    struct ct_build_owner *own = ct_build_owner_of(b, program);
    const char *name = kind == CT_LANE_TASK ? "tasks" : "pauses";
    struct ct_row_live *best = NULL;
    int64_t best_end = INT64_MAX;

    if (!own)
        return NULL;
    if (packed->lane == CT_INDEX_NONE)
        packed->lane = ct_build_lane(b, &(struct ct_lane_record){ .kind = kind, .program = own->id, .start = INT64_MAX,
                                     .name = ct_strings_of(&b->strings, (struct ct_text){ name, strlen(name) }),
                                     .end = INT64_MIN });
    for (unsigned i = 0; i < packed->count; i++) {
        int64_t last = packed->row[i]->column.end;

        if (last <= *start)
            return packed->row[i];
        if (last < best_end) {
            best_end = last;
            best = packed->row[i];
        }
    }
    if (packed->count == CT_PACKED_ROWS) {
        *start = best_end < end ? best_end : end;
        return best;
    }
    best = ct_build_row(b, packed->lane, CT_ROW_SLICES, packed->count, "");
    if (best)
        packed->row[packed->count++] = best;
    return best;
}

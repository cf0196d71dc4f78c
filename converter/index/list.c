/* What is in an index: classes, the trace, programs, lanes with their rows, names. */
#include <errno.h>

#include "converter/index/keys.h"
#include "converter/index/memory.h"
#include "converter/index/store.h"

static const struct { const char *name, *word; } classes[CT_CLASS_END] = {
    [CT_CLASS_UNKNOWN] = { "unknown", "unknown" },
    [CT_CLASS_RUNNING] = { "running", "running" },
    [CT_CLASS_RUNNABLE] = { "runnable", "runnable" },
    [CT_CLASS_LOCK] = { "waiting for a lock", "lock" },
    [CT_CLASS_CONDITION] = { "waiting for a condition, semaphore or barrier", "condition" },
    [CT_CLASS_JOIN] = { "joining a thread", "join" },
    [CT_CLASS_SLEEP] = { "sleeping", "sleep" },
    [CT_CLASS_POLL] = { "polling", "poll" },
    [CT_CLASS_IO] = { "I/O call", "io" },
    [CT_CLASS_FILE] = { "file call", "file" },
    [CT_CLASS_PROCESS] = { "process", "process" },
    [CT_CLASS_ALLOCATOR_PAUSE] = { "allocator pause", "allocator" },
    [CT_CLASS_TRACER_PAUSE] = { "tracer pause", "tracer" },
    [CT_CLASS_COLLECTOR_PAUSE] = { "collector pause", "collector" },
    [CT_CLASS_REGION] = { "region", "region" },
    [CT_CLASS_TASK] = { "task", "task" },
    [CT_CLASS_POINT] = { "wake or create", "point" },
    [CT_CLASS_CPU_SAMPLE] = { "CPU sample", "cpu" },
    [CT_CLASS_ALLOC_SAMPLE] = { "allocation sample", "alloc" },
    [CT_CLASS_MARK] = { "log or mark", "mark" },
    [CT_CLASS_LOST] = { "lost events", "lost" },
    [CT_CLASS_OTHER] = { "other", "other" },
    [CT_CLASS_MAYBE] = { "perhaps still running there", "maybe" },
};

const char *ct_index_class_name(unsigned class)
{
    return class < CT_CLASS_END ? classes[class].name : NULL;
}

const char *ct_index_class_word(unsigned class)
{
    return class < CT_CLASS_END ? classes[class].word : NULL;
}

/* Ends a question: what was taken goes when something failed. */
static int answer(struct ct_index *index, const struct ct_store *store, struct ct_index_memory **memory)
{
    ct_index_end(index, store);
    if (!ct_index_short(*memory))
        return 0;
    ct_index_free(*memory);
    *memory = NULL;
    return -ENOMEM;
}

int ct_index_meta(struct ct_index *index, struct ct_index_meta *ret)
{
    struct ct_index_meta meta = { .memory = ct_index_memory_new() };
    struct ct_index_program *programs;
    struct ct_store s;
    int r = meta.memory ? ct_index_begin(index, &s) : -ENOMEM;

    if (r < 0) {
        ct_index_free(meta.memory);
        return r;
    }
    memcpy(meta.uuid, s.summary->uuid, sizeof meta.uuid);
    meta.bytes = s.summary->bytes;
    meta.events = s.summary->events;
    meta.lost = s.summary->lost;
    meta.span_ns = s.summary->span;
    meta.start_wall_ns = s.summary->wall;
    meta.cpus = s.summary->cpus;
    meta.damage = ct_index_copy(meta.memory, ct_store_text(&s, s.summary->damage));
    programs = ct_index_take(meta.memory, s.program_count * sizeof *programs);
    for (size_t i = 0; programs && i < s.program_count; i++) {
        const struct ct_program_record *p = &s.programs[i];

        programs[i] = (struct ct_index_program){ .pid = p->pid, .key = p->key & CT_KEY_MASK, .name = ct_index_copy(meta.memory, ct_store_text(&s, p->name)),
                                                 .command = ct_index_copy(meta.memory, ct_store_text(&s, p->command)),
                                                 .host = ct_index_copy(meta.memory, ct_store_text(&s, p->host)),
                                                 .start_ns = p->start, .end_ns = p->end, .threads = p->threads };
    }
    meta.programs = programs;
    meta.program_count = s.program_count;
    r = answer(index, &s, &meta.memory);
    if (r == 0)
        *ret = meta;
    return r;
}

/* --- lanes --- */

static uint64_t row_key(const struct ct_lane_record *lane, const struct ct_row_record *row, struct ct_text name)
{
    uint64_t key = ct_key_add_number(ct_key_add_number(lane->key, row->kind), row->depth);

    return ct_key_add(key, name.at, name.size) & CT_KEY_MASK;
}

static size_t rows_of(const struct ct_store *s, const struct ct_lane_record *lane, uint32_t id, struct ct_index_memory *memory,
                      struct ct_index_row *rows, size_t room)
{
    size_t count = 0;

    for (uint32_t row = lane->first_row; count < room;) {
        const struct ct_row_record *record = ct_store_row(s, row);

        if (!record || record->lane != id)
            break;
        rows[count++] = (struct ct_index_row){ .id = row, .lane = id, .kind = record->kind, .depth = record->depth,
                                               .key = row_key(lane, record, ct_store_text(s, record->name)),
                                               .count = ct_store_count(s, row),
                                               .name = ct_index_copy(memory, ct_store_text(s, record->name)) };
        row = record->next;
    }
    return count;
}

static void lane_of(const struct ct_store *s, uint32_t id, struct ct_index_memory *memory, struct ct_index_lane *ret)
{
    const struct ct_lane_record *l = &s->lanes[id];

    *ret = (struct ct_index_lane){ .id = id, .program = l->program, .key = l->key & CT_KEY_MASK, .kind = l->kind, .tid = l->tid,
                                   .name = ct_index_copy(memory, ct_store_text(s, l->name)),
                                   .group = ct_index_copy(memory, ct_store_text(s, l->group)),
                                   .unit = ct_index_copy(memory, ct_store_text(s, l->unit)),
                                   .host = ct_index_copy(memory, ct_store_text(s, l->host)),
                                   .start_ns = l->start, .end_ns = l->end, .busy_ns = l->busy };
    if (ret->start_ns > ret->end_ns)
        ret->start_ns = ret->end_ns = 0;
}

int ct_index_lanes(struct ct_index *index, struct ct_index_lanes *ret)
{
    struct ct_index_lanes lanes = { .memory = ct_index_memory_new() };
    struct ct_index_lane *list;
    struct ct_index_row *rows;
    struct ct_store s;
    size_t used = 0;
    int r = lanes.memory ? ct_index_begin(index, &s) : -ENOMEM;

    if (r < 0) {
        ct_index_free(lanes.memory);
        return r;
    }
    list = ct_index_take(lanes.memory, s.lane_count * sizeof *list);
    rows = ct_index_take(lanes.memory, s.row_count * sizeof *rows);
    for (size_t i = 0; list && rows && i < s.lane_count; i++) {
        lane_of(&s, (uint32_t)i, lanes.memory, &list[i]);
        list[i].rows = rows + used;
        list[i].row_count = rows_of(&s, &s.lanes[i], (uint32_t)i, lanes.memory, rows + used, s.row_count - used);
        used += list[i].row_count;
    }
    lanes.lanes = list;
    lanes.count = s.lane_count;
    lanes.revision = s.revision;
    r = answer(index, &s, &lanes.memory);
    if (r == 0)
        *ret = lanes;
    return r;
}

int ct_index_names(struct ct_index *index, uint32_t from, struct ct_index_names *ret)
{
    struct ct_index_names names = { .memory = ct_index_memory_new() };
    struct ct_text *texts;
    uint8_t *class;
    struct ct_store s;
    int r = names.memory ? ct_index_begin(index, &s) : -ENOMEM;

    if (r < 0) {
        ct_index_free(names.memory);
        return r;
    }
    names.count = from < s.name_count ? s.name_count - from : 0;
    texts = ct_index_take(names.memory, names.count * sizeof *texts);
    class = ct_index_take(names.memory, names.count);
    for (size_t i = 0; texts && class && i < names.count; i++) {
        texts[i] = ct_index_copy(names.memory, ct_store_text(&s, s.names[from + i].text));
        class[i] = s.names[from + i].class;
    }
    names.names = texts;
    names.classes = class;
    names.revision = s.revision;
    r = answer(index, &s, &names.memory);
    if (r == 0)
        *ret = names;
    return r;
}

/* Tables of a part of the trace, and which of the builder's rows theirs are. */
#include "converter/index/glance.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "converter/index/file.h"

/* By the number that a program has in the tables, in which they were met: the reader's, which is the same for both. */
struct programs {
    uint32_t *items;
    size_t count, room;
};

struct ct_glance {
    struct ct_reader *reader;
    struct ct_builder *builder;
    struct ct_store store;
    int64_t from, to;
    uint32_t *names;                    /* by its number: the builder's; 0: that has no such, as of so many names and lanes */
    size_t builders_names, builders_lanes;
    struct ct_idmap lanes;              /* by key_of */
    struct programs programs, builders; /* of its own tables, and of the builder's */
    CT_LIST(uint32_t) rows;             /* by the builder's number, as far as that had any: its own */
};

/* --- reading --- */

static int read_part(struct ct_glance *g, uint64_t events, const atomic_bool *stop)
{
    const struct ct_read_item *items;
    struct ct_error err;
    size_t count;
    int64_t reached = g->from;

    while (ct_reader_next_run(g->reader, &items, &count, &err) > 0) {   /* damage ends it, as it does the trace */
        int r = ct_builder_items(g->builder, items, count);

        if (r < 0)
            return r;
        if (atomic_load_explicit(stop, memory_order_relaxed))           /* relaxed: it is only to be seen some time */
            return -ECANCELED;
        reached = items[count - 1].ns;
        if (reached < g->from)
            continue;                   /* what precedes it in its generation */
        if (events <= count && reached < g->to) {
            g->to = reached;
            break;
        }
        events -= events < count ? events : count;
    }
    ct_model_end(g->builder->model, g->to);
    ct_builder_rest(g->builder);
    return g->to > g->from ? 0 : -ENODATA;
}

int ct_glance_new(struct ct_reader *reader, int64_t from_ns, int64_t to_ns, uint64_t events, const atomic_bool *stop,
                  struct ct_glance **ret)
{
    struct ct_glance *g = calloc(1, sizeof *g);
    struct ct_index_file file;
    struct ct_error err;
    int r;

    if (!g) {
        ct_reader_close(reader);
        return -ENOMEM;
    }
    g->reader = reader;
    g->from = from_ns;
    g->to = to_ns;
    ct_reader_set_range(reader, from_ns, to_ns, true);
    r = ct_index_file_create("", NULL, true, NULL, &file, &err);
    if (r == 0)
        g->builder = ct_builder_new(reader, file.fd);
    if (r == 0)
        r = g->builder ? read_part(g, events, stop) : -ENOMEM;
    if (r < 0) {
        ct_glance_free(g);
        return r;
    }
    ct_builder_store(g->builder, &g->store);
    *ret = g;
    return 0;
}

void ct_glance_free(struct ct_glance *g)
{
    if (!g)
        return;
    ct_builder_free(g->builder);
    ct_reader_close(g->reader);
    free(g->names);
    ct_idmap_fini(&g->lanes);
    ct_list_fini(&g->programs);
    ct_list_fini(&g->builders);
    ct_list_fini(&g->rows);
    free(g);
}

int64_t ct_glance_from(const struct ct_glance *g)
{
    return g->from;
}

int64_t ct_glance_to(const struct ct_glance *g)
{
    return g->to;
}

const struct ct_store *ct_glance_store(const struct ct_glance *g)
{
    return &g->store;
}

/* --- lanes --- */

static int know_programs(struct programs *list, const struct ct_store *s)
{
    if (list->count == s->program_count)
        return 0;
    while (list->count < s->program_count) {
        uint32_t *place = ct_list_add(list);

        if (!place)
            return -ENOMEM;
        *place = CT_INDEX_NONE;
    }
    for (unsigned i = 0; i < ct_reader_program_count(s->reader); i++) {
        const struct ct_model_program *p = ct_reader_program(s->reader, i)->user;
        const struct ct_build_owner *own = p ? p->user : NULL;

        if (own && own->id < list->count)
            list->items[own->id] = i;
    }
    return 0;
}

static uint32_t program_of(const struct programs *list, uint32_t id)
{
    return id < list->count ? list->items[id] : CT_INDEX_NONE;
}

/* What a lane is known by beside its kind and its program: threads and CPUs by number, counters by name. */
static struct ct_text label_of(const struct ct_store *s, const struct ct_lane_record *lane)
{
    return lane->kind == CT_LANE_COUNTER ? ct_store_text(s, lane->name)
         : lane->kind == CT_LANE_CPU ? ct_store_text(s, lane->host) : (struct ct_text){ "", 0 };
}

static uint64_t serial_of(const struct ct_lane_record *lane)
{
    return lane->kind == CT_LANE_THREAD || lane->kind == CT_LANE_CPU ? lane->serial : 0;
}

static uint64_t key_of(const struct ct_store *s, const struct ct_lane_record *lane, uint32_t program)
{
    struct ct_text label = label_of(s, lane);
    uint64_t h = (ct_idmap_choose_seed() ^ lane->kind) * 0x100000001b3u;

    h = (h ^ program) * 0x100000001b3u;
    h = (h ^ serial_of(lane)) * 0x100000001b3u;
    for (size_t i = 0; i < label.size; i++)
        h = (h ^ (uint8_t)label.at[i]) * 0x100000001b3u;
    return h ^ h >> 29;
}

static bool same_text(struct ct_text a, struct ct_text b)
{
    return a.size == b.size && (a.size == 0 || memcmp(a.at, b.at, a.size) == 0);
}

/* Tasks lie where there is room beside those that began before: which row that is, is not known here. */
static bool can_be_told(const struct ct_lane_record *lane)
{
    return lane->kind != CT_LANE_TASK;
}

static int know_lanes(struct ct_glance *g)
{
    int r = know_programs(&g->programs, &g->store);

    for (size_t i = 0; r == 0 && i < g->store.lane_count; i++) {
        const struct ct_lane_record *lane = &g->store.lanes[i];

        if (can_be_told(lane))
            r = ct_idmap_add(&g->lanes, key_of(&g->store, lane, program_of(&g->programs, lane->program)), (uint32_t)i);
        r = r == -EEXIST ? 0 : r;
    }
    return r;
}

/* Its lane that is lane `id` of the builder. */
static uint32_t lane_of(const struct ct_glance *g, const struct ct_store *s, uint32_t id)
{
    const struct ct_lane_record *lane = &s->lanes[id], *own;
    uint32_t program = program_of(&g->builders, lane->program), at = ct_idmap_get(&g->lanes, key_of(s, lane, program));

    if (at == CT_IDMAP_NONE)
        return CT_INDEX_NONE;
    own = &g->store.lanes[at];
    return own->kind == lane->kind && serial_of(own) == serial_of(lane) && program_of(&g->programs, own->program) == program &&
           same_text(label_of(&g->store, own), label_of(s, lane)) ? at : CT_INDEX_NONE;
}

/* --- rows --- */

/* The row of its lane `lane` that is like `record`. */
static uint32_t row_like(const struct ct_glance *g, uint32_t lane, const struct ct_store *s, const struct ct_row_record *record)
{
    uint32_t at = lane == CT_INDEX_NONE ? CT_INDEX_NONE : g->store.lanes[lane].first_row;

    while (at != CT_INDEX_NONE) {
        const struct ct_row_record *own = ct_store_row(&g->store, at);

        if (own->kind == record->kind && own->depth == record->depth &&
            same_text(ct_store_text(&g->store, own->name), ct_store_text(s, record->name)))
            break;
        at = own->next;
    }
    return at;
}

static int know_rows(struct ct_glance *g, const struct ct_store *s)
{
    while (g->rows.count < s->row_count) {
        const struct ct_row_record *record = ct_store_row(s, (uint32_t)g->rows.count);
        uint32_t *place = ct_list_add(&g->rows);

        if (!place)
            return -ENOMEM;
        *place = row_like(g, lane_of(g, s, record->lane), s, record);
    }
    return 0;
}

uint32_t ct_glance_row(const struct ct_glance *g, uint32_t row)
{
    return row < g->rows.count ? g->rows.items[row] : CT_INDEX_NONE;
}

/* --- names --- */

/* The builder's lanes by the glance's, for threads that run; the caller frees it.  NULL without memory. */
static uint32_t *lanes_of(const struct ct_glance *g, const struct ct_store *s)
{
    uint32_t *lanes = malloc((g->store.lane_count + 1) * sizeof *lanes);

    for (size_t i = 0; lanes && i < g->store.lane_count; i++)
        lanes[i] = CT_INDEX_NONE;
    for (size_t i = 0; lanes && i < s->lane_count; i++) {
        uint32_t own = lane_of(g, s, (uint32_t)i);

        if (own != CT_INDEX_NONE)
            lanes[own] = (uint32_t)i;
    }
    return lanes;
}

/* Events that no version knows have numbers of their own in each of the tables. */
static uint32_t name_like(const struct ct_glance *g, const struct ct_builder *b, const uint32_t *lanes, const struct ct_name_record *own)
{
    struct ct_name_record record = *own;

    record.text = ct_strings_find(&b->strings, ct_store_text(&g->store, own->text));
    if (own->lane < g->store.lane_count)
        record.lane = lanes[own->lane];
    return record.text == CT_IDMAP_NONE || own->event >= CT_EVENT_NEW ? 0 : ct_names_find(&b->names, &record);
}

static int know_names(struct ct_glance *g, const struct ct_builder *b, const struct ct_store *s)
{
    uint32_t *lanes;

    if (g->builders_names == s->name_count && g->builders_lanes == s->lane_count)
        return 0;
    lanes = lanes_of(g, s);
    if (!lanes)
        return -ENOMEM;
    for (size_t i = 0; i < g->store.name_count; i++)
        if (g->names[i] == 0)
            g->names[i] = name_like(g, b, lanes, &g->store.names[i]);
    free(lanes);
    g->builders_names = s->name_count;
    g->builders_lanes = s->lane_count;
    return 0;
}

uint32_t ct_glance_name(const struct ct_glance *g, uint32_t name)
{
    return name < g->store.name_count ? g->names[name] : 0;
}

/* --- both --- */

int ct_glance_meet(struct ct_glance *g, const struct ct_builder *b)
{
    struct ct_store s;
    int r = 0;

    ct_builder_store(b, &s);
    if (!g->names) {
        g->names = calloc(g->store.name_count + 1, sizeof *g->names);
        r = g->names ? know_lanes(g) : -ENOMEM;
    }
    if (r == 0)
        r = know_programs(&g->builders, &s);
    if (r == 0)
        r = know_rows(g, &s);
    return r < 0 ? r : know_names(g, b, &s);
}

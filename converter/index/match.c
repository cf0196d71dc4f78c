/* Bits by number: a search looks at each text of the index once, however many slices have it. */
#include "converter/index/match.h"

#include <errno.h>
#include <stdlib.h>

#include "converter/index/frames.h"

enum { ASK_EVERY = 4096 };

static bool has(const uint8_t *bits, size_t i)
{
    return bits[i / 8] >> i % 8 & 1;
}

static void set(uint8_t *bits, size_t i)
{
    bits[i / 8] |= (uint8_t)(1u << i % 8);
}

/* --- what a word finds --- */

static bool node_frames_found(struct ct_match *m, const struct ct_query_word *w, const struct ct_match_word *found,
                              uint32_t node)
{
    enum { FRAMES = 64 };
    const struct ct_store *s = m->store;
    struct ct_index_frame frames[FRAMES];
    struct ct_index_memory *memory;
    size_t count;
    bool any = false;

    if (s->nodes) {
        for (size_t at = s->nodes[node].frames; at < s->frame_count; at++) {
            const struct ct_frame_record *f = &s->frames[at];

            if ((f->function < s->string_count && has(found->strings, f->function)) ||
                (f->file < s->string_count && has(found->strings, f->file)))
                return true;
            if (f->flags & CT_FRAME_LAST)
                break;
        }
        return false;
    }
    memory = ct_index_memory_new();
    if (!memory)
        return false;
    count = ct_frames_of(s, node, memory, frames, FRAMES);
    for (size_t i = 0; i < count && !any; i++)
        any = ct_query_finds(m->query, w, frames[i].function) || ct_query_finds(m->query, w, frames[i].file);
    ct_index_free(memory);
    return any;
}

static int find_text(struct ct_match *m, const struct ct_query_word *w, struct ct_match_word *found, ct_index_stop *stop,
                     void *context)
{
    const struct ct_store *s = m->store;

    found->strings = calloc(s->string_count / 8 + 1, 1);
    found->nodes = calloc(m->node_count / 8 + 1, 1);
    if (!found->strings || !found->nodes)
        return -ENOMEM;
    found->by_name_only = true;
    for (uint32_t i = 0; i < s->string_count; i++) {
        if (ct_query_finds(m->query, w, ct_store_text(s, i))) {
            set(found->strings, i);
            if (s->uses[i])
                found->by_name_only = false;
        }
        if (m->query->too_hard)
            return -EINVAL;
        if (stop && i % ASK_EVERY == 0 && stop(context))
            return -ECANCELED;
    }
    for (uint32_t i = 2; i < m->node_count; i++) {      /* CT_NODE_FIRST: callers stand before callees */
        uint32_t parent = ct_frames_parent(s, i);

        if ((parent && has(found->nodes, parent)) || node_frames_found(m, w, found, i)) {
            set(found->nodes, i);
            found->by_name_only = false;
        }
        if (stop && i % ASK_EVERY == 0 && stop(context))
            return -ECANCELED;
    }
    return 0;
}

static int find(struct ct_match *m, const struct ct_query_word *w, struct ct_match_word *found, ct_index_stop *stop,
                void *context)
{
    const struct ct_store *s = m->store;

    if (w->kind == CT_QUERY_LONGER && w->number > m->longer)
        m->longer = w->number;
    if (w->kind == CT_QUERY_SHORTER && w->number < m->shorter)
        m->shorter = w->number;
    found->by_name_only = w->kind == CT_QUERY_NAME || w->kind == CT_QUERY_STATE || w->kind == CT_QUERY_THREAD ||
                          w->kind == CT_QUERY_LONGER || w->kind == CT_QUERY_SHORTER;
    if (w->kind != CT_QUERY_TEXT && w->kind != CT_QUERY_NAME && w->kind != CT_QUERY_STATE)
        return 0;
    if (w->kind == CT_QUERY_STATE && w->number <= CT_CLASS_RUNNABLE)
        m->states = true;
    found->names = calloc(s->name_count / 8 + 1, 1);
    if (!found->names)
        return -ENOMEM;
    for (uint32_t i = 0; i < s->name_count; i++)
        if (w->kind == CT_QUERY_STATE ? s->names[i].class == w->number
                                      : ct_query_finds(m->query, w, ct_store_text(s, s->names[i].text)))
            set(found->names, i);
    return w->kind == CT_QUERY_TEXT ? find_text(m, w, found, stop, context) : 0;
}

/* Names that every word lets through. */
static void join_names(struct ct_match *m)
{
    m->by_name_only = true;
    for (unsigned k = 0; k < m->query->count; k++)
        m->by_name_only = m->by_name_only && m->word[k].by_name_only;
    for (uint32_t i = 0; i < m->store->name_count; i++) {
        bool all = true;

        for (unsigned k = 0; k < m->query->count; k++)
            all = all && (!m->word[k].names || has(m->word[k].names, i));
        if (all)
            m->names |= UINT64_C(1) << (i & 63);
    }
}

int ct_match_init(struct ct_match *m, struct ct_query *query, const struct ct_store *store, ct_index_stop *stop, void *context)
{
    int r = 0;

    *m = (struct ct_match){ .query = query, .store = store, .node_count = ct_frames_nodes(store), .longer = -1,
                            .shorter = INT64_MAX };
    for (unsigned k = 0; r == 0 && k < query->count; k++)
        r = find(m, &query->word[k], &m->word[k], stop, context);
    if (r == 0)
        join_names(m);
    return r;
}

void ct_match_free(struct ct_match *m)
{
    for (unsigned k = 0; k < CT_QUERY_WORDS; k++) {
        free(m->word[k].names);
        free(m->word[k].strings);
        free(m->word[k].nodes);
    }
}

/* --- lanes and slices --- */

bool ct_match_lane(struct ct_match *m, uint32_t lane)
{
    for (unsigned k = 0; k < m->query->count; k++)
        if (m->query->word[k].kind == CT_QUERY_THREAD &&
            (m->store->lanes[lane].kind != CT_LANE_THREAD ||
             !ct_query_finds(m->query, &m->query->word[k], ct_store_text(m->store, m->store->lanes[lane].name))))
            return false;
    return true;
}

static bool argument_is(struct ct_match *m, const struct ct_query_word *w, const struct ct_match_word *found,
                        const struct ct_argument *a)
{
    switch (w->kind) {
    case CT_QUERY_FD:
        return a->type == CT_TYPE_FD && (int32_t)a->value == w->number;
    case CT_QUERY_ERRNO:
        return a->type == CT_TYPE_RESULT && (int64_t)a->value == -w->number;
    default:
        if ((a->type & CT_WIRE_MASK) == CT_WIRE_TEXT)
            return ct_query_finds(m->query, w, a->bytes);
        if (a->type == CT_TYPE_STRING)
            return a->value && a->value < m->store->string_count && has(found->strings, a->value);
        return (a->type == CT_TYPE_FD || a->type == CT_TYPE_CODE) && a->text && a->text < m->store->string_count &&
               has(found->strings, a->text);
    }
}

/* Whether the stack, the result or an argument is what the word asks for. */
static bool payload_is(struct ct_match *m, unsigned k, const struct ct_name_record *name, struct ct_payload payload)
{
    const struct ct_query_word *w = &m->query->word[k];
    struct ct_arguments state = { 0 };
    struct ct_argument a;

    if (w->kind == CT_QUERY_TEXT && payload.stack && payload.stack < m->node_count && has(m->word[k].nodes, payload.stack))
        return true;
    if (w->kind == CT_QUERY_ERRNO && payload.result == -w->number)
        return true;
    while (ct_payload_next(m->store, name, &payload, &state, &a))
        if (argument_is(m, w, &m->word[k], &a))
            return true;
    return false;
}

/* Whether it can have a text of its own, which is in no table. */
static bool has_text(const struct ct_name_record *name)
{
    return name->event == CT_EV_LOG || name->event >= CT_EVENT_NEW;
}

bool ct_match_slice(struct ct_match *m, const struct ct_leaf *l, unsigned i, const uint32_t *at)
{
    uint32_t id = ct_leaf_name(l, i);
    int64_t dur = ct_leaf_dur(l, i);
    const struct ct_name_record *name = ct_store_name(m->store, id);
    struct ct_payload payload = { 0 };

    if (dur <= m->longer || dur >= m->shorter || id >= m->store->name_count)
        return false;
    for (unsigned k = 0; k < m->query->count; k++) {
        enum ct_query_kind kind = m->query->word[k].kind;

        if (kind == CT_QUERY_THREAD || kind == CT_QUERY_LONGER || kind == CT_QUERY_SHORTER ||
            (m->word[k].names && has(m->word[k].names, id)))
            continue;
        if (kind == CT_QUERY_STATE || kind == CT_QUERY_NAME || (m->word[k].by_name_only && !has_text(name)))
            return false;
        if (!payload.at)
            ct_payload_open(&payload, l->payload + at[i], at[i + 1] - at[i]);
        if (!payload_is(m, k, name, payload))
            return false;
    }
    return true;
}

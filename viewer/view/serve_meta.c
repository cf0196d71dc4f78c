/* /api/meta, /api/progress and /api/start: what was opened, how far the index is, and all that a page needs to begin with. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "viewer/view/doc.h"
#include "viewer/view/serve_lanes.h"
#include "viewer/view/view.h"

static const char *const states[] = { "building", "ready", "failed" };

static void put_looked(struct ct_doc *doc, const struct ct_index_progress *p)
{
    ct_doc_open(doc, "looked", '[');
    for (unsigned i = 0; i < CT_INDEX_LOOKED; i++) {
        if (p->looked[i].from_ns >= p->looked[i].to_ns)
            continue;
        ct_doc_open(doc, NULL, '[');
        ct_doc_i64(doc, NULL, p->looked[i].from_ns);
        ct_doc_i64(doc, NULL, p->looked[i].to_ns);
        ct_doc_close(doc, ']');
    }
    ct_doc_close(doc, ']');
}

static void put_progress(struct ct_doc *doc, const char *key, const struct ct_index_progress *p)
{
    ct_doc_open(doc, key, '{');
    ct_doc_string(doc, "state", states[p->state]);
    ct_doc_i64(doc, "covered_ns", p->covered_ns);
    if (p->state == CT_INDEX_BUILDING)
        put_looked(doc, p);
    ct_doc_real(doc, "part", p->part);
    if (p->seconds_left < 0)
        ct_doc_null(doc, "seconds_left");
    else
        ct_doc_real(doc, "seconds_left", p->seconds_left);
    ct_doc_string(doc, "error", *p->error ? p->error : NULL);
    if (p->growing)
        ct_doc_i64(doc, "age_ns", p->age_ns);
    else
        ct_doc_null(doc, "age_ns");
    ct_doc_u64(doc, "revision", p->revision);
    ct_doc_close(doc, '}');
}

/* A profile is there as soon as it is served. */
static void get_progress(const struct ct_view *view, struct ct_index_progress *ret)
{
    *ret = (struct ct_index_progress){ .state = CT_INDEX_READY, .part = 1, .seconds_left = 0 };
    if (view->index)
        ct_index_progress(view->index, ret);
}

void ct_answer_progress(struct ct_exchange *x)
{
    struct ct_doc doc = ct_doc_begin(&x->reply);
    struct ct_index_progress progress;

    get_progress(ct_view_of(x), &progress);
    put_progress(&doc, NULL, &progress);
}

static void put_files(struct ct_doc *doc, const struct ct_view *view)
{
    const char *slash = strrchr(view->files[0], '/');

    ct_doc_string(doc, "file", slash ? slash + 1 : view->files[0]);
    ct_doc_open(doc, "files", '[');
    for (size_t i = 0; i < view->file_count; i++)
        ct_doc_string(doc, NULL, view->files[i]);
    ct_doc_close(doc, ']');
    ct_doc_string(doc, "key", view->key);
}

static void put_trace(struct ct_doc *doc, const struct ct_view *view, const struct ct_index_meta *meta)
{
    char uuid[2 * CT_UUID_SIZE + 1];

    for (unsigned i = 0; i < CT_UUID_SIZE; i++)
        snprintf(uuid + 2 * i, 3, "%02x", meta->uuid[i]);
    ct_doc_open(doc, "trace", '{');
    put_files(doc, view);
    ct_doc_string(doc, "uuid", uuid);
    ct_doc_u64(doc, "bytes", meta->bytes);
    ct_doc_u64(doc, "events", meta->events);
    ct_doc_u64(doc, "lost", meta->lost);
    if (meta->damage.size)
        ct_doc_text(doc, "damage", meta->damage);
    else
        ct_doc_null(doc, "damage");
    ct_doc_close(doc, '}');
}

static void put_programs(struct ct_doc *doc, const struct ct_index_meta *meta)
{
    ct_doc_open(doc, "programs", '[');
    for (size_t i = 0; i < meta->program_count; i++) {
        const struct ct_index_program *p = &meta->programs[i];

        ct_doc_open(doc, NULL, '{');
        ct_doc_u64(doc, "id", i);
        ct_doc_u64(doc, "key", p->key);
        ct_doc_u64(doc, "pid", p->pid);
        ct_doc_text(doc, "name", p->name);
        ct_doc_text(doc, "command", p->command);
        ct_doc_text(doc, "host", p->host);
        ct_doc_i64(doc, "start_ns", p->start_ns);
        ct_doc_i64(doc, "end_ns", p->end_ns);
        ct_doc_u64(doc, "threads", p->threads);
        ct_doc_close(doc, '}');
    }
    ct_doc_close(doc, ']');
}

/* The zone of this machine at that moment: a trace does not tell where it was recorded. */
static void put_wall(struct ct_doc *doc, int64_t wall_ns)
{
    time_t seconds = (time_t)(wall_ns / 1000000000);
    char text[24], zone[8] = "+0000";
    struct tm tm;

    snprintf(text, sizeof text, "%lld", (long long)wall_ns);
    if (localtime_r(&seconds, &tm))
        snprintf(zone, sizeof zone, "%c%02u%02u", tm.tm_gmtoff < 0 ? '-' : '+', (unsigned)(labs(tm.tm_gmtoff) / 3600 % 100),
                 (unsigned)(labs(tm.tm_gmtoff) / 60 % 60));
    ct_doc_string(doc, "start_wall_ns", text);
    ct_doc_string(doc, "zone", zone);
}

static void put_classes(struct ct_doc *doc)
{
    ct_doc_open(doc, "classes", '[');
    for (unsigned class = 0; class < CT_CLASS_END; class++) {
        ct_doc_open(doc, NULL, '{');
        ct_doc_u64(doc, "id", class);
        ct_doc_string(doc, "name", ct_index_class_name(class));
        ct_doc_string(doc, "word", ct_index_class_word(class));
        ct_doc_close(doc, '}');
    }
    ct_doc_close(doc, ']');
}

/* A profile has no time and no threads; what it has is in /api/profile. */
static bool get_meta(struct ct_exchange *x, struct ct_index_meta *ret)
{
    const struct ct_view *view = ct_view_of(x);

    *ret = (struct ct_index_meta){ 0 };
    return !view->index || ct_view_good(x, ct_index_meta(view->index, ret), NULL);
}

static void put_meta(struct ct_doc *doc, const char *key, const struct ct_view *view, const struct ct_index_meta *meta,
                     const struct ct_index_progress *progress)
{
    ct_doc_open(doc, key, '{');
    ct_doc_string(doc, "ctrace", CT_VERSION);
    ct_doc_string(doc, "kind", view->index ? "trace" : "profile");
    put_trace(doc, view, meta);
    ct_doc_i64(doc, "span_ns", meta->span_ns);
    put_wall(doc, meta->start_wall_ns);
    ct_doc_u64(doc, "cpus", meta->cpus);
    put_programs(doc, meta);
    put_classes(doc);
    ct_doc_u64(doc, "revision", progress->revision);
    put_progress(doc, "index", progress);
    ct_doc_close(doc, '}');
}

void ct_answer_meta(struct ct_exchange *x)
{
    const struct ct_view *view = ct_view_of(x);
    struct ct_index_progress progress;
    struct ct_index_meta meta;
    struct ct_doc doc;

    if (!get_meta(x, &meta))
        return;
    get_progress(view, &progress);
    doc = ct_doc_begin(&x->reply);
    put_meta(&doc, NULL, view, &meta, &progress);
    ct_index_free(meta.memory);
}

/* The progress comes first: what is added meanwhile has another revision, and is asked for again. */
void ct_answer_start(struct ct_exchange *x)
{
    const struct ct_view *view = ct_view_of(x);
    struct ct_index_progress progress;
    struct ct_index_lanes lanes = { 0 };
    struct ct_index_names names = { 0 };
    struct ct_index_meta meta;
    struct ct_doc doc;

    get_progress(view, &progress);
    if (!get_meta(x, &meta))
        return;
    if (!view->index || (ct_view_good(x, ct_index_lanes(view->index, &lanes), NULL) &&
                         ct_view_good(x, ct_index_names(view->index, 0, &names), NULL))) {
        doc = ct_doc_begin(&x->reply);
        ct_doc_open(&doc, NULL, '{');
        put_meta(&doc, "meta", view, &meta, &progress);
        ct_view_put_lanes(&doc, "lanes", &lanes);
        ct_view_put_names(&doc, "names", 0, &names);
        ct_doc_close(&doc, '}');
    }
    ct_index_free(names.memory);
    ct_index_free(lanes.memory);
    ct_index_free(meta.memory);
}

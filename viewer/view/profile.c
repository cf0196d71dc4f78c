/* A profile as the viewer shows it: opened with its base and its names. */
#include "viewer/view/profile.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "converter/profile/read.h"
#include "converter/profile/symbolize.h"
#include "converter/symbols/symbols.h"
#include "viewer/view/doc.h"
#include "viewer/view/prune.h"

static int read_one(const char *path, struct ct_profile **ret, struct ct_error *err)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY), r;
    struct ct_error inner = { 0 };

    if (fd < 0)
        return ct_error_at(err, -errno, 0, "cannot open %.100s: %s", path, strerror(errno));
    r = ct_profile_read_fd(fd, NULL, ret, &inner);
    close(fd);
    return r < 0 ? ct_error_at(err, r, inner.offset, "%.60s: %.90s", path, inner.text) : 0;
}

static int compare_types(const struct ct_profile *a, const struct ct_profile *b, struct ct_error *err)
{
    if (a->type_count != b->type_count)
        return ct_error_at(err, -EINVAL, 0, "the base has other sample types than the profile");
    for (unsigned i = 0; i < a->type_count; i++)
        if (strcmp(ct_profile_at(a, a->types[i].type), ct_profile_at(b, b->types[i].type)) != 0 ||
            strcmp(ct_profile_at(a, a->types[i].unit), ct_profile_at(b, b->types[i].unit)) != 0)
            return ct_error_at(err, -EINVAL, 0, "the base has other sample types than the profile");
    return 0;
}

/* What cannot be named is shown by its file. */
static void add_names(const struct ct_view_profile *p)
{
    struct ct_symbolizer *symbolizer;

    if (ct_symbolizer_new(CT_SYMBOLS_DEMANGLE, &symbolizer) < 0)
        return;
    (void)ct_symbolize(symbolizer, p->own);
    if (p->base)
        (void)ct_symbolize(symbolizer, p->base);
    ct_symbolizer_free(symbolizer);
}

int ct_view_profile_open(const char *path, const char *base, struct ct_view_profile *ret, struct ct_error *err)
{
    struct ct_view_profile p = { 0 };
    int r = read_one(path, &p.own, err);

    if (r == 0 && base)
        r = read_one(base, &p.base, err);
    if (r == 0 && base)
        r = compare_types(p.own, p.base, err);
    if (r < 0) {
        ct_view_profile_fini(&p);
        return r;
    }
    add_names(&p);
    r = ct_view_prune(p.own);
    if (r == 0 && base)
        r = ct_view_prune(p.base);
    if (r < 0) {
        ct_view_profile_fini(&p);
        return ct_error_at(err, r, 0, "no memory for the profile");
    }
    *ret = p;
    return 0;
}

void ct_view_profile_fini(struct ct_view_profile *p)
{
    ct_profile_free(p->own);
    ct_profile_free(p->base);
    *p = (struct ct_view_profile){ 0 };
}

/* Which type is shown first: the default one, or else the last, as pprof has it. */
static unsigned default_type(const struct ct_profile *p)
{
    for (unsigned i = 0; i < p->type_count; i++)
        if (p->default_type && strcmp(ct_profile_at(p, p->types[i].type), ct_profile_at(p, p->default_type)) == 0)
            return i;
    return p->type_count ? p->type_count - 1 : 0;
}

void ct_view_profile_describe(const struct ct_view_profile *p, struct ct_doc *doc)
{
    const struct ct_profile *own = p->own;
    char time[24];

    ct_doc_open(doc, "types", '[');
    for (unsigned i = 0; i < own->type_count; i++) {
        ct_doc_open(doc, NULL, '{');
        ct_doc_string(doc, "name", ct_profile_at(own, own->types[i].type));
        ct_doc_string(doc, "unit", ct_profile_at(own, own->types[i].unit));
        ct_doc_close(doc, '}');
    }
    ct_doc_close(doc, ']');
    ct_doc_u64(doc, "default", default_type(own));
    ct_doc_open(doc, "comments", '[');
    for (uint32_t i = 0; i < own->comments.count; i++)
        ct_doc_string(doc, NULL, ct_profile_at(own, own->comments.items[i]));
    ct_doc_close(doc, ']');
    ct_doc_bool(doc, "base", p->base != NULL);
    ct_doc_u64(doc, "samples", own->samples.count);
    ct_doc_i64(doc, "duration_ns", own->duration_ns);
    snprintf(time, sizeof time, "%lld", (long long)own->time_ns);
    ct_doc_string(doc, "time_wall_ns", time);
}

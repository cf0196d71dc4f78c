/* Every program of the trace gathers for itself; what they gathered becomes one profile at the end. */
#include "converter/sink_profile.h"

#include <errno.h>
#include <stdlib.h>

#include "converter/profile/write.h"

/* By the index of a program; NULL: nothing came of it. */
struct gathered {
    struct ct_collect **of;
    unsigned count;
};

static int gather(struct gathered *g, const struct ct_read_item *item)
{
    struct ct_collect **of = &g->of[ct_read_program_of(item)->index];

    if (!*of) {
        *of = ct_collect_new();
        if (!*of)
            return -ENOMEM;
        ct_collect_reader(*of);
    }
    return ct_collect_item(*of, item);
}

static size_t frames_of(void *context, uint64_t pc, const struct ct_read_frame **ret)
{
    return ct_read_frames(context, pc, ret);
}

static int export_all(struct ct_reader *reader, const struct gathered *g, enum ct_export_kind kind, struct ct_profile *p)
{
    int r = 0;

    for (unsigned i = 0; i < g->count && r == 0; i++) {
        struct ct_export_names names = { frames_of, ct_reader_program(reader, i) };

        if (g->of[i])
            r = ct_export_add(p, kind, g->of[i], &names);
    }
    return r;
}

static int put(void *context, const void *bytes, size_t size)
{
    ct_output_write(context, bytes, size);
    return ct_output_error(context);
}

static int write_profile(struct ct_reader *reader, const struct gathered *g, enum ct_export_kind kind, struct ct_output *out)
{
    struct ct_profile *p;
    int r = ct_export_new(kind, &p);

    if (r < 0)
        return r;
    r = export_all(reader, g, kind, p);
    if (r == 0)
        r = ct_profile_write(p, put, out);
    ct_profile_free(p);
    return r;
}

int ct_sink_profile(struct ct_reader *reader, enum ct_export_kind kind, struct ct_output *out, ct_sink_profile_watch *watch,
                    void *context, struct ct_error *err)
{
    struct gathered g = { .count = ct_reader_program_count(reader) };
    const struct ct_read_item *items;
    int damage = 0, r = 0;
    size_t count;

    g.of = calloc(g.count ? g.count : 1, sizeof *g.of);
    if (!g.of)
        return ct_error_at(err, -ENOMEM, 0, "no memory");
    while (r == 0 && (damage = ct_reader_next_run(reader, &items, &count, err)) > 0) {
        for (size_t i = 0; i < count && r == 0; i++)
            r = gather(&g, &items[i]);
        if (watch)
            watch(context, count, items[count - 1].ns);
    }
    if (r == 0)
        r = write_profile(reader, &g, kind, out);
    if (r < 0)
        ct_error_fill(err, r, 0, r == -EFBIG ? "the profile would be larger than a profile can be" : "no memory");
    for (unsigned i = 0; i < g.count; i++)
        ct_collect_free(g.of[i]);
    free(g.of);
    return r < 0 ? r : damage;
}

/* Frames that a profile wants dropped: by hand, and as `go tool pprof` drops them. */
#include "tests/converter/profile/shop.h"
#include "viewer/view/prune.h"

/* "leaf<work<main" of a sample's stack, innermost first. */
static const char *stack_of(const struct ct_profile *p, uint32_t sample)
{
    static char text[256];
    const struct ct_profile_stack *s = &p->stacks.items[p->samples.items[sample].stack];

    *text = 0;
    for (uint32_t i = 0; i < s->depth; i++) {
        const struct ct_profile_location *l = &p->locations.items[p->frames.items[s->frame + i]];

        for (uint32_t k = 0; k < l->line_count; k++) {
            uint32_t name = p->functions.items[p->lines.items[l->line + k].function].name;

            snprintf(text + strlen(text), sizeof text - strlen(text), "%s%s", *text ? "<" : "", ct_profile_at(p, name));
        }
    }
    return text;
}

static struct ct_profile *pruned(const char *drop, const char *keep)
{
    struct ct_profile *p = shop_profile();

    p->drop_frames = shop_text(p, drop);
    p->keep_frames = shop_text(p, keep);
    assert_int_equal(ct_view_prune(p), 0);
    return p;
}

static void drops_by_hand(void **state)
{
    static const struct { const char *drop, *keep, *stack[3]; } rows[] = {
        { "", "", { "leaf<work<main", "work<main", "memcpy<work<main" } },
        { "leaf|mem.*", "", { "work<main", "work<main", "work<main" } },
        { "work", "", { "main", "main", "main" } },
        { "wor", "", { "leaf<work<main", "work<main", "memcpy<work<main" } },          /* a name as a whole */
        { "work|memcpy", "work", { "leaf<work<main", "work<main", "work<main" } },
        { "main", "", { "leaf<work<main", "work<main", "memcpy<work<main" } },         /* nothing would be left */
        { ".*", "", { "leaf<work<main", "work<main", "memcpy<work<main" } },
        { "(", "", { "leaf<work<main", "work<main", "memcpy<work<main" } },            /* no expression */
        { "(a*)*b|memcpy", "(", { "leaf<work<main", "work<main", "work<main" } },
    };

    for (unsigned i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct ct_profile *p = pruned(rows[i].drop, rows[i].keep);

        for (uint32_t k = 0; k < 3; k++)
            assert_string_equal(stack_of(p, k), rows[i].stack[k]);
        ct_profile_free(p);
    }
}

/* C++ names have arguments, and brackets that are none. */
static void drops_without_arguments(void **state)
{
    static const struct { const char *name, *drop; bool gone; } rows[] = {
        { "operator new(unsigned long)", "operator new", true },
        { "operator new(unsigned long)", "operator new.*long.", false },
        { "(anonymous namespace)::f(int)", "\\(anonymous namespace\\)::f", true },
        { "call::operator()(int) const", "call::operator\\(\\)", true },
        { ".memcpy", "memcpy", true },
    };

    for (unsigned i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct ct_profile *p = shop_profile();

        p->functions.items[3].name = shop_text(p, rows[i].name);
        p->drop_frames = shop_text(p, rows[i].drop);
        assert_int_equal(ct_view_prune(p), 0);
        assert_int_equal(strcmp(stack_of(p, 2), "work<main") == 0, rows[i].gone);
        ct_profile_free(p);
    }
}

static void drops_as_pprof(void **state)
{
    static const char *const drops[] = { "leaf|mem.*", "work", "main", ".*", "leaf", "memcpy|main" };
    char theirs[8192];

    if (!shop_has_go())
        skip();
    for (unsigned i = 0; i < sizeof drops / sizeof *drops; i++) {
        struct ct_profile *p = shop_profile();

        p->drop_frames = shop_text(p, drops[i]);
        shop_write(p, "drop.pb.gz");
        snprintf(theirs, sizeof theirs, "%s", shop_pprof("-sample_index=samples -top -nodecount=99 drop.pb.gz"));
        assert_int_equal(ct_view_prune(p), 0);
        p->drop_frames = 0;
        shop_write(p, "drop.pb.gz");
        assert_string_equal(shop_pprof("-sample_index=samples -top -nodecount=99 drop.pb.gz"), theirs);
        ct_profile_free(p);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(drops_by_hand),
        cmocka_unit_test(drops_without_arguments),
        cmocka_unit_test(drops_as_pprof),
    };

    return cmocka_run_group_tests(tests, shop_open, shop_close);
}

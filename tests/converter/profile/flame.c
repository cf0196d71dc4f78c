/* Trees and tables of calls: against sums by hand, brute force over random stacks, and `go tool pprof -top`. */
#include <errno.h>

#include "converter/profile/flame.h"
#include "converter/profile/sample.h"
#include "tests/converter/profile/shop.h"

static const struct ct_flame_node *find(const struct ct_flame *f, uint32_t parent, const char *function)
{
    for (uint32_t i = 1; i < f->node_count; i++)
        if (f->nodes[i].parent == parent && strcmp(f->frames[f->nodes[i].frame].function, function) == 0)
            return &f->nodes[i];
    fail_msg("no %s", function);
    return NULL;
}

static uint32_t number_of(const struct ct_flame *f, const struct ct_flame_node *node)
{
    return (uint32_t)(node - f->nodes);
}

static void draws_calls(void **state)
{
    struct ct_profile *p = shop_profile();
    struct ct_flame *f;

    assert_int_equal(ct_flame_make(p, NULL, 0, &f, NULL), 0);
    const struct ct_flame_node *main = find(f, 0, "main"), *work = find(f, number_of(f, main), "work");
    const struct ct_flame_node *leaf = find(f, number_of(f, work), "leaf");

    assert_string_equal(f->type, "samples");
    assert_string_equal(f->unit, "count");
    assert_int_equal(f->nodes[0].total, 16);
    assert_int_equal(f->nodes[0].parent, CT_PROFILE_NONE);
    assert_int_equal(main->total, 16);
    assert_int_equal(main->self, 0);
    assert_int_equal(work->self, 5);
    assert_int_equal(leaf->total, 10);
    assert_true(leaf->inlined);
    assert_false(work->inlined);
    assert_int_equal(f->node_count, 5);
    ct_flame_free(f);
    assert_int_equal(ct_flame_make(p, NULL, p->type_count, &f, NULL), -EINVAL);
    ct_profile_free(p);
    ct_flame_free(NULL);
}

static void compares(void **state)
{
    struct ct_profile *now = shop_profile(), *base = shop_profile(), *other;
    int64_t more[] = { 3, 30000000 };
    struct ct_error err;
    struct ct_flame *f;
    struct ct_top_row *rows;

    assert_int_equal(ct_profile_add_sample(now, now->samples.items[2].stack, more, NULL, 0, NULL), 0);
    assert_int_equal(ct_flame_make(now, base, 0, &f, &err), 0);
    assert_int_equal(f->nodes[0].total, 19);
    assert_int_equal(f->nodes[0].base_total, 16);
    assert_int_equal(f->node_count, 5);
    assert_int_equal(ct_flame_top(f, &rows), 0);
    assert_string_equal(f->frames[rows[0].frame].function, "memcpy");
    assert_int_equal(rows[0].flat - rows[0].base_flat, 3);
    free(rows);
    ct_flame_free(f);
    assert_int_equal(ct_profile_new(&other), 0);
    assert_int_equal(ct_profile_add_type(other, "delay", "nanoseconds"), 0);
    assert_int_equal(ct_flame_make(now, other, 0, &f, &err), -EINVAL);
    assert_non_null(strstr(err.text, "no sample type samples"));
    ct_profile_free(other);
    ct_profile_free(now);
    ct_profile_free(base);
}

enum { FUNCTIONS = 12, DEPTH = 8, SAMPLES = 400 };

/* Calls of few functions, so that many recur; every third location has no function, every fourth two. */
static struct ct_profile *random_profile(unsigned seed)
{
    struct ct_profile *p;
    struct ct_profile_mapping mapping = { .start = 0x1000, .limit = 0x9000 };
    uint32_t functions[FUNCTIONS], stack, locations[DEPTH];

    assert_int_equal(ct_profile_new(&p), 0);
    assert_int_equal(ct_profile_add_type(p, "samples", "count"), 0);
    mapping.file = shop_text(p, "/bin/x");
    assert_int_equal(ct_profile_add_mapping(p, &mapping, NULL), 0);
    for (unsigned i = 0; i < FUNCTIONS; i++) {
        char name[16];

        snprintf(name, sizeof name, "f%u", i);
        struct ct_profile_function function = { .name = shop_text(p, name), .file = shop_text(p, "x.c") };

        assert_int_equal(ct_profile_add_function(p, &function, &functions[i]), 0);
    }
    for (unsigned i = 0; i < SAMPLES; i++) {
        size_t depth = (size_t)(rand_r(&seed) % DEPTH);
        int64_t value = rand_r(&seed) % 100;

        for (size_t k = 0; k < depth; k++) {
            unsigned n = (unsigned)rand_r(&seed) % FUNCTIONS;
            struct ct_profile_line lines[] = { { functions[n], 1, 0 }, { functions[(n + 1) % FUNCTIONS], 2, 0 } };
            struct ct_profile_location location = { .address = 0x1000 + n, .line_count = n % 3 == 0 ? 0 : n % 4 == 0 ? 2 : 1 };

            assert_int_equal(ct_profile_add_location(p, &location, lines, &locations[k]), 0);
        }
        assert_int_equal(ct_profile_add_stack(p, locations, depth, &stack), 0);
        assert_int_equal(ct_profile_add_sample(p, stack, &value, NULL, 0, NULL), 0);
    }
    return p;
}

/* The sample's frames by name, innermost first; the file stands for what has no function. */
static size_t names_of(const struct ct_profile *p, size_t sample, const char *names[2 * DEPTH])
{
    const struct ct_profile_stack *stack = &p->stacks.items[p->samples.items[sample].stack];
    size_t count = 0;

    for (uint32_t i = 0; i < stack->depth; i++) {
        const struct ct_profile_location *location = &p->locations.items[p->frames.items[stack->frame + i]];

        if (location->line_count == 0)
            names[count++] = "";
        for (uint32_t k = 0; k < location->line_count; k++)
            names[count++] = ct_profile_at(p, p->functions.items[p->lines.items[location->line + k].function].name);
    }
    return count;
}

static void agrees_with_brute_force(void **state)
{
    for (unsigned seed = 1; seed <= 20; seed++) {
        struct ct_profile *p = random_profile(seed);
        struct ct_flame *f;
        struct ct_top_row *rows;

        assert_int_equal(ct_flame_make(p, NULL, 0, &f, NULL), 0);
        assert_int_equal(ct_flame_top(f, &rows), 0);
        assert_int_equal(f->nodes[0].total, shop_total(p, 0));
        for (uint32_t i = 0; i < f->frame_count; i++) {
            const char *name = f->frames[rows[i].frame].function, *names[2 * DEPTH];
            int64_t flat = 0, cum = 0;

            for (size_t s = 0; s < p->samples.count; s++) {
                size_t count = names_of(p, s, names), k = 0;

                flat += count && strcmp(names[0], name) == 0 ? p->values.items[s] : 0;
                while (k < count && strcmp(names[k], name) != 0)
                    k++;
                cum += k < count ? p->values.items[s] : 0;
            }
            assert_int_equal(rows[i].flat, flat);
            assert_int_equal(rows[i].cum, cum);
            if (i)
                assert_true(rows[i - 1].flat >= rows[i].flat);
        }
        free(rows);
        ct_flame_free(f);
        ct_profile_free(p);
    }
}

/* The line of pprof's table that ends in the name, and maybe in "(inline)"; caller frees. */
static char *line_of(const char *table, const char *name)
{
    for (const char *end; (end = strchr(table, '\n')); table = end + 1) {
        size_t size = (size_t)(end - table), wanted = strlen(name);
        const char *inlined = memmem(table, size, " (", 2);

        if (inlined)
            end = inlined;
        if (size > wanted && memcmp(end - wanted, name, wanted) == 0 && end[-(ptrdiff_t)wanted - 1] == ' ')
            return strndup(table, size);
        end = table + size;
    }
    fail_msg("%s is not in pprof's table", name);
    return NULL;
}

static void agrees_with_pprof(void **state)
{
    struct ct_profile *p = random_profile(7);
    struct ct_flame *f;
    struct ct_top_row *rows;

    if (!shop_has_go())
        skip();
    shop_write(p, "random.pb.gz");
    assert_int_equal(ct_flame_make(p, NULL, 0, &f, NULL), 0);
    assert_int_equal(ct_flame_top(f, &rows), 0);
    const char *table = shop_pprof("-top -nodefraction=0 -unit=count random.pb.gz");

    for (uint32_t i = 0; i < f->frame_count; i++) {
        const char *name = f->frames[rows[i].frame].function;
        char *line = line_of(table, *name ? name : "[x]");
        long long flat, cum;

        assert_int_equal(sscanf(line, "%lld %*s %*s %lld", &flat, &cum), 2);
        assert_int_equal(rows[i].flat, flat);
        assert_int_equal(rows[i].cum, cum);
        free(line);
    }
    free(rows);
    ct_flame_free(f);
    ct_profile_free(p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(draws_calls),
        cmocka_unit_test(compares),
        cmocka_unit_test(agrees_with_brute_force),
        cmocka_unit_test(agrees_with_pprof),
    };

    return cmocka_run_group_tests(tests, shop_open, shop_close);
}

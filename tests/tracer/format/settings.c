/* Settings: sizes, times, categories from text; and names with fields in them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include <errno.h>
#include <signal.h>

#include "format/pattern.h"
#include "format/schema.h"
#include "format/settings.h"

static struct ct_settings set(unsigned which, const char *value, int expected)
{
    struct ct_settings s;

    ct_settings_default(&s);
    assert_int_equal(ct_settings_take(&s, which, value), expected);
    return s;
}

static void sizes(void **state)
{
    (void)state;
    assert_int_equal(set(CT_SETTING_buffer, "64M", 0).buffer, 64 << 20);
    assert_int_equal(set(CT_SETTING_buffer, "1.5MiB", 0).buffer, 3 << 19);
    assert_int_equal(set(CT_SETTING_buffer, "2097152", 0).buffer, 2 << 20);
    assert_int_equal(set(CT_SETTING_max_size, "ring:1g", 0).ring, 1 << 30);
    assert_int_equal(set(CT_SETTING_max_size, "1G", 0).limit, 1 << 30);
    set(CT_SETTING_buffer, "64X", -EINVAL);
    set(CT_SETTING_buffer, "", -EINVAL);
    set(CT_SETTING_buffer, "-1M", -EINVAL);
    set(CT_SETTING_buffer, "1K", -EINVAL);
    set(CT_SETTING_max_size, "99999999999999999999T", -EINVAL);
    set(CT_SETTING_max_size, "ring:", -EINVAL);
}

static void times(void **state)
{
    (void)state;
    assert_int_equal(set(CT_SETTING_delay, "10", 0).delay_ms, 10000);
    assert_int_equal(set(CT_SETTING_delay, "1.5s", 0).delay_ms, 1500);
    assert_int_equal(set(CT_SETTING_duration, "20ms", 0).duration_ms, 20);
    assert_int_equal(set(CT_SETTING_duration, "2m", 0).duration_ms, 120000);
    set(CT_SETTING_delay, "10 parsecs", -EINVAL);
    set(CT_SETTING_delay, "soon", -EINVAL);
}

static void categories(void **state)
{
    (void)state;
    assert_int_equal(set(CT_SETTING_only, "io,lock", 0).categories, 1 << CT_CAT_io | 1 << CT_CAT_lock);
    assert_false(set(CT_SETTING_without, "heap", 0).categories >> CT_CAT_heap & 1);
    set(CT_SETTING_only, "io,,lock", -EINVAL);
    set(CT_SETTING_only, "nonsense", -EINVAL);
}

static void hosts(void **state)
{
    (void)state;
    assert_string_equal(set(CT_SETTING_http_host, "a.example,b-7", 0).http_host, "a.example,b-7");
    set(CT_SETTING_http_host, "", -EINVAL);
    set(CT_SETTING_http_host, ",a", -EINVAL);
    set(CT_SETTING_http_host, "a,", -EINVAL);
    set(CT_SETTING_http_host, "a,,b", -EINVAL);
    set(CT_SETTING_http_host, "a:80", -EINVAL);
    set(CT_SETTING_http_host, "*", -EINVAL);
    set(CT_SETTING_http_host, "a b", -EINVAL);
}

static void samplers(void **state)
{
    (void)state;
    assert_int_equal(set(CT_SETTING_depth, "64", 0).cpu_rate, 100);
    assert_int_equal(set(CT_SETTING_depth, "64", 0).heap_rate, 512 << 10);
    assert_int_equal(set(CT_SETTING_cpu_rate, "1", 0).cpu_rate, 1);
    assert_int_equal(set(CT_SETTING_cpu_rate, "1000", 0).cpu_rate, 1000);
    set(CT_SETTING_cpu_rate, "0", -EINVAL);
    set(CT_SETTING_cpu_rate, "1001", -EINVAL);
    set(CT_SETTING_cpu_rate, "-1", -EINVAL);
    set(CT_SETTING_cpu_rate, "100Hz", -EINVAL);
    assert_int_equal(set(CT_SETTING_cpu_signal, "SIGVTALRM", 0).cpu_signal, SIGVTALRM);
    assert_int_equal(set(CT_SETTING_cpu_signal, "PROF", 0).cpu_signal, SIGPROF);
    assert_int_equal(set(CT_SETTING_cpu_signal, "64", 0).cpu_signal, 64);
    set(CT_SETTING_cpu_signal, "9", -EINVAL);
    set(CT_SETTING_cpu_signal, "32", -EINVAL);
    set(CT_SETTING_cpu_signal, "KILL", -EINVAL);
    set(CT_SETTING_cpu_signal, "", -EINVAL);
    assert_int_equal(set(CT_SETTING_heap_rate, "1", 0).heap_rate, 1);
    assert_int_equal(set(CT_SETTING_heap_rate, "2M", 0).heap_rate, 2 << 20);
    assert_int_equal(set(CT_SETTING_alloc_slow, "20us", 0).alloc_slow, 20000);
    assert_int_equal(set(CT_SETTING_alloc_slow, "1.5ms", 0).alloc_slow, 1500000);
    assert_int_equal(set(CT_SETTING_alloc_slow, "1ns", 0).alloc_slow, 1);
    set(CT_SETTING_alloc_slow, "0", -EINVAL);
    set(CT_SETTING_alloc_slow, "1h", -EINVAL);
    set(CT_SETTING_alloc_slow, "99999999999s", -EINVAL);
    set(CT_SETTING_heap_rate, "0", -EINVAL);
    set(CT_SETTING_heap_rate, "64T", -EINVAL);
}

static const char *look_up(const char *name)
{
    return strcmp(name, "CTRACE_STACK_DEPTH") == 0 ? "7" : strcmp(name, "CTRACE_NO_PATHS") == 0 ? "1" :
           strcmp(name, "WHO") == 0 ? "me" : NULL;
}

static const char *look_up_wrong(const char *name)
{
    return strcmp(name, "CTRACE_DELAY") == 0 ? "never" : NULL;
}

static void variables(void **state)
{
    struct ct_settings s;
    unsigned wrong = 0;

    (void)state;
    ct_settings_default(&s);
    assert_int_equal(ct_settings_environment(&s, look_up, &wrong), 0);
    assert_int_equal(s.depth, 7);
    assert_false(s.paths);
    assert_int_equal(ct_settings_environment(&s, look_up_wrong, &wrong), -EINVAL);
    assert_int_equal(wrong, CT_SETTING_delay);
}

static int expand(const char *pattern, char *to, size_t size)
{
    static const struct ct_pattern_values values = { .pid = 42, .time_s = 1700000000, .host = "here", .look_up = look_up };

    *to = '\0';
    return ct_pattern_expand(pattern, &values, to, size);
}

static void patterns(void **state)
{
    char name[64];

    (void)state;
    assert_int_equal(expand("a-%p-%t-%h-%q{WHO}%q{NOT_SET}%%", name, sizeof name), 0);
    assert_string_equal(name, "a-42-1700000000-here-me%");
    assert_int_equal(expand("%x", name, sizeof name), -EINVAL);
    assert_int_equal(expand("%", name, sizeof name), -EINVAL);
    assert_int_equal(expand("%q{WHO", name, sizeof name), -EINVAL);
    assert_int_equal(expand("%t", name, 8), -ENAMETOOLONG);
    assert_int_equal(expand("1234567", name, 8), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sizes), cmocka_unit_test(times), cmocka_unit_test(categories),
        cmocka_unit_test(hosts), cmocka_unit_test(samplers),
        cmocka_unit_test(variables), cmocka_unit_test(patterns),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

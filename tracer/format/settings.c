/* Values of settings: sizes, times, categories; one function a setting. */
#include "format/settings.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>

#include "format/schema.h"

const struct ct_setting_info ct_settings_table[CT_SETTINGS] = {
#define SETTING(name, option, letter, argument, variable, doc) { option, letter, argument, variable, doc },
#include "format/settings.def"
};

static const uint64_t smallest_size = 64 << 10, smallest_buffer = 1 << 20, largest_buffer = (uint64_t)1 << 31;

/* "12.5": a number with at most three decimals, in thousandths.  Steps behind it. */
static bool take_number(const char **at, uint64_t *ret)
{
    uint64_t n = 0, scale = 1000;
    const char *p = *at;

    if (*p < '0' || *p > '9')
        return false;
    for (; *p >= '0' && *p <= '9'; p++) {
        if (n > UINT64_MAX / 100000)
            return false;
        n = n * 10 + (uint64_t)(*p - '0');
    }
    n *= 1000;
    if (*p == '.')
        for (p++; *p >= '0' && *p <= '9'; p++)
            n += (uint64_t)(*p - '0') * (scale /= 10);
    *at = p;
    *ret = n;
    return true;
}

static int read_size(const char *text, uint64_t *ret)
{
    static const char units[] = "KMGT";
    const char *unit;
    uint64_t n;
    unsigned shift = 0;

    if (!take_number(&text, &n))
        return -EINVAL;
    unit = *text ? strchr(units, *text & ~0x20) : NULL;
    if (unit) {
        shift = 10 * (unsigned)(unit - units + 1);
        text++;
        if (strcmp(text, "iB") == 0)
            text += 2;
    }
    if (strcmp(text, "B") == 0)
        text++;
    if (*text || n / 1000 > UINT64_MAX >> shift >> 10)
        return -EINVAL;
    *ret = ((n / 1000) << shift) + (((n % 1000) << shift) / 1000);
    return 0;
}

static int read_time(const char *text, int64_t *ret_ms)
{
    static const struct { const char *unit; uint64_t ms; } units[] = {
        { "", 1000 }, { "s", 1000 }, { "ms", 1 }, { "m", 60000 }, { "min", 60000 }, { "h", 3600000 },
    };
    uint64_t n;

    if (!take_number(&text, &n) || n > (uint64_t)1000 * 1000 * 1000 * 1000)
        return -EINVAL;
    for (size_t i = 0; i < sizeof units / sizeof *units; i++)
        if (strcmp(text, units[i].unit) == 0) {
            *ret_ms = (int64_t)(n * units[i].ms / 1000);
            return 0;
        }
    return -EINVAL;
}

/* --- one function a setting; each returns 0 or -EINVAL --- */

static int take_categories(const char *value, uint64_t *ret)
{
    *ret = 0;
    while (*value) {
        size_t length = strcspn(value, ",");
        int no = ct_schema_category_by_name(value, (unsigned)length);

        if (no < 0)
            return -EINVAL;
        *ret |= (uint64_t)1 << no;
        value += length + (value[length] == ',');
    }
    return *ret ? 0 : -EINVAL;
}

static int take_output(struct ct_settings *o, const char *value)
{
    o->output = value;
    o->output_given = true;
    return *value ? 0 : -EINVAL;
}

static int take_profile(struct ct_settings *o, enum ct_settings_profile which, const char *value)
{
    o->profile[which] = value;
    return *value ? 0 : -EINVAL;
}

static int take_cpuprofile(struct ct_settings *o, const char *value)
{
    return take_profile(o, CT_PROFILE_FILE_CPU, value);
}

static int take_memprofile(struct ct_settings *o, const char *value)
{
    return take_profile(o, CT_PROFILE_FILE_MEM, value);
}

static int take_blockprofile(struct ct_settings *o, const char *value)
{
    return take_profile(o, CT_PROFILE_FILE_BLOCK, value);
}

static int take_mutexprofile(struct ct_settings *o, const char *value)
{
    return take_profile(o, CT_PROFILE_FILE_MUTEX, value);
}

static int take_http(struct ct_settings *o, const char *value)
{
    o->http = value;
    return *value ? 0 : -EINVAL;
}

static int take_http_token(struct ct_settings *o, const char *value)
{
    o->http_token = value;
    return *value ? 0 : -EINVAL;
}

static int take_only(struct ct_settings *o, const char *value)
{
    return take_categories(value, &o->categories);
}

static int take_without(struct ct_settings *o, const char *value)
{
    uint64_t these;
    int r = take_categories(value, &these);

    if (r == 0)
        o->categories &= ~these;
    return r;
}

static int take_max_size(struct ct_settings *o, const char *value)
{
    static const char ring[] = "ring:";
    bool keep = strncmp(value, ring, sizeof ring - 1) == 0;
    uint64_t size;
    int r = read_size(value + (keep ? sizeof ring - 1 : 0), &size);

    if (r < 0 || size < smallest_size)
        return -EINVAL;
    o->limit = keep ? 0 : size;
    o->ring = keep ? size : 0;
    return 0;
}

static int take_duration(struct ct_settings *o, const char *value)
{
    return read_time(value, &o->duration_ms);
}

static int take_delay(struct ct_settings *o, const char *value)
{
    return read_time(value, &o->delay_ms);
}

static int take_buffer(struct ct_settings *o, const char *value)
{
    int r = read_size(value, &o->buffer);

    return r == 0 && o->buffer >= smallest_buffer && o->buffer <= largest_buffer ? 0 : -EINVAL;
}

static int take_depth(struct ct_settings *o, const char *value)
{
    char *end;
    unsigned long n = strtoul(value, &end, 10);

    o->depth = (unsigned)n;
    return *value >= '0' && *value <= '9' && !*end && n <= CT_STACK_MAX ? 0 : -EINVAL;
}

static int take_cpu_rate(struct ct_settings *o, const char *value)
{
    char *end;
    unsigned long n = strtoul(value, &end, 10);

    o->cpu_rate = (unsigned)n;
    return *value >= '0' && *value <= '9' && !*end && n >= 1 && n <= CT_CPU_RATE_MAX ? 0 : -EINVAL;
}

/* Only signals that end a program which does not expect them, and that no kernel or libc sends for reasons of its own. */
static int take_cpu_signal(struct ct_settings *o, const char *value)
{
    static const struct { const char *name; int number; } names[] = {
        { "PROF", SIGPROF }, { "VTALRM", SIGVTALRM }, { "STKFLT", SIGSTKFLT }, { "PWR", SIGPWR },
    };
    char *end;
    unsigned long n = strtoul(value, &end, 10);

    if (*value >= '0' && *value <= '9' && !*end && n >= CT_SIGNAL_REALTIME && n <= CT_SIGNAL_MAX) {
        o->cpu_signal = (unsigned)n;
        return 0;
    }
    value += strncmp(value, "SIG", 3) == 0 ? 3 : 0;
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (strcmp(value, names[i].name) == 0) {
            o->cpu_signal = (unsigned)names[i].number;
            return 0;
        }
    return -EINVAL;
}

/* Names as DNS has them, parted by commas. */
static int take_http_host(struct ct_settings *o, const char *value)
{
    static const char letters[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.-_";

    o->http_host = value;
    while (*value) {
        size_t size = strcspn(value, ",");

        if (!size || strspn(value, letters) < size)
            return -EINVAL;
        value += size;
        if (*value && !*++value)
            return -EINVAL;
    }
    return *o->http_host ? 0 : -EINVAL;
}

static int take_heap_rate(struct ct_settings *o, const char *value)
{
    int r = read_size(value, &o->heap_rate);

    return r == 0 && o->heap_rate >= 1 && o->heap_rate <= CT_HEAP_RATE_MAX ? 0 : -EINVAL;
}

/* Shorter than other times: down to a nanosecond. */
static int take_alloc_slow(struct ct_settings *o, const char *value)
{
    static const struct { const char *unit; uint64_t ns; } units[] = {
        { "ns", 1 }, { "us", 1000 }, { "ms", 1000000 }, { "s", 1000000000 }, { "", 1000000000 },
    };
    uint64_t n;

    if (!take_number(&value, &n) || n == 0)
        return -EINVAL;
    for (size_t i = 0; i < sizeof units / sizeof *units; i++)
        if (strcmp(value, units[i].unit) == 0 && n / 1000 <= 3600000000000 / units[i].ns) {
            o->alloc_slow = n * units[i].ns / 1000;
            return o->alloc_slow ? 0 : -EINVAL;
        }
    return -EINVAL;
}

/* A variable says yes with anything but "0" and nothing. */
static bool yes(const char *value)
{
    return !value || (*value && strcmp(value, "0") != 0);
}

static int take_http_insecure(struct ct_settings *o, const char *value)
{
    o->http_insecure = yes(value);
    return 0;
}

static int take_no_paths(struct ct_settings *o, const char *value)
{
    o->paths = !yes(value);
    return 0;
}

static int take_no_follow(struct ct_settings *o, const char *value)
{
    o->children = !yes(value);
    return 0;
}

static int take_lttng(struct ct_settings *o, const char *value)
{
    o->lttng = yes(value);
    return 0;
}

static int take_no_wait(struct ct_settings *o, const char *value)
{
    o->wait = !yes(value);
    return 0;
}

static int (*const takers[CT_SETTINGS])(struct ct_settings *, const char *) = {
#define SETTING(name, option, letter, argument, variable, doc) take_##name,
#include "format/settings.def"
};

void ct_settings_default(struct ct_settings *ret)
{
    *ret = (struct ct_settings){ .output = "trace.out", .categories = ~(uint64_t)0, .depth = CT_STACK_DEFAULT,
                                 .cpu_rate = CT_CPU_RATE_DEFAULT, .heap_rate = CT_HEAP_RATE_DEFAULT,
                                 .paths = true, .children = true, .wait = true };
}

int ct_settings_take(struct ct_settings *settings, unsigned which, const char *value)
{
    return takers[which](settings, value);
}

int ct_settings_environment(struct ct_settings *settings, const char *(*look_up)(const char *name), unsigned *ret_wrong)
{
    for (unsigned i = 0; i < CT_SETTINGS; i++) {
        const char *value = look_up(ct_settings_table[i].variable);

        if (value && *value && takers[i](settings, value) < 0) {
            *ret_wrong = i;
            return -EINVAL;
        }
    }
    return 0;
}

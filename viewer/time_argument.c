/* Reads "1.5s" and "12:03:44.120". */
#include "viewer/time_argument.h"

#include <string.h>
#include <time.h>

#define SECOND_NS INT64_C(1000000000)

/* "44.120": whole units and a fraction, as a count of `unit_ns`; `*end` is behind it. */
static bool decimal(const char *text, int64_t unit_ns, int64_t *ret, const char **end)
{
    int64_t whole = 0, fraction = 0, scale = unit_ns;
    const char *at = text;

    while (*at >= '0' && *at <= '9') {
        if (whole > INT64_MAX / 20 / unit_ns)
            return false;
        whole = whole * 10 + (*at++ - '0');
    }
    if (at == text)
        return false;
    if (*at == '.')
        for (at++; *at >= '0' && *at <= '9'; at++) {
            scale /= 10;
            fraction += (*at - '0') * scale;
        }
    *ret = whole * unit_ns + fraction;
    *end = at;
    return true;
}

static bool relative(const char *text, int64_t *ret)
{
    static const struct { const char *name; int64_t ns; } units[] = {
        { "", SECOND_NS }, { "s", SECOND_NS }, { "ms", 1000000 }, { "us", 1000 }, { "ns", 1 },
        { "m", 60 * SECOND_NS }, { "min", 60 * SECOND_NS }, { "h", 3600 * SECOND_NS },
    };
    size_t digits = strspn(text, "0123456789.");
    const char *end;
    int64_t ns;

    for (size_t i = 0; i < sizeof units / sizeof *units; i++)
        if (strcmp(text + digits, units[i].name) == 0) {
            if (!decimal(text, units[i].ns, &ns, &end) || end != text + digits)
                return false;
            *ret = ns;
            return true;
        }
    return false;
}

/* "12:03", "12:03:44", "12:03:44.120" into ns of the day. */
static bool time_of_day(const char *text, int64_t *ret)
{
    struct tm tm = { 0 };
    const char *at = strptime(text, "%H:%M", &tm);
    int64_t seconds = 0;

    if (!at)
        return false;
    if (*at == ':' && (!decimal(at + 1, SECOND_NS, &seconds, &at) || seconds >= 61 * SECOND_NS))
        return false;
    *ret = (tm.tm_hour * 60 + tm.tm_min) * 60 * SECOND_NS + seconds;
    return *at == 0;
}

bool ct_time_argument(const char *text, int64_t start_realtime_ns, int64_t *ret_ns)
{
    time_t start = (time_t)(start_realtime_ns / SECOND_NS);
    struct tm day, typed;
    int64_t of_day, ns;
    const char *at;
    bool dated;

    if (relative(text, ret_ns))
        return true;
    localtime_r(&start, &day);
    typed = day;
    at = strptime(text, "%Y-%m-%d", &typed);
    dated = at && (*at == 'T' || *at == ' ');
    if (dated)
        day = typed;                    /* what is not a date has changed `typed` all the same */
    if (!time_of_day(dated ? at + 1 : text, &of_day))
        return false;
    day.tm_hour = (int)(of_day / (3600 * SECOND_NS));
    day.tm_min = (int)(of_day / (60 * SECOND_NS) % 60);
    day.tm_sec = 0;
    day.tm_isdst = -1;
    ns = (int64_t)mktime(&day) * SECOND_NS + of_day % (60 * SECOND_NS) - start_realtime_ns;
    if (!dated && ns < 0) {
        day.tm_mday++;                  /* the trace went on past midnight */
        day.tm_isdst = -1;
        ns = (int64_t)mktime(&day) * SECOND_NS + of_day % (60 * SECOND_NS) - start_realtime_ns;
    }
    *ret_ns = ns;
    return true;
}

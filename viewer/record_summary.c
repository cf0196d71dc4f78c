/* The five lines at the end of a recording: time, threads, longest waits, losses, what to type next. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "converter/read/reader.h"
#include "viewer/record_finish.h"

enum { LONGEST = 3, NESTED_MAX = 8, LOOK_EVERY = 1 << 14 };
static const int64_t patience_ns = 400000000;       /* a long trace is only looked at in part */

struct wait {
    int64_t begin_ns, ns;
    uint8_t no;
    char where[80];                 /* function that waited; empty: unknown */
};

/* What a thread waits for, innermost last; waits nest in signal handlers. */
struct waiter {
    struct waiter *next;
    struct wait open[NESTED_MAX];
    unsigned depth;
};

struct summary {
    struct wait longest[LONGEST];
    struct waiter *waiters;
    uint64_t events;
    bool partly;
};

static bool begins_wait(unsigned no)
{
    return (no >= CT_EV_MUTEX_WAIT && no <= CT_EV_JOIN_WAIT);
}

static bool ends_wait(unsigned no)
{
    return no == CT_EV_WAIT_DONE || no == CT_EV_WAIT_FAILED;
}

static struct waiter *waiter_of(struct summary *s, struct ct_read_thread *thread)
{
    struct waiter *w = thread->user;

    if (!w && (w = calloc(1, sizeof *w))) {
        w->next = s->waiters;
        s->waiters = w;
        thread->user = w;
    }
    return w;
}

/* The innermost frame that has a name. */
static void find_place(const struct ct_read_event *e, char *to, size_t size)
{
    const struct ct_read_stack *stack = NULL;
    const struct ct_read_frame *frames;

    *to = '\0';
    for (unsigned i = 0; i < e->info->field_count; i++)
        if (e->info->fields[i].type == CT_TYPE_STACK)
            stack = ct_read_stack(e->generation, e->arg[i]);
    for (uint32_t i = 0; stack && i < stack->depth && !*to; i++)
        if (ct_read_frames(e->generation->program, stack->pcs[i], &frames) > 0 && frames[0].function.size)
            snprintf(to, size, "%.*s", (int)frames[0].function.size, frames[0].function.at);
}

static void keep_longest(struct summary *s, const struct wait *w)
{
    for (unsigned i = 0; i < LONGEST; i++)
        if (w->ns > s->longest[i].ns) {
            memmove(&s->longest[i + 1], &s->longest[i], (LONGEST - 1 - i) * sizeof *w);
            s->longest[i] = *w;
            return;
        }
}

static void take(struct summary *s, const struct ct_read_event *e)
{
    struct waiter *w;

    s->events++;
    if (!begins_wait(e->no) && e->no != CT_EV_SLEEP && !ends_wait(e->no))
        return;
    w = waiter_of(s, e->thread);
    if (!w)
        return;
    if (!ends_wait(e->no)) {
        struct wait *open = &w->open[w->depth < NESTED_MAX ? w->depth : NESTED_MAX - 1];

        *open = (struct wait){ .begin_ns = e->ns, .no = e->no };
        find_place(e, open->where, sizeof open->where);
        w->depth++;
    } else if (w->depth > 0 && --w->depth < NESTED_MAX) {
        w->open[w->depth].ns = e->ns - w->open[w->depth].begin_ns;
        if (begins_wait(w->open[w->depth].no))
            keep_longest(s, &w->open[w->depth]);
    }
}

static int64_t now_ns(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec * 1000000000LL + now.tv_nsec;
}

static void look_through(struct ct_reader *reader, struct summary *s)
{
    const struct ct_read_item *item;
    int64_t until = now_ns() + patience_ns;

    while (ct_reader_next(reader, &item, NULL) > 0) {
        if (item->kind != CT_READ_EVENT)
            continue;
        take(s, &item->event);
        if (s->events % LOOK_EVERY == 0 && now_ns() > until) {
            s->partly = true;
            break;
        }
    }
}

static void put_time(char *to, size_t size, int64_t ns)
{
    if (ns >= 1000000000)
        snprintf(to, size, "%.2f s", (double)ns / 1e9);
    else if (ns >= 1000000)
        snprintf(to, size, "%.1f ms", (double)ns / 1e6);
    else
        snprintf(to, size, "%.1f us", (double)ns / 1e3);
}

/* "MUTEX_WAIT" is "mutex" for a person. */
static void put_kind(char *to, size_t size, unsigned no)
{
    const struct ct_event_info *info = ct_schema_event(no);
    size_t n = 0;

    for (const char *p = info->name; *p && n + 1 < size && strcmp(p, "_WAIT") != 0; p++)
        to[n++] = *p == '_' ? ' ' : (char)(*p | 0x20);
    to[n] = '\0';
}

static void say_waits(const struct summary *s)
{
    fprintf(stderr, "ctrace: %s", s->longest[0].ns ? "longest waits:" : "no thread waited for another");
    for (unsigned i = 0; i < LONGEST && s->longest[i].ns; i++) {
        char time[32], kind[32];

        put_time(time, sizeof time, s->longest[i].ns);
        put_kind(kind, sizeof kind, s->longest[i].no);
        fprintf(stderr, "%s %s %s", i ? "," : "", time, kind);
        if (s->longest[i].where[0])
            fprintf(stderr, " in %s", s->longest[i].where);
    }
    fputs(s->partly ? " (in the first part of the trace)\n" : "\n", stderr);
}

static void say(const char *path, struct ct_reader *reader, const struct summary *s, uint64_t lost, size_t files)
{
    unsigned programs = ct_reader_program_count(reader);
    const struct ct_text name = ct_run_name(&ct_reader_program(reader, programs - 1)->run);
    char time[32];

    put_time(time, sizeof time, ct_reader_end_ns(reader));
    fprintf(stderr, "ctrace: %s of %.*s in %s", time, (int)name.size, name.at, path);
    if (files > 1)
        fprintf(stderr, " and %zu file%s of its children", files - 1, files == 2 ? "" : "s");
    fprintf(stderr, "\nctrace: %u thread%s, %s%llu events\n", ct_reader_thread_count(reader),
            ct_reader_thread_count(reader) == 1 ? "" : "s", s->partly ? "more than " : "",
            (unsigned long long)s->events);
    say_waits(s);
    if (lost)
        fprintf(stderr, "ctrace: %llu events were lost for want of room; --buffer makes more, --without less of them\n",
                (unsigned long long)lost);
    else
        fputs("ctrace: nothing was lost\n", stderr);
    fprintf(stderr, "ctrace: next: ctrace convert %s, and open the result at ui.perfetto.dev\n", path);
}

static const char *short_name(const char *path)
{
    char here[CT_PATH_MAX];
    size_t n;

    if (!getcwd(here, sizeof here))
        return path;
    n = strlen(here);
    return strncmp(path, here, n) == 0 && path[n] == '/' ? path + n + 1 : path;
}

void ct_summary_print(const char *path, uint64_t lost, size_t files)
{
    struct ct_read_input input = { .path = path, .fd = -1 };
    struct summary s = { 0 };
    struct ct_reader *reader;
    struct ct_error err;

    if (ct_reader_open(&input, 1, NULL, &reader, &err) < 0) {
        fprintf(stderr, "ctrace: %s\n", err.text);
        return;
    }
    look_through(reader, &s);
    if (ct_reader_program_count(reader))
        say(short_name(path), reader, &s, lost, files);
    ct_reader_close(reader);
    while (s.waiters) {
        struct waiter *next = s.waiters->next;

        free(s.waiters);
        s.waiters = next;
    }
}

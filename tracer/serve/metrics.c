/* /metrics: what /proc tells of the process under the names everybody knows, then what the host has to tell. */
#include "serve/metrics.h"

#include <dirent.h>
#include <fcntl.h>
#include <math.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "serve/endpoints.h"
#include "serve/proc.h"

static void put_family(struct ct_metrics *m, const char *name, const char *type, const char *unit, const char *help)
{
    ct_reply_print(m->reply, "# TYPE %s %s\n", name, type);
    if (*unit)
        ct_reply_print(m->reply, "# UNIT %s %s\n", name, unit);
    ct_reply_print(m->reply, "# HELP %s %s\n", name, help);
}

/* Not %g: six digits are too few for bytes, and a point must be a point in every locale. */
static void put_value(struct ct_metrics *m, double value)
{
    bool negative = value < 0;
    uint64_t whole, millionths;

    if (negative)
        value = -value;
    if (!(value < 1e18)) {
        ct_reply_text(m->reply, negative ? "-Inf\n" : "+Inf\n");
        return;
    }
    whole = (uint64_t)value;
    millionths = (uint64_t)((value - (double)whole) * 1e6);
    ct_reply_print(m->reply, "%s%llu", negative ? "-" : "", (unsigned long long)whole);
    if (millionths)
        ct_reply_print(m->reply, ".%06llu", (unsigned long long)millionths);
    ct_reply_text(m->reply, "\n");
}

void ct_metrics_gauge(struct ct_metrics *m, const char *name, const char *unit, const char *help, double value)
{
    put_family(m, name, "gauge", unit, help);
    ct_reply_print(m->reply, "%s ", name);
    put_value(m, value);
}

void ct_metrics_family(struct ct_metrics *m, const char *name, const char *help)
{
    put_family(m, name, "gauge", "", help);
}

void ct_metrics_member(struct ct_metrics *m, const char *name, const char *label, const char *is, double value)
{
    ct_reply_print(m->reply, "%s{%s=\"%s\"} ", name, label, is);
    put_value(m, value);
}

void ct_metrics_counter(struct ct_metrics *m, const char *name, const char *unit, const char *help, double value)
{
    put_family(m, name, "counter", unit, help);
    ct_reply_print(m->reply, "%s_total ", name);
    put_value(m, value);
}

/* ---- /proc ---- */

/* All of `fd`, which it closes; false when that is nothing. */
static bool read_text(int fd, char *text, size_t room)
{
    size_t n = 0;
    ssize_t r;

    if (fd < 0)
        return false;
    while (n + 1 < room && (r = read(fd, text + n, room - 1 - n)) > 0)
        n += (size_t)r;
    close(fd);
    text[n] = 0;
    return n > 0;
}

/* The number behind `key` at the beginning of a line; false when it is not there or no number ("unlimited"). */
static bool value_of(const char *text, const char *key, double *ret)
{
    size_t size = strlen(key);

    for (const char *line = text; line; line = strchr(line, '\n')) {
        line += *line == '\n';
        if (strncmp(line, key, size) == 0) {
            char *end;

            *ret = (double)strtoull(line + size, &end, 10);
            return end != line + size;
        }
    }
    return false;
}

/* Fields of stat begin at 3 behind the name, which may hold blanks and brackets itself. */
static double stat_field(const char *stat, unsigned field)
{
    const char *at = strrchr(stat, ')');

    for (unsigned i = 2; at && i < field; i++)
        at = strchr(at + 1, ' ');
    return at ? (double)strtoull(at + 1, NULL, 10) : 0;
}

static void count_descriptors(struct ct_metrics *m)
{
    int fd = ct_proc_open(m->pid, "fd");
    DIR *folder = fd < 0 ? NULL : fdopendir(fd);
    double n = 0;

    if (!folder) {
        if (fd >= 0)
            close(fd);
        return;
    }
    for (const struct dirent *e; (e = readdir(folder));)
        n += *e->d_name != '.';
    closedir(folder);
    ct_metrics_gauge(m, "process_open_fds", "", "Number of open file descriptors.", n);
}

static void put_limits(struct ct_metrics *m)
{
    char text[4096];
    double v;

    if (!read_text(ct_proc_open(m->pid, "limits"), text, sizeof text))
        return;
    if (value_of(text, "Max open files", &v))
        ct_metrics_gauge(m, "process_max_fds", "", "Maximum number of open file descriptors.", v);
    if (!value_of(text, "Max address space", &v))
        v = HUGE_VAL;                   /* "unlimited" */
    ct_metrics_gauge(m, "process_virtual_memory_max_bytes", "bytes", "Maximum amount of virtual memory available in bytes.", v);
}

static void put_memory(struct ct_metrics *m)
{
    double page = (double)sysconf(_SC_PAGESIZE);
    unsigned long size = 0, resident = 0, data = 0;
    char text[256];

    if (!read_text(ct_proc_open(m->pid, "statm"), text, sizeof text) || sscanf(text, "%lu %lu %*u %*u %*u %lu", &size, &resident, &data) != 3)
        return;
    ct_metrics_gauge(m, "process_virtual_memory_bytes", "bytes", "Virtual memory size in bytes.", (double)size * page);
    ct_metrics_gauge(m, "process_resident_memory_bytes", "bytes", "Resident memory size in bytes.", (double)resident * page);
    /* Stacks and variables are in it: the kernel does not tell allocators' mappings from others. */
    ct_metrics_gauge(m, "process_heap_bytes", "bytes", "Process heap size in bytes.", (double)data * page);
}

static void put_stat(struct ct_metrics *m)
{
    static const unsigned UTIME = 14, STIME = 15, THREADS = 20, START = 22;
    double hz = (double)sysconf(_SC_CLK_TCK), boot;
    struct timespec now, since_boot;
    char stat[1024];

    if (!read_text(ct_proc_open_first(m->pid, "stat"), stat, sizeof stat))
        return;
    clock_gettime(CLOCK_REALTIME, &now);
    clock_gettime(CLOCK_BOOTTIME, &since_boot);
    boot = (double)(now.tv_sec - since_boot.tv_sec) + (double)(now.tv_nsec - since_boot.tv_nsec) / 1e9;
    ct_metrics_counter(m, "process_cpu_seconds", "seconds", "Total user and system CPU time spent in seconds.",
                       (stat_field(stat, UTIME) + stat_field(stat, STIME)) / hz);
    ct_metrics_gauge(m, "process_threads", "", "Number of OS threads in the process.", stat_field(stat, THREADS));
    ct_metrics_gauge(m, "process_start_time_seconds", "seconds",
                     "Start time of the process since unix epoch in seconds.", boot + stat_field(stat, START) / hz);
}

void ct_metrics_process(struct ct_metrics *m)
{
    put_stat(m);
    put_memory(m);
    count_descriptors(m);
    put_limits(m);
}

void ct_answer_metrics(struct ct_exchange *x)
{
    const struct ct_serve_host *host = x->all->host;
    struct ct_metrics metrics = { &x->reply, x->pid };

    if (host->refresh)
        host->refresh(host->context, x->pid);
    x->reply.type = "application/openmetrics-text; version=1.0.0; charset=utf-8";
    ct_metrics_process(&metrics);
    if (host->metrics)
        host->metrics(host->context, &metrics);
    ct_reply_text(&x->reply, "# EOF\n");
}

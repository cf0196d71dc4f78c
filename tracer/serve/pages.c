/* The pages a person opens: the index, the command line, and the way from /debug/pprof to /debug/pprof/. */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "serve/endpoints.h"
#include "serve/proc.h"

enum { CARRIED = 600, CMDLINE = 1 << 20, PROCESSES = 256 };

static const struct {
    const char *name, *doc;
} descriptions[] = {
    { "allocs", "A sampling of all past memory allocations" },
    { "block", "Stack traces that led to blocking on synchronization primitives" },
    { "heap", "A sampling of memory allocations of live objects. You can specify the gc GET parameter to give freed memory "
              "back before taking the heap sample." },
    { "mutex", "Stack traces of holders of contended mutexes" },
    { "profile", "CPU profile. You can specify the duration in the seconds GET parameter. After you get the profile file, "
                 "use the go tool pprof command to investigate the profile." },
    { "threadcreate", "Stack traces that led to the creation of new OS threads" },
    { "threads", "Stack traces of all current threads. Use debug=2 as a query parameter for each thread with its state. "
                 "Also found as goroutine." },
};

static const char *describe(const struct ct_profile_info *p)
{
    if (p->doc)
        return p->doc;
    for (size_t i = 0; i < sizeof descriptions / sizeof *descriptions; i++)
        if (strcmp(descriptions[i].name, p->name) == 0)
            return descriptions[i].doc;
    return "A profile of the program's own";
}

/* ---- the index ---- */

/* What each link must take along: "&token=T&pid=P" as far as this page was asked with them, and `pid` wants the second. */
static void carry(const struct ct_request *r, bool pid, char carried[CARRIED])
{
    size_t n = 0;

    *carried = 0;
    for (const char *at = r->query; *at; at += *at == '&') {
        size_t size = strcspn(at, "&");

        if ((strncmp(at, "token=", 6) == 0 || (pid && strncmp(at, "pid=", 4) == 0)) && n + size + 2 < CARRIED) {
            carried[n++] = '&';
            memcpy(carried + n, at, size);
            n += size;
            carried[n] = 0;
        }
        at += size;
    }
}

static void put_row(struct ct_reply *r, const char *name, uint64_t count, const char *parameter, const char *carried)
{
    ct_reply_print(r, "<tr><td>%llu</td><td><a href=\"%s?%s", (unsigned long long)count, name, parameter);
    ct_reply_html(r, *parameter ? carried : carried + (*carried == '&'));
    ct_reply_print(r, "\">%s</a></td></tr>\n", name);
}

/* A time to choose, for what runs over a time.  A profile of 1.5 s would be, as Go's, one of 30. */
static void put_form(struct ct_reply *r, const char *name, const char *seconds, const char *carried)
{
    bool parts = strcmp(name, "trace") == 0;

    ct_reply_print(r,
                   "<form action=\"%s\"><label>%s over <input name=\"seconds\" type=\"number\" min=\"%s\" step=\"%s\" "
                   "value=\"%s\" inputmode=\"%s\"> seconds</label>",
                   name, name, parts ? "0.001" : "1", parts ? "any" : "1", seconds, parts ? "decimal" : "numeric");
    for (const char *at = carried; *at;) {
        const char *key = at + 1;
        size_t key_size = strcspn(key, "="), size = strcspn(key, "&");
        char value[CT_REQUEST_VALUE] = "";

        ct_request_decode(key + key_size + 1, size - key_size - 1, true, value, sizeof value);
        ct_reply_print(r, "<input type=\"hidden\" name=\"%.*s\" value=\"", (int)key_size, key);
        ct_reply_html(r, value);
        ct_reply_text(r, "\">");
        at = key + size;
    }
    ct_reply_text(r, "<button>get</button></form>\n");
}

static void put_description(struct ct_reply *r, const char *name, const char *doc)
{
    ct_reply_print(r, "<li><b>%s:</b> ", name);
    ct_reply_html(r, doc);
    ct_reply_text(r, "</li>\n");
}

static int by_name(const void *a, const void *b)
{
    return strcmp(((const struct ct_profile_info *)a)->name, ((const struct ct_profile_info *)b)->name);
}

/* The host's profiles and the endpoints that have a description, in one list by name. */
static size_t collect(struct ct_exchange *x, struct ct_profile_info *rows, size_t room)
{
    const struct ct_serve_host *host = x->all->host;
    size_t n = host->profiles ? host->profiles(host->context, x->pid, rows, CT_SERVE_PROFILES) : 0;

    for (size_t i = 0; i < x->all->table->count && n < room; i++) {
        const struct ct_endpoint *e = &x->all->table->rows[i];

        if (e->doc && (!e->there || e->there(host)))
            rows[n++] = (struct ct_profile_info){ .name = e->path + 1, .doc = e->doc };
    }
    qsort(rows, n, sizeof *rows, by_name);
    return n;
}

static const char page_head[] =
    "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
    "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n<title>";
static const char page_style[] =
    "</title>\n<style>\n"
    ":root{color-scheme:light dark}\n"
    "body{font:16px/1.5 sans-serif;margin:1rem;max-width:46rem}\n"
    "table{border-collapse:collapse}\n"
    "td,th{padding:.25rem 1rem .25rem 0;text-align:left}\n"
    "td:first-child,th:first-child{text-align:right}\n"
    "a,button{display:inline-block;min-height:1.75rem}\n"
    "input[type=number]{width:5rem;font:inherit}\n"
    "form{margin:.5rem 0}\n"
    "</style>\n</head>\n<body>\n";

static void put_counts(struct ct_reply *r, const struct ct_profile_info *rows, size_t count, const char *carried)
{
    ct_reply_text(r, "<p>Set debug=1 as a query parameter to export in legacy text format</p>\n"
                     "Types of profiles available:\n<table>\n<thead><tr><th>Count</th><th>Profile</th></tr></thead>\n<tbody>\n");
    for (size_t i = 0; i < count; i++)
        put_row(r, rows[i].name, rows[i].count, rows[i].flags & CT_PROFILE_WINDOW ? "" : "debug=1", carried);
    ct_reply_text(r, "</tbody>\n</table>\n");
}

/* The name by which people know a process; empty when it has ended. */
static void name_of(pid_t pid, char *name, size_t room)
{
    char path[40];
    ssize_t n = 0;
    int fd;

    snprintf(path, sizeof path, "/proc/%d/comm", (int)pid);
    fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd >= 0) {
        n = read(fd, name, room - 1);
        close(fd);
    }
    n = n < 0 ? 0 : n;
    name[n && name[n - 1] == '\n' ? n - 1 : n] = '\0';
}

static void put_process(struct ct_reply *r, pid_t pid)
{
    char name[64];

    name_of(pid, name, sizeof name);
    ct_reply_print(r, "%d ", (int)pid);
    ct_reply_html(r, name);
}

static int by_number(const void *a, const void *b)
{
    return *(const pid_t *)a < *(const pid_t *)b ? -1 : *(const pid_t *)a > *(const pid_t *)b;
}

/* Links to all processes that are served, when there are others than this one. */
static void put_processes(struct ct_exchange *x)
{
    const struct ct_serve_host *host = x->all->host;
    pid_t rows[PROCESSES];
    size_t count = host->processes ? host->processes(host->context, rows, PROCESSES) : 0;
    size_t shown = count < PROCESSES ? count : PROCESSES;
    char carried[CARRIED];

    if (count == 0 || (count == 1 && *rows == x->pid))
        return;
    carry(x->request, false, carried);
    qsort(rows, shown, sizeof *rows, by_number);
    ct_reply_text(&x->reply, "<p>Processes:</p>\n<ul>\n");
    for (size_t i = 0; i < shown; i++) {
        ct_reply_print(&x->reply, "<li><a href=\"?pid=%d", (int)rows[i]);
        ct_reply_html(&x->reply, carried);
        ct_reply_text(&x->reply, "\">");
        put_process(&x->reply, rows[i]);
        ct_reply_text(&x->reply, "</a></li>\n");
    }
    if (count > shown)
        ct_reply_print(&x->reply, "<li>and %zu more</li>\n", count - shown);
    ct_reply_text(&x->reply, "</ul>\n");
}

void ct_answer_index(struct ct_exchange *x)
{
    struct ct_profile_info rows[CT_SERVE_PROFILES + 8], info;
    struct ct_reply *r = &x->reply;
    char carried[CARRIED];
    size_t count;

    if (x->all->host->refresh)
        x->all->host->refresh(x->all->host->context, x->pid);
    count = collect(x, rows, CT_SERVE_PROFILES + 8);
    carry(x->request, true, carried);
    r->type = "text/html; charset=utf-8";
    ct_reply_text(r, page_head);
    ct_reply_html(r, x->all->prefix);
    ct_reply_text(r, "/");
    ct_reply_text(r, page_style);
    ct_reply_html(r, x->all->prefix);
    ct_reply_text(r, "/ <small>of process ");
    put_process(r, x->pid);
    ct_reply_text(r, "</small>\n");
    put_counts(r, rows, count, carried);
    if (ct_profile_find(x, "threads", &info)) {
        ct_reply_text(r, "<p><a href=\"threads?debug=2");
        ct_reply_html(r, carried);
        ct_reply_text(r, "\">full thread stack dump</a></p>\n");
    }
    for (size_t i = 0; i < count; i++) {
        if (rows[i].flags & CT_PROFILE_WINDOW)
            put_form(r, rows[i].name, "30", carried);
        else if (strcmp(rows[i].name, "trace") == 0)
            put_form(r, rows[i].name, "1", carried);
    }
    put_processes(x);
    ct_reply_text(r, "<p>Profile Descriptions:</p>\n<ul>\n");
    for (size_t i = 0; i < count; i++)
        put_description(r, rows[i].name, describe(&rows[i]));
    ct_reply_text(r, "</ul>\n</body>\n</html>\n");
}

/* ---- the others ---- */

void ct_answer_cmdline(struct ct_exchange *x)
{
    int fd = ct_proc_open(x->pid, "cmdline");
    char bytes[4096];
    ssize_t n;

    if (fd < 0) {
        ct_reply_fault(&x->reply, 404, "The process has ended");
        return;
    }
    while (x->reply.size < CMDLINE && (n = read(fd, bytes, sizeof bytes)) > 0)
        ct_reply_bytes(&x->reply, bytes, (size_t)n);
    close(fd);
    /* Go parts the arguments by NUL; the kernel ends each with one. */
    if (x->reply.size && !x->reply.body[x->reply.size - 1])
        x->reply.size--;
}

void ct_answer_redirect(struct ct_exchange *x)
{
    char location[CT_REPLY_HEAD / 4];
    const char *query = x->request->query;

    snprintf(location, sizeof location, "%s/%s%.300s", x->all->prefix, *query ? "?" : "", strlen(query) <= 300 ? query : "");
    ct_reply_redirect(&x->reply, 301, location);
}

/* `ctrace list`: which programs can be reached, as a table or as JSON. */
#include <ctype.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "converter/json.h"
#include "format/arena.h"
#include "format/schema.h"
#include "viewer/commands.h"
#include "viewer/list.h"

static const char usage_text[] =
    "usage: ctrace list [--json]\n"
    "\n"
    "Lists the programs of this user that are traced or could be at any moment: those\n"
    "under `ctrace record`, and those that are linked with libctrace and have begun.\n"
    "\n"
    "      --json         one JSON object\n"
    "  -h, --help         this text\n";

enum { WIDTH = 80, FIXED = 60 };        /* columns, and those before the categories */

static const char *state_of(const struct ct_listed *p)
{
    switch (p->phase) {
    case CT_ARENA_RECORDING: return "recording";
    case CT_ARENA_TROUBLE: return "gave up";
    case CT_ARENA_ENDED: return "ended";
    case CT_ARENA_BIRTH: return "begins";
    default: return "idle";
    }
}

/* --- for a person --- */

/* A name is any bytes: none may do something to the terminal. */
static void put_safe(const char *text, int width)
{
    int n = 0;

    for (; *text && (width == 0 || n < width); text++, n++)
        putchar(isprint((unsigned char)*text) ? *text : '?');
    for (; n < width; n++)
        putchar(' ');
}

/* As few words as say it, cut where the line ends. */
static void put_categories(uint64_t categories)
{
    uint64_t all = ((uint64_t)1 << CT_CAT_END) - 1;
    char text[256] = "";
    bool most = __builtin_popcountll(all & ~categories) <= 3;
    size_t size = 0;

    if ((categories & all) == all) {
        fputs("all", stdout);
        return;
    }
    for (unsigned no = 0; no < CT_CAT_END; no++)
        if (most != (categories >> no & 1))
            size += (size_t)snprintf(text + size, sizeof text - size, "%s%s", size ? "," : most ? "all but " : "",
                                     ct_schema_category(no));
    if (size > WIDTH - FIXED)
        strcpy(text + WIDTH - FIXED - 3, "...");
    fputs(text, stdout);
}

static void put_table(const struct ct_listed *rows, size_t count)
{
    const char *session = "";

    for (size_t i = 0; i < count; i++) {
        const struct ct_listed *p = &rows[i];
        time_t since = (time_t)p->since_s;
        struct tm tm;
        char text[32] = "";

        if (strcmp(session, p->session) != 0) {
            printf("%s", i ? "\n" : "");
            put_safe(p->session, 0);
            if (*p->place) {
                fputs("  http://", stdout);
                put_safe(p->place, 0);
                putchar('/');
            }
            printf("\n%8s  %-19s  %-9s  %-16s  %s\n", "PID", "SINCE", "STATE", "PROGRAM", "CATEGORIES");
        }
        session = p->session;
        if (localtime_r(&since, &tm))
            strftime(text, sizeof text, "%Y-%m-%d %H:%M:%S", &tm);
        printf("%8ld  %-19s  %-9s  ", (long)p->pid, text, state_of(p));
        put_safe(p->program, 16);
        fputs("  ", stdout);
        put_categories(p->categories);
        putchar('\n');
    }
}

/* --- for a program --- */

static void put_text(const char *key, const char *text)
{
    char room[256 * CT_JSON_ESCAPE_MAX];
    size_t size = strlen(text);
    char *end = ct_json_text(room, text, size < 256 ? size : 256);

    printf(",\"%s\":\"%.*s\"", key, (int)(end - room), room);
}

static void put_json(const struct ct_listed *rows, size_t count)
{
    fputs("{\"processes\":[", stdout);
    for (size_t i = 0; i < count; i++) {
        const struct ct_listed *p = &rows[i];
        const char *comma = "";
        char url[sizeof p->place + 10];

        printf("%s\n{\"pid\":%ld", i ? "," : "", (long)p->pid);
        put_text("program", p->program);
        printf(",\"since\":%lld", (long long)p->since_s);
        put_text("state", state_of(p));
        fputs(",\"categories\":[", stdout);
        for (unsigned no = 0; no < CT_CAT_END; no++)
            if (p->categories >> no & 1) {
                printf("%s\"%s\"", comma, ct_schema_category(no));
                comma = ",";
            }
        putchar(']');
        put_text("session", p->session);
        snprintf(url, sizeof url, "http://%s/", p->place);
        if (*p->place)
            put_text("http", url);
        else
            fputs(",\"http\":null", stdout);
        printf(",\"drained_by\":%u}", p->drainer);
    }
    fputs("]}\n", stdout);
}

int ct_cmd_list(int argc, char **argv)
{
    static const struct option options[] = {
        { "json", no_argument, NULL, 'j' }, { "help", no_argument, NULL, 'h' }, { 0 },
    };
    struct ct_listed *rows;
    bool json = false;
    size_t count;
    int option;

    optind = 0;
    while ((option = getopt_long(argc, argv, "h", options, NULL)) != -1) {
        switch (option) {
        case 'j': json = true; break;
        case 'h': return fputs(usage_text, stdout) < 0;
        default: return 2;
        }
    }
    if (optind < argc) {
        fprintf(stderr, "ctrace list: it takes no argument\n");
        return 2;
    }
    if (ct_list_processes(&rows, &count) < 0) {
        fprintf(stderr, "ctrace list: out of memory\n");
        return 1;
    }
    if (json)
        put_json(rows, count);
    else if (count)
        put_table(rows, count);
    else
        fprintf(stderr, "ctrace list: no program of this user can be reached\n");
    free(rows);
    return fflush(stdout) ? 1 : 0;
}

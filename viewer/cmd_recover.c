/* `ctrace recover`: what killed programs left in shared memory goes into their traces. */
#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "drain/fault.h"
#include "drain/recover.h"
#include "viewer/commands.h"
#include "viewer/names.h"

static const char usage_text[] =
    "usage: ctrace recover [--list] [TRACE]\n"
    "\n"
    "A program that was killed together with ctrace leaves its last events in shared memory.  This writes them to their\n"
    "traces and gives the memory back: for all traces of this user, or for TRACE alone, a file, or a directory that holds\n"
    "trace.out and those of child processes.  `ctrace record` does the same before it begins, and `ctrace info` and\n"
    "`ctrace convert` read such memory without changing anything.\n"
    "\n"
    "      --list   only say what there is\n"
    "  -h, --help   this text\n"
    "\n"
    "Examples:\n"
    "  ctrace recover --list\n"
    "  ctrace recover trace.out\n"
    "\n"
    "Exit status: 0, 1 when something could not be recovered, 2 for a wrong option.\n";

enum { PATIENCE_MS = 10000 };       /* for others who fold or read the same */

struct tally {
    unsigned recovered, failed, dropped;
};

static void report(void *context, const struct ct_recovery *r)
{
    struct tally *tally = context;
    const char *program = r->dead->program[0] ? r->dead->program : "a program";

    if (r->path && r->result == 0) {
        tally->recovered++;
        printf("%s: %llu bytes of %s (pid %u)%s%s\n", r->path, (unsigned long long)r->bytes, program, r->dead->pid,
               r->text ? "; " : "", r->text ? r->text : "");
        ct_names_add(r->path);
    } else if (r->path) {
        tally->failed++;
        fprintf(stderr, "ctrace: %s: what %s (pid %u) left cannot be written: %s\n", r->path, program, r->dead->pid,
                r->text);
    } else {
        tally->dropped++;
        printf("what %s (pid %u) left is thrown away: %s\n", program, r->dead->pid, r->text);
    }
}

/* What is asked about: NULL is all. */
struct listing {
    const char *path;
    struct stat st;
    unsigned count;
};

static int list_one(void *context, struct ct_dead *dead)
{
    struct listing *listing = context;

    if (listing->path && !ct_recover_is_of(dead, listing->path, &listing->st))
        return 0;
    printf("%s  %s (pid %u)%s  %.1f MiB\n", dead->has_target ? dead->target.path : "(no trace)",
           dead->program[0] ? dead->program : "a program", dead->pid,
           dead->writer_lives ? ", still running" : "", (double)dead->size / (1 << 20));
    listing->count++;
    return 0;
}

static int list(const char *path, const struct stat *st)
{
    struct listing listing = { .path = path, .st = *st };

    ct_dead_each(CT_SESSION_READ, PATIENCE_MS, list_one, &listing);
    if (listing.count == 0)
        puts("nothing to recover");
    return 0;
}

static int recover(const char *path)
{
    struct tally tally = { 0 };
    struct ct_recover_options options = { .path = path, .report = report, .context = &tally, .patience_ms = PATIENCE_MS };
    int r = ct_recover_all(&options);

    if (r >= 0 && tally.recovered + tally.dropped + tally.failed == 0)
        puts("nothing to recover");
    return r < 0 || tally.failed ? 1 : 0;
}

int ct_cmd_recover(int argc, char **argv)
{
    static const struct option options[] = {
        { "list", no_argument, NULL, 'l' }, { "help", no_argument, NULL, 'h' }, { NULL, 0, NULL, 0 },
    };
    char whole[CT_PATH_MAX], *path = NULL;
    bool only_list = false;
    struct stat st = { 0 };
    int option;

    while ((option = getopt_long(argc, argv, "h", options, NULL)) >= 0)
        if (option == 'l') {
            only_list = true;
        } else if (option == 'h') {
            fputs(usage_text, stdout);
            return 0;
        } else {
            fputs("ctrace recover: `ctrace recover --help` lists the options\n", stderr);
            return 2;
        }
    if (argc - optind > 1) {
        fputs("ctrace recover: one trace at most\n", stderr);
        return 2;
    }
    if (argc > optind && (!(path = realpath(argv[optind], whole)) || stat(path, &st) < 0)) {
        fprintf(stderr, "ctrace recover: %s: %s\n", argv[optind], strerror(errno));
        return 1;
    }
    ct_fault_init();
    return only_list ? list(path, &st) : recover(path);
}

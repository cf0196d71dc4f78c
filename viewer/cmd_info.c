/* `ctrace info`: what a trace holds. */
#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>

#include "converter/family.h"
#include "converter/hosts.h"
#include "viewer/commands.h"
#include "viewer/info.h"
#include "viewer/open.h"
#include "viewer/range_argument.h"

static const char usage_text[] =
    "usage: ctrace info [--json] [--alone] [--offset HOST=NS] [--range BEGIN,END] [TRACE...]\n"
    "\n"
    "Says which program was recorded, where, when and for how long, its threads, its events and their bytes by type,\n"
    "what was lost, and whether the trace is complete.  TRACE is a file (trace.out when none is named; .gz too; - is\n"
    "standard input) or a directory that holds trace.out, or CTF.\n"
    "\n"
    "      --json         one JSON object\n"
    "      --alone        only the traces named, not those of child processes\n"
    "      --offset HOST=NS  add so much to the times of that machine (also -1.5ms), when traces are of several\n"
    "      --range BEGIN,END  these events of CTF are the ends of a range, as X_begin and X_end are anyway\n"
    "  -h, --help         this text\n";

struct job {
    bool json, alone;
    struct ct_family files;
    struct ct_opened opened;
    struct ct_hosts hosts;
    struct ct_ctf_options ctf;
};

static int complain(const struct ct_error *err)
{
    if (err->offset > 0 || err->code == -EINVAL)
        fprintf(stderr, "ctrace info: %s (at byte %llu)\n", err->text, (unsigned long long)err->offset);
    else
        fprintf(stderr, "ctrace info: %s\n", err->text);
    return 1;
}

static int find_files(struct job *job, char **arguments, size_t count, struct ct_error *err)
{
    int r = 0;

    for (size_t i = 0; r == 0 && i < count; i++)
        r = ct_family_add(&job->files, arguments[i], job->alone, err);
    return r;
}

static int open_reader(struct job *job, struct ct_reader **ret, struct ct_error *err)
{
    job->opened.ctf = &job->ctf;
    if (ct_opened_init((const char *const *)job->files.path, job->files.count, &job->opened, err) < 0)
        return err->code;
    return ct_hosts_open(&job->hosts, job->opened.inputs, job->opened.count, NULL, ret, err);
}

static int tell(const struct job *job, struct ct_reader *reader)
{
    const char *const *paths = (const char *const *)job->files.path;
    struct ct_error err = { 0 };
    struct ct_output out;
    struct ct_info info;
    int r = ct_info_gather(reader, paths, (unsigned)job->files.count, &info);

    if (r == 0)
        r = ct_output_open(&out, "-", false, &err);
    else
        ct_error_fill(&err, r, 0, "out of memory");
    if (r == 0) {
        (job->json ? ct_info_write_json : ct_info_write_text)(&info, &out);
        r = ct_output_commit(&out, &err);
    }
    if (r == 0 && info.damage < 0) {
        r = info.damage;
        err = info.error;
    }
    ct_info_fini(&info);
    return r < 0 ? complain(&err) : 0;
}

static int run(struct job *job, char **arguments, size_t count)
{
    struct ct_reader *reader = NULL;
    struct ct_error err = { 0 };
    int status = find_files(job, arguments, count, &err) < 0 || open_reader(job, &reader, &err) < 0 ? complain(&err)
               : tell(job, reader);

    ct_reader_close(reader);
    ct_opened_fini(&job->opened);
    ct_family_fini(&job->files);
    return status;
}

int ct_cmd_info(int argc, char **argv)
{
    static const struct option options[] = {
        { "json", no_argument, NULL, 'j' }, { "alone", no_argument, NULL, 'a' }, { "help", no_argument, NULL, 'h' },
        { "offset", required_argument, NULL, 'o' }, { "range", required_argument, NULL, 'r' }, { 0 },
    };
    static char usual[] = "trace.out", *usual_arguments[] = { usual };
    struct ct_error err = { 0 };
    struct job job = { 0 };
    int option;

    optind = 0;
    while ((option = getopt_long(argc, argv, "h", options, NULL)) != -1) {
        switch (option) {
        case 'j': job.json = true; break;
        case 'a': job.alone = true; break;
        case 'o':
            if (ct_hosts_say(&job.hosts, optarg, &err) < 0)
                return complain(&err), 2;
            break;
        case 'r':
            if (ct_range_argument(&job.ctf, optarg, &err) < 0)
                return complain(&err), 2;
            break;
        case 'h': return fputs(usage_text, stdout) < 0;
        default: return 2;
        }
    }
    return optind < argc ? run(&job, argv + optind, (size_t)(argc - optind)) : run(&job, usual_arguments, 1);
}

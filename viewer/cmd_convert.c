/* `ctrace convert`: one timeline of one or more traces, written as Chrome JSON, as text, or as a shorter trace. */
#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "converter/family.h"
#include "converter/hosts.h"
#include "converter/output.h"
#include "converter/read/reader.h"
#include "converter/chrome/sink.h"
#include "converter/sink_profile.h"
#include "converter/text/sink.h"
#include "converter/sink_trace.h"
#include "viewer/commands.h"
#include "viewer/convert_ctf.h"
#include "viewer/convert_progress.h"
#include "viewer/convert_wait.h"
#include "viewer/open.h"
#include "viewer/range_argument.h"
#include "viewer/time_argument.h"

struct job {
    const char *to, *output, *from_text, *to_text;
    bool stacks, alone, now;
    char **arguments;                   /* inputs as typed */
    size_t argument_count;
    struct ct_family files;             /* inputs with their families */
    struct ct_opened opened;
    int64_t from_ns, to_ns;
    struct ct_hosts hosts;
    struct ct_ctf_options ctf;
};

typedef int sink_function(struct ct_reader *reader, const struct job *job, struct ct_output *out, struct ct_error *err);

static sink_function to_chrome, to_text, to_trace, to_profile;

/* The same where the output is a directory; `reader` is there to ask, the trace is opened once more. */
typedef int directory_function(struct ct_reader *reader, const struct job *job, const char *directory,
                               struct ct_error *damage, struct ct_error *err);

static directory_function to_ctf;

static const struct sink {
    const char *name, *suffix;
    bool warm;                          /* wants what precedes --from in its second, to know the state there */
    bool packs;                         /* compresses by itself, whatever the file's name */
    sink_function *run;
    directory_function *run_directory;  /* instead of `run` */
} sinks[] = {
    { "chrome", ".json", true, false, to_chrome, NULL },
    { "text", ".txt", false, false, to_text, NULL },
    { "trace", ".cut", true, false, to_trace, NULL },
    { "ctf", ".ctf", false, false, NULL, to_ctf },
    { "cpu", ".cpu.pb.gz", false, true, to_profile, NULL },
    { "heap", ".heap.pb.gz", false, true, to_profile, NULL },
    { "allocs", ".allocs.pb.gz", false, true, to_profile, NULL },
    { "block", ".block.pb.gz", false, true, to_profile, NULL },
    { "mutex", ".mutex.pb.gz", false, true, to_profile, NULL },
    { "threadcreate", ".threadcreate.pb.gz", false, true, to_profile, NULL },
};
enum { SINKS = sizeof sinks / sizeof *sinks };

static const char usage_text[] =
    "usage: ctrace convert [-t TYPE] [-o FILE] [OPTION...] [TRACE...]\n"
    "\n"
    "Writes traces as one timeline.  TRACE is a file (trace.out when none is named; .gz too; - is standard input) or a\n"
    "directory that holds trace.out, or CTF (LTTng's ...).  Traces of child processes of the same run are found beside it\n"
    "and come along.\n"
    "\n"
    "  -t, --type TYPE    chrome: JSON for ui.perfetto.dev, chrome://tracing, speedscope (default)\n"
    "                     text: one event a line; `ctrace assemble` makes the trace of it again\n"
    "                     trace: a trace that holds only what lies between --from and --to\n"
    "                     ctf: a directory that babeltrace2 and Trace Compass read\n"
    "                     cpu, heap, allocs, block, mutex, threadcreate: a profile for `go tool pprof`\n"
    "  -o, --output FILE  write there; - is standard output; a name that ends in .gz is compressed\n"
    "                     (default: TRACE with .json, .txt, .cut, .ctf, .cpu.pb.gz ... behind it)\n"
    "      --from TIME    leave out what is before: 1.5s, 20ms from the start, or 12:03:44.120 on the clock\n"
    "      --to TIME      leave out what is from then on\n"
    "      --no-stacks    leave stacks out: a smaller file\n"
    "      --alone        only the traces named, not those of child processes\n"
    "      --offset HOST=NS  add so much to the times of that machine (also -1.5ms), when traces are of several\n"
    "      --range BEGIN,END  these events of CTF are the ends of a range, as X_begin and X_end are anyway\n"
    "      --now          what is still being recorded: take what is there, instead of waiting for its end\n"
    "  -h, --help         this text\n";

/* --- sinks --- */

static int to_chrome(struct ct_reader *reader, const struct job *job, struct ct_output *out, struct ct_error *err)
{
    struct ct_chrome_options options = { job->from_ns, job->to_ns, job->stacks };
    struct ct_chrome *chrome = ct_chrome_new(reader, &options, out);
    const struct ct_read_item *items;
    struct ct_progress progress;
    int r, failed = 0;
    size_t count;

    if (!chrome)
        return ct_error_at(err, -ENOMEM, 0, "no memory");
    ct_progress_begin(&progress, reader, job->to_ns);
    while ((r = ct_reader_next_run(reader, &items, &count, err)) > 0) {
        failed = ct_chrome_items(chrome, items, count);
        if (failed < 0 || (ct_progress_items(&progress, count, items[count - 1].ns) && ct_output_error(out) < 0))
            break;
    }
    ct_progress_end(&progress);
    if (r < 0)
        ct_chrome_damage(chrome, err);
    ct_chrome_finish(chrome);
    ct_chrome_free(chrome);
    return failed < 0 ? ct_error_at(err, failed, 0, "no memory") : r < 0 ? r : 0;
}

static int to_text(struct ct_reader *reader, const struct job *job, struct ct_output *out, struct ct_error *err)
{
    struct ct_sink_text_options options = { .no_stacks = !job->stacks };

    return ct_sink_text(reader, &options, out, err);
}

static int to_trace(struct ct_reader *reader, const struct job *job, struct ct_output *out, struct ct_error *err)
{
    struct ct_sink_trace_options options = { job->from_ns, job->to_ns, .no_stacks = !job->stacks };

    return ct_sink_trace(reader, &options, out, err);
}

static void watch_items(void *context, size_t count, int64_t ns)
{
    ct_progress_items(context, count, ns);
}

static int to_profile(struct ct_reader *reader, const struct job *job, struct ct_output *out, struct ct_error *err)
{
    struct ct_progress progress;
    int r;

    ct_progress_begin(&progress, reader, job->to_ns);
    r = ct_sink_profile(reader, ct_export_kind(job->to), out, watch_items, &progress, err);
    ct_progress_end(&progress);
    return r;
}

static int to_ctf(struct ct_reader *reader, const struct job *job, const char *directory, struct ct_error *damage,
                  struct ct_error *err)
{
    struct ct_progress progress;
    struct ct_bt2_source_options options = {
        .inputs = job->opened.inputs, .count = job->opened.count, .from_ns = job->from_text ? job->from_ns : INT64_MIN,
        .to_ns = job->to_ns, .no_stacks = !job->stacks, .shifts = job->hosts.shift, .shift_count = job->hosts.count, .watch = watch_items, .watcher = &progress,
    };
    int r;

    for (size_t i = 0; i < job->files.count; i++)
        if (strcmp(job->files.path[i], "-") == 0)
            return ct_error_at(err, -ENOTSUP, 0, "CTF is made of files; standard input can be read only once");
    ct_progress_begin(&progress, reader, job->to_ns);
    r = ct_convert_ctf(&options, directory, damage, err);
    ct_progress_end(&progress);
    return r;
}

/* --- inputs and output --- */

static int complain(const char *format, const char *what)
{
    fprintf(stderr, "ctrace convert: ");
    fprintf(stderr, format, what);
    fputc('\n', stderr);
    return 1;
}

/* What `err` says, and at which byte. */
static int complain_error(const struct ct_error *err)
{
    if (err->offset > 0 || err->code == -EINVAL)
        fprintf(stderr, "ctrace convert: %s (at byte %llu)\n", err->text, (unsigned long long)err->offset);
    else
        fprintf(stderr, "ctrace convert: %s\n", err->text);
    return 1;
}

static int find_files(struct job *job, struct ct_error *err)
{
    int r = 0;

    for (size_t i = 0; r == 0 && i < job->argument_count; i++)
        r = ct_family_add(&job->files, job->arguments[i], job->alone, err);
    return r;
}

/* What is being recorded is waited for; its processes may be more by then. */
static int wait_for_end(struct job *job, struct ct_error *err)
{
    int r = job->now ? 0 : ct_convert_wait((const char *const *)job->files.path, job->files.count, job->alone, err);

    if (r <= 0)
        return r;
    ct_family_fini(&job->files);
    return find_files(job, err);
}

static int open_reader(struct job *job, struct ct_reader **ret, struct ct_error *err)
{
    struct ct_reader_options options = { .ahead = sysconf(_SC_NPROCESSORS_ONLN) > 1 };

    job->opened.ctf = &job->ctf;
    if (ct_opened_init((const char *const *)job->files.path, job->files.count, &job->opened, err) < 0)
        return err->code;
    ct_opened_add_names(&job->opened);
    return ct_hosts_open(&job->hosts, job->opened.inputs, job->opened.count, &options, ret, err);
}

static int set_range(struct job *job, struct ct_reader *reader, const struct sink *sink)
{
    int64_t start = ct_reader_realtime_ns(reader);

    job->from_ns = INT64_MIN;
    job->to_ns = INT64_MAX;
    if (job->from_text && !ct_time_argument(job->from_text, start, &job->from_ns))
        return complain("'%s' is no time; 1.5s, 20ms and 12:03:44.120 are", job->from_text);
    if (job->to_text && !ct_time_argument(job->to_text, start, &job->to_ns))
        return complain("'%s' is no time; 1.5s, 20ms and 12:03:44.120 are", job->to_text);
    if (job->from_ns >= job->to_ns)
        return complain("%s", "--from must be before --to");
    if (job->from_text || job->to_text)
        ct_reader_set_range(reader, job->from_ns, job->to_ns, sink->warm);
    if (job->from_ns < 0)
        job->from_ns = 0;               /* viewers drop what is before zero */
    return 0;
}

static char *output_name(const struct job *job, const struct sink *sink)
{
    const char *input = job->files.path[0];
    char *name;

    if (job->output)
        return strdup(job->output);
    if (strcmp(input, "-") == 0)
        return strdup("-");
    if (ct_opened_is_live(input))
        input = strrchr(input, '/') + 1;    /* the session's name */
    return asprintf(&name, "%s%s", input, sink->suffix) < 0 ? NULL : name;
}

/* Whether writing `name` would replace one of the inputs. */
static bool is_input(const struct job *job, const char *name)
{
    struct stat output, input;

    if (stat(name, &output) < 0 || !S_ISREG(output.st_mode))
        return false;
    for (size_t i = 0; i < job->files.count; i++)
        if (stat(job->files.path[i], &input) == 0 && input.st_dev == output.st_dev && input.st_ino == output.st_ino)
            return true;
    return false;
}

/* One line for each input that ends early. */
static void warn_of_cuts(const struct job *job, const struct ct_reader *reader)
{
    for (unsigned i = 0; i < job->files.count; i++) {
        const struct ct_read_ending *ending = ct_reader_ending(reader, i);

        if (!ending->complete && !ending->damage)
            fprintf(stderr, "ctrace convert: %s is cut at byte %llu: what precedes it is converted\n",
                    job->files.path[i], (unsigned long long)ending->cut_offset);
    }
}

static int write_output(const struct job *job, struct ct_reader *reader, const struct sink *sink, const char *name)
{
    struct ct_error err = { 0 }, write_err = { 0 };
    struct ct_output out;
    int r;

    if (ct_output_open(&out, name, !sink->packs && ct_output_name_is_gzip(name), &err) < 0)
        return complain_error(&err);
    r = sink->run(reader, job, &out, &err);
    if (r == -ENOMEM) {
        ct_output_abort(&out);
        return complain_error(&err);
    }
    if (ct_output_commit(&out, &write_err) < 0)
        return complain_error(&write_err);
    warn_of_cuts(job, reader);
    return r < 0 ? complain_error(&err) : 0;
}

static int write_directory(const struct job *job, struct ct_reader *reader, const struct sink *sink, const char *name)
{
    struct ct_error err = { 0 }, damage;
    int r = sink->run_directory(reader, job, name, &damage, &err);

    if (r < 0)
        return complain_error(&err);
    warn_of_cuts(job, reader);
    return damage.code < 0 ? complain_error(&damage) : 0;
}

static int convert(struct job *job, const struct sink *sink)
{
    struct ct_reader *reader = NULL;
    struct ct_error err = { 0 };
    char *name = NULL;
    int status;

    if (find_files(job, &err) < 0 || wait_for_end(job, &err) < 0 || open_reader(job, &reader, &err) < 0)
        return complain_error(&err);
    status = set_range(job, reader, sink);
    if (status == 0 && !(name = output_name(job, sink)))
        status = complain("%s", "no memory");
    if (status == 0 && is_input(job, name))
        status = complain("%s would replace the trace that is read", name);
    if (status == 0)
        status = sink->run ? write_output(job, reader, sink, name) : write_directory(job, reader, sink, name);
    free(name);
    ct_reader_close(reader);
    return status;
}

static const struct sink *find_sink(const char *name)
{
    for (int i = 0; i < SINKS; i++)
        if (strcmp(sinks[i].name, name) == 0)
            return &sinks[i];
    return NULL;
}

static int parse(int argc, char **argv, struct job *job)
{
    enum { FROM = 256, TO, NO_STACKS, ALONE, OFFSET, RANGE, NOW };
    static const struct option options[] = {
        { "type", required_argument, NULL, 't' }, { "output", required_argument, NULL, 'o' },
        { "from", required_argument, NULL, FROM }, { "to", required_argument, NULL, TO },
        { "no-stacks", no_argument, NULL, NO_STACKS }, { "alone", no_argument, NULL, ALONE },
        { "offset", required_argument, NULL, OFFSET }, { "range", required_argument, NULL, RANGE },
        { "now", no_argument, NULL, NOW }, { "help", no_argument, NULL, 'h' }, { 0 },
    };
    struct ct_error err = { 0 };
    int option;

    optind = 0;
    while ((option = getopt_long(argc, argv, "t:o:h", options, NULL)) != -1) {
        switch (option) {
        case 't': job->to = optarg; break;
        case 'o': job->output = optarg; break;
        case FROM: job->from_text = optarg; break;
        case TO: job->to_text = optarg; break;
        case NO_STACKS: job->stacks = false; break;
        case ALONE: job->alone = true; break;
        case NOW: job->now = true; break;
        case OFFSET:
            if (ct_hosts_say(&job->hosts, optarg, &err) < 0)
                return complain_error(&err), 'e';
            break;
        case RANGE:
            if (ct_range_argument(&job->ctf, optarg, &err) < 0)
                return complain_error(&err), 'e';
            break;
        case 'h': return 'h';
        default: return '?';
        }
    }
    job->arguments = argv + optind;
    job->argument_count = (size_t)(argc - optind);
    return 0;
}

int ct_cmd_convert(int argc, char **argv)
{
    static char usual[] = "trace.out", *usual_arguments[] = { usual };
    struct job job = { .to = "chrome", .stacks = true };
    const struct sink *sink;
    int r = parse(argc, argv, &job);
    int status;

    if (r == 'e')
        return 2;
    if (r != 0) {
        fputs(usage_text, r == 'h' ? stdout : stderr);
        return r == 'h' ? 0 : 2;
    }
    if (job.argument_count == 0) {
        job.arguments = usual_arguments;
        job.argument_count = 1;
    }
    sink = find_sink(job.to);
    if (!sink) {
        complain("there is no type '%s'; chrome, text, trace, ctf, cpu, heap, allocs, block, mutex and threadcreate are", job.to);
        return 2;
    }
    status = convert(&job, sink);
    ct_opened_fini(&job.opened);
    ct_family_fini(&job.files);
    return status;
}

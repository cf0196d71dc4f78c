/* The trace that is viewed: which files it is made of, and its index. */
#include "viewer/subject.h"

#include <errno.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>
#include <zlib.h>

#include "converter/family.h"
#include "format/file.h"
#include "viewer/following.h"
#include "viewer/import_ctf.h"
#include "viewer/open.h"

/* Times are in the index as they came, so clocks are brought together before: by what machines tell in so many seconds each. */
enum { CLOCKS_S = 5 };

struct ct_subject {
    struct ct_family files;
    struct ct_hosts hosts;
    struct ct_ctf_options ctf;
    struct ct_opened opened;        /* while the index is built from the files */
    struct ct_following *following; /* NULL: nothing is being written */
    atomic_bool stopping;
    time_t silent_until, clocks_until;  /* sessions, and then machines' messages, are waited for until then; 0: not yet */
    struct ct_index *index;
    char *notes;
};

int ct_subject_is_profile(const char *path, struct ct_error *err)
{
    char start[8] = "";
    struct stat st;
    gzFile file;
    int n;

    if (strcmp(path, "-") == 0)
        return ct_error_at(err, -EINVAL, 0, "what is viewed is read more than once: save it in a file first, and name that");
    if (ct_opened_is_ctf(path))
        return 0;
    if (stat(path, &st) < 0)
        return ct_error_at(err, -errno, 0, "cannot open %.110s: %s", path, strerror(errno));
    if (!S_ISREG(st.st_mode))
        return ct_error_at(err, -EINVAL, 0, "%.110s is no file", path);
    file = gzopen(path, "rbe");
    if (!file)
        return ct_error_at(err, -errno, 0, "cannot open %.110s: %s", path, strerror(errno));
    n = gzread(file, start, sizeof start);
    gzclose(file);
    if (n < 0)
        n = 0;
    /* Whatever begins as a trace does, or is empty as one of a killed program may be, is for the reader to judge. */
    return n > 0 && memcmp(start, CT_FILE_MAGIC, (size_t)n) != 0;
}

/* ---- which files ---- */

static bool ends_with(const char *text, const char *end)
{
    size_t size = strlen(text), n = strlen(end);

    return size > n && strcmp(text + size - n, end) == 0;
}

/* Whether ctrace has made `path` beside another of the paths: an index, notes, what convert wrote, an older recording. */
static bool is_beside(const struct ct_subject_options *o, const char *path)
{
    static const char *const ends[] = { ".idx", ".notes.json", ".json", ".json.gz", ".txt", ".old", ".pb.gz" };

    for (size_t e = 0; e < sizeof ends / sizeof *ends; e++) {
        if (!ends_with(path, ends[e]))
            continue;
        for (size_t i = 0; i < o->count; i++) {
            size_t size = strlen(path) - strlen(ends[e]);

            if (strlen(o->paths[i]) == size && memcmp(o->paths[i], path, size) == 0)
                return true;
        }
    }
    return false;
}

void ct_subject_sift(struct ct_subject_options *o)
{
    size_t kept = 0, count = o->count;
    const char **all = malloc((count + 1) * sizeof *all);

    if (!all)
        return;                         /* then a file that is no trace is complained about */
    for (size_t i = 0; i < count; i++)
        if (!is_beside(o, o->paths[i]))
            all[kept++] = o->paths[i];
    memcpy(o->paths, all, kept * sizeof *all);
    o->count = kept;
    free(all);
}

/* One that begins at this moment has nobody yet who records into it. */
static void await_beginning(const char *path)
{
    static const struct timespec moment = { 0, 20000000 };
    struct stat st;

    for (int i = 0; i < 50 && stat(path, &st) == 0 && S_ISREG(st.st_mode) && st.st_size == sizeof(struct ct_file_head) &&
         time(NULL) - st.st_mtim.tv_sec <= 1; i++)
        nanosleep(&moment, NULL);
}

static int find_files(struct ct_subject *s, const struct ct_subject_options *o, struct ct_error *err)
{
    int r = 0;

    for (size_t i = 0; r == 0 && i < o->count; i++) {
        await_beginning(o->paths[i]);
        r = ct_subject_is_profile(o->paths[i], err);
        if (r > 0)
            r = ct_error_at(err, -EINVAL, 0, "%.110s is no trace", o->paths[i]);
        if (r == 0)
            r = ct_family_add(&s->files, o->paths[i], o->alone, err);
    }
    return r;
}

/* Beside the trace; the same for a packed one. */
static char *notes_of(const char *path)
{
    size_t size = strlen(path) - (ends_with(path, ".gz") ? 3 : 0);
    char *notes;

    return asprintf(&notes, "%.*s.notes.json", (int)size, path) < 0 ? NULL : notes;
}

/* ---- the index asks ---- */

static int open_reader(void *context, struct ct_reader **ret, struct ct_error *err)
{
    const struct ct_reader_options options = { .ahead = sysconf(_SC_NPROCESSORS_ONLN) > 1 };
    struct ct_subject *s = context;

    s->opened.ctf = &s->ctf;
    if (ct_opened_init((const char *const *)s->files.path, s->files.count, &s->opened, err) < 0)
        return err->code;
    ct_opened_add_names(&s->opened);
    return ct_hosts_open(&s->hosts, s->opened.inputs, s->opened.count, &options, ret, err);
}

static void close_reader(void *context, struct ct_reader *reader)
{
    struct ct_subject *s = context;

    ct_reader_close(reader);
    ct_opened_fini(&s->opened);
}

/* To unpack one again takes as long as to index it. */
static bool is_plain(const struct ct_read_input *input)
{
    uint8_t head[2];

    return input->fd >= 0 && pread(input->fd, head, sizeof head, 0) == sizeof head && !(head[0] == 0x1f && head[1] == 0x8b);
}

static int open_again(void *context, struct ct_reader **ret, struct ct_error *err)
{
    struct ct_subject *s = context;
    const struct ct_reader_options options = { .shifts = s->hosts.shift, .shift_count = s->hosts.count };

    for (size_t i = 0; i < s->opened.count; i++)
        if (!is_plain(&s->opened.inputs[i]))
            return ct_error_at(err, -ENOTSUP, 0, "it is packed");
    return ct_reader_open(s->opened.inputs, s->opened.count, &options, ret, err);
}

/* A session that has told nothing yet may be of another machine. */
static bool any_is_silent(const struct ct_reader *reader, const struct ct_read_input *inputs, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        bool silent = ct_opened_is_live(inputs[i].path);

        for (unsigned p = 0; silent && p < ct_reader_program_count(reader); p++)
            silent = ct_reader_program(reader, p)->input != i;
        if (silent)
            return true;
    }
    return false;
}

/* Whether to wait for messages that tell how far the clocks of several machines are apart; compares what there is. */
static bool wait_for_clocks(struct ct_subject *s, const struct ct_reader *reader, const struct ct_read_input *inputs, size_t count)
{
    bool unknown = ct_hosts_find(&s->hosts, reader);
    time_t *until = unknown ? &s->clocks_until : &s->silent_until;
    struct ct_error err;
    struct timespec now;

    if (!unknown && (count < 2 || !any_is_silent(reader, inputs, count)))
        return false;
    clock_gettime(CLOCK_MONOTONIC, &now);
    if (*until == 0)
        *until = now.tv_sec + CLOCKS_S + 1;
    if (now.tv_sec >= *until)
        return false;
    if (unknown)
        (void)ct_hosts_compare(&s->hosts, inputs, count, &err);
    return true;                        /* the reader was opened with what was known before */
}

/* The same for what is still being written: waits for the first that can be shown. */
static int open_growing(void *context, struct ct_reader **ret, struct ct_error *err)
{
    struct ct_subject *s = context;
    struct ct_reader_options options = { .follow = true, .shifts = s->hosts.shift };
    struct ct_index_growth growth = { 0 };
    struct ct_reader *reader;
    size_t count;

    if (ct_following_prepare(s->following, &s->ctf, err) < 0)
        return err->code;
    while (!atomic_load_explicit(&s->stopping, memory_order_relaxed)) {     /* relaxed: it is only to be seen some time */
        const struct ct_read_input *inputs = ct_following_inputs(s->following, &count);
        int r;

        options.shift_count = s->hosts.count;
        r = ct_reader_open(inputs, count, &options, &reader, err);
        if (r == 0 && (growth.last || (ct_reader_begun(reader) && !wait_for_clocks(s, reader, inputs, count)))) {
            *ret = reader;
            return 0;
        }
        if (r == 0)
            ct_reader_close(reader);
        else if (growth.last || (r != -ENODATA && r != -EINVAL))
            return growth.said[0] ? ct_error_at(err, r, 0, "%s", growth.said) : r;
        ct_following_grow(s->following, &growth);
    }
    return ct_error_at(err, -ECANCELED, 0, "stopped");
}

static void close_growing(void *context, struct ct_reader *reader)
{
    ct_reader_close(reader);
}

static void grow(void *context, struct ct_index_growth *ret)
{
    struct ct_subject *s = context;

    ct_following_grow(s->following, ret);
}

/* The index of a trace that is being written is not kept: when it has ended another one is made, of the whole. */
static int open_index(struct ct_subject *s, const struct ct_index_options *options, struct ct_error *err)
{
    struct ct_index_source source = { (const char *const *)s->files.path, s->files.count, open_reader, close_reader, s, open_again, NULL };

    if (s->following) {
        source.open = open_growing;
        source.close = close_growing;
        source.again = NULL;
        source.grow = grow;
    }
    return ct_index_open(&source, options, &s->index, err);
}

int ct_subject_open(const struct ct_subject_options *o, struct ct_subject **ret, struct ct_error *err)
{
    const struct ct_index_options options = { .folder = o->index_folder, .forget = o->hosts.count || o->ctf.range_count || o->ctf.no_rule };
    struct ct_subject *s = calloc(1, sizeof *s);
    int r;

    if (!s)
        return ct_error_at(err, -ENOMEM, 0, "out of memory");
    s->ctf = o->ctf;
    s->hosts = o->hosts;
    for (unsigned i = 0; i < s->hosts.count; i++)
        s->hosts.shift[i].host.at = s->hosts.name[i];       /* of the copy */
    r = find_files(s, o, err);
    if (r == 0)
        r = ct_following_new((const char *const *)s->files.path, s->files.count, o->alone, &s->ctf, &s->following, err);
    if (r >= 0) {
        s->notes = ct_opened_is_live(s->files.path[0]) ? NULL : notes_of(s->files.path[0]);
        r = open_index(s, &options, err);
    }
    if (r < 0) {
        ct_subject_close(s);
        return r;
    }
    *ret = s;
    return 0;
}

void ct_subject_close(struct ct_subject *s)
{
    if (!s)
        return;
    atomic_store_explicit(&s->stopping, true, memory_order_relaxed);
    ct_import_stop(true);
    ct_index_close(s->index);
    ct_import_stop(false);
    ct_following_free(s->following);
    ct_opened_fini(&s->opened);
    ct_family_fini(&s->files);
    free(s->notes);
    free(s);
}

const char *const *ct_subject_files(const struct ct_subject *s, size_t *ret_count)
{
    *ret_count = s->files.count;
    return (const char *const *)s->files.path;
}

struct ct_index *ct_subject_index(const struct ct_subject *s)
{
    return s->index;
}

bool ct_subject_is_growing(const struct ct_subject *s)
{
    return s->following != NULL;
}

const char *ct_subject_notes(const struct ct_subject *s)
{
    return s->notes;
}

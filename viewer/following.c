/* Looking at files that somebody records into, as the notes of his session say, and at live sessions. */
#include "viewer/following.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "converter/family.h"
#include "converter/read/list.h"
#include "drain/output.h"
#include "drain/scan.h"
#include "drain/session.h"
#include "format/file.h"
#include "viewer/import_ctf.h"
#include "viewer/import_live.h"
#include "viewer/naming.h"
#include "viewer/open.h"

enum {
    LOOK_MS = 250,
    SESSION_MS = 1000,              /* between two looks who is recording */
    NAMES_MS = 3000,                /* from the end of a trace to the names that are appended to it, at most */
    FILES_MAX = 4096,
};

struct file {
    dev_t device;
    ino_t inode, before;            /* before: of the older half of a ring that goes on */
    bool merged;                    /* the halves became one: it is at its end */
    void *whole;                    /* that one, mapped */
    size_t whole_size;
    uint64_t size;
    int64_t grew_ms;
    bool drained;                   /* somebody is recording into it */
    bool over;
    bool ctf;                       /* a folder or an archive, which is read once */
    struct ct_import_live live;     /* of net:// */
};

struct ct_following {
    struct ct_family family;
    CT_LIST(struct file) files;             /* as those of the family */
    CT_LIST(struct ct_read_input) inputs;   /* the same */
    struct ct_opened opened;        /* at the end: what was not in the files */
    struct ct_naming *naming;       /* NULL: names come at the end */
    CT_LIST(struct ct_read_names) names;    /* all that was found */
    bool alone, last;
    int64_t asked_ms;               /* who is recording */
    struct timespec folder;         /* when something changed in it last */
    char said[200];
};

static int64_t now_ms(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

/* --- who records --- */

static void note(struct ct_following *f, const struct ct_session_target *t)
{
    for (size_t i = 0; i < f->files.count; i++)
        if (f->files.items[i].inode == t->inode && f->files.items[i].device == t->device && t->inode)
            f->files.items[i].drained = true;
}

static int visit(void *context, struct ct_session_dir *s)
{
    int copy;
    struct dirent *entry;
    struct ct_session_target target;
    uint8_t id[CT_UUID_SIZE] = { 0 };
    DIR *dir;

    if (ct_session_take(s, CT_SESSION_READ, 0))
        return 0;                           /* nobody drains it */
    if (ct_session_target(s, id, &target) == 0)     /* of an arena that nobody has: the file of all that have none of their own */
        note(context, &target);
    copy = openat(s->fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    dir = copy < 0 ? NULL : fdopendir(copy);
    if (!dir && copy >= 0)
        close(copy);
    while (dir && (entry = readdir(dir)))
        if (ct_session_unhex(entry->d_name, id) && ct_session_target(s, id, &target) == 0)
            note(context, &target);
    if (dir)
        closedir(dir);
    return 0;
}

static void ask_who(struct ct_following *f)
{
    f->asked_ms = now_ms();
    for (size_t i = 0; i < f->files.count; i++)
        f->files.items[i].drained = false;
    (void)ct_session_each(visit, f);
}

/* --- files --- */

/* Whether the trace in `path` has its end; with `*ret_named` names of functions, too. */
static bool has_end(const char *path, bool *ret_named)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
    struct ct_scan scan = { 0 };
    bool ended = fd >= 0 && ct_scan_foot(fd, &scan);

    if (fd >= 0)
        close(fd);
    *ret_named = scan.named;
    return ended;
}

static int add_file(struct ct_following *f, const char *path, int64_t now, struct ct_error *err)
{
    struct file *file = ct_list_add(&f->files);
    struct ct_read_input *input = file ? ct_list_add(&f->inputs) : NULL;
    struct stat st;

    if (!input)
        return ct_error_at(err, -ENOMEM, 0, "no memory");
    *input = (struct ct_read_input){ .path = path, .fd = -1 };
    *file = (struct file){ .grew_ms = now, .live = { .answer = -1, .file = -1 }, .over = true };
    if (stat(path, &st) < 0)
        return 0;
    file->ctf = ct_opened_is_ctf(path);
    if (S_ISREG(st.st_mode) && !file->ctf) {
        file->device = st.st_dev;
        file->inode = st.st_ino;
        file->size = (uint64_t)st.st_size;
        file->over = false;
    }
    return 0;
}

static int add_files(struct ct_following *f, struct ct_error *err)
{
    int64_t now = now_ms();
    int r = 0;

    for (size_t i = f->files.count; r == 0 && i < f->family.count; i++)
        r = add_file(f, f->family.path[i], now, err);
    return r;
}

/* Processes that began meanwhile have files of their own. */
static void look_for_more(struct ct_following *f)
{
    const char *first = f->family.path[0], *slash = strrchr(first, '/');
    char folder[4096];
    struct ct_error err;
    struct stat st;

    snprintf(folder, sizeof folder, "%.*s", slash ? (int)(slash - first) + 1 : 2, slash ? first : "./");
    if (f->alone || f->family.count >= FILES_MAX || stat(folder, &st) < 0 ||
        (st.st_mtim.tv_sec == f->folder.tv_sec && st.st_mtim.tv_nsec == f->folder.tv_nsec))
        return;
    if (ct_family_add(&f->family, first, false, &err) == 0 && add_files(f, &err) == 0)
        f->folder = st.st_mtim;
    f->asked_ms = 0;
    for (size_t i = 0; i < f->inputs.count; i++)
        f->inputs.items[i].path = f->family.path[i];
}

static const char *base_name(const char *path)
{
    const char *slash = strrchr(path, '/');

    return slash ? slash + 1 : path;
}

/* What was the older half is there under its own name, and nothing came in between. */
static bool is_older(const char *path, const struct file *file)
{
    char older[CT_PATH_MAX];
    struct stat st;

    return ct_trace_file_ring_name(path, older, sizeof older) && stat(older, &st) == 0 && st.st_ino == file->inode && st.st_dev == file->device;
}

/* Goes on in the newer half of a ring.  The older one stays open, so that its disk space is held: only so many times. */
static bool follow_ring(struct file *file, struct ct_read_input *input, const char *path)
{
    int fd = input->rolled < CT_READ_ROLLS_MAX && is_older(path, file) ? open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY) : -1;
    struct stat st;

    if (fd < 0 || fstat(fd, &st) < 0 || !S_ISREG(st.st_mode) || !is_older(path, file)) {
        if (fd >= 0)
            close(fd);
        return false;
    }
    if (input->fd >= 0)
        close(input->fd);
    input->fd = fd;
    input->rolled++;
    file->before = file->inode;
    file->inode = st.st_ino;
    file->size = 0;
    return true;
}

static void look_at_file(struct ct_following *f, struct file *file, struct ct_read_input *input, const char *path, int64_t now)
{
    struct stat st;
    bool named, there = stat(path, &st) == 0;

    file->merged |= there && file->before && st.st_ino == file->before && st.st_dev == file->device;
    if (!file->merged && there && (st.st_ino != file->inode || st.st_dev != file->device) && follow_ring(file, input, path))
        there = stat(path, &st) == 0;
    if (!there || (!file->merged && (st.st_ino != file->inode || st.st_dev != file->device))) {
        snprintf(f->said, sizeof f->said, "%.70s is another file by now (a new recording, or a ring that went on too often): what is "
                 "shown is the one that was opened.", base_name(path));
        file->over = true;
        return;
    }
    if ((uint64_t)st.st_size != file->size)
        file->grew_ms = now;
    file->size = (uint64_t)st.st_size;
    if (now - file->grew_ms < LOOK_MS)
        return;
    if (has_end(path, &named))
        file->over = named || now - file->grew_ms > NAMES_MS;
    else if (!file->drained)
        file->over = now - file->grew_ms > SESSION_MS;
}

static void look_at_session(struct ct_following *f, struct file *file)
{
    struct ct_error err = { 0 };
    int r = ct_import_live_look(&file->live, &err);
    struct stat st;
    bool any = fstat(file->live.file, &st) == 0 && st.st_size > (off_t)sizeof(struct ct_file_head);

    file->over = r <= 0;
    if (r < 0)
        snprintf(f->said, sizeof f->said, "%.150s%s", err.text, any ? "; what arrived before is all there is." : ".");
}

static void look(struct ct_following *f)
{
    int64_t now = now_ms();

    look_for_more(f);
    if (now - f->asked_ms > SESSION_MS)
        ask_who(f);
    f->last = true;
    for (size_t i = 0; i < f->files.count; i++) {
        struct file *file = &f->files.items[i];

        if (!file->over && ct_opened_is_live(f->family.path[i]))
            look_at_session(f, file);
        else if (!file->over)
            look_at_file(f, file, &f->inputs.items[i], f->family.path[i], now);
        f->last &= file->over;
    }
}

/* --- from the beginning to the end --- */

static int begin_sessions(struct ct_following *f, const struct ct_ctf_options *ctf, struct ct_error *err)
{
    int r = 0;

    for (size_t i = 0; r == 0 && i < f->files.count; i++) {
        struct file *file = &f->files.items[i];

        if (!ct_opened_is_live(f->family.path[i]))
            continue;
        r = ct_import_live_begin(f->family.path[i], ctf, &file->live, err);
        file->over = r < 0;
        f->inputs.items[i].fd = file->live.file;
    }
    return r;
}

/* Whether any of them will get longer. */
static bool any_grows(struct ct_following *f)
{
    bool any = false, named;

    ask_who(f);
    for (size_t i = 0; i < f->files.count; i++) {
        struct file *file = &f->files.items[i];
        const char *path = f->family.path[i];

        if (ct_opened_is_live(path))
            return true;
        if (file->over && !file->ctf)
            return false;           /* what is no file is read as ever */
        any |= file->drained && !has_end(path, &named);
    }
    return any;
}

int ct_following_new(const char *const *paths, size_t count, bool alone, const struct ct_ctf_options *ctf,
                     struct ct_following **ret, struct ct_error *err)
{
    struct ct_following *f = calloc(1, sizeof *f);
    int r = f ? 0 : ct_error_at(err, -ENOMEM, 0, "no memory");

    if (f)
        f->alone = alone;
    for (size_t i = 0; r == 0 && i < count; i++)
        r = ct_family_add(&f->family, paths[i], true, err);
    if (r == 0)
        r = add_files(f, err);
    if (r == 0)
        r = any_grows(f);
    if (r > 0)
        r = begin_sessions(f, ctf, err) < 0 ? err->code : 1;
    if (r <= 0)
        ct_following_free(f);
    else
        *ret = f;
    return r;
}

void ct_following_free(struct ct_following *f)
{
    if (!f)
        return;
    for (size_t i = 0; i < f->files.count; i++) {
        struct file *file = &f->files.items[i];

        if (f->inputs.items[i].fd >= 0 && f->inputs.items[i].fd != file->live.file)
            close(f->inputs.items[i].fd);
        ct_import_live_end(&file->live);
        if (file->whole)
            munmap(file->whole, file->whole_size);
    }
    ct_opened_fini(&f->opened);
    ct_naming_free(f->naming);
    for (size_t i = 0; i < f->names.count; i++)
        free((void *)(uintptr_t)f->names.items[i].blocks);
    ct_list_fini(&f->names);
    ct_list_fini(&f->files);
    ct_list_fini(&f->inputs);
    ct_family_fini(&f->family);
    free(f);
}

int ct_following_prepare(struct ct_following *f, const struct ct_ctf_options *ctf, struct ct_error *err)
{
    int r = 0;

    if (!f->naming)
        (void)ct_naming_new(&f->naming);
    for (size_t i = 0; r == 0 && i < f->files.count; i++)
        if (f->files.items[i].ctf && f->inputs.items[i].fd < 0)
            r = ct_import_ctf((const char *const *)&f->family.path[i], 1, ctf, &f->inputs.items[i].fd, err);
    return r;
}

const struct ct_read_input *ct_following_inputs(const struct ct_following *f, size_t *ret_count)
{
    *ret_count = f->inputs.count;
    return f->inputs.items;
}

/* A ring at its end is one file: all of it once more, of which what was read stands there twice, and the end. */
static void take_whole(struct file *file, struct ct_read_input *input, const struct ct_read_input *opened)
{
    struct stat st;
    void *at = opened->fd >= 0 && fstat(opened->fd, &st) == 0 && st.st_size > 0
                   ? mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_SHARED, opened->fd, 0) : MAP_FAILED;

    if (at == MAP_FAILED)
        return;
    file->whole = at;
    file->whole_size = (size_t)st.st_size;
    input->tail = at;
    input->tail_size = file->whole_size;
}

/* What whoever recorded could not write any more: it is still in memory; and names. */
static void take_tails(struct ct_following *f)
{
    const char **paths = calloc(f->files.count, sizeof *paths);
    size_t *numbers = calloc(f->files.count, sizeof *numbers), count = 0;
    struct ct_error err;

    for (size_t i = 0; paths && numbers && i < f->files.count; i++)
        if (!ct_opened_is_live(f->family.path[i]) && !f->files.items[i].ctf) {
            numbers[count] = i;
            paths[count++] = f->family.path[i];
        }
    if (count && ct_opened_init(paths, count, &f->opened, &err) == 0)
        ct_opened_add_names(&f->opened);
    for (size_t k = 0; k < f->opened.count; k++) {
        size_t i = numbers[k];

        f->inputs.items[i].tail = f->opened.inputs[k].tail;
        f->inputs.items[i].tail_size = f->opened.inputs[k].tail_size;
        if (f->files.items[i].merged)
            take_whole(&f->files.items[i], &f->inputs.items[i], &f->opened.inputs[k]);
    }
    free(numbers);
    free(paths);
}

/* Names that were found since, and a question for those of what came since.  All go on being held: they are borrowed. */
static size_t take_names(struct ct_following *f)
{
    size_t known = f->names.count;
    struct ct_read_names found, *place;

    while (ct_naming_take(f->naming, &found)) {
        place = ct_list_add(&f->names);
        if (place)
            *place = found;
        else
            free((void *)(uintptr_t)found.blocks);
    }
    ct_naming_ask(f->naming, f->inputs.items, f->inputs.count);
    return f->names.count - known;
}

void ct_following_grow(struct ct_following *f, struct ct_index_growth *ret)
{
    const struct timespec pause = { 0, LOOK_MS * 1000000 };
    size_t found;

    nanosleep(&pause, NULL);
    look(f);
    found = f->naming ? take_names(f) : 0;
    if (f->last && !f->opened.inputs && !f->said[0])
        take_tails(f);
    *ret = (struct ct_index_growth){ .inputs = f->inputs.items, .count = f->inputs.count, .last = f->last,
                                     .names = f->names.items + (f->names.count - found), .name_count = found };
    snprintf(ret->said, sizeof ret->said, "%s", f->said);
}

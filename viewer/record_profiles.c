/* The trace is read once for each profile: profiles are few, and traces that only feed them are small. */
#include "viewer/record_profiles.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "converter/sink_profile.h"
#include "format/schema.h"
#include "viewer/open.h"
#include "viewer/record_options.h"

static const enum ct_export_kind kinds[CT_PROFILE_FILES] = {
    [CT_PROFILE_FILE_CPU] = CT_EXPORT_CPU, [CT_PROFILE_FILE_MEM] = CT_EXPORT_HEAP,
    [CT_PROFILE_FILE_BLOCK] = CT_EXPORT_BLOCK, [CT_PROFILE_FILE_MUTEX] = CT_EXPORT_MUTEX,
};

/* What each is made of; the threads, with their names, come along. */
static const uint64_t categories[CT_PROFILE_FILES] = {
    [CT_PROFILE_FILE_CPU] = 1u << CT_CAT_cpu | 1u << CT_CAT_user, [CT_PROFILE_FILE_MEM] = 1u << CT_CAT_alloc,
    [CT_PROFILE_FILE_BLOCK] = 1u << CT_CAT_lock, [CT_PROFILE_FILE_MUTEX] = 1u << CT_CAT_lock,
};

static int complain(const char *path, int error)
{
    fprintf(stderr, "ctrace record: %s: %s\n", path, strerror(-error));
    return error;
}

/* The folder that holds `path`, with the slash. */
static void folder_of(const char *path, char ret[CT_PATH_MAX])
{
    const char *slash = strrchr(path, '/');

    snprintf(ret, CT_PATH_MAX, "%.*s", slash ? (int)(slash - path) + 1 : 0, path);
}

/* Better told now than after an hour. */
static int check_writable(const char *path)
{
    char folder[CT_PATH_MAX];

    folder_of(path, folder);
    return access(folder, W_OK | X_OK) < 0 ? complain(path, -errno) : 0;
}

static int make_folder(struct ct_record_profiles *p, const char *beside, struct ct_settings *settings)
{
    char folder[CT_PATH_MAX];
    bool fits;

    folder_of(beside, folder);
    fits = (size_t)snprintf(p->folder, sizeof p->folder, "%sctrace-XXXXXX", folder) < sizeof p->folder;
    if (!fits || !mkdtemp(p->folder)) {
        p->folder[0] = '\0';
        return complain(folder, fits ? -errno : -ENAMETOOLONG);
    }
    if ((size_t)snprintf(p->pattern, sizeof p->pattern, "%s/trace.out", p->folder) >= sizeof p->pattern)
        return complain(folder, -ENAMETOOLONG);
    settings->output = p->pattern;
    return 0;
}

uint64_t ct_record_profiles_categories(const struct ct_settings *settings)
{
    uint64_t wanted = 0;

    for (unsigned i = 0; i < CT_PROFILE_FILES; i++)
        wanted |= settings->profile[i] ? categories[i] : 0;
    if (!wanted || settings->output_given)
        return settings->categories;
    return settings->categories & (wanted | 1u << CT_CAT_trace | 1u << CT_CAT_thread);
}

int ct_record_profiles_init(struct ct_record_profiles *p, struct ct_settings *settings, pid_t pid)
{
    const char *first = NULL;
    int r = 0;

    for (unsigned i = 0; i < CT_PROFILE_FILES && r == 0; i++) {
        if (!settings->profile[i])
            continue;
        r = ct_record_path(settings->profile[i], pid, p->path[i]);
        if (r == 0)
            r = check_writable(p->path[i]);
        first = first ? first : p->path[i];
    }
    return r == 0 && first && !settings->output_given ? make_folder(p, first, settings) : r;
}

bool ct_record_profiles_none(const struct ct_settings *settings)
{
    for (unsigned i = 0; i < CT_PROFILE_FILES; i++)
        if (settings->profile[i])
            return false;
    return true;
}

bool ct_record_profiles_keep_trace(const struct ct_record_profiles *p)
{
    return !p->folder[0];
}

static int write_one(const char *path, enum ct_export_kind kind, char *const *traces, size_t count, struct ct_error *err)
{
    struct ct_opened opened = { 0 };
    struct ct_reader *reader = NULL;
    struct ct_output out = { 0 };
    int r = ct_opened_init((const char *const *)traces, count, &opened, err);

    if (r == 0)
        r = ct_reader_open(opened.inputs, opened.count, NULL, &reader, err);
    if (r == 0)
        r = ct_output_open(&out, path, false, err);
    if (r == 0) {
        r = ct_sink_profile(reader, kind, &out, NULL, NULL, err);
        if (r < 0)
            ct_output_abort(&out);
        else
            r = ct_output_commit(&out, err);
    }
    ct_reader_close(reader);
    ct_opened_fini(&opened);
    return r;
}

void ct_record_profiles_write(const struct ct_record_profiles *p, char *const *traces, size_t count, bool tell)
{
    for (unsigned i = 0; i < CT_PROFILE_FILES; i++) {
        struct ct_error err = { .text = "no memory" };

        if (!p->path[i][0])
            continue;
        if (write_one(p->path[i], kinds[i], traces, count, &err) < 0)
            fprintf(stderr, "ctrace: %s was not written: %s\n", p->path[i], err.text);
        else if (tell)
            fprintf(stderr, "ctrace: next: go tool pprof -top %s\n", p->path[i]);
    }
}

void ct_record_profiles_fini(struct ct_record_profiles *p)
{
    DIR *dir = p->folder[0] ? opendir(p->folder) : NULL;
    struct dirent *entry;

    if (!dir)
        return;
    while ((entry = readdir(dir)))
        if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0)
            unlinkat(dirfd(dir), entry->d_name, 0);
    closedir(dir);
    rmdir(p->folder);
    p->folder[0] = '\0';
}

/* Folders that hold CTF traces, and which of them are one. */
#include "converter/bt2/folders.h"

#include <errno.h>
#include <fcntl.h>
#include <fts.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "converter/bt2/metadata.h"
#include "converter/bt2/metadata_packets.h"
#include "converter/bt2/packet_uuids.h"
#include "converter/bt2/tsdl.h"

/* In the order of their names, whatever that of the file system is. */
static int by_name(const FTSENT **a, const FTSENT **b)
{
    return strverscmp((*a)->fts_name, (*b)->fts_name);
}

/* Whether it is what our own CTF says twice, for viewers of the kernel's traces. */
static bool tells_states(const char *metadata)
{
    char head[8192];
    int fd = open(metadata, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    ssize_t n = fd >= 0 ? read(fd, head, sizeof head) : -1;

    if (fd >= 0)
        close(fd);
    return n > 0 && memmem(head, (size_t)n, CT_BT2_STATES_MARK " = 1", strlen(CT_BT2_STATES_MARK " = 1"));
}

/* What the metadata says of packets, compared with them. */
static int look_into(struct ct_ctf_folder *folder, struct ct_error *err)
{
    int fd = open(folder->path, O_RDONLY | O_DIRECTORY | O_CLOEXEC), r = 0;
    struct ct_tsdl t = { 0 };
    size_t size = 0;
    char *text = fd >= 0 ? ct_ctf_metadata_text(fd, &size) : NULL;

    if (text)
        r = ct_tsdl_read(text, size, &t);
    folder->has_uuid = t.has_uuid;
    memcpy(folder->uuid, t.uuid, sizeof folder->uuid);
    if (r < 0)
        ct_error_fill(err, r, 0, "no memory");
    else if (t.has_uuid && t.in_packets)
        r = ct_ctf_check_uuids(fd, folder->path, &t, err);
    free(text);
    if (fd >= 0)
        close(fd);
    return r;
}

static size_t group_of(const struct ct_ctf_folders *folders, const struct ct_ctf_folder *folder)
{
    size_t i = 0;

    while (&folders->item[i] != folder && !(folder->has_uuid && folders->item[i].has_uuid &&
                                            memcmp(folders->item[i].uuid, folder->uuid, sizeof folder->uuid) == 0))
        i++;
    return folders->item[i].group;
}

static int take(struct ct_ctf_folders *to, const FTSENT *entry, struct ct_error *err)
{
    struct ct_ctf_folder *folder = &to->item[to->count];
    int r;

    if (tells_states(entry->fts_path)) {
        to->states++;
        return 0;
    }
    if (entry->fts_statp->st_size == 0) {       /* a program that ended, or goes on, before its session daemon wrote */
        if (to->empty++ == 0)
            snprintf(to->first_empty, sizeof to->first_empty, "%s", entry->fts_path);
        return 0;
    }
    r = ct_ctf_check_metadata(entry->fts_path, err);
    if (r < 0)
        return r;
    *folder = (struct ct_ctf_folder){ .path = strndup(entry->fts_path, entry->fts_pathlen - strlen("/metadata")), .group = to->count };
    if (!folder->path)
        return ct_error_at(err, -ENOMEM, 0, "no memory");
    r = look_into(folder, err);
    folder->group = group_of(to, folder);
    to->count++;
    return r;
}

int ct_ctf_folders_find(const char *directory, struct ct_ctf_folders **ret, struct ct_error *err)
{
    char *path = strdup(directory), *const roots[] = { path, NULL };
    FTS *tree = path ? fts_open(roots, FTS_PHYSICAL | FTS_COMFOLLOW | FTS_NOCHDIR, by_name) : NULL;
    struct ct_ctf_folders *folders = tree ? calloc(1, sizeof *folders) : NULL;
    const FTSENT *entry;
    int r = folders ? 0 : ct_error_at(err, -ENOMEM, 0, "no memory");

    while (r == 0 && (entry = fts_read(tree)))
        if (entry->fts_info != FTS_F || strcmp(entry->fts_name, "metadata") != 0)
            continue;
        else if (folders->count == CT_CTF_TRACES_MAX)
            r = ct_error_at(err, -E2BIG, 0, "%.300s holds more than %d traces", directory, CT_CTF_TRACES_MAX);
        else
            r = take(folders, entry, err);
    if (tree)
        fts_close(tree);
    free(path);
    if (r < 0)
        ct_ctf_folders_free(folders);
    else
        *ret = folders;
    return r;
}

void ct_ctf_folders_free(struct ct_ctf_folders *folders)
{
    for (size_t i = 0; folders && i < folders->count; i++)
        free(folders->item[i].path);
    free(folders);
}

/* The link is a path, absolute or beside the file that has it, and a build ID that must fit. */
#include "converter/symbols/shared_dwarf.h"

#include <elfutils/libdwelf.h>
#include <errno.h>
#include <libgen.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "converter/symbols/find.h"

/* Debian's links lead from the file itself, not from the link to it below .build-id. */
static int path_of(const struct ct_elf_file *file, const char *name, char path[2 * PATH_MAX])
{
    char real[PATH_MAX];

    if (name[0] == '/')
        return snprintf(path, 2 * PATH_MAX, "%s", name) < 2 * PATH_MAX ? 0 : -ENAMETOOLONG;
    if (!realpath(file->path, real))
        return -ENOENT;
    return snprintf(path, 2 * PATH_MAX, "%s/%s", dirname(real), name) < 2 * PATH_MAX
               ? 0
               : -ENAMETOOLONG;
}

int ct_shared_dwarf_open(const struct ct_elf_file *file, Dwarf *dwarf, struct ct_elf_file **ret)
{
    char path[2 * PATH_MAX];
    const char *name = NULL;
    const void *build_id = NULL;
    ssize_t length = dwelf_dwarf_gnu_debugaltlink(dwarf, &name, &build_id);

    *ret = NULL;
    if (length == 0)
        return 0;
    if (length < 0 || length > CT_BUILD_ID_MAX)
        return -ENOENT;
    if (path_of(file, name, path) == 0 && ct_elf_file_open_built(path, build_id, (size_t)length, ret) == 0)
        return 0;
    return ct_find_debug_file(build_id, (size_t)length, ret) == 0 ? 0 : -ENOENT;
}

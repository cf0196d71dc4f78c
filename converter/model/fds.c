/* The table of descriptors: an array that grows to the largest one seen. */
#include "converter/model/fds.h"

#include <stdlib.h>
#include <string.h>

static bool grow(struct ct_fds *fds, uint32_t fd)
{
    uint32_t room = fds->room ? fds->room : 32;
    struct ct_fd *more;

    while (room <= fd)
        room *= 2;
    more = realloc(fds->fd, room * sizeof *more);
    if (!more)
        return false;
    memset(more + fds->room, 0, (room - fds->room) * sizeof *more);
    fds->fd = more;
    fds->room = room;
    return true;
}

void ct_fds_set(struct ct_fds *fds, int32_t fd, uint32_t kind, struct ct_text name)
{
    struct ct_fd *f;

    if (fd < 0 || fd >= CT_FDS_MAX || ((uint32_t)fd >= fds->room && !grow(fds, (uint32_t)fd)))
        return;
    f = &fds->fd[fd];
    if (f->known && f->kind == kind && f->name_size == name.size &&
        (name.size == 0 || memcmp(f->name, name.at, name.size) == 0))
        return;
    free(f->name);
    *f = (struct ct_fd){ .kind = kind, .known = true };
    if (name.size > 0 && (f->name = malloc(name.size))) {
        memcpy(f->name, name.at, name.size);
        f->name_size = (uint32_t)name.size;
    }
}

void ct_fds_forget(struct ct_fds *fds, int32_t fd)
{
    if (!ct_fds_get(fds, fd))
        return;
    free(fds->fd[fd].name);
    fds->fd[fd] = (struct ct_fd){ 0 };
}

void ct_fds_fini(struct ct_fds *fds)
{
    for (uint32_t i = 0; i < fds->room; i++)
        free(fds->fd[i].name);
    free(fds->fd);
    *fds = (struct ct_fds){ 0 };
}

/* What the descriptors of one program are, as the trace told last: a kind and a name. */
#pragma once

#include <stdint.h>

#include "converter/read/reader.h"

enum { CT_FDS_MAX = 1 << 16 };          /* descriptors beyond are shown by number only */

struct ct_fd {
    uint32_t kind;                      /* a number of fdkinds.def */
    uint32_t name_size;
    char *name;                         /* not terminated; NULL: not told */
    bool known;
    uint32_t user;                      /* the sink's; 0 again when the descriptor becomes another */
};

struct ct_fds {
    struct ct_fd *fd;
    uint32_t room;
};

/* Takes the word of an FD event; what was known of the descriptor before is forgotten. */
void ct_fds_set(struct ct_fds *fds, int32_t fd, uint32_t kind, struct ct_text name);

/* The descriptor was closed. */
void ct_fds_forget(struct ct_fds *fds, int32_t fd);

/* What is known, NULL when nothing is.  Borrowed until the next set or forget. */
static inline struct ct_fd *ct_fds_get(const struct ct_fds *fds, int32_t fd)
{
    return (uint32_t)fd < fds->room && fds->fd[fd].known ? &fds->fd[fd] : NULL;
}

void ct_fds_fini(struct ct_fds *fds);

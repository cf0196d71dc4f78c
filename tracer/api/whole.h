/* A file that is there when it is whole, and else not at all. */
#pragma once

#include <limits.h>

struct api_whole {
    char path[PATH_MAX];
    char temporary[PATH_MAX];           /* beside it; empty: what is no file, as a pipe, is written as it is */
    int fd;
};

/* The absolute path of what `pattern` names now, of PATH_MAX bytes.  0 or a negative errno. */
int api_whole_name(const char *pattern, char *to);
/* 0 or a negative errno: it cannot be written. */
int api_whole_open(struct api_whole *w, const char *path);
/* Puts all that the file behind `from` holds there.  0, or a negative errno when nothing has changed. */
int api_whole_commit(struct api_whole *w, int from);
/* As if it had not been opened. */
void api_whole_abort(struct api_whole *w);

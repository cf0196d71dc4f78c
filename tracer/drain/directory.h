/* The DIRECTORY of a trace file: where the blocks of each generation lie, so that a reader need not walk over all of them. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "drain/blocks.h"
#include "format/tables.h"

/* Rows for all blocks behind the file's head, in the order of the file: neighbours of one generation are one row. */
struct ct_directory {
    struct ct_directory_row *row;
    size_t count, room;
    bool footed;                    /* the block taken in last is a FOOT */
    bool broken;                    /* no memory, or something that a directory cannot tell: there will be none */
};

void ct_directory_fini(struct ct_directory *d);

/* Takes in the whole blocks of [blocks, blocks + size), which stand at `offset` of the file. */
void ct_directory_take(struct ct_directory *d, const uint8_t *blocks, size_t size, uint64_t offset);
/* Writes the DIRECTORY of what stands before `end`, where it will begin.  False when there is none. */
bool ct_directory_put(const struct ct_directory *d, struct ct_blocks *b, uint64_t end);
/* Writes the FOOT: last of all, it tells where the DIRECTORY begins. */
void ct_directory_put_foot(struct ct_blocks *b, uint64_t directory, bool named);
/* The rows [from, end) of `newer`, which are moved by `shift` bytes, come to stand behind those of `d`. */
void ct_directory_join(struct ct_directory *d, const struct ct_directory *newer, size_t from, int64_t shift);
/* The first row of a generation; `count` when there is none. */
size_t ct_directory_first(const struct ct_directory *d);

/*
 * Reads a trace file that is whole and has no directory, and appends one.  0 or a negative errno: the file is as it was.
 */
int ct_directory_append(int fd);

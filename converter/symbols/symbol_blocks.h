/* SYMBOLS blocks in the making: rows go in, whole blocks go to the end of a trace. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "format/buffer.h"
#include "format/tables.h"

struct ct_symbol_blocks {
    int fd;              /* borrowed */
    uint64_t begin, end; /* of what was appended: bytes of the file */
    uint8_t *memory;
    struct ct_buffer rows; /* payload of the open block */
};

/* Appends at byte `end` of `fd`.  0 or -ENOMEM. */
int ct_symbol_blocks_init(struct ct_symbol_blocks *blocks, int fd, uint64_t end);

/* The names that follow are those of this program.  0 or what writing said. */
int ct_symbol_blocks_program(struct ct_symbol_blocks *blocks, const struct ct_run *run);

/* The frames of one address, innermost first; too long texts are cut.  0 or what writing said. */
int ct_symbol_blocks_add(struct ct_symbol_blocks *blocks, uint64_t pc,
                         const struct ct_symbol_row *rows, unsigned count);

/* Writes the open block.  0 or what writing said. */
int ct_symbol_blocks_flush(struct ct_symbol_blocks *blocks);

/* Frees; takes away what was appended when `keep` is false. */
void ct_symbol_blocks_fini(struct ct_symbol_blocks *blocks, bool keep);

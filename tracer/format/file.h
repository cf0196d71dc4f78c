/*
 * A trace file: 16 bytes of file head, then blocks, each with a head of its own.  Little-endian.
 *
 *   "ctrace\x1a\n"  u16 major  u16 minor  u32 zero
 *   { u32 magic, u16 type, u16 flags, u32 size, u32 generation, u32 crc } payload[size]   ... and again
 *
 * A reader steps over block types that it does not know.  The order of blocks of one generation is free but for this:
 * what a batch refers to (strings, addresses, stacks) stands before it.  A generation needs nothing before it but the
 * RUN and SCHEMA blocks at the file's start.  One file may hold several programs (exec): each RUN block begins a new one.
 */
#pragma once

#include <stdint.h>

#include "format/limits.h"

#define CT_FILE_MAGIC "ctrace\x1a\n"

struct ct_file_head {
    char magic[8];
    uint16_t major, minor;
    uint32_t zero;
};

/* What stands at the head of a file that is written now. */
#define CT_FILE_HEAD ((struct ct_file_head){ CT_FILE_MAGIC, CT_FORMAT_MAJOR, CT_FORMAT_MINOR, 0 })

#define CT_BLOCK_MAGIC 0x6b6c4243u      /* "CBlk" */

enum ct_block_type {
    CT_BLOCK_RUN = 1,           /* struct ct_run: which program, which run; the blocks that follow are its */
    CT_BLOCK_SCHEMA = 2,        /* the events of the recorder's version */
    CT_BLOCK_GENERATION = 3,    /* struct ct_generation: begins one */
    CT_BLOCK_STRINGS = 4,
    CT_BLOCK_ADDRESSES = 5,
    CT_BLOCK_STACKS = 6,
    CT_BLOCK_THREADS = 7,       /* struct ct_thread_row, as at the generation's start; again when a thread ended */
    CT_BLOCK_MODULES = 8,       /* struct ct_module_row */
    CT_BLOCK_BATCH = 9,         /* struct ct_batch_piece, then event bytes */
    CT_BLOCK_GENERATION_END = 10, /* struct ct_generation_end */
    CT_BLOCK_SYMBOLS = 11,      /* struct ct_symbol_row: names of code addresses; generation 0: for the whole program */
    CT_BLOCK_DIRECTORY = 12,    /* where the blocks of each generation are */
    CT_BLOCK_END = 13,          /* struct ct_end: the trace is complete, and why it ended */
    CT_BLOCK_COVER = 14,        /* text of the one that cut or merged this trace, for `info` */
    CT_BLOCK_FOOT = 15,         /* struct ct_foot: where the DIRECTORY is; the last block of the file */
};

enum ct_block_flags {
    CT_BLOCK_LATE = 1,          /* BATCH: its generation had ended already when this was drained */
    CT_BLOCK_RECOVERED = 2,     /* written by recovery from an arena that nobody drained */
};

struct ct_block_head {
    uint32_t magic;
    uint16_t type, flags;
    uint32_t size;              /* bytes of payload, <= CT_BLOCK_MAX */
    uint32_t generation;        /* 0: belongs to the program, not to a generation */
    uint32_t crc;               /* CRC-32 (zlib's) of the 16 bytes before it and the payload */
};

_Static_assert(sizeof(struct ct_file_head) == 16, "the file head is 16 bytes");
_Static_assert(sizeof(struct ct_block_head) == 20, "the block head is 20 bytes");

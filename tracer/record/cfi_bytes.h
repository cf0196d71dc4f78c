/* A bounds-checked cursor over unwind tables: behind the end it reads 0 and goes bad. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

struct cfi_bytes {
    const unsigned char *at;
    const unsigned char *end;
    bool bad;
};

/*
 * Reads `size` (1, 2, 4 or 8) bytes, little endian, at any alignment; never through memcpy, which
 * libc owns.
 */
static inline uint64_t cfi_bytes_take(struct cfi_bytes *bytes, unsigned size)
{
    uint64_t value = 0;

    if (bytes->bad || (uintptr_t)(bytes->end - bytes->at) < size) {
        bytes->bad = true;
        return 0;
    }
    for (unsigned i = 0; i < size; i++)
        value |= (uint64_t)bytes->at[i] << 8 * i;
    bytes->at += size;
    return value;
}

static inline int64_t cfi_bytes_signed(struct cfi_bytes *bytes, unsigned size)
{
    unsigned unused_bits = 64 - 8 * size;

    return (int64_t)(cfi_bytes_take(bytes, size) << unused_bits) >> unused_bits;
}

/* LEB128; bits beyond the 64th are dropped, as every reader of these tables does. */
static inline uint64_t cfi_bytes_leb(struct cfi_bytes *bytes, bool is_signed)
{
    uint64_t value = 0;
    unsigned shift = 0, byte;

    do {
        byte = cfi_bytes_take(bytes, 1);
        if (shift < 64)
            value |= (uint64_t)(byte & 0x7f) << shift;
        shift += 7;
    } while (byte & 0x80);
    if (is_signed && shift < 64 && byte & 0x40)
        value |= ~(uint64_t)0 << shift;
    return value;
}

static inline uint64_t cfi_bytes_uleb(struct cfi_bytes *bytes)
{
    return cfi_bytes_leb(bytes, false);
}

static inline int64_t cfi_bytes_sleb(struct cfi_bytes *bytes)
{
    return (int64_t)cfi_bytes_leb(bytes, true);
}

/* Splits the next `size` bytes off into a cursor of their own. */
static inline struct cfi_bytes cfi_bytes_split(struct cfi_bytes *bytes, uint64_t size)
{
    struct cfi_bytes part = { bytes->at, bytes->at, bytes->bad };

    if (bytes->bad || (uintptr_t)(bytes->end - bytes->at) < size) {
        bytes->bad = part.bad = true;
        return part;
    }
    part.end = bytes->at += size;
    return part;
}

/* DW_EH_PE_*: the low four bits are the format, the next three what the value is relative to. */
enum {
    PE_ABSPTR = 0x00,
    PE_ULEB128 = 0x01,
    PE_UDATA2 = 0x02,
    PE_UDATA4 = 0x03,
    PE_UDATA8 = 0x04,
    PE_SLEB128 = 0x09,
    PE_SDATA2 = 0x0a,
    PE_SDATA4 = 0x0b,
    PE_SDATA8 = 0x0c,
    PE_PCREL = 0x10,
    PE_DATAREL = 0x30,
    PE_OMIT = 0xff,
};

/* A value as a pointer's `encoding` says, without what it is relative to. */
uint64_t cfi_bytes_encoded(struct cfi_bytes *bytes, unsigned char encoding);
/*
 * Reads a pointer as `encoding` (DW_EH_PE_*) says.  Indirect, aligned and relative ones but pc-
 * relative mark it bad.
 */
uintptr_t cfi_bytes_pointer(struct cfi_bytes *bytes, unsigned char encoding);

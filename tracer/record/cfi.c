/* Finds and reads FDEs and their CIEs in .eh_frame, trusting no byte of it. */
#include "record/cfi.h"

#include <errno.h>

#include "record/cfi_bytes.h"
#include "record/cfi_program.h"
#include "record/unwind_arch.h"

enum { HEADER_SIZE = 12, TABLE_ENTRY_SIZE = 8 };

static struct cfi_bytes bytes_from(const struct ct_cfi_span *span, uintptr_t at)
{
    if (at < span->start || at > span->end)
        return (struct cfi_bytes){ .bad = true };
    return (struct cfi_bytes){ (const unsigned char *)at, (const unsigned char *)span->end, false };
}

/* The index of the last table entry that starts at or below `offset`, or -1. */
static int64_t table_search(const unsigned char *table, uint64_t count, int64_t offset)
{
    uint64_t low = 0, high = count;

    while (low < high) {
        uint64_t middle = low + (high - low) / 2;
        struct cfi_bytes entry = { table + middle * TABLE_ENTRY_SIZE,
                                   table + (middle + 1) * TABLE_ENTRY_SIZE, false };

        if (cfi_bytes_signed(&entry, 4) <= offset)
            low = middle + 1;
        else
            high = middle;
    }
    return (int64_t)low - 1;
}

int ct_cfi_find(const struct ct_cfi_span *span, uintptr_t header, uintptr_t pc, uintptr_t *ret)
{
    struct cfi_bytes bytes = bytes_from(span, header);
    uint64_t version = cfi_bytes_take(&bytes, 1), frame_encoding = cfi_bytes_take(&bytes, 1);
    uint64_t count_encoding = cfi_bytes_take(&bytes, 1), table_encoding = cfi_bytes_take(&bytes, 1);

    if (bytes.bad || version != 1)
        return -EINVAL;
    if (count_encoding != PE_UDATA4 || table_encoding != (PE_DATAREL | PE_SDATA4))
        return -EINVAL; /* no linker in use writes another; a table left out says PE_OMIT */
    cfi_bytes_encoded(&bytes, frame_encoding);

    uint64_t count = cfi_bytes_take(&bytes, 4);

    if (bytes.bad || (uint64_t)(bytes.end - bytes.at) / TABLE_ENTRY_SIZE < count)
        return -EINVAL;

    int64_t found = table_search(bytes.at, count, (int64_t)(pc - header));

    if (found < 0)
        return -ENOENT;
    bytes.at += found * TABLE_ENTRY_SIZE + 4;
    *ret = header + (uintptr_t)cfi_bytes_signed(&bytes, 4);
    return 0;
}

/* Takes the length of a CIE or FDE and cuts the cursor down to that entry. */
static struct cfi_bytes take_entry(struct cfi_bytes *bytes)
{
    uint64_t length = cfi_bytes_take(bytes, 4);

    if (length == 0 ||
        length == 0xffffffff) /* the terminator; or the 64-bit form, of which no table was seen */
        bytes->bad = true;
    return cfi_bytes_split(bytes, length);
}

/*
 * Reads the augmentation data that `letters` describe.  Letters not known end it: only 'z' makes
 * them skippable.
 */
static int read_augmentation(const unsigned char *letters, struct cfi_bytes *bytes,
                             struct cfi_cie *cie)
{
    if (!*letters)
        return 0;
    if (*letters != 'z')
        return -ENOTSUP;
    cie->has_data = true;

    struct cfi_bytes data = cfi_bytes_split(bytes, cfi_bytes_uleb(bytes));

    while (*++letters) {
        if (*letters == 'R')
            cie->pointer_encoding = cfi_bytes_take(&data, 1);
        else if (*letters == 'L')
            cfi_bytes_take(&data, 1);
        else if (*letters == 'P')
            cfi_bytes_encoded(&data, cfi_bytes_take(&data, 1));
        else if (*letters == 'S')
            cie->signal = true;
        else if (*letters != 'B' && *letters != 'G')
            return -ENOTSUP;
    }
    return bytes->bad || data.bad ? -EINVAL : 0;
}

static int read_cie(const struct ct_cfi_span *span, uintptr_t at, struct cfi_cie *ret)
{
    struct cfi_bytes bytes = bytes_from(span, at), entry = take_entry(&bytes);
    uint64_t id = cfi_bytes_take(&entry, 4), version = cfi_bytes_take(&entry, 1);
    const unsigned char *letters = entry.at;

    if (entry.bad || id != 0)
        return -EINVAL;
    if (version != 1 && version != 3)
        return -ENOTSUP;
    while (cfi_bytes_take(&entry, 1))
        ;
    *ret = (struct cfi_cie){ .code_align = cfi_bytes_uleb(&entry),
                             .data_align = cfi_bytes_sleb(&entry) };

    uint64_t return_column = version == 1 ? cfi_bytes_take(&entry, 1) : cfi_bytes_uleb(&entry);

    if (entry.bad)
        return -EINVAL;
    if (return_column != CT_DWARF_RA)
        return -ENOTSUP;

    int r = read_augmentation(letters, &entry, ret);

    ret->program = entry;
    return r;
}

int ct_cfi_read(const struct ct_cfi_span *span, uintptr_t fde, uintptr_t pc,
                struct ct_cfi_rule *ret)
{
    struct cfi_bytes bytes = bytes_from(span, fde), entry = take_entry(&bytes);
    uintptr_t cie_base = (uintptr_t)entry.at;
    uint64_t cie_distance = cfi_bytes_take(&entry, 4);
    struct cfi_cie cie;

    if (entry.bad || cie_distance == 0)
        return -EINVAL;

    int r = read_cie(span, cie_base - cie_distance, &cie);

    if (r < 0)
        return r;

    uintptr_t start = cfi_bytes_pointer(&entry, cie.pointer_encoding);
    uintptr_t length = cfi_bytes_encoded(&entry, cie.pointer_encoding);

    if (entry.bad)
        return -EINVAL;
    if (pc - start >= length)
        return -ENOENT;
    if (cie.has_data)
        cfi_bytes_split(&entry, cfi_bytes_uleb(&entry));
    if (entry.bad)
        return -EINVAL;
    return ct_cfi_run(&cie, entry, start, pc, ret);
}

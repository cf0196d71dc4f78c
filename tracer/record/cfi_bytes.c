/* Encoded pointers of unwind tables. */
#include "record/cfi_bytes.h"

uint64_t cfi_bytes_encoded(struct cfi_bytes *bytes, unsigned char encoding)
{
    switch (encoding & 0x0f) {
    case PE_ABSPTR:
    case PE_UDATA8:
    case PE_SDATA8:
        return cfi_bytes_take(bytes, 8);
    case PE_ULEB128:
        return cfi_bytes_uleb(bytes);
    case PE_UDATA2:
        return cfi_bytes_take(bytes, 2);
    case PE_UDATA4:
        return cfi_bytes_take(bytes, 4);
    case PE_SLEB128:
        return (uint64_t)cfi_bytes_sleb(bytes);
    case PE_SDATA2:
        return (uint64_t)cfi_bytes_signed(bytes, 2);
    case PE_SDATA4:
        return (uint64_t)cfi_bytes_signed(bytes, 4);
    default:
        bytes->bad = true;
        return 0;
    }
}

uintptr_t cfi_bytes_pointer(struct cfi_bytes *bytes, unsigned char encoding)
{
    uintptr_t place = (uintptr_t)bytes->at;
    uint64_t value = cfi_bytes_encoded(bytes, encoding);

    if ((encoding & 0xf0) == PE_PCREL)
        return place + value;
    if ((encoding & 0xf0) != PE_ABSPTR)
        bytes->bad = true;
    return value;
}

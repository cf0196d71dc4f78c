/* Call frame information: the row of a module's .eh_frame that tells how to unwind an address. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

/* Bytes that may be read: one readable segment of a mapped module. */
struct ct_cfi_span {
    uintptr_t start;
    uintptr_t end;
};

enum ct_cfi_base {
    CT_CFI_NONE,
    CT_CFI_SP,
    CT_CFI_FP,
};

enum ct_cfi_fp {
    CT_CFI_FP_SAME,   /* the caller's frame pointer is still in its register */
    CT_CFI_FP_AT_CFA, /* saved at cfa + fp_offset */
    CT_CFI_FP_AT_FP,  /* saved at fp + fp_offset, fp being this frame's */
    CT_CFI_FP_LOST,   /* not to be had */
};

/*
 * One row, reduced to three registers.  The return address is at cfa - 8; the caller's sp is the
 * cfa.
 */
struct ct_cfi_rule {
    enum ct_cfi_base base;
    enum ct_cfi_fp fp;
    bool deref;  /* cfa = *(base + offset) + addend, else base + offset */
    bool signal; /* a signal's frame: the kernel saved all registers, nothing else here counts */
    bool last;   /* the outermost frame: it has no caller, nothing else here counts */
    int32_t offset;
    int32_t addend;
    int32_t fp_offset;
};

/*
 * Finds the FDE of `pc` in the sorted table of the .eh_frame_hdr at `header`, both of one module;
 * `span` holds the table. `*ret` is an address inside .eh_frame, not checked to lie within `span`.
 * Returns 0, -ENOENT when the table has no entry for it, -EINVAL when the table is malformed or of
 * a kind not known.
 */
int ct_cfi_find(const struct ct_cfi_span *span, uintptr_t header, uintptr_t pc, uintptr_t *ret);

/*
 * Reads the FDE at `fde` and runs its program up to `pc`.  Nothing outside `span` is read. Returns
 * 0, -ENOENT when the FDE does not cover pc, -EINVAL when it is malformed, or -ENOTSUP when the row
 * needs registers or operations that are not tracked.  `*ret` is touched on success only.
 */
int ct_cfi_read(const struct ct_cfi_span *span, uintptr_t fde, uintptr_t pc,
                struct ct_cfi_rule *ret);

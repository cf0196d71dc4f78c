/* Runs the program of an FDE: from the instructions to one row. */
#pragma once

#include "record/cfi.h"
#include "record/cfi_bytes.h"

/* What a CIE says of the FDEs that name it. */
struct cfi_cie {
    struct cfi_bytes program;
    uint64_t code_align;
    int64_t data_align;
    unsigned char pointer_encoding;
    bool has_data; /* 'z': FDEs carry augmentation data */
    bool signal;   /* 'S' */
};

/*
 * Runs the CIE's program, then `program` from `start` to the row of `pc`.  Results as
 * ct_cfi_read().
 */
int ct_cfi_run(const struct cfi_cie *cie, struct cfi_bytes program, uintptr_t start, uintptr_t pc,
               struct ct_cfi_rule *ret);

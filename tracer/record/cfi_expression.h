/* DWARF expressions over symbolic registers, so that what comes out can be cached as a rule. */
#pragma once

#include "record/cfi.h"
#include "record/cfi_bytes.h"

/*
 * A value: base + offset, or when `deref`, *(base + offset) + addend.  Without base it is the
 * number `offset`.
 */
struct cfi_term {
    enum ct_cfi_base base;
    bool deref;
    int64_t offset;
    int64_t addend;
};

/*
 * Evaluates `expression` at `pc`.  Returns 0, -EINVAL when it is malformed, -ENOTSUP when its value
 * is no cfi_term (PLT entries, realigned frames and hand-written assembly of today are).  `*ret` is
 * touched on success only.
 */
int cfi_expression_run(struct cfi_bytes expression, uintptr_t pc, struct cfi_term *ret);

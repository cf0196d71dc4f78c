/* Fuzzes the reader of call frame information with bytes that end at an unreadable page. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "record/cfi.h"
#include "record/cfi_program.h"

enum { PAGE = 4096, PAGES = 4 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/*
 * Bytes 0-1: how far the pc is into the FDE's code; byte 2: where the FDE is; the rest: a table, or
 * a section.
 */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static uint8_t *end;
    struct ct_cfi_rule rule;
    uintptr_t fde;

    if (!end) {
        uint8_t *pages = mmap(NULL, (PAGES + 1) * PAGE, PROT_READ | PROT_WRITE,
                              MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

        if (pages == MAP_FAILED || mprotect(pages + PAGES * PAGE, PAGE, PROT_NONE))
            abort();
        end = pages + PAGES * PAGE;
    }
    if (size < 4 || size - 3 > PAGES * PAGE)
        return 0;
    memcpy(end - (size - 3), data + 3, size - 3);

    struct ct_cfi_span span = { (uintptr_t)end - (size - 3), (uintptr_t)end };
    uintptr_t distance = (uintptr_t)(data[0] | data[1] << 8), at = span.start + data[2];
    struct cfi_cie cie = {
        { end - (size - 3), end - (size - 3) / 2, false }, 1, -8, data[2], false, false
    };
    struct cfi_bytes program = { cie.program.end, end, false };

    if (ct_cfi_find(&span, span.start, span.start + distance, &fde) == 0)
        ct_cfi_read(&span, fde, span.start + distance, &rule);
    ct_cfi_read(&span, at, at + 8 + distance, &rule);
    ct_cfi_run(&cie, program, 0, distance, &rule);
    return 0;
}

/* Opening by the DIRECTORY of a file instead of walking over all its blocks. */
#pragma once

#include "converter/read/list.h"
#include "converter/read/trace.h"

struct ct_read_directory {
    CT_LIST(struct ct_directory_row) rows;      /* they cover the file from its first block to `end`, without a gap */
    uint64_t end;                               /* where the DIRECTORY begins: to be walked from here on */
};

/*
 * Fills `ret` from the DIRECTORY that the FOOT at the end of `segment` points to.  True when all that it says was found
 * to be so, as far as can be seen without looking at each block: false is no error, the walk finds out the same.
 * ct_list_fini(&ret->rows) in any case.
 */
bool ct_read_directory_find(const struct ct_trace_segment *segment, struct ct_read_directory *ret);

/* Every question that an index answers, asked once. */
#pragma once

#include "converter/index/query.h"

/* A number made of all answers; `*ret_damaged` says whether one was that the index is damaged. */
uint64_t ask_everything(struct ct_index *index, bool *ret_damaged);

/* Writes the sums of an index file again, as if what it holds were right. */
void seal_again(uint8_t *bytes, size_t size);

/* Arguments of a slice as a person reads them. */
#pragma once

#include "converter/index/memory.h"
#include "converter/index/payload.h"

/* "7", and what it means or an empty text: "socket 10.0.0.1:80". */
void ct_argument_text(const struct ct_store *store, const struct ct_name_record *name, uint32_t program,
                      const struct ct_argument *argument, struct ct_index_memory *memory, struct ct_index_argument *ret);

/* The event's arguments of one slice, into `memory`; their number. */
size_t ct_argument_list(const struct ct_store *store, const struct ct_name_record *name, uint32_t program,
                        struct ct_payload payload, struct ct_index_memory *memory, struct ct_index_argument **ret);

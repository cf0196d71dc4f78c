/* The code addresses that a trace speaks of: those of its stacks, and start routines. */
#pragma once

#include "converter/read/idmap.h"
#include "converter/read/list.h"
#include "converter/read/reader.h"

struct ct_code_address {
    uint64_t pc;    /* as it stands in the trace */
    uint64_t vaddr; /* where to look in the module's file: of a return address the call before it */
    uint32_t module; /* index into the program's modules; of equal ones the first */
};

/*
 * Those of one program, each once, without those that the trace has names for already.  Zeroed is
 * empty.
 */
struct ct_code_addresses {
    CT_LIST(struct ct_code_address) items;
    struct ct_idmap seen;
    struct ct_module_row last; /* the module of the address added last, as of so many modules */
    size_t program_modules;
    uint32_t last_alike;
    uint64_t unplaced; /* addresses that no module covers: code made at run time */
};

/* Adds what a generation refers to.  0 or -ENOMEM. */
int ct_code_addresses_add(struct ct_code_addresses *addresses,
                          const struct ct_read_generation *generation);

/* By module, then by vaddr: what a batch needs. */
void ct_code_addresses_sort(struct ct_code_addresses *addresses);

void ct_code_addresses_fini(struct ct_code_addresses *addresses);

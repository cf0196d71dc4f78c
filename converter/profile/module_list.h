/* The modules that a program had mapped so far, as copies that outlive the reader. */
#pragma once

#include "converter/read/idmap.h"
#include "converter/read/list.h"
#include "converter/read/reader.h"

/* Texts of `row` are ours. */
struct ct_module_list {
    CT_LIST(struct ct_module_row) rows;     /* in the order they were met */
    struct ct_idmap places;                 /* by a hash of the row */
    size_t seen;                            /* of the program's own list, of this reader */
    const struct ct_read_program *program;  /* whose list that is */
};

void ct_module_list_fini(struct ct_module_list *list);
/* Takes in those that the program has now and the list has not.  0 or -ENOMEM. */
int ct_module_list_take(struct ct_module_list *list, const struct ct_read_program *program);
/* A new reader comes, whose programs may lie where old ones lay. */
void ct_module_list_restart(struct ct_module_list *list);

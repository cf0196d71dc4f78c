/* Lines that describe programs, generations, modules, names, threads and stacks, one function each. */
#pragma once

#include "converter/text/assemble_words.h"

/* The rest of a line behind its first word: 0, -EINVAL with a->err, -ENOMEM, -E2BIG. */
int ct_assemble_program(struct ct_assembly *a);
int ct_assemble_end(struct ct_assembly *a);
int ct_assemble_generation(struct ct_assembly *a);
int ct_assemble_current(struct ct_assembly *a);     /* `generation` in the second pass: lines that follow are its */
int ct_assemble_module(struct ct_assembly *a);
int ct_assemble_symbol(struct ct_assembly *a);
int ct_assemble_thread(struct ct_assembly *a);
int ct_assemble_stack(struct ct_assembly *a);

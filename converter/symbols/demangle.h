/* C++ (and old Rust) linkage names, written for people. */
#pragma once

/*
 * A malloc'ed string for people, or NULL when `name` is not a C++ linkage name, when it could grow
 * beyond reason, or when this machine has no libstdc++ (it is looked for at run time, not linked).
 * Any thread.  Caller frees with free().
 */
char *ct_demangle(const char *name);

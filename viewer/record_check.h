/* Whether a program can be traced at all; asked before anything runs. */
#pragma once

#include <stdbool.h>

#include "format/limits.h"

/* Says why on stderr, as a line of `ctrace`; `status` comes back, to be the exit status. */
int ct_record_fail(int status, const char *format, ...) __attribute__((format(printf, 2, 3)));

/*
 * Finds `name` as execvp() would and looks at it, and at its interpreter if it is a script.
 * Returns 0 with the path in `ret`; else the exit status that says it (126 cannot be traced or run, 127 not found)
 * after one sentence on stderr.
 */
int ct_record_check(const char *name, char ret[CT_PATH_MAX]);

/* A program file as far as tracing cares. */
struct ct_record_elf {
    char interpreter[CT_PATH_MAX];  /* empty: none, statically linked */
    char runpath[CT_PATH_MAX];      /* DT_RUNPATH or DT_RPATH; empty: none */
    const char *sanitizer;          /* one whose library must be the first of the program; NULL: none.  Never freed */
};

/*
 * Reads an ELF file.  Returns 0; -ENOEXEC when it is none; or -EINVAL with a sentence's end in `why`
 * ("is a 32-bit program ...").
 */
int ct_record_elf_read(int fd, struct ct_record_elf *ret, const char **why);

/*
 * The version of the C library that the program will use, as major * 1000 + minor; 0 when it is not known.
 * `path` is the program's, for $ORIGIN.
 */
unsigned ct_record_libc_version(const struct ct_record_elf *elf, const char *path);

/*
 * Whether programs could tell LTTng of their events: loads libctrace-lttng.so, which lies beside `recorder`, in a process of
 * its own.  False, after one sentence on stderr, when it is not there, or LTTng's libraries are not.  record_lttng.c.
 */
bool ct_record_lttng(const char *recorder);

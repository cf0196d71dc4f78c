/* An ELF file on disk (or the vDSO in memory), opened without trusting it. */
#pragma once

#include <gelf.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "format/limits.h"

struct ct_elf_file {
    Elf *elf;
    int fd; /* -1 when the bytes are in memory */
    char *path;
    void *memory; /* NULL, or what `elf` reads */
    uint8_t build_id[CT_BUILD_ID_MAX];
    size_t build_id_len; /* 0 when it has none */
};

/*
 * Opens the regular file at `path`.  Never waits (a FIFO is refused) and never maps it: a file that
 * is cut while it is open gives read errors instead of SIGBUS.
 * -ENOENT, -EACCES ... as open(2), -ENOEXEC when it is not ELF.  Caller frees with
 * ct_elf_file_close.
 */
int ct_elf_file_open(const char *path, struct ct_elf_file **ret);

/* The same when the file has this build ID; -ENOENT when it is another. */
int ct_elf_file_open_built(const char *path, const uint8_t *build_id, size_t build_id_len, struct ct_elf_file **ret);

/* The same over `size` bytes at `memory`, which is given (malloc'ed), also on failure. */
int ct_elf_file_open_memory(const char *name, void *memory, size_t size, struct ct_elf_file **ret);

/* The same over a descriptor, which is given, also on failure. */
int ct_elf_file_open_fd(const char *name, int fd, struct ct_elf_file **ret);

/* The vDSO of this process: one kernel, one vDSO, so it serves for any program of the machine. */
int ct_elf_file_open_vdso(struct ct_elf_file **ret);

/* Takes NULL. */
void ct_elf_file_close(struct ct_elf_file *file);

bool ct_elf_file_is(const struct ct_elf_file *file, const uint8_t *build_id, size_t build_id_len);

/*
 * The section `name` with bytes behind it, or NULL; `*ret_header` (may be NULL) is its header.
 * Borrowed until close.
 */
Elf_Scn *ct_elf_file_section(const struct ct_elf_file *file, const char *name,
                             GElf_Shdr *ret_header);

/* True when it holds DWARF, and no more of it than is worth reading into memory. */
bool ct_elf_file_has_dwarf(const struct ct_elf_file *file, uint64_t *ret_bytes);

/*
 * Sees to it that the string sections of `elf` end with a NUL, which libdw takes for granted.
 * `writable`: they are memory of ours and are ended there; else false comes back if one does not.
 */
bool ct_elf_end_strings(Elf *elf, bool writable);

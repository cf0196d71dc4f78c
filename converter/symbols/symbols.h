/* The resolver: an address within an ELF file becomes function, file, line and inlined frames. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * More frames than this for one address are never known: the innermost inlined ones are left out.
 */
#define CT_SYMBOL_FRAMES_MAX 64

/* One source-level frame.  The strings are UTF-8 as far as the compiler wrote it: trust no byte. */
struct ct_symbol_frame {
    const char *function; /* never NULL in a frame that was returned */
    const char *file;     /* NULL when no line table covers the address */
    unsigned line;        /* 0 when unknown */
    uint64_t entry;       /* where the function in the file begins that has it, also what was
                             inlined there; 0 when no symbol says so */
};

/*
 * A file that was mapped into the traced program.
 * `path` is what /proc/PID/maps said (a trailing " (deleted)" is understood, "[vdso]" too).
 * `build_id` is what the program's memory held; with `build_id_len` 0 the file at `path` is used
 * only when it has no build ID either.
 */
struct ct_symbol_module {
    const char *path;
    const uint8_t *build_id;
    size_t build_id_len;
};

enum ct_symbols_flags {
    CT_SYMBOLS_DEMANGLE = 1 << 0,   /* C++ names for people, when libstdc++ is installed */
    CT_SYMBOLS_DEBUGINFOD = 1 << 1, /* ask the servers of $DEBUGINFOD_URLS: network, minutes */
};

/*
 * Caches modules by build ID and closes the least recently used when they grow too large.
 * One thread at a time per resolver; resolvers in different threads do not disturb each other.
 */
struct ct_symbols;

/* The resolver as `ctrace` wants it: CT_SYMBOLS_DEMANGLE.  Caller frees with ct_symbols_free. */
int ct_symbols_new(struct ct_symbols **ret);

/*
 * The same with flags of enum ct_symbols_flags.  Within somebody else's program give 0: it loads
 * no further library there.
 */
int ct_symbols_new_flags(unsigned flags, struct ct_symbols **ret);

/* Takes NULL. */
void ct_symbols_free(struct ct_symbols *symbols);

/*
 * Resolves `vaddr`, an address as in the file's program headers.  A return address is one byte
 * behind its call: the caller subtracts 1 from return addresses, and only from those.
 * Fills at most `max` frames, innermost inlined one first; outer frames beyond `max` are left out.
 * Returns 0; `*ret_count` is 0 when nothing is known about the address (the caller shows the
 * address: a name is never invented).  -ENOMEM, -EINVAL (`max` is 0 or no module) otherwise.
 * Strings are borrowed: valid until the next call with the same resolver.
 */
int ct_symbols_resolve_module(struct ct_symbols *symbols, const struct ct_symbol_module *module,
                              uint64_t vaddr, struct ct_symbol_frame *frames, unsigned max,
                              unsigned *ret_count);

/* The same with the module's parts as arguments. */
int ct_symbols_resolve(struct ct_symbols *symbols, const char *path, const uint8_t *build_id,
                       size_t build_id_len, uint64_t file_vaddr, struct ct_symbol_frame *frames,
                       unsigned max, unsigned *ret_count);

/*
 * Told the frames of one address, innermost first; strings and frames are borrowed until it
 * returns.  `count` is 0 for an address nothing is known about.  Anything but 0 ends the batch and
 * is returned from it.  It must not use the resolver.
 */
typedef int ct_symbols_sink(void *context, uint64_t vaddr, const struct ct_symbol_frame *frames,
                            unsigned count);

/*
 * Resolves many addresses of one module: sorts `vaddrs` in place, drops doubles, reads each
 * compilation unit once, and calls `sink` once per distinct address in rising order.
 * This is the way for more than a handful of addresses.
 */
int ct_symbols_resolve_batch(struct ct_symbols *symbols, const struct ct_symbol_module *module,
                             uint64_t *vaddrs, size_t count, ct_symbols_sink *sink, void *context);

/*
 * The address in the file of `pc`, which lies in a mapping of the module that starts at `map_start`
 * in memory and at `map_offset` in the file (both as in /proc/PID/maps), by the program headers.
 * -ENOENT when no file of that build ID is found, -ERANGE when no loadable segment has the byte.
 */
int ct_symbols_file_vaddr(struct ct_symbols *symbols, const struct ct_symbol_module *module,
                          uint64_t map_start, uint64_t map_offset, uint64_t pc, uint64_t *ret);

/*
 * One line for a person on where the module's names come from, or why there are none:
 * "DWARF from /usr/lib/debug/...", "/usr/bin/x has another build ID, and no debug file was found".
 * Borrowed until the next call with the same resolver.  Never NULL.
 */
const char *ct_symbols_explain(struct ct_symbols *symbols, const struct ct_symbol_module *module);

/* Fuzzes the resolver: the input is a list of bites into a good program with DWARF. */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "converter/symbols/debug_info.h"
#include "converter/symbols/minidebug.h"
#include "converter/symbols/plt.h"
#include "converter/symbols/symtab.h"

static const char source[] =
    "static inline __attribute__((always_inline)) int twice(int x) { return x + x; }\n"
    "static __attribute__((noinline)) int hidden(int x) { return twice(x) * 3; }\n"
    "int shown(int x) { return hidden(x) + twice(x ^ 5); }\n";

static uint8_t *good;
static size_t good_size;

int LLVMFuzzerInitialize(int *argc, char ***argv);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Small (some 10 KB) so that a bite likely hits something that matters. */
int LLVMFuzzerInitialize(int *argc, char ***argv)
{
    char folder[] = "/tmp/ctrace-fuzz-XXXXXX", path[64], command[256];
    FILE *file;

    if (!mkdtemp(folder))
        abort();
    snprintf(path, sizeof(path), "%s/a.c", folder);
    file = fopen(path, "w");
    if (!file || fputs(source, file) < 0 || fclose(file) != 0)
        abort();
    snprintf(command, sizeof(command),
             "cd %s && cc -O2 -g -shared -fPIC -nostdlib -Wl,--build-id "
             "-Wl,-z,max-page-size=64,-z,noseparate-code -o a.so a.c",
             folder);
    if (system(command) != 0)
        abort();
    snprintf(path, sizeof(path), "%s/a.so", folder);
    file = fopen(path, "r");
    good = malloc(1 << 16);
    if (!file || !good)
        abort();
    good_size = fread(good, 1, 1 << 16, file);
    fclose(file);
    snprintf(command, sizeof(command), "rm -r %s", folder);
    return system(command);
}

static void resolve(struct ct_elf_file *file, const struct ct_symtab *symtab)
{
    struct ct_symbol_frame frames[8];
    struct ct_debug_info *info;
    const char *directory;
    uint64_t bytes;
    unsigned count;

    if (!ct_elf_file_has_dwarf(file, &bytes) || ct_debug_info_new(file, &info) != 0)
        return;
    for (uint64_t at = 0; at < 0x1800; at += 11) {
        ct_symtab_find(symtab, at);
        if (ct_debug_info_resolve(info, at, frames, 8, &count, &directory) != 0)
            break;
        for (unsigned i = 0; i < count; i++) {
            if (frames[i].function && strlen(frames[i].function) > good_size)
                abort();
            if (frames[i].file && strlen(frames[i].file) > 2 * good_size)
                abort();
        }
    }
    ct_debug_info_free(info);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct ct_elf_file *file, *packed;
    struct ct_symtab symtab = { 0 };
    uint8_t *bitten = malloc(good_size);
    size_t kept = good_size;

    if (!bitten)
        return 0;
    memcpy(bitten, good, good_size);
    for (; size >= 3; data += 3, size -= 3)
        bitten[(data[0] | (size_t)data[1] << 8) % good_size] = data[2];
    if (size == 2)
        kept = (data[0] | (size_t)data[1] << 8) % good_size + 1;
    if (ct_elf_file_open_memory("bitten", bitten, kept, &file) != 0)
        return 0;
    ct_symtab_add(&symtab, file, true);
    ct_symtab_add(&symtab, file, false);
    ct_plt_add(&symtab, file);
    ct_symtab_sort(&symtab);
    if (ct_minidebug_open(file, &packed) == 0)
        ct_elf_file_close(packed);
    resolve(file, &symtab);
    ct_symtab_fini(&symtab);
    ct_elf_file_close(file);
    return 0;
}

/* A folder of its own where a test compiles, strips and damages small programs. */
#pragma once

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "converter/symbols/elf_file.h"
#include "converter/symbols/symbols.h"

/* Inlining two deep, a static function, an exported one, and calls through the PLT. */
static const char workshop_source[] =
    "#include <stdio.h>\n"
    "#include <stdlib.h>\n"
    "static inline __attribute__((always_inline)) int square(int x)\n"
    "{\n"
    "    return x * abs(rand()) + getpid_like(x);\n"
    "}\n"
    "static inline __attribute__((always_inline)) int sum(int n)\n"
    "{\n"
    "    int s = 0;\n"
    "    for (int i = 0; i < n; i++)\n"
    "        s += square(i);\n"
    "    return s;\n"
    "}\n"
    "static __attribute__((noinline)) int hidden(int n)\n"
    "{\n"
    "    printf(\"%d\\n\", sum(n));\n"
    "    return sum(n + 1);\n"
    "}\n"
    "__attribute__((noinline)) int shown(int n)\n"
    "{\n"
    "    if (n < 0)\n"
    "        abort();\n"
    "    return hidden(n) + rand();\n"
    "}\n"
    "int main(int argc, char **argv)\n"
    "{\n"
    "    (void)argv;\n"
    "    return shown(argc) & 1;\n"
    "}\n";

static inline void run(const char *format, ...)
{
    char command[1024];
    va_list arguments;

    va_start(arguments, format);
    vsnprintf(command, sizeof(command), format, arguments);
    va_end(arguments);
    if (system(command) != 0)
        fail_msg("%s", command);
}

/* The test runs in the folder. */
static inline int workshop_open(void **state)
{
    char *folder = strdup("/tmp/ctrace-symbols-XXXXXX");
    FILE *file;

    if (!folder || !mkdtemp(folder) || chdir(folder) != 0 || !(file = fopen("program.c", "w")))
        return -1;
    fputs("static inline int getpid_like(int x) { return x ^ 0x55; }\n", file);
    fputs("#line 1 \"program.c\"\n", file);
    fputs(workshop_source, file);
    fclose(file);
    *state = folder;
    return 0;
}

static inline int workshop_close(void **state)
{
    char command[128];

    snprintf(command, sizeof(command), "rm -rf '%s'", (char *)*state);
    free(*state);
    return system(command);
}

static inline struct ct_symbol_module module_at(const char *path, uint8_t id[CT_BUILD_ID_MAX])
{
    struct ct_symbol_module module = { .path = path, .build_id = id };
    struct ct_elf_file *file;

    assert_int_equal(ct_elf_file_open(path, &file), 0);
    memcpy(id, file->build_id, file->build_id_len);
    module.build_id_len = file->build_id_len;
    ct_elf_file_close(file);
    return module;
}

/* The value of a symbol, by nm. */
static inline uint64_t address_of(const char *path, const char *symbol)
{
    char command[256];
    unsigned long long value = 0;
    FILE *pipe;

    snprintf(command, sizeof(command), "nm %s | awk '$3 == \"%s\" { print $1 }'", path, symbol);
    pipe = popen(command, "r");
    assert_non_null(pipe);
    assert_int_equal(fscanf(pipe, "%llx", &value), 1);
    pclose(pipe);
    return value;
}

/* Any trace that the assembler makes of text becomes a Chrome file that imports. */
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "converter/text/assemble.h"
#include "tests/converter/chrome/check.h"
#include "converter/chrome/sink.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static char path[64];

/* The whole of the file that was written; NULL when it is too large to check. */
static char *take(size_t *ret_size)
{
    enum { MOST = 1 << 20 };
    FILE *file = fopen(path, "r");
    char *bytes = file ? malloc(MOST + 1) : NULL;

    if (bytes) {
        *ret_size = fread(bytes, 1, MOST, file);
        bytes[*ret_size] = 0;
    }
    if (file)
        fclose(file);
    unlink(path);
    if (bytes && *ret_size == MOST) {
        free(bytes);
        return NULL;
    }
    return bytes;
}

static char *assemble(const uint8_t *text, size_t size, size_t *ret_size)
{
    struct ct_output out;
    struct ct_error err;

    if (ct_output_open(&out, path, false, &err) < 0)
        abort();
    if (ct_assemble((const char *)text, size, &out, &err) < 0) {
        ct_output_abort(&out);
        return NULL;
    }
    return ct_output_commit(&out, &err) < 0 ? NULL : take(ret_size);
}

static char *chrome_of(const char *bytes, size_t size)
{
    struct ct_read_input input = { .path = "fuzz", .fd = -1, .memory = bytes, .memory_size = size };
    struct ct_chrome_options options = { 0, INT64_MAX, true };
    const struct ct_read_item *item;
    struct ct_reader *reader;
    struct ct_chrome *chrome;
    struct ct_output out;
    struct ct_error err;

    if (ct_reader_open(&input, 1, NULL, &reader, &err) < 0 || ct_output_open(&out, path, false, &err) < 0)
        abort();
    chrome = ct_chrome_new(reader, &options, &out);
    while (chrome && ct_reader_next(reader, &item, &err) > 0)
        if (ct_chrome_items(chrome, item, 1) < 0)
            abort();
    ct_chrome_finish(chrome);
    ct_chrome_free(chrome);
    ct_reader_close(reader);
    return ct_output_commit(&out, &err) < 0 ? NULL : take(&size);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char *bytes, *json;
    const char *why;

    if (!path[0])
        snprintf(path, sizeof path, "/dev/shm/test-ctrace-fuzz-chrome-%ld", (long)getpid());
    bytes = assemble(data, size, &size);
    json = bytes ? chrome_of(bytes, size) : NULL;
    why = json ? chrome_check(json) : NULL;
    if (why) {
        fprintf(stderr, "%s\n%s\n", why, json);
        abort();
    }
    free(bytes);
    free(json);
    return 0;
}

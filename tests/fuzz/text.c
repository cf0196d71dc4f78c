/* Any text: the assembler takes it or names a line; what it takes reads, and comes back as a text that stays the same. */
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "converter/text/assemble.h"
#include "converter/text/sink.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static char path[64];

/* What was written; NULL when it was nothing. */
static char *take(struct ct_output *out, int r, size_t *ret_size)
{
    struct ct_error err;
    char *bytes = NULL;
    FILE *file;

    if (r < 0)
        ct_output_abort(out);
    else if (ct_output_commit(out, &err) == 0 && (file = fopen(path, "r"))) {
        bytes = malloc(4 << 20);
        *ret_size = bytes ? fread(bytes, 1, 4 << 20, file) : 0;
        fclose(file);
        unlink(path);
    }
    return bytes;
}

static char *assemble(const char *text, size_t size, size_t *ret_size)
{
    struct ct_output out;
    struct ct_error err;

    return ct_output_open(&out, path, false, &err) < 0 ? NULL : take(&out, ct_assemble(text, size, &out, &err), ret_size);
}

/* `*exact`: time was not changed anywhere, so that the text must be the same once more */
static char *text_of(const char *bytes, size_t size, size_t *ret_size, int *exact)
{
    struct ct_read_input input = { .path = "fuzz", .fd = -1, .memory = bytes, .memory_size = size };
    struct ct_reader *reader;
    struct ct_output out;
    struct ct_error err;
    char *text;

    if (ct_reader_open(&input, 1, NULL, &reader, &err) < 0)
        abort();                        /* our own trace must read */
    if (ct_output_open(&out, path, false, &err) < 0)
        abort();
    if (ct_sink_text(reader, NULL, &out, &err) < 0)
        abort();
    text = take(&out, 0, ret_size);
    *exact = ct_reader_oddities(reader)->disordered == 0 && *ret_size < 4 << 20;
    ct_reader_close(reader);
    return text;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    size_t trace_size = 0, text_size = 0, again_size = 0, final_size = 0;
    char *trace, *text, *again, *final = NULL;
    int exact = 0;

    snprintf(path, sizeof path, "/dev/shm/test-ctrace-fuzz-%d", (int)getpid());
    trace = assemble((const char *)data, size, &trace_size);
    if (!trace)
        return 0;
    text = text_of(trace, trace_size, &text_size, &exact);
    again = exact ? assemble(text, text_size, &again_size) : NULL;
    if (exact && !again)
        abort();
    if (again)
        final = text_of(again, again_size, &final_size, &exact);
    if (exact && final && (final_size != text_size || memcmp(final, text, text_size) != 0))
        abort();
    free(trace);
    free(text);
    free(again);
    free(final);
    return 0;
}

/* Any bytes as a trace: the reader ends, within its bounds, and what it delivers can be written as text. */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

#include "converter/text/sink.h"
#include "format/file.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* A fuzzer does not find checksums: they are made right, but for one block in the file that is left as it is. */
static void make_sums(uint8_t *bytes, size_t size)
{
    struct ct_block_head head;

    for (size_t at = sizeof(struct ct_file_head); size - at >= sizeof head && at < size; at += sizeof head + head.size) {
        memcpy(&head, bytes + at, sizeof head);
        if (head.size > size - at - sizeof head || head.crc == 0x626164)
            return;
        head.crc = (uint32_t)crc32(crc32(0, bytes + at, 16), bytes + at + sizeof head, head.size);
        memcpy(bytes + at, &head, sizeof head);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    uint8_t *bytes = malloc(size ? size : 1);
    struct ct_read_input input = { .path = "fuzz", .fd = -1, .memory = bytes, .memory_size = size };
    struct ct_reader *reader;
    struct ct_output out;
    struct ct_error err;

    if (!bytes)
        return 0;
    if (size)
        memcpy(bytes, data, size);
    if (size >= sizeof(struct ct_file_head))
        make_sums(bytes, size);
    if (ct_reader_open(&input, 1, NULL, &reader, &err) == 0) {
        if (ct_output_open(&out, "/dev/null", false, &err) == 0) {
            ct_sink_text(reader, NULL, &out, &err);
            ct_output_commit(&out, &err);
        }
        ct_reader_close(reader);
    }
    free(bytes);
    return 0;
}

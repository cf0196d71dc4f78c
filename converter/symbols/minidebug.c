/* Unpacking .gnu_debugdata through liblzma, which (unlike libdw here) can be told when to stop. */
#include "converter/symbols/minidebug.h"

#include <errno.h>
#include <lzma.h>
#include <stdlib.h>

#define UNPACKED_MAX       (64u << 20)
#define DECODER_MEMORY_MAX (128u << 20)

static int unpack(lzma_stream *stream, uint8_t **ret, size_t *ret_size)
{
    size_t room = 256 * 1024;
    uint8_t *bytes = NULL;
    lzma_ret state = LZMA_OK;

    while (state == LZMA_OK) {
        uint8_t *larger = realloc(bytes, room);

        if (!larger)
            break;
        bytes = larger;
        stream->next_out = bytes + stream->total_out;
        stream->avail_out = room - stream->total_out;
        state = lzma_code(stream, LZMA_FINISH);
        if (state == LZMA_OK && room >= UNPACKED_MAX)
            break;
        room *= 2;
    }
    if (state == LZMA_STREAM_END) {
        *ret = bytes;
        *ret_size = stream->total_out;
        return 0;
    }
    free(bytes);
    if (state == LZMA_OK)
        return room >= UNPACKED_MAX ? -EFBIG : -ENOMEM;
    return -EINVAL;
}

int ct_minidebug_open(const struct ct_elf_file *file, struct ct_elf_file **ret)
{
    Elf_Scn *section = ct_elf_file_section(file, ".gnu_debugdata", NULL);
    Elf_Data *data = section ? elf_rawdata(section, NULL) : NULL;
    lzma_stream stream = LZMA_STREAM_INIT;
    uint8_t *bytes;
    size_t size;
    int r;

    if (!data || !data->d_buf)
        return -ENOENT;
    if (lzma_stream_decoder(&stream, DECODER_MEMORY_MAX, 0) != LZMA_OK)
        return -ENOMEM;
    stream.next_in = data->d_buf;
    stream.avail_in = data->d_size;
    r = unpack(&stream, &bytes, &size);
    lzma_end(&stream);
    return r != 0 ? r : ct_elf_file_open_memory(file->path, bytes, size, ret);
}

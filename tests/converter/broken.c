/* Traces broken on purpose: each must end with the error that stands in the .err file beside it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <zlib.h>

#include <cmocka.h>

#include "format/file.h"
#include "tests/converter/traces.h"
#include "tests/guard.h"

/*
 * A text as in golden/, with lines that break the bytes it makes, from top to bottom.  A place is BLOCK or BLOCK#N,
 * then +OFFSET from its head:   !set PLACE HEX     bytes are written over
 *                               !sum BLOCK         its checksum is made right again
 *                               !cut PLACE         nothing follows
 *                               !double BLOCK      it stands there twice
 *                               !drop BLOCK        it is taken away
 *                               !put PLACE HEX     bytes are put in; the block grows, unless they stand before it
 *                               !only HEX          these are all bytes
 */
static const char *const block_names[] = {
    "head", "run", "schema", "generation", "strings", "addresses", "stacks", "threads", "modules", "batch",
    "generation_end", "symbols", "directory", "end", "cover",
};
enum { BLOCKS = sizeof block_names / sizeof *block_names, ROOM = 1 << 20 };

struct broken {
    uint8_t bytes[ROOM];
    size_t size;
};

static size_t block_size(const struct broken *b, size_t at)
{
    struct ct_block_head head;

    if (at == 0)
        return sizeof(struct ct_file_head);
    memcpy(&head, b->bytes + at, sizeof head);
    return sizeof head + head.size;
}

static unsigned block_type(const struct broken *b, size_t at)
{
    struct ct_block_head head;

    if (at == 0)
        return 0;
    memcpy(&head, b->bytes + at, sizeof head);
    return head.type;
}

/* "batch#2+7": the head's place in `*ret_block` */
static size_t find_place(const struct broken *b, const char *word, size_t *ret_block)
{
    size_t length = strcspn(word, "#+ "), at = 0;
    unsigned type, number = 1;

    for (type = 0; type < BLOCKS; type++)
        if (strlen(block_names[type]) == length && memcmp(block_names[type], word, length) == 0)
            break;
    if (type == BLOCKS)
        fail_msg("no such block: %s", word);
    word += length;
    if (*word == '#')
        number = (unsigned)strtoul(word + 1, (char **)&word, 10);
    for (; at < b->size; at += block_size(b, at))
        if (block_type(b, at) == type && --number == 0)
            break;
    assert_true(at < b->size);
    *ret_block = at;
    return at + (*word == '+' ? strtoul(word + 1, NULL, 10) : 0);
}

static size_t hex_of(const char *word, uint8_t *ret)
{
    size_t size = 0;

    for (; *word && *word != '\n'; word += 2) {
        unsigned byte;

        assert_int_equal(sscanf(word, "%2x", &byte), 1);
        ret[size++] = (uint8_t)byte;
    }
    return size;
}

static void insert(struct broken *b, size_t at, const uint8_t *bytes, size_t size)
{
    assert_true(b->size + size <= ROOM);
    memmove(b->bytes + at + size, b->bytes + at, b->size - at);
    memcpy(b->bytes + at, bytes, size);
    b->size += size;
}

static void sum(struct broken *b, size_t at)
{
    uLong crc = crc32(0, b->bytes + at, 16);
    uint32_t value = (uint32_t)crc32(crc, b->bytes + at + 20, (uInt)(block_size(b, at) - 20));

    memcpy(b->bytes + at + 16, &value, sizeof value);
}

static void obey(struct broken *b, const char *line)
{
    const char *rest = line + strcspn(line, " ") + 1;
    const char *last = strrchr(line, ' ') + 1;
    uint8_t hex[4096], copy[4096];
    size_t block = 0, at, size = 0;

    if (strncmp(line, "!only ", 6) == 0) {
        b->size = hex_of(rest, b->bytes);
        return;
    }
    at = find_place(b, rest, &block);
    if (strncmp(line, "!set ", 5) == 0 || strncmp(line, "!put ", 5) == 0)
        size = hex_of(last, hex);
    if (strncmp(line, "!set ", 5) == 0) {
        assert_true(at + size <= b->size);
        memcpy(b->bytes + at, hex, size);
    } else if (strncmp(line, "!put ", 5) == 0) {
        uint32_t grown = (uint32_t)(block_size(b, block) - sizeof(struct ct_block_head) + size);

        insert(b, at, hex, size);
        if (at > block)
            memcpy(b->bytes + block + 8, &grown, sizeof grown);
    } else if (strncmp(line, "!sum ", 5) == 0) {
        sum(b, block);
    } else if (strncmp(line, "!cut ", 5) == 0) {
        b->size = at;
    } else if (strncmp(line, "!double ", 8) == 0) {
        memcpy(copy, b->bytes + block, size = block_size(b, block));
        insert(b, block, copy, size);
    } else if (strncmp(line, "!drop ", 6) == 0) {
        size = block_size(b, block);
        memmove(b->bytes + block, b->bytes + block + size, b->size - block - size);
        b->size -= size;
    } else {
        fail_msg("what does \"%s\" mean?", line);
    }
}

/* The whole text without its ! lines makes the bytes; these lines break them. */
static void make(const char *path, struct broken *b)
{
    size_t size, kept = 0, bytes_size;
    char *text = file_read(path, &size), *plain = malloc(size + 1), *bytes;
    struct ct_error err = { 0 };

    for (char *line = text, *end; *line; line = end) {
        end = line + strcspn(line, "\n");
        end += *end == '\n';
        if (*line != '!')
            memcpy(plain + kept, line, (size_t)(end - line));
        kept += *line != '!' ? (size_t)(end - line) : 0;
    }
    if (trace_of_text(plain, kept, &bytes, &bytes_size, &err) < 0)
        fail_msg("%s: %s", path, err.text);
    assert_true(bytes_size <= ROOM);
    memcpy(b->bytes, bytes, b->size = bytes_size);
    for (char *line = strtok(text, "\n"); line; line = strtok(NULL, "\n"))
        if (*line == '!')
            obey(b, line);
    free(text);
    free(plain);
    free(bytes);
}

/* An offset as a block and the distance from its head: stays when blocks before it grow. */
static void name_offset(const struct broken *b, uint64_t offset, char *ret, size_t room)
{
    unsigned counts[256] = { 0 };
    size_t at = 0, last = 0;

    for (; at <= offset && at < b->size; at += block_size(b, at)) {
        counts[block_type(b, at) & 255]++;
        last = at;
        if (at + sizeof(struct ct_block_head) > b->size && at)
            break;
    }
    if (block_type(b, last) < BLOCKS && offset < b->size)
        snprintf(ret, room, "%s#%u+%llu", block_names[block_type(b, last)], counts[block_type(b, last)],
                 (unsigned long long)(offset - last));
    else
        snprintf(ret, room, "%s", offset >= b->size ? "the end" : "an unknown block");
}

/* "CODE at PLACE: SENTENCE; N events" */
static void judge(const struct broken *b, char *ret, size_t room)
{
    struct guard g = guard_over(b->bytes, b->size);
    struct ct_read_input input = input_of(g.at, b->size);
    const struct ct_read_item *item;
    struct ct_error err = { 0 };
    struct ct_reader *reader;
    unsigned long events = 0;
    char place[64];
    int r = ct_reader_open(&input, 1, NULL, &reader, &err);

    if (r < 0) {
        snprintf(ret, room, "%s, no trace: %.400s at %llu\n", strerrorname_np(-r), err.text, (unsigned long long)err.offset);
    } else {
        while ((r = ct_reader_next(reader, &item, &err)) > 0)
            events += item->kind == CT_READ_EVENT;
        if (r == 0)
            err = ct_reader_ending(reader, 0)->error;
        name_offset(b, err.offset, place, sizeof place);
        snprintf(ret, room, "%s%s at %s: %.400s; %lu events\n", err.code ? strerrorname_np(-err.code) : "complete",
                 r < 0 ? ", damaged" : "", err.code ? place : "the end", err.text, events);
        ct_reader_close(reader);
    }
    guard_end(&g);
}

static void broken_traces_end_as_told(void **state)
{
    static struct broken broken;
    char **paths = texts_of("golden/broken");

    for (size_t i = 0; paths[i]; i++) {
        char expected_path[420], verdict[600], *expected;
        size_t size;

        make(paths[i], &broken);
        judge(&broken, verdict, sizeof verdict);
        snprintf(expected_path, sizeof expected_path, "%.*s.err", (int)strlen(paths[i]) - 4, paths[i]);
        if (getenv("CT_BLESS"))
            file_write(expected_path, verdict, strlen(verdict));
        expected = file_read(expected_path, &size);
        if (strcmp(expected, verdict) != 0)
            fail_msg("%s\n  expected %s  found    %s", paths[i], expected, verdict);
        free(expected);
        free(paths[i]);
    }
    free(paths);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(broken_traces_end_as_told),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

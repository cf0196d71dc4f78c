/* Compression with told repetitions: what zlib unpacks is what was written, for every length, distance and mixture. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

#include <cmocka.h>

#include "converter/gzip/gzip.h"
#include "converter/gzip/huffman.h"

enum { SIZE = 128 << 10, BUFFERS = 12, REPEATS = 4096 };

static uint8_t text[SIZE * BUFFERS], packed[2 * SIZE * BUFFERS], unpacked[SIZE * BUFFERS + 1];
static size_t packed_size;

static int take(void *context, const void *bytes, size_t size)
{
    memcpy(packed + packed_size, bytes, size);
    packed_size += size;
    return 0;
}

static size_t unpack(void)
{
    z_stream stream = { .next_in = packed, .avail_in = (unsigned)packed_size, .next_out = unpacked,
                        .avail_out = sizeof unpacked };

    assert_int_equal(inflateInit2(&stream, 15 + 16), Z_OK);
    assert_int_equal(inflate(&stream, Z_FINISH), Z_STREAM_END);     /* the checksum and the size are right too */
    assert_int_equal(stream.avail_in, 0);
    inflateEnd(&stream);
    return stream.total_out;
}

/* Fills a buffer with dice and copies of what is before; the copies are told. */
static size_t make_buffer(size_t from, unsigned sides, struct ct_repeat *repeats)
{
    size_t at = 0, count = 0;

    while (at < SIZE && count < REPEATS) {
        size_t literals = (size_t)rand() % 40, size = CT_REPEAT_MIN + (size_t)rand() % 600;
        size_t distance = size + (size_t)rand() % 32000, old = from + at + literals;

        for (; literals > 0 && at < SIZE; literals--)
            text[from + at++] = (uint8_t)((unsigned)rand() % sides);
        if (distance > CT_REPEAT_DISTANCE_MAX)
            distance = CT_REPEAT_DISTANCE_MAX;
        if (at + size > SIZE || distance > old || distance < size)
            continue;
        memcpy(text + from + at, text + from + at - distance, size);
        repeats[count++] = (struct ct_repeat){ (uint32_t)at, (uint16_t)size, (uint16_t)distance };
        at += size;
    }
    while (at < SIZE)
        text[from + at++] = (uint8_t)((unsigned)rand() % sides);
    return count;
}

/* `told` has a bit for each buffer whose repetitions are told. */
static void assert_unpacks(unsigned told, unsigned sides)
{
    static struct ct_repeat repeats[REPEATS];
    struct ct_gzip *gzip = ct_gzip_new();

    assert_non_null(gzip);
    packed_size = 0;
    for (size_t i = 0; i < BUFFERS; i++) {
        size_t count = make_buffer(i * SIZE, sides, repeats);

        assert_int_equal(ct_gzip_feed(gzip, text + i * SIZE, SIZE, repeats, told >> i & 1 ? count : 0, take, NULL), 0);
    }
    assert_int_equal(ct_gzip_end(gzip, take, NULL), 0);
    ct_gzip_free(gzip);
    assert_int_equal(unpack(), SIZE * BUFFERS);
    assert_memory_equal(text, unpacked, SIZE * BUFFERS);
}

static void every_mixture_unpacks(void **state)
{
    static const unsigned told[] = { 0xfff, 0, 0x555, 0xaaa, 0x7ff, 0xffe, 0x0f0 };
    static const unsigned sides[] = { 1, 2, 10, 256 };

    for (size_t i = 0; i < sizeof told / sizeof *told; i++)
        for (size_t k = 0; k < sizeof sides / sizeof *sides; k++)
            assert_unpacks(told[i], sides[k]);
}

static void every_length_and_distance(void **state)
{
    struct ct_repeat repeat = { .at = SIZE / 2 };
    struct ct_gzip *gzip;

    for (size_t i = 0; i < SIZE; i++)
        text[i] = (uint8_t)rand();
    for (unsigned size = CT_REPEAT_MIN; size < 800; size++) {
        repeat.size = (uint16_t)size;
        repeat.distance = (uint16_t)(size + size * 41 % (CT_REPEAT_DISTANCE_MAX - size));
        memcpy(text + repeat.at, text + repeat.at - repeat.distance, size);
        gzip = ct_gzip_new();
        packed_size = 0;
        assert_int_equal(ct_gzip_feed(gzip, text, SIZE, &repeat, 1, take, NULL), 0);
        assert_int_equal(ct_gzip_end(gzip, take, NULL), 0);
        ct_gzip_free(gzip);
        assert_int_equal(unpack(), SIZE);
        assert_memory_equal(text, unpacked, SIZE);
    }
}

static void nothing_is_a_stream_too(void **state)
{
    struct ct_gzip *gzip = ct_gzip_new();

    packed_size = 0;
    assert_int_equal(ct_gzip_end(gzip, take, NULL), 0);
    ct_gzip_free(gzip);
    assert_int_equal(unpack(), 0);
}

/* Sizes fill the tree exactly, none is longer than allowed, and what occurs more has no longer code. */
static void assert_codes(const uint32_t *counts, unsigned symbols, unsigned longest)
{
    struct ct_huffman_code codes[CT_HUFFMAN_SYMBOLS_MAX];
    unsigned sum = 0;

    ct_huffman_codes(counts, symbols, longest, codes);
    for (unsigned i = 0; i < symbols; i++) {
        assert_true(codes[i].size <= longest);
        assert_true(counts[i] == 0 || codes[i].size > 0);
        sum += codes[i].size ? 1u << (longest - codes[i].size) : 0;
        for (unsigned k = 0; k < symbols; k++)
            assert_true(counts[i] <= counts[k] || codes[i].size <= codes[k].size || codes[k].size == 0);
    }
    assert_int_equal(sum, 1u << longest);
}

static void codes_are_short_enough(void **state)
{
    uint32_t counts[286] = { 0 };

    assert_codes(counts, 30, 15);               /* two symbols get one all the same */
    counts[7] = 5;
    assert_codes(counts, 30, 15);
    counts[0] = counts[1] = 1;
    for (unsigned i = 2; i < 30; i++)           /* Fibonacci's numbers make the deepest tree */
        counts[i] = counts[i - 1] + counts[i - 2];
    assert_codes(counts, 30, 15);
    assert_codes(counts, 19, 7);
    for (unsigned i = 0; i < 286; i++)
        counts[i] = 1 + (unsigned)rand() % (1u << (unsigned)rand() % 17);
    assert_codes(counts, 286, 15);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_mixture_unpacks), cmocka_unit_test(every_length_and_distance),
        cmocka_unit_test(nothing_is_a_stream_too), cmocka_unit_test(codes_are_short_enough),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

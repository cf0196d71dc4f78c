/* Where packets bear their UUID and their size: as LTTng, babeltrace2 and barectf say it, and in texts of any bytes. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h>

#include "converter/bt2/tsdl.h"
#include "tests/guard.h"

static const char lttng[] =
    "/* CTF 1.8 */ typealias integer { size = 8; align = 8; signed = false; } := uint8_t;\n"
    "typealias integer { size = 32; align = 8; signed = false; } := uint32_t;\n"
    "typealias integer { size = 64; align = 8; signed = false; } := uint64_t;\n"
    "typealias integer { size = 64; align = 8; signed = false; } := unsigned long;\n"
    "trace {\n major = 1;\n minor = 8; uuid = \"11b5b4d4-57de-4d69-bc3f-ee1fec3a4e9d\";\n byte_order = le;\n"
    " packet.header := struct { uint32_t magic; uint8_t uuid[16]; uint32_t stream_id; uint64_t stream_instance_id; };\n};\n"
    "env { hostname = \"trace { uuid\"; };\n"
    "clock { name = \"monotonic\"; uuid = \"22b5b4d4-57de-4d69-bc3f-ee1fec3a4e9d\"; freq = 1000000000; };\n"
    "typealias integer { size = 64; align = 8; map = clock.monotonic.value; } := uint64_clock_monotonic_t;\n"
    "struct packet_context { uint64_clock_monotonic_t timestamp_begin; uint64_clock_monotonic_t timestamp_end; uint64_t content_size;\n"
    " uint64_t packet_size; uint64_t packet_seq_num; unsigned long events_discarded; uint32_t cpu_id; };\n"
    "stream { id = 0; packet.context := struct packet_context; };\n";

static struct ct_tsdl tsdl_of(const char *text)
{
    struct guard g = guard_over(text, strlen(text));
    struct ct_tsdl t;

    assert_int_equal(ct_tsdl_read((const char *)g.at, strlen(text), &t), 0);
    guard_end(&g);
    return t;
}

static void lttng_is_understood(void **state)
{
    struct ct_tsdl t = tsdl_of(lttng);

    assert_true(t.has_uuid && t.in_packets && !t.big_endian);
    assert_int_equal(t.uuid[0], 0x11);
    assert_int_equal(t.uuid[15], 0x9d);
    assert_int_equal(t.uuid_at, 4);
    assert_true(t.stream_id.at == 4 + 16 && t.stream_id.bytes == 4);
    assert_true(t.stream_count == 1 && t.streams[0].id == 0);
    assert_int_equal(t.streams[0].size.at, 4 + 16 + 4 + 8 + 24);
    assert_int_equal(t.streams[0].size.bytes, 8);
}

/* Each class of streams has its own context, behind what is no integer, too. */
static void streams_differ(void **state)
{
    static const char text[] =
        "typealias integer { size = 8; align = 8; } := u8; typealias integer { size = 64; align = 8; } := u64;\n"
        "trace { uuid = \"11b5b4d4-57de-4d69-bc3f-ee1fec3a4e9d\"; packet.header := struct { u8 uuid[16];\n"
        "enum kind : u8 { ONE = 7, OTHER } kind; floating_point { exp_dig = 8; mant_dig = 24; align = 8; } version;\n"
        "enum : integer { size = 16; align = 8; } { A, B } stream_id; } align(8); };\n"
        "stream { id = 0x10; packet.context := struct { u64 packet_size; string who; }; event.header := struct { u8 id; }; };\n"
        "stream { id = 17; event.header := struct { u8 id; }; packet.context := struct { u8 cpu; u64 packet_size; } align(64); };\n"
        "stream { id = 70000; packet.context := struct { u8 many[70000]; u64 packet_size; }; };\n"
        "stream { id = 4294967295; packet.context := struct { string who; u64 packet_size; }; };\n";
    struct ct_tsdl t = tsdl_of(text);

    assert_true(t.in_packets && t.uuid_at == 0);
    assert_true(t.stream_id.at == 16 + 1 + 4 && t.stream_id.bytes == 2);
    assert_int_equal(t.stream_count, 4);
    assert_true(t.streams[0].id == 16 && t.streams[0].size.bytes == 0);         /* a string may want it at 24 */
    assert_true(t.streams[1].id == 17 && t.streams[1].size.at == 24 + 1 && t.streams[1].size.bytes == 8);
    assert_true(t.streams[2].id == 70000 && t.streams[2].size.bytes == 0);
    assert_true(t.streams[3].id == UINT32_MAX && t.streams[3].size.bytes == 0);
    t = tsdl_of("trace { packet.header := struct { integer { size = 64; } magic; }; };\n"
                "stream { packet.context := struct { integer { size = 64; } packet_size; string who; }; };");
    assert_true(t.streams[0].size.at == 8 && t.streams[0].size.bytes == 8);     /* from there any number begins alike */
}

static void alignments_count(void **state)
{
    struct ct_tsdl t = tsdl_of("trace { byte_order = be; uuid = \"11b5b4d4-57de-4d69-bc3f-ee1fec3a4e9d\";\n"
                               "packet.header := struct { integer { size = 32; align = 32; } magic; integer { size = 8; } id;\n"
                               "integer { size = 8; } uuid[16]; } align(8); };\n"
                               "stream { packet.context := struct { integer { size = 8; } a; integer { size = 32; align = 64; } packet_size; }; };\n"
                               "stream { packet.context := struct { integer { size = 64; align = 64; } b; }; };");

    assert_true(t.in_packets && t.big_endian);
    assert_int_equal(t.uuid_at, 5);
    assert_int_equal(t.stream_count, 2);
    assert_true(t.streams[0].size.at == 24 + 8 && t.streams[0].size.bytes == 4);
    assert_int_equal(t.streams[1].size.bytes, 0);
    t = tsdl_of("trace { packet.header := struct { integer { size = 40; } magic; }; }; stream { packet.context :=\n"
                "struct { integer { size = 8; } a; integer { size = 32; align = 64; } packet_size; }; };");
    assert_false(t.has_uuid || t.in_packets);
    assert_int_equal(t.streams[0].size.at, 16);
    assert_int_equal(t.streams[0].size.bytes, 4);
}

static void what_is_not_understood_is_not_known(void **state)
{
    static const char *const texts[] = {
        "", "trace", "trace {", "trace { uuid = \"", "trace { uuid = \"11\"; packet.header := struct { enum : int { a } x; uint8_t uuid[16]; }; };",
        "trace { packet.header := struct nobody; };", "/* trace {", "// trace { packet.header := struct {",
        "trace { packet.header := struct { integer { size = 99999999999; } uuid[99999999]; }; };",
        "typealias integer { size = 8; } := ; trace { packet.header := struct { u uuid[16]; }; };",
        "trace { packet.header := struct { integer { size = 8; align = 3; } uuid[16]; }; };",
    };

    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
        assert_false(tsdl_of(texts[i]).in_packets);
}

static void cut_anywhere_and_any_bytes(void **state)
{
    char text[sizeof lttng];

    for (size_t size = 0; size < sizeof lttng; size++) {
        memcpy(text, lttng, size);
        text[size] = '\0';
        tsdl_of(text);
    }
    srandom(1);
    for (unsigned i = 0; i < 3000; i++) {
        memcpy(text, lttng, sizeof lttng);
        for (unsigned k = 0; k < 4; k++)
            text[(size_t)random() % (sizeof lttng - 1)] = "{};:=[]\"/*\\9 "[random() % 13];
        tsdl_of(text);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(lttng_is_understood),
        cmocka_unit_test(streams_differ),
        cmocka_unit_test(alignments_count),
        cmocka_unit_test(what_is_not_understood_is_not_known),
        cmocka_unit_test(cut_anywhere_and_any_bytes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

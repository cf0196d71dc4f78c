/* Reading: what was written comes back, what Go wrote too, and no bytes do harm. */
#include <errno.h>
#include <zlib.h>

#include "converter/profile/unpack.h"
#include "tests/converter/profile/shop.h"
#include "tests/guard.h"

static struct shop_bytes plain_of(const struct ct_profile *p)
{
    struct shop_bytes bytes = { 0 };

    assert_int_equal(ct_profile_write_plain(p, shop_sink, &bytes), 0);
    return bytes;
}

/* With nothing readable behind the bytes. */
static int read_guarded(const void *bytes, size_t size, struct ct_profile **ret, struct ct_error *err)
{
    struct guard g = guard_over(bytes, size);
    int r = ct_profile_read(g.at, size, NULL, ret, err);

    guard_end(&g);
    return r;
}

static void comes_back(void **state)
{
    struct ct_profile *p = shop_profile(), *q;
    struct shop_bytes first, second;
    struct ct_error err;

    p->default_type = shop_text(p, "cpu");
    p->drop_frames = shop_text(p, "^start_thread$");
    p->keep_frames = shop_text(p, "keep\xff");
    p->doc_url = shop_text(p, "https://example.org/");
    first = plain_of(p);
    assert_int_equal(read_guarded(first.at, first.size, &q, &err), 0);
    assert_string_equal(ct_profile_at(q, q->default_type), "cpu");
    assert_string_equal(ct_profile_at(q, q->drop_frames), "^start_thread$");
    assert_string_equal(ct_profile_at(q, q->keep_frames), "keep\xef\xbf\xbd");
    assert_string_equal(ct_profile_at(q, q->doc_url), "https://example.org/");
    assert_string_equal(ct_profile_at(q, q->comments.items[0]), "made by a test");
    assert_int_equal(q->samples.count, 3);
    assert_int_equal(q->time_ns, p->time_ns);
    assert_int_equal(q->duration_ns, p->duration_ns);
    assert_int_equal(q->period, 10000000);
    assert_true(q->mappings.items[0].has_inline_frames);
    assert_false(q->mappings.items[1].has_filenames);
    second = plain_of(q);
    assert_int_equal(second.size, first.size);
    assert_memory_equal(second.at, first.at, first.size - 40);      /* but for the mended text */
    ct_profile_free(p);
    ct_profile_free(q);
    free(first.at);
    free(second.at);
}

/* Cut anywhere: an error, or what was whole; never a crash, a leak or a read behind the end. */
static void cut_anywhere(void **state)
{
    struct ct_profile *p = shop_profile(), *q;
    struct shop_bytes bytes = plain_of(p), packed = { 0 };
    struct ct_error err;
    unsigned errors = 0;

    assert_int_equal(ct_profile_write(p, shop_sink, &packed), 0);
    for (size_t size = 0; size < bytes.size; size++) {
        int r = read_guarded(bytes.at, size, &q, &err);

        errors += r < 0;
        if (r < 0)
            assert_true(err.code == r && err.text[0]);
        else
            ct_profile_free(q);
    }
    assert_true(errors > bytes.size / 2);
    for (size_t size = 0; size < packed.size; size++)
        assert_true(read_guarded(packed.at, size, &q, &err) < 0);
    ct_profile_free(p);
    free(bytes.at);
    free(packed.at);
}

/* Each byte in turn gets other values. */
static void bitten(void **state)
{
    static const uint8_t bites[] = { 0x00, 0x01, 0x7f, 0x80, 0xff };
    struct ct_profile *p = shop_profile(), *q;
    struct shop_bytes bytes = plain_of(p);
    struct ct_error err;

    for (size_t at = 0; at < bytes.size; at++) {
        uint8_t was = bytes.at[at];

        for (size_t i = 0; i < sizeof bites; i++) {
            bytes.at[at] = bites[i];
            if (read_guarded(bytes.at, bytes.size, &q, &err) == 0)
                ct_profile_free(q);
        }
        bytes.at[at] = was;
    }
    ct_profile_free(p);
    free(bytes.at);
}

/* Messages by hand: "\x32" is a text, "\x0a" a sample type, "\x12" a sample, "\x1a" a mapping, "\x22" a location ... */
static void contradictions(void **state)
{
#define TEXTS "\x32\x00\x32\x01" "a"
#define TYPE  "\x0a\x02\x08\x01"
    static const struct {
        const char *bytes;
        size_t size;
        int code;
        const char *text;
    } cases[] = {
#define CASE(bytes, code, text) { bytes, sizeof(bytes) - 1, code, text }
        CASE("", -EINVAL, "empty"),
        CASE("heap profile: 1: 2 [3: 4] @ heap/5\n", -EINVAL, "not a profile"),
        CASE(TEXTS, -EINVAL, "what its values are"),
        CASE("\x32\x01" "a", -EINVAL, "first text"),
        CASE(TEXTS "\x0a\x02\x08\x07", -EINVAL, "no text 7"),
        CASE(TEXTS TYPE "\x12\x03\x0a\x01\x01", -EINVAL, "0 values"),
        CASE(TEXTS TYPE TYPE "\x12\x03\x12\x01\x05", -EINVAL, "1 values, the profile 2"),
        CASE(TEXTS TYPE "\x12\x06\x0a\x01\x01\x12\x01\x05", -EINVAL, "no location 1"),
        CASE(TEXTS TYPE "\x22\x04\x08\x01\x10\x05", -EINVAL, "no mapping 5"),
        CASE(TEXTS TYPE "\x22\x02\x18\x05", -EINVAL, "location has no id"),
        CASE(TEXTS TYPE "\x22\x02\x08\x05\x22\x02\x08\x05", -EINVAL, "location 5 is there twice"),
        CASE(TEXTS TYPE "\x22\x06\x08\x01\x22\x02\x08\x09", -EINVAL, "no function 9"),
        CASE(TEXTS TYPE "\x1a\x04\x08\x01\x28\x03", -EINVAL, "no text 3"),
        CASE(TEXTS TYPE "\x12\x05\x08", -ENODATA, "are left"),
        CASE(TEXTS TYPE "\x10\x05", -EINVAL, "wire type 0"),
        CASE(TEXTS TYPE "\x22\x02\x08", -ENODATA, ""),
        CASE(TEXTS TYPE "\x22\x02\x0a\x7f", -EINVAL, "malformed"),
        CASE(TEXTS TYPE "\x6a\x01\x05", -EINVAL, "no text 5"),
        CASE(TEXTS TYPE "\x48\xff\xff\xff\xff\xff\xff\xff\xff\xff\x02", -EINVAL, "64 bits"),
        CASE(TEXTS TYPE "\x0b", -EINVAL, "wire type 3"),
        CASE(TEXTS TYPE "\x48\x05\x78\x01\xa0\x06\x01", 0, ""),         /* unknown fields are no harm */
    };

    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct ct_profile *p = NULL;
        struct ct_error err = { 0 };

        if (read_guarded(cases[i].bytes, cases[i].size, &p, &err) != cases[i].code ||
            !strstr(err.text, cases[i].text))
            fail_msg("case %zu: %d %s", i, err.code, err.text);
        ct_profile_free(p);
    }
}

/* Not packed, as old encoders wrote them; and more labels than a sample may have. */
static void comments_and_labels(void **state)
{
    static const char loose[] = TEXTS TYPE "\x68\x01\x6a\x02\x01\x00\x68\x01";
    static const char head[] = TEXTS TYPE "\x12\x87\x08\x12\x01\x05";       /* 257 labels of 4 bytes, and 3 */
    char bytes[sizeof head - 1 + 257 * 4];
    struct ct_profile *p;
    struct ct_error err;

    assert_int_equal(read_guarded(loose, sizeof loose - 1, &p, &err), 0);
    assert_int_equal(p->comments.count, 4);
    assert_string_equal(ct_profile_at(p, p->comments.items[3]), "a");
    ct_profile_free(p);
    memcpy(bytes, head, sizeof head - 1);
    for (size_t at = sizeof head - 1; at < sizeof bytes; at += 4)
        memcpy(bytes + at, "\x1a\x02\x08\x01", 4);
    assert_int_equal(read_guarded(bytes, sizeof bytes, &p, &err), -EFBIG);
    assert_non_null(strstr(err.text, "257 labels"));
}

static uint8_t *pack(const void *bytes, size_t size, size_t *ret_size)
{
    z_stream zip = { .next_in = (Bytef *)bytes, .avail_in = (uInt)size };
    uint8_t *packed = malloc(size + 1000);

    assert_non_null(packed);
    assert_int_equal(deflateInit2(&zip, 9, Z_DEFLATED, 15 + 16, 9, Z_DEFAULT_STRATEGY), Z_OK);
    zip.next_out = packed;
    zip.avail_out = (uInt)size + 1000;
    assert_int_equal(deflate(&zip, Z_FINISH), Z_STREAM_END);
    *ret_size = zip.total_out;
    deflateEnd(&zip);
    return packed;
}

static void bombs(void **state)
{
    struct ct_profile_limits limits = { .plain = 1 << 20, .memory = 1 << 20 };
    size_t size = 8 << 20, packed_size, plain_size;
    uint8_t *zeros = calloc(1, size), *packed = pack(zeros, size, &packed_size), *plain;
    struct ct_profile *p;
    struct ct_error err;

    assert_int_equal(ct_profile_read(packed, packed_size, &limits, &p, &err), -EFBIG);
    assert_non_null(strstr(err.text, "1048576"));
    assert_int_equal(ct_unpack(packed, packed_size, size, &plain, &plain_size, &err), 0);   /* exactly the limit */
    assert_int_equal(plain_size, size);
    free(plain);
    assert_int_equal(ct_unpack(packed, packed_size, size - 1, &plain, &plain_size, &err), -EFBIG);
    free(packed);
    /* few bytes of file, much memory: as many empty texts as fit */
    for (size_t i = 0; i < size; i += 2)
        zeros[i] = 0x32;
    limits.plain = 64 << 20;
    assert_int_equal(ct_profile_read(zeros, size, &limits, &p, &err), -EFBIG);
    free(zeros);
}

static void joined_and_damaged_gzip(void **state)
{
    struct ct_profile *p = shop_profile(), *q;
    struct shop_bytes bytes = plain_of(p);
    size_t half = bytes.size / 2, first_size, second_size;
    uint8_t *first = pack(bytes.at, half, &first_size), *second = pack(bytes.at + half, bytes.size - half, &second_size);
    uint8_t *both = malloc(first_size + second_size + 4);
    struct ct_error err;

    memcpy(both, first, first_size);
    memcpy(both + first_size, second, second_size);
    assert_int_equal(read_guarded(both, first_size + second_size, &q, &err), 0);
    assert_int_equal(q->samples.count, 3);
    ct_profile_free(q);
    memcpy(both + first_size + second_size, "junk", 4);
    assert_int_equal(read_guarded(both, first_size + second_size + 4, &q, &err), -EINVAL);
    both[first_size / 2] ^= 0x10;
    assert_int_equal(read_guarded(both, first_size + second_size, &q, &err), -EINVAL);
    ct_profile_free(p);
    free(bytes.at);
    free(first);
    free(second);
    free(both);
}

static const char go_program[] =
    "package main\n"
    "import (\"os\"; \"runtime\"; \"runtime/pprof\"; \"context\"; \"sync\"; \"time\")\n"
    "var sink [][]byte\n"
    "//go:noinline\n"
    "func spin(d time.Duration) int {\n"
    "    n := 0\n"
    "    for end := time.Now().Add(d); time.Now().Before(end); { n++ }\n"
    "    return n\n"
    "}\n"
    "func main() {\n"
    "    runtime.SetMutexProfileFraction(1)\n"
    "    runtime.SetBlockProfileRate(1)\n"
    "    runtime.MemProfileRate = 1024\n"
    "    f, _ := os.Create(\"go-cpu.pb.gz\")\n"
    "    pprof.StartCPUProfile(f)\n"
    "    pprof.Do(context.Background(), pprof.Labels(\"who\", \"spinner\"), func(context.Context) { spin(400 * time.Millisecond) })\n"
    "    pprof.StopCPUProfile()\n"
    "    f.Close()\n"
    "    var mu sync.Mutex\n"
    "    var wg sync.WaitGroup\n"
    "    for i := 0; i < 4; i++ {\n"
    "        wg.Add(1)\n"
    "        go func() { mu.Lock(); time.Sleep(5 * time.Millisecond); mu.Unlock(); wg.Done() }()\n"
    "    }\n"
    "    wg.Wait()\n"
    "    for i := 0; i < 3000; i++ { sink = append(sink, make([]byte, i)) }\n"
    "    for _, name := range []string{\"heap\", \"allocs\", \"block\", \"mutex\", \"goroutine\", \"threadcreate\"} {\n"
    "        f, _ := os.Create(\"go-\" + name + \".pb.gz\")\n"
    "        pprof.Lookup(name).WriteTo(f, 0)\n"
    "        f.Close()\n"
    "    }\n"
    "}\n";

/* Go's own profiles: our copy gives the same report, so nothing was lost or changed. */
static void reads_what_go_wrote(void **state)
{
    static const char *const names[] = { "cpu", "heap", "allocs", "block", "mutex", "goroutine", "threadcreate" };

    if (!shop_has_go())
        skip();
    shop_write_file("main.go", go_program, sizeof go_program - 1);
    shop_run("go build -o main main.go 2>&1 && ./main 2>&1");
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        struct ct_profile *p;
        char name[64];

        snprintf(name, sizeof name, "go-%s.pb.gz", names[i]);
        p = shop_read(name);
        assert_true(p->samples.count > 0);
        shop_write(p, "copy.pb.gz");
        ct_profile_free(p);
        shop_run("go tool pprof -symbolize=none -traces -lines %s | grep -v ^File >a && go tool pprof -symbolize=none"
                 " -traces -lines copy.pb.gz | grep -v ^File >b && sort a >c && sort b >d && diff c d && test -s a", name);
        shop_run("go tool pprof -symbolize=none -raw %s | sed '1,/^Samples/d; /^Locations/,$d' | wc -l >a;"
                 "go tool pprof -symbolize=none -raw copy.pb.gz | sed '1,/^Samples/d; /^Locations/,$d' | wc -l >b; diff a b", name);
        shop_run("go tool pprof -symbolize=none -raw %s | sed '1,/^Mappings/d' >a;"
                 "go tool pprof -symbolize=none -raw copy.pb.gz | sed '1,/^Mappings/d' >b; diff a b", name);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(comes_back),
        cmocka_unit_test(cut_anywhere),
        cmocka_unit_test(bitten),
        cmocka_unit_test(contradictions),
        cmocka_unit_test(comments_and_labels),
        cmocka_unit_test(bombs),
        cmocka_unit_test(joined_and_damaged_gzip),
        cmocka_unit_test(reads_what_go_wrote),
    };

    return cmocka_run_group_tests(tests, shop_open, shop_close);
}

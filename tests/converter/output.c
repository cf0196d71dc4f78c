/* Output: a file is there when it is whole and not before, errors are told, .gz unpacks to what was written. */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>

#include <cmocka.h>

#include "converter/output.h"

enum { LARGE = 5 << 20 };

static char folder[] = "/tmp/ctrace-output-XXXXXX";
static char path[sizeof folder + 16];

static int make_folder(void **state)
{
    if (!mkdtemp(folder))
        return -1;
    snprintf(path, sizeof path, "%s/out", folder);
    return 0;
}

static int remove_folder(void **state)
{
    unlink(path);
    return rmdir(folder);               /* fails when anything else was left there */
}

static bool exists(void)
{
    return access(path, F_OK) == 0;
}

/* Bytes that do not compress to nothing. */
static void write_large(struct ct_output *out)
{
    uint32_t dice = 1;

    for (size_t i = 0; i < LARGE / 8; i++) {
        char line[16];

        dice = dice * 1664525 + 1013904223;
        snprintf(line, sizeof line, "%08x", dice >> 12);
        memcpy(ct_output_room(out, 8), line, 8);
        ct_output_advance(out, out->at + 8);
    }
}

static void assert_large(const char *name)
{
    gzFile file = gzopen(name, "rb");   /* reads plain files too */
    char line[8], wanted[16];
    uint32_t dice = 1;

    assert_non_null(file);
    for (size_t i = 0; i < LARGE / 8; i++) {
        dice = dice * 1664525 + 1013904223;
        snprintf(wanted, sizeof wanted, "%08x", dice >> 12);
        assert_int_equal(gzread(file, line, 8), 8);
        assert_memory_equal(line, wanted, 8);
    }
    assert_int_equal(gzread(file, line, 1), 0);
    assert_int_equal(gzclose(file), Z_OK);
}

static void appears_when_whole(void **state)
{
    for (int gzip = 0; gzip < 2; gzip++) {
        struct ct_output out;
        struct ct_error err;
        struct stat st;

        assert_int_equal(ct_output_open(&out, path, gzip, &err), 0);
        write_large(&out);
        assert_false(exists());
        assert_int_equal(ct_output_commit(&out, &err), 0);
        assert_int_equal(stat(path, &st), 0);
        assert_int_equal(st.st_mode & 0777, 0600);
        assert_large(path);
        assert_true(gzip ? st.st_size < LARGE : st.st_size == LARGE / 8 * 8);
        assert_int_equal(unlink(path), 0);
    }
}

static void abort_leaves_nothing(void **state)
{
    for (int gzip = 0; gzip < 2; gzip++) {
        struct ct_output out;
        struct ct_error err;

        assert_int_equal(ct_output_open(&out, path, gzip, &err), 0);
        write_large(&out);
        ct_output_abort(&out);
        ct_output_abort(&out);          /* silent the second time */
        assert_false(exists());
    }
}

static void an_older_file_lives_until_then(void **state)
{
    struct ct_output out;
    struct ct_error err;
    char text[8] = { 0 };
    int fd = open(path, O_WRONLY | O_CREAT, 0644);

    assert_int_equal(write(fd, "old", 3), 3);
    close(fd);
    assert_int_equal(ct_output_open(&out, path, false, &err), 0);
    ct_output_string(&out, "new");
    ct_output_abort(&out);
    fd = open(path, O_RDONLY);
    assert_int_equal(read(fd, text, sizeof text), 3);
    close(fd);
    assert_string_equal(text, "old");
    assert_int_equal(ct_output_open(&out, path, false, &err), 0);
    ct_output_string(&out, "new");
    assert_int_equal(ct_output_commit(&out, &err), 0);
    fd = open(path, O_RDONLY);
    assert_int_equal(read(fd, text, sizeof text), 3);
    close(fd);
    assert_string_equal(text, "new");
    unlink(path);
}

static void devices_stay_devices(void **state)
{
    struct ct_output out;
    struct ct_error err;
    struct stat st;

    assert_int_equal(ct_output_open(&out, "/dev/null", false, &err), 0);
    write_large(&out);
    assert_int_equal(ct_output_commit(&out, &err), 0);
    assert_int_equal(stat("/dev/null", &st), 0);
    assert_true(S_ISCHR(st.st_mode));
}

static void errors_are_told(void **state)
{
    for (int gzip = 0; gzip < 2; gzip++) {
        struct ct_output out;
        struct ct_error err;

        assert_int_equal(ct_output_open(&out, "/dev/full", gzip, &err), 0);
        write_large(&out);
        assert_int_equal(ct_output_commit(&out, &err), -ENOSPC);
        assert_int_equal(err.code, -ENOSPC);
        assert_int_equal(ct_output_open(&out, "/nowhere/at/all", gzip, &err), -ENOENT);
        assert_int_equal(ct_output_open(&out, folder, gzip, &err), -EISDIR);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(appears_when_whole),
        cmocka_unit_test(abort_leaves_nothing),
        cmocka_unit_test(an_older_file_lives_until_then),
        cmocka_unit_test(devices_stay_devices),
        cmocka_unit_test(errors_are_told),
    };

    return cmocka_run_group_tests(tests, make_folder, remove_folder);
}

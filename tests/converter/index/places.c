/* Where index files go: beside the trace, to the folder asked for, to the cache, to nowhere; and what goes from the cache. */
#include <dirent.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "converter/index/cache.h"
#include "random_trace.h"
#include "tests/converter/traces.h"
#include "workshop.h"

static int open_trace(void *context, struct ct_reader **ret, struct ct_error *err)
{
    struct workshop *shop = context;
    struct ct_read_input input = { .path = shop->trace, .fd = -1 };

    return ct_reader_open(&input, 1, NULL, ret, err);
}

static void close_trace(void *context, struct ct_reader *reader)
{
    ct_reader_close(reader);
}

/* Opens and closes; fills where the index stands, and returns whether it was there already. */
static bool visit(struct workshop *shop, const char *trace, const struct ct_index_options *options,
                  struct ct_index_progress *p)
{
    struct ct_index_source source = { .paths = &trace, .count = 1, .open = open_trace, .close = close_trace, .context = shop };
    struct ct_index *index;
    struct ct_error err;

    if (ct_index_open(&source, options, &index, &err) < 0)
        fail_msg("%s", err.text);
    ct_index_wait(index);
    ct_index_progress(index, p);
    if (p->state != CT_INDEX_READY)
        fail_msg("%s", p->error);
    ct_index_close(index);
    return p->from_file;
}

static void begin(struct workshop *shop)
{
    struct random_trace how = { .seed = 3, .threads = 2, .events = 30, .generations = 1 };
    size_t size;
    char *bytes = random_trace_bytes(&how, &size);

    workshop_begin(shop, bytes, size);
    free(bytes);
}

static void beside_the_trace(void **state)
{
    struct ct_index_progress p;
    struct workshop shop;
    char *path;

    begin(&shop);
    assert_false(visit(&shop, shop.trace, NULL, &p));
    path = workshop_file(&shop);
    assert_string_equal(p.file, path);
    assert_true(visit(&shop, shop.trace, NULL, &p));
    free(path);
    workshop_end(&shop);
}

static void in_a_folder(void **state)
{
    struct ct_index_progress p;
    struct workshop shop;
    char folder[80];
    struct ct_index_options options = { .folder = folder };

    begin(&shop);
    snprintf(folder, sizeof folder, "%s/made", shop.folder);
    assert_false(visit(&shop, shop.trace, &options, &p));
    assert_ptr_equal(strstr(p.file, folder), p.file);
    assert_null(workshop_file(&shop));
    assert_true(visit(&shop, shop.trace, &options, &p));
    assert_int_equal(unlink(p.file), 0);
    assert_int_equal(rmdir(folder), 0);         /* nothing else was left in it */
    workshop_end(&shop);
}

static void nowhere(void **state)
{
    struct ct_index_options options = { .forget = true };
    struct ct_index_progress p;
    struct workshop shop;

    begin(&shop);
    assert_false(visit(&shop, shop.trace, &options, &p));
    assert_false(visit(&shop, shop.trace, &options, &p));
    assert_string_equal(p.file, "");
    assert_null(workshop_file(&shop));
    workshop_end(&shop);
}

/* A folder that takes no file, root's either: /proc/self/fd/N as the trace's name. */
static void in_the_cache(void **state)
{
    struct ct_index_progress p;
    struct workshop shop;
    char name[64], cache[80], made[160];
    int fd;

    begin(&shop);
    fd = open(shop.trace, O_RDONLY);
    assert_true(fd >= 0);
    snprintf(name, sizeof name, "/proc/self/fd/%d", fd);
    snprintf(cache, sizeof cache, "%s/cache", shop.folder);
    assert_int_equal(setenv("XDG_CACHE_HOME", cache, 1), 0);
    assert_false(visit(&shop, name, NULL, &p));
    assert_ptr_equal(strstr(p.file, cache), p.file);
    assert_true(visit(&shop, name, NULL, &p));
    unsetenv("XDG_CACHE_HOME");
    close(fd);
    unlink(p.file);
    snprintf(made, sizeof made, "%s/ctrace", cache);
    assert_int_equal(rmdir(made), 0);
    assert_int_equal(rmdir(cache), 0);
    workshop_end(&shop);
}

/* --- the cache --- */

static void put(const struct workshop *shop, const char *name, size_t size, time_t used)
{
    struct timespec times[2] = { { .tv_sec = used }, { .tv_sec = used } };
    char path[200], bytes[100] = { 0 };

    snprintf(path, sizeof path, "%s/%s", shop->folder, name);
    file_write(path, bytes, size);
    assert_int_equal(utimensat(AT_FDCWD, path, times, 0), 0);
}

static bool is_there(const struct workshop *shop, const char *name)
{
    char path[200];

    snprintf(path, sizeof path, "%s/%s", shop->folder, name);
    return access(path, F_OK) == 0;
}

static void the_oldest_go(void **state)
{
    struct workshop shop;
    char path[200];

    begin(&shop);
    put(&shop, "a.idx", 50, 1000);
    put(&shop, "b.idx", 50, 3000);
    put(&shop, "c.idx", 50, 2000);
    put(&shop, "new.idx", 50, 500);
    put(&shop, "other", 90, 1);
    snprintf(path, sizeof path, "%s/new.idx", shop.folder);
    ct_cache_trim(path, 200);
    assert_true(is_there(&shop, "a.idx"));      /* just as much as may be */
    snprintf(path, sizeof path, "%s/a.idx", shop.folder);
    ct_cache_touch(path);
    snprintf(path, sizeof path, "%s/new.idx", shop.folder);
    ct_cache_trim(path, 149);
    assert_true(is_there(&shop, "new.idx"));    /* it was made for this */
    assert_true(is_there(&shop, "a.idx"));
    assert_false(is_there(&shop, "b.idx"));
    assert_false(is_there(&shop, "c.idx"));
    assert_true(is_there(&shop, "other"));
    workshop_end(&shop);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(beside_the_trace),
        cmocka_unit_test(in_a_folder),
        cmocka_unit_test(nowhere),
        cmocka_unit_test(in_the_cache),
        cmocka_unit_test(the_oldest_go),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

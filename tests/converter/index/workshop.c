/* Temporary folders. */
#include "workshop.h"

#include <dirent.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "tests/converter/traces.h"

void workshop_begin(struct workshop *shop, const void *bytes, size_t size)
{
    snprintf(shop->folder, sizeof shop->folder, "/tmp/ctrace-index-XXXXXX");
    assert_non_null(mkdtemp(shop->folder));
    snprintf(shop->trace, sizeof shop->trace, "%s/trace.out", shop->folder);
    shop->path = shop->trace;
    file_write(shop->trace, bytes, size);
}

void workshop_end(struct workshop *shop)
{
    DIR *dir = opendir(shop->folder);
    struct dirent *entry;
    char path[400];

    while (dir && (entry = readdir(dir))) {
        snprintf(path, sizeof path, "%s/%s", shop->folder, entry->d_name);
        unlink(path);
    }
    if (dir)
        closedir(dir);
    rmdir(shop->folder);
}

static int read_trace(const struct workshop *shop, bool ahead, struct ct_reader **ret, struct ct_error *err)
{
    const struct ct_reader_options options = { .ahead = ahead };
    struct ct_read_input input = { .path = shop->trace, .fd = -1 };

    return ct_reader_open(&input, 1, &options, ret, err);
}

int workshop_read(void *shop, struct ct_reader **ret, struct ct_error *err)
{
    return read_trace(shop, false, ret, err);
}

int workshop_read_ahead(void *shop, struct ct_reader **ret, struct ct_error *err)
{
    return read_trace(shop, true, ret, err);
}

void workshop_close(void *shop, struct ct_reader *reader)
{
    (void)shop;
    ct_reader_close(reader);
}

struct ct_index *workshop_open(struct workshop *shop)
{
    struct ct_index_source source = { .paths = &shop->path, .count = 1, .open = workshop_read_ahead, .close = workshop_close,
                                      .context = shop };
    struct ct_index *index;
    struct ct_error err;

    if (ct_index_open(&source, NULL, &index, &err) < 0)
        fail_msg("%s", err.text);
    return index;
}

char *workshop_file(const struct workshop *shop)
{
    char *path;

    assert_true(asprintf(&path, "%s.idx", shop->trace) > 0);
    if (access(path, F_OK) == 0)
        return path;
    free(path);
    return NULL;
}

void workshop_tell(const void *bytes, size_t size, bool stacks, const struct ct_model_sink *sink, void *context)
{
    struct ct_model_options options = { .from_ns = 0, .to_ns = INT64_C(1) << 53, .stacks = stacks };
    struct ct_read_input input = input_of(bytes, size);
    const struct ct_read_item *item;
    struct ct_reader *reader;
    struct ct_model *model;
    struct ct_error err;

    assert_int_equal(ct_reader_open(&input, 1, NULL, &reader, &err), 0);
    model = ct_model_new(reader, &options, sink, context);
    assert_non_null(model);
    while (ct_reader_next(reader, &item, &err) > 0)
        assert_int_equal(ct_model_items(model, item, 1), 0);
    ct_model_finish(model);
    ct_model_free(model);
    ct_reader_close(reader);
}

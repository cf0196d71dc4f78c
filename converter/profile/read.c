/* Reading a profile: the outermost level of the message, four times over, so that what is referred to comes first. */
#include "converter/profile/read.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "converter/profile/rows.h"
#include "converter/profile/unpack.h"

enum {
    FILE_MAX = 64 << 20,
    PLAIN_MAX = 256 << 20,
};

/* Field numbers of Profile. */
enum {
    SAMPLE_TYPE = 1, SAMPLE, MAPPING, LOCATION, FUNCTION, STRING_TABLE, DROP_FRAMES, KEEP_FRAMES, TIME_NANOS,
    DURATION_NANOS, PERIOD_TYPE, PERIOD, COMMENT, DEFAULT_SAMPLE_TYPE, DOC_URL, LAST_FIELD = DOC_URL,
};

static int add_comment(struct ct_rows *r, uint64_t index)
{
    uint32_t text;
    int result = ct_rows_text_of(r, (int64_t)index, &text);

    return result < 0 ? result : ct_rows_check(r, ct_profile_add_comment(r->profile, ct_profile_at(r->profile, text)));
}

/* Packed or one by one, both are legal. */
static int read_comments(struct ct_rows *r)
{
    struct ct_cursor c = ct_cursor_over(r->field.bytes, r->field.size, r->field.offset);
    uint64_t index;
    int result = 0;

    if (r->field.wire == CT_FIELD_VARINT)
        return add_comment(r, r->field.value);
    while (ct_cursor_left(&c) && result == 0) {
        result = ct_cursor_varint(&c, &index, r->err);
        if (result == 0)
            result = add_comment(r, index);
    }
    return result;
}

static int read_number(struct ct_rows *r)
{
    struct ct_profile *p = r->profile;
    int64_t value = (int64_t)r->field.value;

    switch (r->field.number) {
    case DROP_FRAMES:
        return ct_rows_text_of(r, value, &p->drop_frames);
    case KEEP_FRAMES:
        return ct_rows_text_of(r, value, &p->keep_frames);
    case DEFAULT_SAMPLE_TYPE:
        return ct_rows_text_of(r, value, &p->default_type);
    case DOC_URL:
        return ct_rows_text_of(r, value, &p->doc_url);
    case TIME_NANOS:
        p->time_ns = value;
        return 0;
    case DURATION_NANOS:
        p->duration_ns = value;
        return 0;
    case PERIOD:
        p->period = value;
        return 0;
    default:
        return read_comments(r);
    }
}

/* Of a field that this version knows: what it must look like. */
static int check_field(struct ct_rows *r)
{
    uint32_t number = r->field.number;
    bool message = number <= STRING_TABLE || number == PERIOD_TYPE;

    if (number == COMMENT ? r->field.wire == CT_FIELD_BYTES || r->field.wire == CT_FIELD_VARINT
                          : r->field.wire == (message ? CT_FIELD_BYTES : CT_FIELD_VARINT))
        return message && r->field.size > CT_ROW_BYTES_MAX
            ? ct_error_at(r->err, -EFBIG, r->field.offset, "a row of field %u has %zu bytes", number, r->field.size)
            : 0;
    return ct_error_at(r->err, -EINVAL, r->field.offset, "not a profile: field %u has wire type %u", number,
                       (unsigned)r->field.wire);
}

/* What refers to other rows is read after them, wherever it stands: texts, what names them, locations, samples. */
static int read_field(struct ct_rows *r, unsigned pass)
{
    switch (r->field.number) {
    case STRING_TABLE:
        return pass == 0 ? ct_rows_text(r) : 0;
    case SAMPLE_TYPE:
        return pass == 1 ? ct_rows_sample_type(r) : 0;
    case MAPPING:
        return pass == 1 ? ct_rows_mapping(r) : 0;
    case FUNCTION:
        return pass == 1 ? ct_rows_function(r) : 0;
    case PERIOD_TYPE:
        return pass == 1 ? ct_rows_type(r, &r->profile->period_type) : 0;
    case LOCATION:
        return pass == 2 ? ct_rows_location(r) : 0;
    case SAMPLE:
        return pass == 3 ? ct_rows_sample(r) : 0;
    default:
        return pass == 1 ? read_number(r) : 0;
    }
}

static int read_pass(struct ct_rows *r, unsigned pass)
{
    struct ct_cursor c = ct_cursor_over(r->bytes, r->size, 0);
    int result;

    while ((result = ct_field_next(&c, &r->field, r->err)) > 0) {
        if (r->field.number > LAST_FIELD)
            continue;
        result = pass == 0 ? check_field(r) : 0;
        if (result == 0)
            result = read_field(r, pass);
        if (result < 0)
            return result;
    }
    return result;
}

static int read_plain(const uint8_t *bytes, size_t size, size_t memory, struct ct_profile **ret, struct ct_error *err)
{
    struct ct_rows r = { .bytes = bytes, .size = size, .mappings.noun = "mapping", .locations.noun = "location",
                        .functions.noun = "function", .err = err };
    int result = ct_profile_new(&r.profile);

    if (result < 0)
        return ct_error_at(err, result, 0, "no memory");
    r.profile->bytes_max = memory;
    for (unsigned pass = 0; pass < 4 && result == 0; pass++)
        result = read_pass(&r, pass);
    if (result == 0 && r.profile->type_count == 0)
        result = ct_error_at(err, -EINVAL, 0, "not a profile: it says nowhere what its values are");
    ct_rows_fini(&r);
    if (result < 0)
        ct_profile_free(r.profile);
    else
        *ret = r.profile;
    return result;
}

int ct_profile_read(const void *bytes, size_t size, const struct ct_profile_limits *limits, struct ct_profile **ret,
                    struct ct_error *err)
{
    size_t plain_max = limits && limits->plain ? limits->plain : PLAIN_MAX;
    size_t memory = limits && limits->memory ? limits->memory : CT_PROFILE_BYTES_MAX;
    struct ct_error unwanted;
    uint8_t *plain;
    size_t plain_size;
    int r;

    if (!err)
        err = &unwanted;
    if (size == 0)
        return ct_error_at(err, -EINVAL, 0, "not a profile: it is empty");
    if (!ct_unpack_is_gzip(bytes, size))
        return size > plain_max ? ct_error_at(err, -EFBIG, 0, "%zu bytes are too large for a profile", size)
                                : read_plain(bytes, size, memory, ret, err);
    r = ct_unpack(bytes, size, plain_max, &plain, &plain_size, err);
    if (r < 0)
        return r;
    r = read_plain(plain, plain_size, memory, ret, err);
    free(plain);
    return r;
}

static int slurp(int fd, size_t max, uint8_t **ret, size_t *ret_size, struct ct_error *err)
{
    size_t size = 0, room = 0;
    uint8_t *bytes = NULL, *wide;
    ssize_t n = 1;

    while (n > 0 && size <= max) {
        if (size == room) {
            room = room ? room * 2 : 1 << 16;
            wide = realloc(bytes, room);
            if (!wide) {
                free(bytes);
                return ct_error_at(err, -ENOMEM, size, "no memory");
            }
            bytes = wide;
        }
        do
            n = read(fd, bytes + size, room - size);
        while (n < 0 && errno == EINTR);
        size += n > 0 ? (size_t)n : 0;
    }
    if (n >= 0 && size <= max) {
        *ret = bytes;
        *ret_size = size;
        return 0;
    }
    n = n < 0 ? -errno : -EFBIG;
    free(bytes);
    return ct_error_at(err, (int)n, size, "%s", n == -EFBIG ? "too large for a profile" : strerror((int)-n));
}

int ct_profile_read_fd(int fd, const struct ct_profile_limits *limits, struct ct_profile **ret, struct ct_error *err)
{
    struct ct_error unwanted;
    uint8_t *bytes = NULL;
    size_t size = 0;
    int r = slurp(fd, limits && limits->file ? limits->file : FILE_MAX, &bytes, &size, err ? err : &unwanted);

    if (r < 0)
        return r;
    r = ct_profile_read(bytes, size, limits, ret, err);
    free(bytes);
    return r;
}

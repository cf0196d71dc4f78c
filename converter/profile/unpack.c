/* zlib's inflate into memory that grows with what comes out, not with what the file says will. */
#include "converter/profile/unpack.h"

#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <zlib.h>

enum { FIRST_ROOM = 64 << 10 };

struct unpacking {
    z_stream zip;
    uint8_t *plain;
    size_t size, room, max;
};

bool ct_unpack_is_gzip(const void *bytes, size_t size)
{
    const uint8_t *at = bytes;

    return size >= 2 && at[0] == 0x1f && at[1] == 0x8b;
}

/* One byte more than the limit is made room for: only what does not fit there is too much. */
static int make_room(struct unpacking *u)
{
    size_t wide = u->room ? u->room * 2 : FIRST_ROOM;
    uint8_t *plain;

    if (u->size < u->room)
        return 0;
    if (u->room > u->max)
        return -EFBIG;
    if (wide > u->max + 1)
        wide = u->max + 1;
    plain = realloc(u->plain, wide);
    if (!plain)
        return -ENOMEM;
    u->plain = plain;
    u->room = wide;
    return 0;
}

/* Fills the room; 1 at the end of a member. */
static int step(struct unpacking *u)
{
    size_t room = u->room - u->size;
    int r;

    u->zip.next_out = u->plain + u->size;
    u->zip.avail_out = room > UINT_MAX ? UINT_MAX : (uInt)room;
    room = u->zip.avail_out;
    r = inflate(&u->zip, Z_NO_FLUSH);
    u->size += room - u->zip.avail_out;
    if (u->size > u->max)
        return -EFBIG;
    if (r == Z_STREAM_END)
        return 1;
    if (r == Z_BUF_ERROR || (r == Z_OK && u->zip.avail_in == 0 && u->zip.avail_out > 0))
        return u->zip.avail_in == 0 ? -ENODATA : 0;
    return r == Z_OK ? 0 : r == Z_MEM_ERROR ? -ENOMEM : -EINVAL;
}

static int unpack(struct unpacking *u)
{
    int r = 0;

    for (;;) {
        if (r == 0)
            r = make_room(u);
        if (r == 0)
            r = step(u);
        if (r < 0 || (r == 1 && u->zip.avail_in == 0))
            return r < 0 ? r : 0;
        /* Files of gzip may be joined. */
        if (r == 1 && (!ct_unpack_is_gzip(u->zip.next_in, u->zip.avail_in) || inflateReset(&u->zip) != Z_OK))
            return -EINVAL;
        r = 0;
    }
}

int ct_unpack(const void *bytes, size_t size, size_t max, uint8_t **ret, size_t *ret_size, struct ct_error *err)
{
    struct unpacking u = { .max = max };
    uint64_t at;
    int r;

    if (size > UINT_MAX || max == SIZE_MAX)
        return ct_error_at(err, -EFBIG, 0, "a gzip of %zu bytes is too large", size);
    if (inflateInit2(&u.zip, 15 + 16) != Z_OK)
        return ct_error_at(err, -ENOMEM, 0, "no memory to unpack");
    u.zip.next_in = (Bytef *)bytes;
    u.zip.avail_in = (uInt)size;
    r = unpack(&u);
    at = (uint64_t)(u.zip.next_in - (const Bytef *)bytes);
    inflateEnd(&u.zip);
    if (r == 0) {
        *ret = u.plain;
        *ret_size = u.size;
        return 0;
    }
    free(u.plain);
    if (r == -EFBIG)
        return ct_error_at(err, r, at, "it unpacks to more than %zu bytes", max);
    return r == -ENODATA ? ct_error_at(err, r, at, "the gzip is cut short")
           : r == -ENOMEM ? ct_error_at(err, r, at, "no memory to unpack")
                          : ct_error_at(err, r, at, "the gzip is damaged");
}

/* What is packed with gzip, unpacked into a file. */
#include "converter/read/packed.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

#include "format/file.h"

enum { COPY_SIZE = 1 << 16 };

struct unpacking {
    z_stream zip;
    const struct ct_packed *from;
    uint64_t size;
    bool looked;
    uint8_t packed[COPY_SIZE], plain[COPY_SIZE];
};

/* Takes what inflate made; the first of it must look like a trace. */
static int unpacked(struct unpacking *u, struct ct_error *err)
{
    size_t n = COPY_SIZE - u->zip.avail_out;
    int r = 0;

    if (!u->looked && n && (n >= sizeof(struct ct_file_head) || u->zip.avail_out == 0)) {
        r = u->from->look(u->plain, n, "the gzip holds no trace: it ", err);
        u->looked = r == 0;
    }
    if (r == 0 && u->size + n > u->from->max)
        return ct_error_at(err, -EFBIG, u->size, "unpacks to more than %llu bytes", (unsigned long long)u->from->max);
    if (r == 0 && (r = ct_packed_write(u->from->out, u->plain, n)) < 0)
        return ct_error_at(err, r, u->size, "unpacking: %s", strerror(-r));
    u->size += n;
    u->zip.next_out = u->plain;
    u->zip.avail_out = COPY_SIZE;
    return r;
}

/* One step over the input: 1 go on, 0 the end; `*short_code` tells of an early one. */
static int inflate_step(struct unpacking *u, int *short_code, struct ct_error *err)
{
    int r;

    if (u->zip.avail_in == 0) {
        ssize_t n = ct_packed_read(u->from->in, u->packed, COPY_SIZE);

        if (n < 0)
            return ct_error_at(err, (int)n, 0, "reading: %s", strerror((int)-n));
        u->zip.next_in = u->packed;
        u->zip.avail_in = (uInt)n;
        if (n == 0)
            *short_code = -ENODATA;
        if (n == 0)
            return 0;
    }
    r = inflate(&u->zip, Z_NO_FLUSH);
    if (r == Z_STREAM_END) {
        /* gzip files may be joined: another member can follow, anything else is padding */
        if (u->zip.avail_in == 0) {
            ssize_t n = ct_packed_read(u->from->in, u->packed, COPY_SIZE);

            u->zip.next_in = u->packed;
            u->zip.avail_in = n > 0 ? (uInt)n : 0;
        }
        return u->zip.avail_in && *u->zip.next_in == 0x1f && inflateReset(&u->zip) == Z_OK;
    }
    if (r != Z_OK && r != Z_BUF_ERROR)
        *short_code = -EINVAL;
    if (r != Z_OK && r != Z_BUF_ERROR)
        return 0;
    return 1;
}

static int unpack(struct unpacking *u, int *short_code, struct ct_error *err)
{
    int r;

    u->zip.next_out = u->plain;
    u->zip.avail_out = COPY_SIZE;
    do {
        r = inflate_step(u, short_code, err);
        if (r > 0 && u->zip.avail_out)
            continue;
        if (r >= 0 && unpacked(u, err) < 0)
            return err->code;
    } while (r > 0);
    if (r == 0 && !u->looked)
        r = u->from->look(u->plain, (size_t)(u->size < 16 ? u->size : 16), "the gzip holds no trace: it ", err);
    return r;
}

int ct_packed_unpack(const struct ct_packed *from, uint64_t *ret_size, int *ret_short, struct ct_error *err)
{
    struct unpacking *u = calloc(1, sizeof *u);
    int r;

    if (!u)
        return ct_error_at(err, -ENOMEM, 0, "out of memory");
    u->from = from;
    memcpy(u->packed, from->head, from->head_size);
    u->zip.next_in = u->packed;
    u->zip.avail_in = (uInt)from->head_size;
    if (inflateInit2(&u->zip, 16 + MAX_WBITS) == Z_OK)
        r = unpack(u, ret_short, err);
    else
        r = ct_error_at(err, -ENOMEM, 0, "zlib gives no memory");
    inflateEnd(&u->zip);
    *ret_size = u->size;
    free(u);
    return r;
}

/* Whose the packets of a CTF trace are: babeltrace2 2.0 does not look. */
#include "converter/bt2/packet_uuids.h"

#include <byteswap.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static const uint32_t magic = 0xc1fc1fc1;

static char *spell(const uint8_t uuid[CT_TSDL_UUID], char to[40])
{
    char *p = to;

    for (int i = 0; i < CT_TSDL_UUID; i++)
        p += sprintf(p, i == 4 || i == 6 || i == 8 || i == 10 ? "-%02x" : "%02x", uuid[i]);
    return to;
}

static bool read_number(int fd, uint64_t at, struct ct_tsdl_number number, bool big_endian, uint64_t *ret)
{
    uint8_t bytes[8] = { 0 };
    uint64_t n = 0;

    if (number.bytes == 0 || pread(fd, bytes, number.bytes, (off_t)(at + number.at)) != (ssize_t)number.bytes)
        return false;
    for (unsigned i = 0; i < number.bytes; i++)
        n = n << 8 | bytes[big_endian ? i : number.bytes - 1 - i];
    *ret = n;
    return true;
}

/* Bytes of the packet whose head is at `at`; 0: it does not say, or what it says cannot be. */
static uint64_t packet_size(int fd, uint64_t at, uint64_t left, const struct ct_tsdl *t)
{
    uint64_t id = 0, bits;
    unsigned i = 0;

    if (t->stream_id.bytes && !read_number(fd, at, t->stream_id, t->big_endian, &id))
        return 0;
    while (i < t->stream_count && t->stream_id.bytes && t->streams[i].id != id)
        i++;
    if (i == t->stream_count || !read_number(fd, at, t->streams[i].size, t->big_endian, &bits))
        return 0;
    return bits % 8 == 0 && bits / 8 <= left ? bits / 8 : 0;
}

/* One stream.  What else is wrong with it babeltrace2 says. */
static int check_stream(int fd, const char *folder, const char *name, const struct ct_tsdl *t, struct ct_error *err)
{
    uint64_t at = 0, next = 1;
    struct stat st;

    if (fstat(fd, &st) < 0 || !S_ISREG(st.st_mode))
        return 0;
    for (; next > 0 && at < (uint64_t)st.st_size; at += next) {
        uint8_t uuid[CT_TSDL_UUID];
        char theirs[40], ours[40];
        uint32_t first;

        if (pread(fd, &first, sizeof first, (off_t)at) != sizeof first || (first != magic && first != bswap_32(magic)) ||
            pread(fd, uuid, sizeof uuid, (off_t)(at + t->uuid_at)) != sizeof uuid)
            return 0;
        if (memcmp(uuid, t->uuid, sizeof uuid) != 0)
            return ct_error_at(err, -EINVAL, at, "%.300s/%.100s: a packet has the UUID %s, and the metadata beside it %s: it is of another trace",
                               folder, name, spell(uuid, theirs), spell(t->uuid, ours));
        next = packet_size(fd, at, (uint64_t)st.st_size - at, t);
    }
    return 0;
}

/* As babeltrace2 does: all files of the folder but hidden ones are streams. */
int ct_ctf_check_uuids(int folder_fd, const char *folder, const struct ct_tsdl *t, struct ct_error *err)
{
    int own = dup(folder_fd), r = 0;
    DIR *files = own >= 0 ? fdopendir(own) : NULL;
    const struct dirent *entry;

    if (!files && own >= 0)
        close(own);
    while (files && r == 0 && (entry = readdir(files))) {
        int fd = *entry->d_name == '.' || strcmp(entry->d_name, "metadata") == 0
                     ? -1 : openat(folder_fd, entry->d_name, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);

        if (fd < 0)
            continue;
        r = check_stream(fd, folder, entry->d_name, t, err);
        close(fd);
    }
    if (files)
        closedir(files);
    return r;
}

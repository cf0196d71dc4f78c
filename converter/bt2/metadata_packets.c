/* Heads of metadata packets: babeltrace2 2.0 reads for ever where one promises more than there is. */
#include "converter/bt2/metadata_packets.h"

#include <byteswap.h>
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { TEXT_MAX = 16 << 20 };

static const uint32_t magic = 0x75d11d57;

/* As the specification of CTF 1.8 has it, section 7.1; either byte order. */
struct packet_head {
    uint32_t magic;
    uint8_t uuid[16];
    uint32_t checksum, content_bits, packet_bits;
    uint8_t compression, encryption, checksum_scheme, major, minor;
} __attribute__((packed));

/* Steps over one packet; false when it is not all there. */
static bool step(int fd, off_t size, off_t *at)
{
    struct packet_head head;
    uint32_t bits;

    if (pread(fd, &head, sizeof head, *at) != sizeof head)
        return false;
    bits = head.magic == magic ? head.packet_bits : bswap_32(head.packet_bits);
    if (bits / 8 < sizeof head || (off_t)(bits / 8) > size - *at)
        return false;
    *at += bits / 8;
    return true;
}

int ct_ctf_check_metadata(const char *path, struct ct_error *err)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    uint32_t first = 0;
    struct stat st;
    off_t at = 0;

    if (fd < 0 || fstat(fd, &st) < 0 || pread(fd, &first, sizeof first, 0) != sizeof first ||
        (first != magic && first != bswap_32(magic)))
        at = st.st_size = 0;            /* what else it may be, babeltrace2 says */
    while (at < st.st_size && step(fd, st.st_size, &at))
        ;
    if (fd >= 0)
        close(fd);
    return at == st.st_size ? 0 : ct_error_at(err, -ENODATA, (uint64_t)at, "%.100s is cut within its packet", path);
}

/* The contents of packets, which stand in `text` with their heads, without these; what is left of it. */
static size_t unpack(char *text, size_t size)
{
    size_t used = 0, at = 0;
    struct packet_head head;

    while (size - at >= sizeof head) {
        uint64_t content, whole;
        bool swapped;

        memcpy(&head, text + at, sizeof head);
        swapped = head.magic != magic;
        if (swapped && head.magic != bswap_32(magic))
            break;
        content = (swapped ? bswap_32(head.content_bits) : head.content_bits) / 8;
        whole = (swapped ? bswap_32(head.packet_bits) : head.packet_bits) / 8;
        if (content < sizeof head || whole < content || whole > size - at)
            break;
        memmove(text + used, text + at + sizeof head, content - sizeof head);
        used += content - sizeof head;
        at += whole;
    }
    return used;
}

char *ct_ctf_metadata_text(int folder, size_t *ret_size)
{
    int fd = openat(folder, "metadata", O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    struct stat st = { 0 };
    uint32_t first = 0;
    char *text = NULL;
    ssize_t n = -1;

    if (fd >= 0 && fstat(fd, &st) == 0 && S_ISREG(st.st_mode) && st.st_size <= TEXT_MAX)
        text = malloc((size_t)st.st_size + 1);
    if (text)
        n = pread(fd, text, (size_t)st.st_size, 0);
    if (fd >= 0)
        close(fd);
    if (n < 0) {
        free(text);
        return NULL;
    }
    if (n >= (ssize_t)sizeof first)
        memcpy(&first, text, sizeof first);
    *ret_size = first == magic || first == bswap_32(magic) ? unpack(text, (size_t)n) : (size_t)n;
    return text;
}

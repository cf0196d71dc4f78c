/*
 * What of zlib and ISA-L a program that is served needs, under their names: the checksum of blocks.  The libraries themselves
 * would take 0.4 MB of it, untouched nearly.
 */
#include <errno.h>
#include <string.h>
#include <zlib.h>

#ifdef CT_HAVE_ISAL
#include <isa-l/crc.h>
#endif

#include "converter/read/packed.h"

/* table[0]: of one byte; table[n]: of one with n bytes of zeros behind it.  Eight bytes are looked up at a time. */
static uint32_t table[8][256];

static __attribute__((constructor)) void fill(void)
{
    for (uint32_t i = 0; i < 256; i++) {
        uint32_t crc = i;

        for (unsigned bit = 0; bit < 8; bit++)
            crc = crc >> 1 ^ (crc & 1 ? 0xedb88320u : 0);
        table[0][i] = crc;
    }
    for (uint32_t i = 0; i < 256; i++)
        for (unsigned n = 1; n < 8; n++)
            table[n][i] = table[n - 1][i] >> 8 ^ table[0][table[n - 1][i] & 0xff];
}

/* Little-endian, as ctrace is. */
static uint32_t checksum(uint32_t crc, const unsigned char *bytes, size_t size)
{
    crc = ~crc;
    for (; size >= 8; size -= 8, bytes += 8) {
        uint32_t low, high;

        memcpy(&low, bytes, 4);
        memcpy(&high, bytes + 4, 4);
        low ^= crc;
        crc = table[7][low & 0xff] ^ table[6][low >> 8 & 0xff] ^ table[5][low >> 16 & 0xff] ^ table[4][low >> 24] ^
              table[3][high & 0xff] ^ table[2][high >> 8 & 0xff] ^ table[1][high >> 16 & 0xff] ^ table[0][high >> 24];
    }
    for (; size; size--, bytes++)
        crc = crc >> 8 ^ table[0][(crc ^ *bytes) & 0xff];
    return ~crc;
}

uLong crc32(uLong crc, const Bytef *bytes, uInt size)
{
    return bytes ? checksum((uint32_t)crc, bytes, size) : 0;
}

#ifdef CT_HAVE_ISAL
uint32_t crc32_gzip_refl(uint32_t crc, const unsigned char *bytes, uint64_t size)
{
    return checksum(crc, bytes, size);
}
#else
uLong crc32_z(uLong crc, const Bytef *bytes, z_size_t size)
{
    return bytes ? checksum((uint32_t)crc, bytes, size) : 0;
}
#endif

/* Nothing that is packed is read inside a program. */
int ct_packed_unpack(const struct ct_packed *from, uint64_t *ret_size, int *ret_short, struct ct_error *err)
{
    return ct_error_at(err, -ENOTSUP, 0, "what is packed is not read here");
}

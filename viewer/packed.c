/* Which files are archives, by how they begin. */
#include "viewer/packed.h"

#include <stdint.h>
#include <string.h>
#include <zlib.h>

enum { HEAD = 512, TAR_AT = 257 };      /* of a tar: its first entry, and where that says "ustar" */

static bool begins(const uint8_t *head, int size, const char *magic, int length)
{
    return size >= length && memcmp(head, magic, (size_t)length) == 0;
}

bool ct_packed_is_archive(const char *path)
{
    gzFile file = gzopen(path, "rbe");  /* what is no .gz it reads as it is */
    uint8_t head[HEAD];
    int size = file ? gzread(file, head, sizeof head) : -1;

    if (file)
        gzclose(file);
    return begins(head, size, "PK\3\4", 4) || begins(head, size, "\xfd" "7zXZ", 6) || begins(head, size, "\x28\xb5\x2f\xfd", 4) ||
           begins(head, size, "BZh", 3) || (size == HEAD && memcmp(head + TAR_AT, "ustar", 5) == 0);
}

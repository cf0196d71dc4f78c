/* Collecting rows from the blocks that go by, and writing them. */
#include "drain/directory.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "format/event.h"

enum { ROW_MAX = 128 };

void ct_directory_fini(struct ct_directory *d)
{
    free(d->row);
    *d = (struct ct_directory){ 0 };
}

static struct ct_directory_row *add_row(struct ct_directory *d)
{
    if (d->count == d->room) {
        size_t room = d->room ? d->room * 2 : 64;
        struct ct_directory_row *row = realloc(d->row, room * sizeof *row);

        if (!row) {
            d->broken = true;           /* a directory only saves time */
            return NULL;
        }
        d->row = row;
        d->room = room;
    }
    d->row[d->count] = (struct ct_directory_row){ 0 };
    return &d->row[d->count++];
}

static uint64_t events_of(struct ct_cursor c)
{
    struct ct_batch_piece piece;

    return ct_batch_piece_get(&c, &piece, NULL) < 0 ? 0 : ct_event_count(c.at, ct_cursor_left(&c));
}

static void take_block(struct ct_directory *d, const struct ct_block_head *head, struct ct_cursor payload, uint64_t offset)
{
    struct ct_directory_row *row = d->count ? &d->row[d->count - 1] : NULL;
    struct ct_generation generation;
    struct ct_generation_end end;

    if (!row || row->generation != head->generation || row->offset + row->size != offset)
        row = add_row(d);
    if (!row)
        return;
    if (row->size == 0) {
        row->generation = head->generation;
        row->offset = offset;
    }
    d->footed = head->type == CT_BLOCK_FOOT;
    row->size += sizeof *head + head->size;
    row->flags |= head->flags;
    if (head->type == CT_BLOCK_BATCH)
        row->events += events_of(payload);
    else if (head->type == CT_BLOCK_GENERATION && ct_generation_get(&payload, &generation, NULL) == 0)
        row->start_ns = generation.clock.monotonic_ns;
    else if (head->type == CT_BLOCK_GENERATION_END && ct_generation_end_get(&payload, &end, NULL) == 0) {
        row->end_ns = end.clock.monotonic_ns;
        row->end_offset = offset;
    }
}

void ct_directory_take(struct ct_directory *d, const uint8_t *blocks, size_t size, uint64_t offset)
{
    struct ct_block_head head;

    for (size_t at = 0; size - at >= sizeof head; at += sizeof head + head.size) {
        memcpy(&head, blocks + at, sizeof head);
        if (head.size > size - at - sizeof head)
            break;
        take_block(d, &head, ct_cursor_over(blocks + at + sizeof head, head.size, 0), offset + at);
    }
}

bool ct_directory_put(const struct ct_directory *d, struct ct_blocks *b, uint64_t end)
{
    size_t count = d->count;            /* blocks that are flushed meanwhile are taken in, too */

    if (d->broken || count == 0)
        return false;
    ct_blocks_begin(b, CT_BLOCK_DIRECTORY, 0, 0);
    for (size_t i = 0; i < count; i++) {
        struct ct_directory_row row = d->row[i];

        if (row.offset + row.size > end)
            row.size = end - row.offset;
        ct_directory_row_put(ct_blocks_row(b, ROW_MAX), &row);
    }
    ct_blocks_end(b);
    return true;
}

void ct_directory_put_foot(struct ct_blocks *b, uint64_t directory, bool named)
{
    uint8_t foot[CT_FOOT_SIZE];

    ct_foot_put(foot, &(struct ct_foot){ directory, named });
    ct_blocks_begin(b, CT_BLOCK_FOOT, 0, 0);
    ct_buffer_bytes(ct_blocks_row(b, sizeof foot), foot, sizeof foot);
    ct_blocks_end(b);
}

size_t ct_directory_first(const struct ct_directory *d)
{
    size_t i = 0;

    while (i < d->count && d->row[i].generation == 0)
        i++;
    return i;
}

void ct_directory_join(struct ct_directory *d, const struct ct_directory *newer, size_t from, int64_t shift)
{
    d->broken |= newer->broken;
    for (size_t i = from; i < newer->count && !d->broken; i++) {
        struct ct_directory_row *row = add_row(d);

        if (!row)
            return;
        *row = newer->row[i];
        row->offset += (uint64_t)shift;
        row->end_offset += row->end_offset ? (uint64_t)shift : 0;
    }
}

/* --- of a file that is there --- */

/* Takes in all blocks of a file; `*named` says whether names are among them. */
static int take_file(int fd, uint64_t size, struct ct_directory *d, bool *named)
{
    uint8_t *block = malloc(sizeof(struct ct_block_head) + CT_BLOCK_MAX);
    struct ct_block_head head;
    uint64_t at = sizeof(struct ct_file_head);
    int r = block ? 0 : -ENOMEM;

    for (; r == 0 && at < size; at += sizeof head + head.size) {
        if (pread(fd, &head, sizeof head, (off_t)at) != sizeof head || head.magic != CT_BLOCK_MAGIC ||
            head.size > CT_BLOCK_MAX || head.size > size - at - sizeof head ||
            pread(fd, block, sizeof head + head.size, (off_t)at) != (ssize_t)(sizeof head + head.size))
            r = -EINVAL;
        else
            ct_directory_take(d, block, sizeof head + head.size, at);
        *named |= r == 0 && head.type == CT_BLOCK_SYMBOLS;
    }
    free(block);
    return r;
}

struct appending {
    int fd, error;
    uint64_t at;
};

static void append(void *context, const uint8_t *blocks, size_t size, uint32_t generation)
{
    struct appending *a = context;

    (void)generation;
    while (size && !a->error) {
        ssize_t n = pwrite(a->fd, blocks, size, (off_t)a->at);

        if (n > 0) {
            a->at += (uint64_t)n;
            blocks += n;
            size -= (size_t)n;
        } else if (n == 0 || errno != EINTR) {
            a->error = n == 0 ? -EIO : -errno;
        }
    }
}

int ct_directory_append(int fd)
{
    struct ct_directory d = { 0 };
    struct appending a = { .fd = fd };
    struct ct_blocks b = { 0 };
    bool named = false;
    struct stat st;
    uint64_t size;
    int r = fstat(fd, &st) < 0 ? -errno : 0;

    if (r < 0)
        return r;
    a.at = size = (uint64_t)st.st_size;
    r = take_file(fd, size, &d, &named);
    if (r == 0 && !d.footed)
        r = ct_blocks_init(&b, append, &a);
    if (r == 0 && !d.footed && ct_directory_put(&d, &b, size)) {
        ct_directory_put_foot(&b, size, named);
        ct_blocks_flush(&b);
        r = a.error;
    }
    if (r < 0 && a.at > size)
        r = ftruncate(fd, (off_t)size) < 0 ? -errno : r;
    ct_blocks_fini(&b);
    ct_directory_fini(&d);
    return r;
}

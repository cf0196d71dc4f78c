/* Walking from block head to block head.  By reading, not mapping: it also runs inside traced programs. */
#include "drain/scan.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* Bytes of payload looked at: a batch piece's head, a generation, the ids of a RUN. */
enum { LOOK = 120, FOOT_SIZE = sizeof(struct ct_block_head) + CT_FOOT_SIZE };

struct block {
    struct ct_block_head head;
    uint64_t offset;
    uint8_t bytes[LOOK];            /* the first of the payload */
    size_t have;
};

/* The block at `offset`: 1, 0 when the file ends there or within it, -EINVAL when something else stands there. */
static int read_block(int fd, uint64_t offset, uint64_t size, struct block *ret)
{
    uint8_t bytes[sizeof ret->head + LOOK];
    ssize_t n = pread(fd, bytes, sizeof bytes, (off_t)offset);

    if (n < (ssize_t)sizeof ret->head)
        return n < 0 ? -EINVAL : 0;
    memcpy(&ret->head, bytes, sizeof ret->head);
    if (ret->head.magic != CT_BLOCK_MAGIC || ret->head.size > CT_BLOCK_MAX)
        return -EINVAL;
    if (ret->head.size > size - offset - sizeof ret->head)
        return 0;
    ret->offset = offset;
    ret->have = (size_t)n - sizeof ret->head;
    if (ret->have > ret->head.size)
        ret->have = ret->head.size;
    memcpy(ret->bytes, bytes + sizeof ret->head, ret->have);
    return 1;
}

/* A RUN row begins with its length in at most CT_VARINT_MAX bytes, then run, arena and boot id. */
static bool run_arena(const struct block *b, uint8_t ret[CT_UUID_SIZE])
{
    struct ct_cursor c = ct_cursor_over(b->bytes, b->have, 0);
    const uint8_t *id;
    uint64_t length;

    if (ct_cursor_varint(&c, &length, NULL) < 0 || ct_cursor_bytes(&c, CT_UUID_SIZE, &id, NULL) < 0 ||
        ct_cursor_bytes(&c, CT_UUID_SIZE, &id, NULL) < 0)
        return false;
    memcpy(ret, id, CT_UUID_SIZE);
    return true;
}

static void take_run(struct ct_scan *s, const struct block *b)
{
    uint8_t id[CT_UUID_SIZE];

    if (!run_arena(b, id) || (s->has_run && memcmp(id, s->arena_id, sizeof id) == 0))
        return;                         /* said again, before names that were added later */
    s->has_run = true;
    memcpy(s->arena_id, id, sizeof id);
    s->ended = false;
    s->generation = 0;
    s->generation_ended = false;
}

static void take_generation(struct ct_scan *s, const struct block *b)
{
    struct ct_cursor c = ct_cursor_over(b->bytes, b->have, b->offset);
    struct ct_generation generation;

    if (b->head.flags & CT_BLOCK_LATE || ct_generation_get(&c, &generation, NULL) < 0)
        return;
    if (!s->first_generation)
        s->first_generation = b->offset;
    s->generation = b->head.generation;
    s->generation_ended = false;
    s->start = generation.clock;
}

static void take(struct ct_scan *s, const struct block *b)
{
    switch (b->head.type) {
    case CT_BLOCK_RUN:
        take_run(s, b);
        break;
    case CT_BLOCK_GENERATION:
        take_generation(s, b);
        break;
    case CT_BLOCK_GENERATION_END:
        s->generation_ended |= b->head.generation == s->generation;
        break;
    case CT_BLOCK_END:
        s->ended = true;
        break;
    case CT_BLOCK_SYMBOLS:
        s->named = true;
        break;
    default:
        break;
    }
}

int ct_scan_file(int fd, struct ct_scan *ret, struct ct_error *err)
{
    struct ct_scan s = { 0 };
    struct ct_file_head head;
    struct block b;
    struct stat st;
    int r = 1;

    if (fstat(fd, &st) < 0 || !S_ISREG(st.st_mode))
        return ct_error_at(err, -EINVAL, 0, "not a plain file");
    s.size = (uint64_t)st.st_size;
    if (s.size < sizeof head) {
        *ret = s;                       /* cut before its first byte was whole, if it was a trace */
        return s.size == 0 ? 0 : ct_error_at(err, -EINVAL, 0, "not a trace");
    }
    if (pread(fd, &head, sizeof head, 0) != sizeof head || memcmp(head.magic, CT_FILE_MAGIC, sizeof head.magic) != 0 ||
        head.major != CT_FORMAT_MAJOR)
        return ct_error_at(err, -EINVAL, 0, "not a trace of this version");
    s.whole = sizeof head;
    while (s.whole < s.size && (r = read_block(fd, s.whole, s.size, &b)) > 0) {
        take(&s, &b);
        s.whole += sizeof b.head + b.head.size;
    }
    if (r < 0)
        return ct_error_at(err, -EINVAL, s.whole, "no block begins here: the trace is damaged");
    *ret = s;
    return 0;
}

bool ct_scan_foot(int fd, struct ct_scan *ret)
{
    struct ct_foot foot;
    struct ct_block_head head;
    struct block b;
    struct stat st;
    uint64_t size;

    if (fstat(fd, &st) < 0 || !S_ISREG(st.st_mode) || st.st_size < (off_t)(sizeof(struct ct_file_head) + FOOT_SIZE))
        return false;
    size = (uint64_t)st.st_size;
    if (read_block(fd, size - FOOT_SIZE, size, &b) <= 0 || b.head.type != CT_BLOCK_FOOT || b.head.size != CT_FOOT_SIZE ||
        pread(fd, &head, sizeof head, 0) != sizeof head || memcmp(&head, CT_FILE_MAGIC, sizeof(CT_FILE_MAGIC) - 1) != 0)
        return false;
    ct_foot_get(b.bytes, &foot);
    *ret = (struct ct_scan){ .whole = size, .size = size, .has_run = true, .ended = true, .named = foot.named != 0 };
    return true;
}

/* --- what a drain need not write again --- */

struct known {
    uint64_t batch;                     /* id + 1 */
    uint32_t unit;
};

static int by_batch(const void *a, const void *b)
{
    const struct known *x = a, *y = b;

    return x->batch < y->batch ? -1 : x->batch > y->batch;
}

/* The batches that lie in the arena now. */
static size_t list_batches(struct ct_drain *d, struct known *known)
{
    size_t count = 0;

    for (uint32_t unit = 0; unit < d->map.layout.slice_units; unit++) {
        uint32_t state = atomic_load_explicit(&d->map.directory[unit], memory_order_acquire) & CT_SLICE_STATE_MASK;
        struct ct_batch_head *head = (struct ct_batch_head *)(d->map.slices + (uint64_t)unit * CT_SLICE_UNIT);

        if (state == CT_SLICE_ACTIVE || state == CT_SLICE_SEALED)       /* edges OPEN, SEAL */
            known[count++] = (struct known){ head->batch + 1, unit };
    }
    qsort(known, count, sizeof *known, by_batch);
    return count;
}

static void mark_piece(const struct block *b, const struct known *known, size_t count, struct ct_drain *d)
{
    struct ct_cursor c = ct_cursor_over(b->bytes, b->have, 0);
    struct ct_batch_piece piece;
    struct known key, *found;
    uint64_t end;

    if (ct_batch_piece_get(&c, &piece, NULL) < 0)
        return;
    key.batch = piece.batch + 1;
    found = bsearch(&key, known, count, sizeof *known, by_batch);
    end = piece.offset + b->head.size - (uint64_t)(c.at - c.base);
    if (!found || end > CT_SLICE_MAX_UNITS * CT_SLICE_UNIT)
        return;
    d->slices[found->unit].batch = key.batch;
    if (d->slices[found->unit].done < end)
        d->slices[found->unit].done = (uint32_t)end;
}

void ct_scan_mark(int fd, const struct ct_scan *scan, struct ct_drain *d)
{
    struct known *known = calloc((size_t)d->map.layout.slice_units + 1, sizeof *known);
    size_t count = known ? list_batches(d, known) : 0;
    bool ours = false;
    struct block b;

    for (uint64_t at = sizeof(struct ct_file_head); count && at < scan->whole;) {
        uint8_t id[CT_UUID_SIZE];

        if (read_block(fd, at, scan->whole, &b) <= 0)
            break;
        if (b.head.type == CT_BLOCK_RUN && run_arena(&b, id))
            ours = memcmp(id, d->arena_id, sizeof id) == 0;
        else if (b.head.type == CT_BLOCK_BATCH && ours)
            mark_piece(&b, known, count, d);
        at += sizeof b.head + b.head.size;
    }
    free(known);
}

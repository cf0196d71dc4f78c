/* What a consumer does with blocks: writes them whole, or says why it cannot. */
#include "drain/consumer.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "format/limits.h"

/* Kept free below a limit for what closes the file. */
enum { CLOSING = 16 << 10 };

void ct_consumer_init(struct ct_consumer *c, int fd, uint64_t size)
{
    *c = (struct ct_consumer){ .fd = fd, .size = size };
}

void ct_consumer_fini(struct ct_consumer *c)
{
    free(c->generations.row);
    c->generations = (struct ct_consumer_rows){ 0 };
}

static void fail(struct ct_consumer *c, int error)
{
    /* Not a file (pipe, socket): nothing can be taken back, and the reader copes with a cut block. */
    if (ftruncate(c->fd, (off_t)c->size) == 0)
        (void)lseek(c->fd, (off_t)c->size, SEEK_SET);
    c->error = error;
    c->state = CT_CONSUMER_DONE;
}

/* Writes everything; returns how much went out, `*error` is 0 when that is all. */
static size_t write_all(int fd, const uint8_t *at, size_t size, int *error)
{
    size_t done = 0;

    *error = 0;
    while (done < size) {
        ssize_t n = write(fd, at + done, size - done);

        if (n > 0) {
            done += (size_t)n;
        } else if (n == 0 || errno != EINTR) {
            *error = n == 0 ? -EIO : -errno;
            break;
        }
    }
    return done;
}

static void write_blocks(struct ct_consumer *c, const uint8_t *blocks, size_t size)
{
    int error;
    size_t done = write_all(c->fd, blocks, size, &error);

    c->size += error ? ct_blocks_whole(blocks, done) : size;
    if (error)
        fail(c, error);
}

/* Bytes of `blocks` that go below the limit; all of them when there is none. */
static size_t fitting(const struct ct_consumer *c, const uint8_t *blocks, size_t size)
{
    uint64_t room;

    if (!c->limit)
        return size;
    room = c->limit > c->size + CLOSING ? c->limit - c->size - CLOSING : 0;
    return size <= room ? size : ct_blocks_whole(blocks, (size_t)room);
}

void ct_consumer_write(struct ct_consumer *c, const void *blocks, size_t size)
{
    size_t fits;

    if (c->state == CT_CONSUMER_DONE)
        return;
    fits = fitting(c, blocks, size);
    if (fits)
        write_blocks(c, blocks, fits);
    if (fits < size && c->state != CT_CONSUMER_DONE) {
        struct ct_end end = { .reason = CT_END_SIZE };

        c->full = true;
        ct_consumer_end(c, &end);
    }
}

/* Blocks of a consumer's own, beside the recording. */
static void own_sink(void *context, const uint8_t *blocks, size_t size, uint32_t generation)
{
    struct ct_consumer *c = context;

    (void)generation;
    if (c->state != CT_CONSUMER_DONE)
        write_blocks(c, blocks, size);
}

static void put_file_head(struct ct_consumer *c)
{
    struct ct_file_head head = { .major = CT_FORMAT_MAJOR, .minor = CT_FORMAT_MINOR };
    int error;

    memcpy(head.magic, CT_FILE_MAGIC, sizeof head.magic);
    write_all(c->fd, (const uint8_t *)&head, sizeof head, &error);
    if (error)
        fail(c, error);
    else
        c->size = sizeof head;
}

void ct_consumer_begin(struct ct_consumer *c, const void *run, size_t run_size)
{
    struct ct_blocks b;

    c->state = CT_CONSUMER_RUNNING;
    c->generations.count = 0;
    if (ct_blocks_init(&b, own_sink, c) < 0) {
        fail(c, -ENOMEM);
        return;
    }
    if (c->size == 0)
        put_file_head(c);
    ct_blocks_begin(&b, CT_BLOCK_RUN, 0, 0);
    ct_buffer_bytes(ct_blocks_row(&b, run_size), run, run_size);
    ct_blocks_end(&b);
    ct_blocks_begin(&b, CT_BLOCK_SCHEMA, 0, 0);
    ct_schema_put(ct_blocks_row(&b, 64 << 10));
    ct_blocks_end(&b);
    ct_blocks_flush(&b);
    ct_blocks_fini(&b);
}

void ct_consumer_end(struct ct_consumer *c, const struct ct_end *end)
{
    struct ct_blocks b;

    if (c->state != CT_CONSUMER_RUNNING) {
        c->state = CT_CONSUMER_DONE;
        return;
    }
    if (ct_blocks_init(&b, own_sink, c) < 0) {
        fail(c, -ENOMEM);
        return;
    }
    ct_blocks_begin(&b, CT_BLOCK_DIRECTORY, 0, 0);
    for (size_t i = 0; i < c->generations.count && !c->full && !c->no_directory; i++)
        ct_directory_row_put(ct_blocks_row(&b, 128), &c->generations.row[i]);
    ct_blocks_end(&b);
    ct_blocks_one(&b, END, 0, 0, end, end);
    ct_blocks_flush(&b);
    ct_blocks_fini(&b);
    c->state = CT_CONSUMER_DONE;
}

bool ct_consumer_wants_turn(const struct ct_consumer *c)
{
    const struct ct_consumer_rows *g = &c->generations;

    return c->turn_at && c->state == CT_CONSUMER_RUNNING && g->count &&
           c->size - g->row[g->count - 1].offset > c->turn_at;
}

void ct_consumer_generation_begins(struct ct_consumer *c, uint32_t generation, const struct ct_clock_sample *clock)
{
    struct ct_consumer_rows *g = &c->generations;

    if (g->count == g->room) {
        size_t room = g->room ? g->room * 2 : 64;
        struct ct_directory_row *row = realloc(g->row, room * sizeof *row);

        if (!row)
            return;                     /* the directory only saves time */
        g->row = row;
        g->room = room;
    }
    g->row[g->count++] = (struct ct_directory_row){ .generation = generation, .offset = c->size,
                                                    .start_ns = clock->monotonic_ns };
}

void ct_consumer_generation_ends(struct ct_consumer *c, const struct ct_clock_sample *clock)
{
    struct ct_directory_row *row = c->generations.count ? &c->generations.row[c->generations.count - 1] : NULL;

    if (!row)
        return;
    row->size = c->size - row->offset;
    row->end_ns = clock->monotonic_ns;
}

/* What a consumer does with blocks: writes them whole, or says why it cannot. */
#include "drain/consumer.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "drain/sieve.h"
#include "format/limits.h"

/* Kept free below a limit for what closes the file. */
enum { CLOSING = 16 << 10, CLOSING_ROWS = 150, SLACK = 64 };

void ct_consumer_init(struct ct_consumer *c, int fd, uint64_t size)
{
    *c = (struct ct_consumer){ .fd = fd, .size = size, .no_directory = size > sizeof(struct ct_file_head) };
}

void ct_consumer_fini(struct ct_consumer *c)
{
    ct_directory_fini(&c->directory);
}

void ct_consumer_fail(struct ct_consumer *c, int error)
{
    /* Not a file (pipe, socket): nothing can be taken back, and the reader copes with a cut block. */
    if (ftruncate(c->fd, (off_t)c->size) == 0)
        (void)lseek(c->fd, (off_t)c->size, SEEK_SET);
    c->error = error;
    c->state = CT_CONSUMER_DONE;
}

const char *ct_consumer_reason(int error)
{
    return error == -EFBIG ? "it would be larger than this user's limit (ulimit -f) or the file system allows" : strerror(-error);
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

    if (!error && !c->no_directory)
        ct_directory_take(&c->directory, blocks, size, c->size);
    c->size += error ? ct_blocks_whole(blocks, done) : size;
    if (error)
        ct_consumer_fail(c, error);
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
    const struct ct_file_head head = CT_FILE_HEAD;
    int error;

    write_all(c->fd, (const uint8_t *)&head, sizeof head, &error);
    if (error)
        ct_consumer_fail(c, error);
    else
        c->size = sizeof head;
}

/* With the categories that it gets. */
static void put_run(const struct ct_consumer *c, struct ct_buffer *to, const void *run, size_t size)
{
    struct ct_cursor from = ct_cursor_over(run, size, 0);
    struct ct_run row;

    if (c->sieve && ct_run_get(&from, &row, NULL) == 0) {
        row.categories = ct_sieve_categories(c->sieve);
        ct_run_put(to, &row);
    } else {
        ct_buffer_bytes(to, run, size);
    }
}

void ct_consumer_begin(struct ct_consumer *c, const void *run, size_t run_size)
{
    struct ct_blocks b;

    c->state = CT_CONSUMER_RUNNING;
    c->generation_at = 0;
    if (ct_blocks_init(&b, own_sink, c) < 0) {
        ct_consumer_fail(c, -ENOMEM);
        return;
    }
    if (c->size == 0)
        put_file_head(c);
    ct_blocks_begin(&b, CT_BLOCK_RUN, 0, 0);
    put_run(c, ct_blocks_row(&b, run_size + SLACK), run, run_size);
    ct_blocks_end(&b);
    ct_blocks_begin(&b, CT_BLOCK_SCHEMA, 0, 0);
    ct_schema_put(ct_blocks_row(&b, 64 << 10));
    ct_blocks_end(&b);
    ct_blocks_flush(&b);
    ct_blocks_fini(&b);
}

void ct_consumer_end(struct ct_consumer *c, const struct ct_end *end)
{
    uint64_t directory = c->size;
    struct ct_blocks b;
    bool told;

    if (c->state != CT_CONSUMER_RUNNING) {
        c->state = CT_CONSUMER_DONE;
        return;
    }
    if (ct_blocks_init(&b, own_sink, c) < 0) {
        ct_consumer_fail(c, -ENOMEM);
        return;
    }
    told = !c->no_directory && !(c->full && c->directory.count > CLOSING_ROWS) &&
           ct_directory_put(&c->directory, &b, directory);
    ct_blocks_one(&b, END, 0, 0, end, end);
    if (told)
        ct_directory_put_foot(&b, directory, false);
    ct_blocks_flush(&b);
    ct_blocks_fini(&b);
    c->state = CT_CONSUMER_DONE;
}

bool ct_consumer_wants_turn(const struct ct_consumer *c)
{
    return c->turn_at && c->state == CT_CONSUMER_RUNNING && c->generation_at && c->size - c->generation_at > c->turn_at;
}

void ct_consumer_generation_begins(struct ct_consumer *c)
{
    c->generation_at = c->size;
}

/* Writes a valid trace of any size, for benchmarks: mktrace EVENTS THREADS MIX FILE. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

#include "drain/directory.h"
#include "format/event.h"
#include "format/file.h"
#include "format/tables.h"

/*
 * One program, 10^6 events a second, generations of one second, pieces of 10 ms a thread as the drainer writes them.
 * The same arguments always give the same bytes.
 */
enum {
    TICKS_PER_SECOND = 200000000,
    PER_SECOND = 1000000,
    ROUNDS = 100,                       /* a second is drained in so many rounds */
    STRINGS = 40, ADDRESSES = 64, STACKS = 500, DEPTH = 20,
    BATCH_BYTES = 60000,
    BLOCK_ROOM = 1 << 20,
};

static FILE *out;
static uint8_t room[sizeof(struct ct_block_head) + BLOCK_ROOM], *const block = room + sizeof(struct ct_block_head);
static struct ct_buffer rows;
static struct ct_directory directory;
static uint64_t written;                /* bytes of the file */
static uint64_t events_left, dice_state = 88172645463325252u;

struct thread {
    uint64_t batch, offset;             /* of the batch under way */
    uint64_t ticks;                     /* of its last event */
    unsigned step;
    unsigned fd;
};

static uint64_t dice(uint64_t sides)
{
    dice_state ^= dice_state << 13;
    dice_state ^= dice_state >> 7;
    dice_state ^= dice_state << 17;
    return dice_state % sides;
}

static void put_bytes(void *context, const uint8_t *bytes, size_t size, uint32_t generation)
{
    (void)context, (void)generation;
    fwrite(bytes, size, 1, out);
    written += size;
}

static void write_block(unsigned type, unsigned generation)
{
    struct ct_block_head head = { CT_BLOCK_MAGIC, (uint16_t)type, 0, (uint32_t)ct_buffer_used(&rows), generation, 0 };
    uLong crc = crc32(0, (const Bytef *)&head, 16);

    if (rows.full)
        abort();
    head.crc = (uint32_t)crc32(crc, block, head.size);
    memcpy(block - sizeof head, &head, sizeof head);
    ct_directory_take(&directory, block - sizeof head, sizeof head + head.size, written);
    put_bytes(NULL, block - sizeof head, sizeof head + head.size, generation);
    rows = ct_buffer_over(block, BLOCK_ROOM);
}

static struct ct_text text(const char *s)
{
    return (struct ct_text){ s, strlen(s) };
}

static struct ct_clock_sample clock_at(uint64_t ticks)
{
    uint64_t ns = ticks * 5;            /* 200 MHz */

    return (struct ct_clock_sample){ ticks, ns, 1700000000000000000u + ns };
}

static void write_head(unsigned threads)
{
    struct ct_file_head head = { CT_FILE_MAGIC, CT_FORMAT_MAJOR, CT_FORMAT_MINOR, 0 };
    struct ct_run run = { .pid = 4711, .parent_pid = 1, .clock = CT_CLOCK_TSC, .ticks_per_second = TICKS_PER_SECOND,
                          .cpus = threads < 8 ? threads : 8, .categories = ~0u, .host = text("bench"),
                          .program = text("/usr/bin/made-up"), .arguments = text("made-up"), .version = text("0"),
                          .system = text("Linux") };

    memcpy(run.arena_id, "mktrace-arena-id", 16);
    memcpy(run.run_id, "mktrace-run---id", 16);
    put_bytes(NULL, (const uint8_t *)&head, sizeof head, 0);
    ct_run_put(&rows, &run);
    write_block(CT_BLOCK_RUN, 0);
    ct_schema_put(&rows);
    write_block(CT_BLOCK_SCHEMA, 0);
}

static void write_tables(unsigned generation, unsigned threads, uint64_t start)
{
    struct ct_module_row module = { .start = 0x400000, .end = 0x600000, .build_id = text("\1\2\3\4"),
                                    .path = text("/usr/bin/made-up") };
    char name[32];

    for (uint64_t i = 0; i < STRINGS; i++) {
        snprintf(name, sizeof name, "string %llu", (unsigned long long)i);
        ct_string_row_put(&rows, &(struct ct_string_row){ CT_ID_FIRST + i, text(name) });
    }
    write_block(CT_BLOCK_STRINGS, generation);
    for (uint64_t i = 0; i < ADDRESSES; i++)
        ct_address_row_put(&rows, &(struct ct_address_row){ CT_ID_FIRST + i, 0x7f0000001000 + i * 64 });
    write_block(CT_BLOCK_ADDRESSES, generation);
    for (uint64_t i = 0; i < STACKS; i++) {
        struct ct_stack_row stack = { .id = CT_ID_FIRST + i, .depth = DEPTH };

        for (unsigned k = 0; k < DEPTH; k++)
            stack.pcs[k] = 0x400000 + (i * 31 + k * 977) % 0x1fff00;
        ct_stack_row_put(&rows, &stack);
    }
    write_block(CT_BLOCK_STACKS, generation);
    ct_module_row_put(&rows, &module);
    write_block(CT_BLOCK_MODULES, generation);
    for (uint64_t i = 0; i < threads; i++) {
        snprintf(name, sizeof name, "worker-%u", (unsigned)i);
        ct_thread_row_put(&rows, &(struct ct_thread_row){ .serial = i + 1, .tid = 4711 + i, .parent = i ? 1 : 0,
                                                          .start_ticks = start, .cpu = i % 8 + 1, .name = text(name) });
    }
    write_block(CT_BLOCK_THREADS, generation);
}

static void put(struct thread *t, uint64_t ticks, struct ct_event event)
{
    event.ticks = ticks;
    rows.at = ct_event_put(rows.at, ct_schema_event(event.no), t->ticks, &event);
    t->ticks = ticks;
    events_left--;
}

static void put_io(struct thread *t, uint64_t ticks)
{
    put(t, ticks, (struct ct_event){ .no = CT_EV_IO, .arg = { 100 + dice(2000), 1 + dice(10), 3 + t->fd++ % 8,
                                                              ct_zigzag((int64_t)dice(5000)) } });
}

static void put_wait(struct thread *t, uint64_t ticks)
{
    if (t->step % 2 == 0)
        put(t, ticks, (struct ct_event){ .no = CT_EV_MUTEX_WAIT, .arg = { CT_ID_FIRST + dice(ADDRESSES),
                                                                         CT_ID_FIRST + dice(STACKS) } });
    else
        put(t, ticks, (struct ct_event){ .no = CT_EV_WAIT_DONE });
}

static void put_region(struct thread *t, uint64_t ticks)
{
    if (t->step % 2 == 0)
        put(t, ticks, (struct ct_event){ .no = CT_EV_REGION_BEGIN, .arg = { CT_ID_FIRST + dice(STRINGS), 0 } });
    else
        put(t, ticks, (struct ct_event){ .no = CT_EV_REGION_END });
}

static void put_mixed(struct thread *t, uint64_t ticks)
{
    static const char message[] = "a message of some length";

    switch (t->step % 16) {
    case 0: case 4: case 5: case 8: case 12: case 13:
        put_io(t, ticks);
        break;
    case 1:
        /* Only a change of CPU is an event: 0.1 to 0.2 % of those of xz, of a pool of threads behind sockets. */
        if (dice(32) > 0)
            put_io(t, ticks);
        else
            put(t, ticks, (struct ct_event){ .no = CT_EV_CPU, .arg = { dice(8) } });
        break;
    case 2: case 3: case 10: case 11:
        put_wait(t, ticks);
        break;
    case 6: case 7:
        put_region(t, ticks);
        break;
    case 9:
        put(t, ticks, (struct ct_event){ .no = CT_EV_COUNTER, .arg = { CT_ID_FIRST, ct_zigzag((int64_t)dice(1000)) } });
        break;
    case 14:
        put(t, ticks, (struct ct_event){ .no = CT_EV_WAKE, .arg = { CT_ID_FIRST + dice(ADDRESSES) } });
        break;
    default:
        put(t, ticks, (struct ct_event){ .no = CT_EV_LOG, .arg = { CT_ID_FIRST + 1, 0 }, .text = message,
                                         .text_size = sizeof message - 1 });
        break;
    }
}

static const struct { const char *name; void (*put)(struct thread *t, uint64_t ticks); } mixes[] = {
    { "io", put_io }, { "wait", put_wait }, { "region", put_region }, { "mixed", put_mixed },
};

/* What a thread did in one round, as one piece. */
static void write_piece(struct thread *t, uint64_t serial, unsigned generation, uint64_t from, uint64_t events,
                        uint64_t step, void (*one)(struct thread *, uint64_t))
{
    static uint64_t last_batch;
    uint8_t *head = rows.at, *first;
    uint64_t base;

    if (t->batch == 0 || t->offset > BATCH_BYTES) {
        t->batch = ++last_batch;
        t->offset = 0;
        t->ticks = from;
    }
    base = t->ticks;
    ct_batch_piece_put(&rows, &(struct ct_batch_piece){ t->batch, serial, t->offset, base, 0 });
    first = rows.at;
    for (uint64_t i = 0; i < events && events_left; i++, t->step++)
        one(t, from + i * step + dice(step));
    t->offset += (uint64_t)(rows.at - first);
    if (rows.at == first)
        rows.at = head;
    else
        write_block(CT_BLOCK_BATCH, generation);
}

static void write_second(struct thread *threads, unsigned count, unsigned generation, uint64_t start,
                         void (*one)(struct thread *, uint64_t))
{
    uint64_t round = TICKS_PER_SECOND / ROUNDS, events = PER_SECOND / ROUNDS / count, step = round / (events + 1);
    uint64_t end = start + TICKS_PER_SECOND - 100;

    ct_generation_put(&rows, &(struct ct_generation){ .clock = clock_at(start), .pause_ticks = 80 });
    write_block(CT_BLOCK_GENERATION, generation);
    write_tables(generation, count, start);
    for (unsigned i = 0; i < count; i++)
        threads[i].batch = 0;
    for (uint64_t r = 0; r < ROUNDS && events_left; r++)
        for (unsigned i = 0; i < count && events_left; i++)
            write_piece(&threads[i], i + 1, generation, start + r * round, events ? events : 1, step, one);
    ct_generation_end_put(&rows, &(struct ct_generation_end){ .clock = clock_at(end) });
    write_block(CT_BLOCK_GENERATION_END, generation);
}

/* As the drainer ends a file. */
static void write_end(void)
{
    uint64_t at = written;
    struct ct_blocks blocks;

    if (ct_blocks_init(&blocks, put_bytes, NULL) < 0)
        abort();
    ct_directory_put(&directory, &blocks, at);
    ct_blocks_one(&blocks, END, 0, 0, end, (&(struct ct_end){ .reason = CT_END_EXIT }));
    ct_directory_put_foot(&blocks, at, false);
    ct_blocks_flush(&blocks);
    ct_blocks_fini(&blocks);
    ct_directory_fini(&directory);
}

int main(int argc, char **argv)
{
    void (*one)(struct thread *, uint64_t) = NULL;
    unsigned count = argc == 5 ? (unsigned)strtoul(argv[2], NULL, 10) : 0;
    struct thread *threads = calloc(count ? count : 1, sizeof *threads);

    for (size_t i = 0; argc == 5 && i < sizeof mixes / sizeof *mixes; i++)
        if (strcmp(argv[3], mixes[i].name) == 0)
            one = mixes[i].put;
    if (!one || !threads || count == 0 || count > 8192) {
        fprintf(stderr, "usage: mktrace EVENTS THREADS io|wait|region|mixed FILE\n");
        return 2;
    }
    out = strcmp(argv[4], "-") == 0 ? stdout : fopen(argv[4], "w");
    if (!out) {
        perror(argv[4]);
        return 1;
    }
    events_left = strtoull(argv[1], NULL, 10);
    rows = ct_buffer_over(block, BLOCK_ROOM);
    write_head(count);
    for (unsigned generation = 1; events_left; generation++)
        write_second(threads, count, generation, (uint64_t)generation * TICKS_PER_SECOND, one);
    write_end();
    if (fflush(out) != 0 || ferror(out)) {
        perror(argv[4]);
        return 1;
    }
    free(threads);
    return fclose(out) != 0;
}

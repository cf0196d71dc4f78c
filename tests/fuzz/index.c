/* An index file with any bytes changed and its sums made right again: every question ends, and none breaks anything. */
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "converter/text/assemble.h"
#include "tests/converter/index/questions.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const char text[] =
    "program 1 pid=9 parent=0 uid=0 start_time=0 clock=tsc ticks_per_second=200000000 cpus=2 categories=0x0 "
    "run=00000000000000000000000000000001 arena=000000000000000000000000000000f1 "
    "boot=00000000000000000000000000000000 host=\"h\" name=\"/bin/p\" arguments=\"p\" version=\"\" system=\"\"\n"
    "generation 1:1 start=1000/5000/5000 pause=100 kind=1 end=200000/1000000/1000000 lost=0 flags=0\n"
    "stack 1 2 0x401001 0x401002\n"
    "thread 1:1 tid=9 parent=0 routine=0x401000 name=\"t\" state=running reason=0 object=0x0 lost=0\n"
    "thread 1:2 tid=10 parent=1 routine=0x401000 name=\"u\" state=running reason=0 object=0x0 lost=0\n"
    "0.000006000 1:1 REGION_BEGIN name=\"a\" task=1\n"
    "0.000007000 1:1 MUTEX_WAIT object=0x401001 at=2\n"
    "0.000008000 1:2 WAKE object=0x401001\n"
    "0.000009000 1:1 WAIT_DONE\n"
    "0.000010000 1:1 LOG category=\"c\" task=0 text=\"a message\"\n"
    "0.000010500 1:1 COUNTER name=\"n\" value=7\n"
    "0.000011000 1:1 CPU_SAMPLE weight=10000 at=2\n"
    "0.000015000 1:1 IO dur=1000 call=read fd=1 result=-11\n"
    "0.000016000 1:1 REGION_END\n"
    "0.000018000 1:2 HEAP_GROW dur=500 how=0 bytes=100 total=100 at=2\n";

static char folder[] = "/dev/shm/test-ctrace-fuzz-index-XXXXXX", trace[64], file[80];
static const char *path = trace;
static uint8_t *base, *bytes;
static size_t base_size;

static int open_trace(void *context, struct ct_reader **ret, struct ct_error *err)
{
    struct ct_read_input input = { .path = trace, .fd = -1 };

    return ct_reader_open(&input, 1, NULL, ret, err);
}

static int refuse(void *context, struct ct_reader **ret, struct ct_error *err)
{
    return ct_error_at(err, -ECANCELED, 0, "it is not to be built");
}

static void close_trace(void *context, struct ct_reader *reader)
{
    ct_reader_close(reader);
}

static struct ct_index *open_index(bool build)
{
    struct ct_index_source source = { .paths = &path, .count = 1, .open = build ? open_trace : refuse, .close = close_trace };
    struct ct_index *index;
    struct ct_error err;

    if (ct_index_open(&source, NULL, &index, &err) < 0)
        abort();
    ct_index_wait(index);
    return index;
}

static void clean(void)
{
    unlink(file);
    unlink(trace);
    rmdir(folder);
}

/* The trace, and its index as it should be. */
static void begin(void)
{
    struct ct_output out;
    struct ct_error err;
    FILE *f;

    if (!mkdtemp(folder))
        abort();
    atexit(clean);
    snprintf(trace, sizeof trace, "%s/trace.out", folder);
    snprintf(file, sizeof file, "%s.idx", trace);
    if (ct_output_open(&out, trace, false, &err) < 0 || ct_assemble(text, sizeof text - 1, &out, &err) < 0 ||
        ct_output_commit(&out, &err) < 0)
        abort();
    ct_index_close(open_index(true));
    f = fopen(file, "r");
    base = malloc(1 << 20);
    base_size = f && base ? fread(base, 1, 1 << 20, f) : 0;
    bytes = malloc(base_size + 1);
    if (base_size == 0 || !bytes)
        abort();
    fclose(f);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct ct_index *index;
    bool damaged;
    FILE *f;

    if (!base)
        begin();
    memcpy(bytes, base, base_size);
    for (; size >= 4; data += 4, size -= 4) {       /* where, and two bytes that come there */
        size_t at = ((size_t)data[0] << 8 | data[1]) * 7919 % (base_size - 1);

        bytes[at] = data[2];
        bytes[at + 1] = data[3];
    }
    seal_again(bytes, base_size);
    f = fopen(file, "w");
    if (!f || fwrite(bytes, 1, base_size, f) != base_size || fchmod(fileno(f), 0600) < 0 || fclose(f) != 0)
        abort();
    index = open_index(false);
    ask_everything(index, &damaged);
    ct_index_close(index);
    return 0;
}

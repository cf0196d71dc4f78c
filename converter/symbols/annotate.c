/* From a finished trace to the names of all its code addresses, a module at a time. */
#include "converter/symbols/annotate.h"

#include <errno.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>

#include "converter/read/reader.h"
#include "converter/symbols/code_addresses.h"
#include "converter/symbols/symbol_blocks.h"
#include "format/file.h"

/* One module's batch under way. */
struct batch {
    struct ct_symbol_blocks *blocks;
    const struct ct_code_address *next, *end;
    struct ct_text module;
    uint64_t named;
};

struct annotation {
    struct ct_symbols *symbols;
    struct ct_reader *reader;
    struct ct_code_addresses *programs; /* by index */
    unsigned program_count;
    struct ct_symbol_blocks blocks;
    uint64_t end;                           /* of what was written, once it is */
    struct ct_annotation result;
    uint64_t most_nameless; /* of one module, for the note */
};

struct ct_annotator {
    struct annotation all;
    int out;
    unsigned room;                          /* of all.programs */
};

static struct ct_text text_of(const char *text)
{
    return (struct ct_text){ text, text ? strlen(text) : 0 };
}

/* Vaddrs come in rising order; several addresses may share one. */
static int take_frames(void *context, uint64_t vaddr, const struct ct_symbol_frame *frames,
                       unsigned count)
{
    struct batch *batch = context;
    struct ct_symbol_row rows[CT_SYMBOL_FRAMES_MAX];
    int r = 0;

    for (unsigned i = 0; i < count; i++)
        rows[i] = (struct ct_symbol_row){ .inlined = i + 1 < count,
                                          .line = frames[i].line,
                                          .function = text_of(frames[i].function),
                                          .file = text_of(frames[i].file),
                                          .module = batch->module };
    for (; batch->next < batch->end && batch->next->vaddr == vaddr && r == 0; batch->next++) {
        r = ct_symbol_blocks_add(batch->blocks, batch->next->pc, rows, count);
        batch->named += count != 0;
    }
    return r;
}

static void note(struct annotation *a, const struct ct_symbol_module *module, uint64_t nameless)
{
    if (nameless <= a->most_nameless)
        return;
    a->most_nameless = nameless;
    snprintf(a->result.note, sizeof a->result.note, "%s", ct_symbols_explain(a->symbols, module));
}

/* The addresses [from, to) lie in one module. */
static int name_module(struct annotation *a, const struct ct_module_row *row,
                       const struct ct_code_address *from, const struct ct_code_address *to)
{
    size_t count = (size_t)(to - from);
    char *path = strndup(row->path.at ? row->path.at : "", row->path.size);
    uint64_t *vaddrs = malloc(count * sizeof *vaddrs);
    struct ct_symbol_module module = { path, (const uint8_t *)row->build_id.at,
                                       row->build_id.size };
    struct batch batch = { &a->blocks, from, to, row->path, 0 };
    int r = path && vaddrs ? 0 : -ENOMEM;

    for (size_t i = 0; i < count && r == 0; i++)
        vaddrs[i] = from[i].vaddr;
    if (r == 0)
        r = ct_symbols_resolve_batch(a->symbols, &module, vaddrs, count, take_frames, &batch);
    if (r == -EINVAL) /* no build ID is that long: nothing is known about this one */
        r = 0;
    if (r == 0 && module.build_id_len <= CT_BUILD_ID_MAX)
        note(a, &module, count - batch.named);
    a->result.named += batch.named;
    a->result.modules++;
    free(vaddrs);
    free(path);
    return r;
}

static int name_program(struct annotation *a, const struct ct_read_program *program,
                        struct ct_code_addresses *addresses)
{
    const struct ct_code_address *at = addresses->items.items, *end, *to;
    int r = 0;

    a->result.addresses += addresses->items.count;
    a->result.unplaced += addresses->unplaced;
    if (addresses->items.count == 0)
        return 0;
    end = at + addresses->items.count;
    ct_code_addresses_sort(addresses);
    /* A RUN block with a known id goes back to that program; where it was lost there is but one. */
    if (program->run.program.at)
        r = ct_symbol_blocks_program(&a->blocks, &program->run);
    for (; at < end && r == 0; at = to) {
        for (to = at; to < end && to->module == at->module;)
            to++;
        r = name_module(a, &program->modules[at->module].row, at, to);
    }
    return r == 0 ? ct_symbol_blocks_flush(&a->blocks) : r;
}

static int collect(struct annotation *a, struct ct_error *err)
{
    const struct ct_read_item *item;
    int r;

    a->program_count = ct_reader_program_count(a->reader);
    a->programs = calloc(a->program_count + 1, sizeof *a->programs);
    if (!a->programs)
        return ct_error_at(err, -ENOMEM, 0, "out of memory");
    while ((r = ct_reader_next(a->reader, &item, err)) > 0)
        if (item->kind == CT_READ_GENERATION && item->program->index < a->program_count &&
            ct_code_addresses_add(&a->programs[item->program->index], item->generation) != 0)
            return ct_error_at(err, -ENOMEM, 0, "out of memory");
    return r;
}

/* Blocks behind a torn or damaged one are never read: there is no use in writing them. */
static int check_end(struct annotation *a, uint64_t size, struct ct_error *err)
{
    const struct ct_read_ending *ending = ct_reader_ending(a->reader, 0);

    if (!ending->damage && ending->cut_offset == size)
        return 0;
    if (err)
        *err = ending->error;
    return ending->damage ? ending->damage : -ENODATA;
}

static int write_names(struct annotation *a, int fd, uint64_t size, struct ct_error *err)
{
    int r = ct_symbol_blocks_init(&a->blocks, fd, size);

    for (unsigned i = 0; i < a->program_count && r == 0; i++)
        r = name_program(a, ct_reader_program(a->reader, i), &a->programs[i]);
    if (r != 0)
        ct_error_fill(err, r, a->blocks.end, "names cannot be added to the trace: %s",
                      strerror(-r));
    a->end = a->blocks.end;
    ct_symbol_blocks_fini(&a->blocks, r == 0);
    return r;
}

/* Names have come to stand behind the FOOT: another one says where the directory is.  Without it reading takes longer. */
static void repeat_foot(int fd, uint64_t size, uint64_t end)
{
    struct ct_block_head head;
    uint8_t block[sizeof head + CT_FOOT_SIZE];
    struct ct_foot foot;

    if (size < sizeof block || pread(fd, block, sizeof block, (off_t)(size - sizeof block)) != (ssize_t)sizeof block)
        return;
    memcpy(&head, block, sizeof head);
    if (head.magic != CT_BLOCK_MAGIC || head.type != CT_BLOCK_FOOT || head.size != CT_FOOT_SIZE)
        return;
    ct_foot_get(block + sizeof head, &foot);
    foot.named = 1;
    ct_foot_put(block + sizeof head, &foot);
    head.crc = (uint32_t)crc32(crc32(0, (const Bytef *)&head, offsetof(struct ct_block_head, crc)), block + sizeof head,
                               CT_FOOT_SIZE);
    memcpy(block, &head, sizeof head);
    if (pwrite(fd, block, sizeof block, (off_t)end) != (ssize_t)sizeof block)
        (void)!ftruncate(fd, (off_t)end);
}

static int annotate(struct annotation *a, int fd, uint64_t size, struct ct_error *err)
{
    struct ct_read_input input = { .path = "the trace", .fd = fd };
    struct ct_reader_options options = { .tables_only = true };
    int r = ct_reader_open(&input, 1, &options, &a->reader, err);

    if (r == 0)
        r = check_end(a, size, err);
    if (r == 0)
        r = collect(a, err);
    if (r == 0)
        r = write_names(a, fd, size, err);
    if (r == 0 && a->end > size)
        repeat_foot(fd, size, a->end);
    return r;
}

static void annotation_fini(struct annotation *a)
{
    for (unsigned i = 0; a->programs && i < a->program_count; i++)
        ct_code_addresses_fini(&a->programs[i]);
    free(a->programs);
    ct_reader_close(a->reader);
}

/* --- of a trace that grows --- */

int ct_annotator_new(const struct ct_read_input *inputs, size_t count, struct ct_symbols *symbols, int out,
                     struct ct_annotator **ret, struct ct_error *err)
{
    const struct ct_reader_options options = { .tables_only = true, .follow = true };
    struct ct_annotator *a = calloc(1, sizeof *a);
    int r = a ? 0 : ct_error_at(err, -ENOMEM, 0, "out of memory");

    if (r == 0)
        r = ct_reader_open(inputs, count, &options, &a->all.reader, err);
    if (r < 0) {
        free(a);
        return r;
    }
    a->all.symbols = symbols;
    a->out = out;
    *ret = a;
    return 0;
}

void ct_annotator_free(struct ct_annotator *a)
{
    if (a)
        annotation_fini(&a->all);
    free(a);
}

/* Place for the addresses of programs that are new. */
static int make_room(struct ct_annotator *a)
{
    unsigned count = ct_reader_program_count(a->all.reader);
    struct ct_code_addresses *more;

    if (count > a->room) {
        more = realloc(a->all.programs, 2 * count * sizeof *more);
        if (!more)
            return -ENOMEM;
        a->all.programs = more;
        a->room = 2 * count;
    }
    for (; a->all.program_count < count; a->all.program_count++)
        a->all.programs[a->all.program_count] = (struct ct_code_addresses){ 0 };
    return 0;
}

/* Names what was collected of one program, which is then forgotten but for that it was seen. */
static int tell_names(struct ct_annotator *a, unsigned number, ct_annotator_sink *sink, void *context)
{
    const struct ct_read_program *program = ct_reader_program(a->all.reader, number);
    struct ct_code_addresses *addresses = &a->all.programs[number];
    uint64_t named = a->all.result.named, from = a->all.blocks.end;
    int r = name_program(&a->all, program, addresses);

    addresses->items.count = 0;
    return r == 0 && a->all.result.named > named ? sink(context, program, from, a->all.blocks.end) : r;
}

int ct_annotator_look(struct ct_annotator *a, const struct ct_read_input *inputs, size_t count, ct_annotator_sink *sink,
                      void *context, struct ct_error *err)
{
    const struct ct_read_item *item;
    int r = ct_reader_extend(a->all.reader, inputs, count, false, err);

    if (r == 0)
        r = make_room(a);
    while (r == 0 && ct_reader_next(a->all.reader, &item, err) > 0)
        if (item->kind == CT_READ_GENERATION)
            r = ct_code_addresses_add(&a->all.programs[item->program->index], item->generation);
    if (r == 0)
        r = ct_symbol_blocks_init(&a->all.blocks, a->out, 0);
    for (unsigned i = 0; i < a->all.program_count && r == 0; i++)
        if (a->all.programs[i].items.count > 0)
            r = tell_names(a, i, sink, context);
    ct_symbol_blocks_fini(&a->all.blocks, true);
    return r < 0 ? ct_error_fill(err, r, 0, "names cannot be found: %s", strerror(-r)), r : 0;
}

/* Appending to a .gz or to something else would spoil it. */
static int check_file(int fd, uint64_t *ret_size, struct ct_error *err)
{
    char magic[sizeof(CT_FILE_MAGIC) - 1];
    struct stat st;

    if (fstat(fd, &st) != 0 || !S_ISREG(st.st_mode) ||
        pread(fd, magic, sizeof magic, 0) != (ssize_t)sizeof magic ||
        memcmp(magic, CT_FILE_MAGIC, sizeof magic) != 0)
        return ct_error_at(err, -EINVAL, 0, "names can be added to plain trace files only");
    *ret_size = (uint64_t)st.st_size;
    return 0;
}

int ct_annotate(int fd, struct ct_symbols *symbols, struct ct_annotation *ret, struct ct_error *err)
{
    struct annotation a = { .symbols = symbols };
    uint64_t size = 0;
    int r = check_file(fd, &size, err);

    if (r == 0)
        r = annotate(&a, fd, size, err);
    annotation_fini(&a);
    if (r == 0)
        *ret = a.result;
    return r;
}

int ct_annotate_into(const struct ct_read_input *input, struct ct_symbols *symbols, int out, uint64_t *size,
                     struct ct_annotation *ret, struct ct_error *err)
{
    struct annotation a = { .symbols = symbols };
    struct ct_reader_options options = { .tables_only = true };
    int r = ct_reader_open(input, 1, &options, &a.reader, err);

    if (r == 0) {
        r = collect(&a, err);
        r = r == -ENOMEM ? r : write_names(&a, out, *size, err);
    }
    if (r == 0) {
        *size = a.end;
        *ret = a.result;
    }
    annotation_fini(&a);
    return r;
}

/* The end of building: tables into the file. */
#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#include "converter/index/builder.h"
#include "converter/index/frames.h"
#include "converter/index/image.h"

/* The right edge of a row; 0 or a negative errno. */
static int put_row(struct ct_heap *heap, const struct ct_column *c, struct ct_row_record *record)
{
    record->count = c->count;
    record->levels = c->tree.levels;
    for (unsigned i = 0; i < c->tree.levels; i++) {
        record->sums[i] = c->tree.edge[i]->count;
        record->at[i] = ct_heap_put(heap, c->tree.edge[i]->sum, c->tree.edge[i]->count * sizeof *c->tree.edge[i]->sum);
        if (record->at[i] == UINT64_MAX)
            return heap->error;
    }
    return 0;
}

/* --- folds --- */

struct folds {
    CT_LIST(struct ct_fold_row) levels;
    CT_LIST(struct ct_fold_leaf) leaves;
};

static bool put_fold_level(struct folds *all, uint32_t row, unsigned level, const struct ct_fold_level *l)
{
    struct ct_fold_row *record = ct_list_add(&all->levels);

    if (!record)
        return false;
    *record = (struct ct_fold_row){ row, level, all->leaves.count, l->leaves.count };
    for (size_t i = 0; i < l->leaves.count; i++) {
        struct ct_fold_leaf *leaf = ct_list_add(&all->leaves);

        if (!leaf)
            return false;
        *leaf = l->leaves.items[i];
    }
    return true;
}

/* The folds of a row; false without memory. */
static bool put_folds(struct folds *all, uint32_t row, const struct ct_folds *folds, struct ct_row_record *record)
{
    record->fold_level = (uint32_t)all->levels.count;
    for (unsigned i = 0; folds && i < CT_FOLD_LEVELS; i++)
        if (folds->level[i] && !put_fold_level(all, row, i, folds->level[i]))
            return false;
    record->fold_levels = (uint32_t)all->levels.count - record->fold_level;
    return true;
}

/* --- what is near --- */

/*
 * What a picture of all the trace reads lies far apart, where the slices are that filled it: a disk would be asked for each page of
 * it.  It is copied to one place, as long as that makes the file no more than a little larger.
 */
enum { NEAR_PART = 64 };                /* of the file */

struct near {
    struct ct_heap *heap;
    uint64_t end;                       /* no further */
    unsigned step;                      /* what is in folds of steps of 2^step ns is not read itself */
    unsigned folds;                     /* those of steps of 2^folds ns and more are gathered */
};

static bool gather_bytes(const struct near *near, uint64_t *at, size_t size)
{
    uint8_t *to = ct_heap_room(near->heap, size);

    if (!to)
        return false;
    memcpy(to, near->heap->base + *at, size);
    *at = near->heap->used;
    ct_heap_take(near->heap, size);
    return true;
}

/* A row's folds of long steps. */
static bool gather_folds(const struct near *near, struct folds *all, const struct ct_row_record *row)
{
    for (uint32_t i = 0; i < row->fold_levels; i++) {
        const struct ct_fold_row *l = &all->levels.items[row->fold_level + i];

        for (uint64_t k = l->first; 2 * l->level >= near->folds && k < l->first + l->count && near->heap->used < near->end; k++)
            if (!gather_bytes(near, &all->leaves.items[k].at, all->leaves.items[k].size))
                return false;
    }
    return true;
}

/* Of what is not folded, or not for steps as short: the leaves below a sum of that level. */
static bool gather_sum(const struct near *near, struct ct_sum *sum, unsigned level)
{
    struct ct_sum below[CT_FAN];
    uint64_t at = sum->at;

    if (sum->step <= near->step || near->heap->used >= near->end)
        return true;
    if (level == 0) {
        if (!gather_bytes(near, &at, sum->size))
            return false;
    } else {
        memcpy(below, near->heap->base + at, sizeof below);
        for (unsigned i = 0; i < CT_FAN; i++)
            if (!gather_sum(near, &below[i], level - 1))
                return false;
        at = ct_heap_put(near->heap, below, sizeof below);
    }
    if (at > CT_AT_MAX && !near->heap->error)
        near->heap->error = -EFBIG;
    sum->at = at & CT_AT_MAX;
    return near->heap->error == 0;
}

static bool gather_sums(const struct near *near, struct ct_tree *tree)
{
    for (unsigned level = 0; level < tree->levels; level++)
        for (unsigned i = 0; i < tree->edge[level]->count; i++)
            if (!gather_sum(near, &tree->edge[level]->sum[i], level))
                return false;
    return true;
}

/* The tile of all has the shortest steps of which there are no more than it holds. */
static struct near near_of(struct ct_heap *heap, int64_t span)
{
    unsigned level = 0, folds = 0;

    while (CT_TILE_STEPS < span >> level)
        level++;
    while (CT_IMAGE_NEAR_STEPS < span >> folds)
        folds++;
    ct_heap_show(heap);                 /* what was appended can be read at heap->base */
    return (struct near){ heap, heap->used + heap->used / NEAR_PART, level / 2 * 2, folds };
}

/* --- stacks --- */

struct stacks {
    CT_LIST(struct ct_node_record) nodes;
    CT_LIST(struct ct_frame_record) frames;
    struct ct_idmap places;             /* by address: where its frames begin */
};

static bool put_frame(struct ct_builder *b, struct stacks *s, const struct ct_read_frame *f, bool last)
{
    struct ct_frame_record *record = ct_list_add(&s->frames);

    if (!record)
        return false;
    *record = (struct ct_frame_record){ ct_strings_of(&b->strings, f->function), ct_strings_of(&b->strings, f->file),
                                        ct_strings_of(&b->strings, f->module), (uint32_t)f->line,
                                        (f->inlined ? CT_FRAME_INLINED : 0) | (last ? CT_FRAME_LAST : 0) };
    return true;
}

/* As frames_of_reader in frames.c says them. */
static bool put_frames(struct ct_builder *b, struct stacks *s, const struct ct_stack_node *n)
{
    const struct ct_read_program *program = ct_reader_program(b->reader, n->program);
    const struct ct_read_frame *frames;
    size_t count = n->pc ? ct_read_frames(program, n->pc, &frames) : 0;
    struct ct_read_frame first = count ? frames[0] : (struct ct_read_frame){ 0 };
    char address[256];

    if (first.function.size == 0) {
        const struct ct_read_module *module = ct_read_module(program, n->pc);

        first.function = (struct ct_text){ address, ct_frames_address(program, n->pc, address, sizeof address) };
        if (module && first.module.size == 0)
            first.module = module->row.path;
    }
    if (!put_frame(b, s, &first, count <= 1))
        return false;
    for (size_t i = 1; i < count; i++)
        if (!put_frame(b, s, &frames[i], i + 1 == count))
            return false;
    return true;
}

static bool put_node(struct ct_builder *b, struct stacks *s, const struct ct_stack_node *n)
{
    struct ct_node_record *record = ct_list_add(&s->nodes);
    uint64_t key = n->pc + n->program * 0x9e3779b97f4a7c15u;
    uint32_t at = ct_idmap_get(&s->places, key);

    if (!record)
        return false;
    if (at == CT_IDMAP_NONE) {
        at = (uint32_t)s->frames.count;
        if (!put_frames(b, s, n) || ct_idmap_add(&s->places, key, at) < 0)
            return false;
    }
    *record = (struct ct_node_record){ n->parent, at };
    return true;
}

/* A number that means no stack, with the first frame of all, which is empty: there may be no program. */
static bool put_none(struct stacks *s)
{
    struct ct_node_record *record = ct_list_add(&s->nodes);

    if (record)
        *record = (struct ct_node_record){ 0 };
    return record != NULL;
}

static int put_stacks(struct ct_builder *b, struct stacks *s)
{
    const struct ct_stacks *stacks = ct_model_stacks(b->model);
    bool put = put_frame(b, s, &(struct ct_read_frame){ 0 }, true);

    for (uint32_t i = 0; put && i < ct_stacks_count(stacks); i++)
        put = i < CT_NODE_FIRST ? put_none(s) : put_node(b, s, ct_stacks_node(stacks, i));
    return put ? 0 : -ENOMEM;
}

static void free_stacks(struct stacks *s)
{
    ct_list_fini(&s->nodes);
    ct_list_fini(&s->frames);
    ct_idmap_fini(&s->places);
}

/* --- tables --- */

static void put_table(struct ct_heap *heap, struct ct_image_head *head, enum ct_image_table table, const void *items,
                      size_t count, size_t item)
{
    head->table[table].at = ct_heap_put(heap, items, count * item);
    head->table[table].count = count;
    head->table[table].item = item;
    head->table[table].sum = ct_image_sum(items, count * item);
}

#define PUT_LIST(table, list) put_table(heap, head, table, (list).items, (list).count, sizeof *(list).items)

static int put_rows(struct ct_builder *b, struct ct_image_head *head, struct ct_row_record *flows)
{
    struct ct_row_record *rows = calloc(b->rows.count ? b->rows.count : 1, sizeof *rows);
    struct ct_heap *heap = &b->heap;
    struct folds folds = { 0 };
    struct near near;
    int r = rows ? 0 : -ENOMEM;

    near = near_of(heap, b->summary.span);
    head->near = heap->used;
    for (size_t i = 0; r == 0 && i < b->rows.count; i++) {
        struct ct_column *c = &b->rows.items[i]->column;

        rows[i] = b->rows.items[i]->record;
        if (!put_folds(&folds, (uint32_t)i, c->tree.folds, &rows[i]))
            r = -ENOMEM;
        else if (!gather_folds(&near, &folds, &rows[i]) || !gather_sums(&near, &c->tree))
            r = heap->error;
        else
            r = put_row(heap, c, &rows[i]);
    }
    if (r == 0)
        r = put_row(heap, &b->flows, flows);
    head->leaves = heap->used;
    if (r == 0) {
        put_table(heap, head, CT_IMAGE_ROWS, rows, b->rows.count, sizeof *rows);
        PUT_LIST(CT_IMAGE_FOLD_LEVELS, folds.levels);
        PUT_LIST(CT_IMAGE_FOLD_LEAVES, folds.leaves);
    }
    ct_list_fini(&folds.levels);
    ct_list_fini(&folds.leaves);
    free(rows);
    return r;
}

/* The sum of page `i`, of which nothing behind `end` counts. */
static uint64_t page_sum(const struct ct_heap *heap, size_t i, uint64_t end)
{
    size_t from = i ? i * CT_IMAGE_PAGE : CT_IMAGE_HEAD, to = (i + 1) * CT_IMAGE_PAGE;

    return ct_image_sum(ct_heap_page(heap, from), (to < end ? to : end) - from);
}

void ct_image_sum_pages(struct ct_builder *b)
{
    uint64_t *sum;

    while ((b->page_sums.count + 1) * CT_IMAGE_PAGE <= b->heap.used && (sum = ct_list_add(&b->page_sums)))
        *sum = page_sum(&b->heap, b->page_sums.count - 1, b->heap.used);
}

static int put_pages(struct ct_builder *b, struct ct_image_head *head)
{
    size_t count = (head->leaves + CT_IMAGE_PAGE - 1) / CT_IMAGE_PAGE, known = head->leaves / CT_IMAGE_PAGE;
    uint64_t *sums = calloc(count ? count : 1, sizeof *sums);

    if (!sums)
        return -ENOMEM;
    if (known > b->page_sums.count)
        known = b->page_sums.count;
    if (known)
        memcpy(sums, b->page_sums.items, known * sizeof *sums);
    for (size_t i = known; i < count; i++)
        sums[i] = page_sum(&b->heap, i, head->leaves);
    put_table(&b->heap, head, CT_IMAGE_PAGES, sums, count, sizeof *sums);
    free(sums);
    return 0;
}

static int put_all(struct ct_builder *b, struct ct_image_head *head, struct stacks *stacks)
{
    struct ct_row_record flows = { .kind = CT_ROW_SLICES, .next = CT_INDEX_NONE };
    struct ct_heap *heap = &b->heap;
    int r = put_stacks(b, stacks);

    if (r == 0)
        r = put_rows(b, head, &flows);
    if (r < 0)
        return r;
    put_table(heap, head, CT_IMAGE_FLOWS, &flows, 1, sizeof flows);
    PUT_LIST(CT_IMAGE_OFFSETS, b->strings.offsets);
    PUT_LIST(CT_IMAGE_TEXTS, b->strings.bytes);
    PUT_LIST(CT_IMAGE_USES, b->strings.uses);
    PUT_LIST(CT_IMAGE_ADDRESSES, b->addresses);
    PUT_LIST(CT_IMAGE_NAMES, b->names.list);
    PUT_LIST(CT_IMAGE_EVENTS, b->events);
    PUT_LIST(CT_IMAGE_PROGRAMS, b->programs);
    PUT_LIST(CT_IMAGE_LANES, b->lanes);
    PUT_LIST(CT_IMAGE_NODES, stacks->nodes);
    PUT_LIST(CT_IMAGE_FRAMES, stacks->frames);
    put_table(heap, head, CT_IMAGE_SUMMARY, &b->summary, 1, sizeof b->summary);
    r = put_pages(b, head);
    return r < 0 ? r : heap->error;
}

int ct_image_write(struct ct_builder *b, const struct ct_index_key *key)
{
    static const uint8_t slack[CT_HEAP_SLACK];
    struct ct_image_head head = { .magic = CT_IMAGE_MAGIC, .version = CT_IMAGE_VERSION, .page = CT_IMAGE_PAGE, .key = *key,
                                  .revision = b->revision };
    struct stacks stacks = { 0 };
    int r = put_all(b, &head, &stacks);

    free_stacks(&stacks);
    if (r == 0 && ct_heap_put(&b->heap, slack, sizeof slack) == UINT64_MAX)
        r = b->heap.error;
    if (r < 0)
        return r;
    head.size = b->heap.used;
    head.sum = ct_image_sum(&head, offsetof(struct ct_image_head, sum));
    if (!ct_heap_end(&b->heap))
        return b->heap.error;
    if (pwrite(b->heap.fd, &head, sizeof head, 0) != sizeof head)
        return -ENOSPC;
    return ftruncate(b->heap.fd, (off_t)b->heap.used) < 0 ? -errno : 0;
}

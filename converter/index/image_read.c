/* Opening an index file that may be another's, an older one's, cut, or full of nonsense. */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "converter/index/cache.h"
#include "converter/index/image.h"

uint64_t ct_image_sum(const void *bytes, size_t size)
{
    uint64_t h[4] = { size, 1, 2, 3 }, word[4];
    const uint8_t *p = bytes;

    for (; size >= sizeof word; p += sizeof word, size -= sizeof word) {
        memcpy(word, p, sizeof word);
        for (unsigned i = 0; i < 4; i++)
            h[i] = (h[i] ^ word[i]) * 0x9e3779b97f4a7c15u;
    }
    memset(word, 0, sizeof word);
    if (size)
        memcpy(word, p, size);
    for (unsigned i = 0; i < 4; i++) {
        h[i] = ((h[i] ^ h[i] >> 32) ^ word[i]) * 0xd6e8feb86659fd93u;
        h[0] = (h[0] ^ h[i] ^ h[i] >> 32) * 0x9e3779b97f4a7c15u;
    }
    return h[0] ^ h[0] >> 29;
}

/* --- pages --- */

static bool check_page(struct ct_image *image, uint64_t page)
{
    uint8_t seen = atomic_load_explicit(&image->seen[page], memory_order_relaxed);  /* relaxed: the same for everyone */
    uint64_t from = page ? page * CT_IMAGE_PAGE : CT_IMAGE_HEAD, to = (page + 1) * CT_IMAGE_PAGE;

    if (seen == 0) {
        seen = ct_image_sum(image->bytes + from, (to < image->leaves ? to : image->leaves) - from) == image->sums[page] ? 1 : 2;
        atomic_store_explicit(&image->seen[page], seen, memory_order_relaxed);
        if (seen == 2)
            atomic_store_explicit(&image->damaged, true, memory_order_relaxed);
    }
    return seen == 1;
}

static bool check(void *context, uint64_t at, size_t size)
{
    struct ct_image *image = context;

    if (at < CT_IMAGE_HEAD || at > image->leaves || size > image->leaves - at)
        return false;
    for (uint64_t page = at / CT_IMAGE_PAGE; size > 0 && page <= (at + size - 1) / CT_IMAGE_PAGE; page++)
        if (!check_page(image, page))
            return false;
    return true;
}

void ct_image_fini(struct ct_image *image)
{
    free((void *)image->seen);
    image->seen = NULL;
}

/* --- tables --- */

static const size_t items[CT_IMAGE_TABLES] = {
    [CT_IMAGE_OFFSETS] = sizeof(uint32_t), [CT_IMAGE_TEXTS] = 1, [CT_IMAGE_USES] = 1, [CT_IMAGE_ADDRESSES] = sizeof(uint64_t),
    [CT_IMAGE_NAMES] = sizeof(struct ct_name_record),
    [CT_IMAGE_EVENTS] = sizeof(struct ct_event_record), [CT_IMAGE_PROGRAMS] = sizeof(struct ct_program_record),
    [CT_IMAGE_LANES] = sizeof(struct ct_lane_record), [CT_IMAGE_ROWS] = sizeof(struct ct_row_record),
    [CT_IMAGE_FLOWS] = sizeof(struct ct_row_record), [CT_IMAGE_NODES] = sizeof(struct ct_node_record),
    [CT_IMAGE_FRAMES] = sizeof(struct ct_frame_record), [CT_IMAGE_SUMMARY] = sizeof(struct ct_summary_record),
    [CT_IMAGE_FOLD_LEVELS] = sizeof(struct ct_fold_row), [CT_IMAGE_FOLD_LEAVES] = sizeof(struct ct_fold_leaf),
    [CT_IMAGE_PAGES] = sizeof(uint64_t),
};

static bool tables_fit(const struct ct_heap *heap, const struct ct_image_head *head)
{
    for (unsigned i = 0; i < CT_IMAGE_TABLES; i++) {
        uint64_t at = head->table[i].at, count = head->table[i].count;

        if (head->table[i].item != items[i] || at % 8 != 0 || at < head->leaves || at > heap->used ||
            count > (heap->used - at) / items[i] || count >= UINT32_MAX)
            return false;
        if (ct_image_sum(heap->base + at, count * items[i]) != head->table[i].sum)
            return false;
    }
    return head->table[CT_IMAGE_FLOWS].count == 1 && head->table[CT_IMAGE_SUMMARY].count == 1 &&
           head->table[CT_IMAGE_PAGES].count == (head->leaves + CT_IMAGE_PAGE - 1) / CT_IMAGE_PAGE &&
           head->table[CT_IMAGE_OFFSETS].count > 2 &&
           head->table[CT_IMAGE_USES].count == head->table[CT_IMAGE_OFFSETS].count - 1;
}

/* That numbers used as places in arrays are such; sums alone do not say it, who writes nonsense can add it up too. */
static bool makes_sense(const struct ct_store *s, uint64_t text_bytes)
{
    for (size_t i = 0; i < s->string_count; i++)
        if (s->offsets[i] > s->offsets[i + 1])
            return false;
    if (s->offsets[s->string_count] > text_bytes)
        return false;
    for (size_t i = 0; i < s->name_count; i++)
        if (s->names[i].class >= CT_CLASS_END)
            return false;
    for (size_t i = 0; i < s->lane_count; i++)
        if (s->lanes[i].kind > CT_LANE_TASK)
            return false;
    for (size_t i = 0; i < s->row_count; i++)
        if (s->rows[i].lane >= s->lane_count || s->rows[i].kind > CT_ROW_VALUE || s->rows[i].levels > CT_TREE_LEVELS ||
            s->rows[i].fold_level > s->fold_level_count || s->rows[i].fold_levels > s->fold_level_count - s->rows[i].fold_level)
            return false;
    for (size_t i = 0; i < s->fold_level_count; i++)
        if (s->fold_levels[i].level >= CT_FOLD_LEVELS || s->fold_levels[i].first > s->fold_leaf_count ||
            s->fold_levels[i].count > s->fold_leaf_count - s->fold_levels[i].first)
            return false;
    for (size_t i = 0; i < s->event_count; i++)
        if (s->events[i].count > CT_EVENT_FIELDS_MAX)
            return false;
    return s->summary->wait_count <= CT_OVERVIEW_MOST && s->summary->pause_count <= CT_OVERVIEW_MOST &&
           s->summary->span > 0 && s->summary->span <= INT64_C(1) << 53;
}

static void fill(const struct ct_heap *heap, const struct ct_image_head *head, struct ct_store *s)
{
#define AT(which) (const void *)(heap->base + head->table[which].at)
#define COUNT(which) (size_t)head->table[which].count
    *s = (struct ct_store){
        .base = { .bytes = heap->base, .used = head->leaves },
        .offsets = AT(CT_IMAGE_OFFSETS), .string_count = COUNT(CT_IMAGE_OFFSETS) - 1, .texts = AT(CT_IMAGE_TEXTS),
        .uses = AT(CT_IMAGE_USES), .addresses = AT(CT_IMAGE_ADDRESSES),
        .address_count = COUNT(CT_IMAGE_ADDRESSES),
        .names = AT(CT_IMAGE_NAMES), .name_count = COUNT(CT_IMAGE_NAMES),
        .events = AT(CT_IMAGE_EVENTS), .event_count = COUNT(CT_IMAGE_EVENTS),
        .programs = AT(CT_IMAGE_PROGRAMS), .program_count = COUNT(CT_IMAGE_PROGRAMS),
        .lanes = AT(CT_IMAGE_LANES), .lane_count = COUNT(CT_IMAGE_LANES),
        .rows = AT(CT_IMAGE_ROWS), .row_count = COUNT(CT_IMAGE_ROWS),
        .nodes = AT(CT_IMAGE_NODES), .node_count = COUNT(CT_IMAGE_NODES),
        .frames = AT(CT_IMAGE_FRAMES), .frame_count = COUNT(CT_IMAGE_FRAMES),
        .fold_levels = AT(CT_IMAGE_FOLD_LEVELS), .fold_level_count = COUNT(CT_IMAGE_FOLD_LEVELS),
        .fold_leaves = AT(CT_IMAGE_FOLD_LEAVES), .fold_leaf_count = COUNT(CT_IMAGE_FOLD_LEAVES),
        .summary = AT(CT_IMAGE_SUMMARY), .revision = head->revision, .ready = true,
    };
    memcpy(&s->flow_record, heap->base + head->table[CT_IMAGE_FLOWS].at, sizeof s->flow_record);
#undef AT
#undef COUNT
}

/* A disk reads while sums are looked at what is asked for next. */
static void expect(const struct ct_heap *heap, uint64_t from)
{
    from -= from % CT_IMAGE_PAGE;
    if (from < heap->used)
        madvise((void *)(uintptr_t)(heap->base + from), heap->used - from, MADV_WILLNEED);      /* else it takes longer */
}

int ct_image_open(const struct ct_heap *heap, const struct ct_index_key *key, bool trusted, struct ct_image *image,
                  struct ct_store *store)
{
    struct ct_image_head head;
    size_t pages;

    if (heap->used < CT_IMAGE_HEAD + CT_HEAP_SLACK)
        return -EINVAL;
    memcpy(&head, heap->base, sizeof head);
    if (!trusted && (memcmp(head.magic, CT_IMAGE_MAGIC, sizeof head.magic) != 0 || head.version != CT_IMAGE_VERSION ||
                     head.page != CT_IMAGE_PAGE || memcmp(&head.key, key, sizeof *key) != 0 || head.size != heap->used ||
                     head.sum != ct_image_sum(&head, offsetof(struct ct_image_head, sum)) ||
                     head.near < CT_IMAGE_HEAD || head.near > head.leaves || head.leaves > heap->used - CT_HEAP_SLACK))
        return -EINVAL;
    if (!trusted)
        expect(heap, head.near);
    if (!trusted && !tables_fit(heap, &head))
        return -EINVAL;
    fill(heap, &head, store);
    if (!trusted && !makes_sense(store, head.table[CT_IMAGE_TEXTS].count))
        return -EINVAL;
    image->seen = NULL;
    image->bytes = heap->base;
    image->leaves = head.leaves;
    image->sums = (const uint64_t *)(const void *)(heap->base + head.table[CT_IMAGE_PAGES].at);
    if (trusted)
        return 0;
    pages = head.table[CT_IMAGE_PAGES].count;
    image->seen = calloc(pages ? pages : 1, 1);
    if (!image->seen)
        return -ENOMEM;
    store->base.check = check;
    store->base.context = image;
    return 0;
}

/* Only what the user (or root) wrote, and nobody else could have. */
static int open_own(const char *path, struct ct_heap *heap)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK), r = -EINVAL;
    struct stat st;

    if (fd < 0)
        return -errno;
    if (fstat(fd, &st) == 0 && S_ISREG(st.st_mode) && (st.st_uid == geteuid() || st.st_uid == 0) && !(st.st_mode & 022) &&
        st.st_size >= CT_IMAGE_HEAD + CT_HEAP_SLACK)
        r = ct_heap_open(heap, fd, (size_t)st.st_size);
    close(fd);
    return r;
}

int ct_image_find(const char *trace, const char *folder, const struct ct_index_key *key, struct ct_heap *heap,
                  struct ct_image *image, struct ct_store *store, char *ret_path, size_t room)
{
    for (unsigned which = 0; which < CT_INDEX_PLACES; which++) {
        if (!ct_index_file_path(which, trace, folder, key, ret_path, room) || open_own(ret_path, heap) < 0)
            continue;
        if (ct_image_open(heap, key, false, image, store) == 0) {
            if (which == CT_INDEX_CACHED)
                ct_cache_touch(ret_path);
            return 0;
        }
        ct_heap_fini(heap);
    }
    return -ENOENT;
}

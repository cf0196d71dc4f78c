/* Texts with a record a stack and its names below, as runtime/pprof writes them. */
#include "converter/profile/text.h"

#include <ctype.h>
#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "converter/profile/sample.h"

enum {
    BUFFER_SIZE = 16 << 10,
    WORD_MAX = 2048,                    /* of a name: pprof gives up at lines of 64 KiB */
    DEPTH_MAX = 2048,                   /* addresses of a line, for the same reason */
    ADDRESS_MAX = 24,
    CELL_MAX = WORD_MAX + ADDRESS_MAX,
    TAB = 8,
};

struct text {
    const struct ct_profile *profile;
    ct_profile_sink *sink;
    void *context;
    int error;                          /* the first one; nothing is written after it */
    size_t filled;
    char buffer[BUFFER_SIZE];
};

static void flush(struct text *t)
{
    if (t->error == 0 && t->filled)
        t->error = t->sink(t->context, t->buffer, t->filled);
    t->filled = 0;
}

/* At most WORD_MAX and a few more bytes. */
__attribute__((format(printf, 2, 3))) static void print(struct text *t, const char *format, ...)
{
    va_list args;
    int size;

    if (BUFFER_SIZE - t->filled < 2 * WORD_MAX)
        flush(t);
    va_start(args, format);
    size = vsnprintf(t->buffer + t->filled, BUFFER_SIZE - t->filled, format, args);
    va_end(args);
    t->filled += size < 0 ? 0 : (size_t)size < BUFFER_SIZE - t->filled ? (size_t)size : BUFFER_SIZE - t->filled - 1;
}

/* A name may hold any byte; a line must stay a line. */
static size_t clean_word(const char *word, bool quoted, char clean[WORD_MAX])
{
    size_t filled = 0;

    for (; *word && filled < WORD_MAX - 2; word++) {
        if (quoted && (*word == '"' || *word == '\\'))
            clean[filled++] = '\\';
        clean[filled++] = iscntrl((unsigned char)*word) ? '?' : *word;
    }
    clean[filled] = 0;
    return filled;
}

static void print_word(struct text *t, const char *word, bool quoted)
{
    char clean[WORD_MAX];

    clean_word(word, quoted, clean);
    print(t, "%s", clean);
}

/* A sample of the profile and what it is sorted by. */
struct record {
    int64_t key;
    uint32_t row;
};

static int compare_records(const void *left, const void *right)
{
    const struct record *a = left, *b = right;

    if (a->key != b->key)
        return a->key > b->key ? -1 : 1;
    return a->row < b->row ? -1 : a->row > b->row;
}

/* The samples, largest `value` first; NULL without memory. */
static struct record *sort_samples(const struct ct_profile *p, unsigned value)
{
    struct record *records = malloc(((size_t)p->samples.count + 1) * sizeof *records);

    if (!records)
        return NULL;
    for (uint32_t i = 0; i < p->samples.count; i++)
        records[i] = (struct record){ p->values.items[(size_t)i * p->type_count + value], i };
    qsort(records, p->samples.count, sizeof *records, compare_records);
    return records;
}

static void print_stack(struct text *t, uint32_t sample)
{
    const struct ct_profile *p = t->profile;
    const struct ct_profile_stack *stack = &p->stacks.items[p->samples.items[sample].stack];

    print(t, "@");
    for (uint32_t i = 0; i < stack->depth && i < DEPTH_MAX; i++)
        print(t, " 0x%" PRIx64, p->locations.items[p->frames.items[stack->frame + i]].address + 1);
    print(t, "\n");
}

/* --- the names below a record --- */

/*
 * One line a frame, inlined ones too: "#", the address of the call, function and how far into it, file and line; in columns, which
 * are as wide as the widest cell of neighbouring lines that go on behind it.  So does Go's text/tabwriter.
 */
enum column { ADDRESS, NAME, COLUMNS };

struct names {
    const struct ct_profile *profile;
    const struct ct_profile_stack *stack;
    uint32_t frame, line;               /* where it is: of the stack, and of the lines of that frame */
};

static const struct ct_profile_location *location_at(const struct names *n)
{
    return &n->profile->locations.items[n->profile->frames.items[n->stack->frame + n->frame]];
}

static void step(struct names *n)
{
    if (++n->line >= location_at(n)->line_count) {
        n->line = 0;
        n->frame++;
    }
}

static const struct ct_profile_function *function_at(const struct names *n)
{
    uint32_t function = n->profile->lines.items[location_at(n)->line + n->line].function;

    return function == CT_PROFILE_NONE ? NULL : &n->profile->functions.items[function];
}

/* The text of a cell; whether the line goes on behind it. */
static bool fill_cell(const struct names *n, enum column column, char cell[CELL_MAX])
{
    const struct ct_profile_location *location = location_at(n);
    const struct ct_profile_function *function = location->line_count ? function_at(n) : NULL;
    size_t size;

    if (column == ADDRESS) {
        snprintf(cell, CELL_MAX, "0x%" PRIx64, location->address);
        return location->line_count > 0;
    }
    size = clean_word(function && function->name ? ct_profile_at(n->profile, function->name) : "?", false, cell);
    if (location->entry && location->entry <= location->address)
        snprintf(cell + size, CELL_MAX - size, "+0x%" PRIx64, location->address - location->entry);
    return function && function->file;
}

static unsigned width_of(const char *cell)
{
    unsigned width = 0;

    for (; *cell; cell++)
        width += (*cell & 0xc0) != 0x80;        /* UTF-8: a character counts once */
    return width;
}

/* From where a column begins: how wide it is, and for how many lines. */
struct extent {
    unsigned width, lines;
};

static struct extent measure(struct names n, enum column column)
{
    struct extent extent = { 0 };
    char cell[CELL_MAX];

    for (; n.frame < n.stack->depth; step(&n), extent.lines++) {
        unsigned width;

        if (!fill_cell(&n, column, cell))
            break;
        width = width_of(cell) + 1;
        extent.width = width > extent.width ? width : extent.width;
    }
    return extent;
}

static void print_cell(struct text *t, const char *cell, unsigned width)
{
    unsigned left = (width + TAB - 1) / TAB * TAB - width_of(cell), count = (left + TAB - 1) / TAB;
    char tabs[CELL_MAX / TAB + 2];

    memset(tabs, '\t', count);
    tabs[count] = '\0';
    print(t, "%s%s", cell, tabs);
}

static void print_name(struct text *t, const struct names *n, struct extent extents[COLUMNS])
{
    char cell[CELL_MAX];

    print(t, "#\t");
    for (unsigned column = 0; column < COLUMNS; column++) {
        bool more = fill_cell(n, column, cell);

        if (!more) {
            print(t, "%s\n", cell);
            return;
        }
        if (extents[column].lines == 0)
            extents[column] = measure(*n, column);
        print_cell(t, cell, extents[column].width);
        extents[column].lines--;
    }
    print_word(t, ct_profile_at(n->profile, function_at(n)->file), false);
    print(t, ":%" PRId64 "\n", n->profile->lines.items[location_at(n)->line + n->line].line);
}

static void print_names(struct text *t, uint32_t sample)
{
    const struct ct_profile *p = t->profile;
    const struct ct_profile_stack *stack = &p->stacks.items[p->samples.items[sample].stack];
    struct extent extents[COLUMNS] = { { 0 } };

    for (struct names n = { p, stack, 0, 0 }; n.frame < stack->depth; step(&n))
        print_name(t, &n, extents);
    if (stack->depth > DEPTH_MAX)
        print(t, "# the record has only the first %d of these %u addresses\n", DEPTH_MAX, stack->depth);
    print(t, "\n");
}

/* --- records --- */

/* `{"key":"text", "bytes":12}` */
static void print_labels(struct text *t, uint32_t row)
{
    const struct ct_profile *p = t->profile;
    const struct ct_profile_sample *sample = &p->samples.items[row];

    for (uint32_t i = 0; i < sample->label_count && i < 16; i++) {
        const struct ct_profile_label *label = &p->labels.items[sample->label + i];

        print(t, i ? ", \"" : "# labels: {\"");
        print_word(t, ct_profile_at(p, label->key), true);
        if (label->text) {
            print(t, "\":\"");
            print_word(t, ct_profile_at(p, label->text), true);
            print(t, "\"");
        } else {
            print(t, "\":%" PRId64, label->number);
        }
    }
    if (sample->label_count)
        print(t, "}\n");
}

static int find_type(const struct ct_profile *p, const char *type)
{
    for (unsigned i = 0; i < p->type_count; i++)
        if (strcmp(ct_profile_at(p, p->types[i].type), type) == 0)
            return (int)i;
    return -EINVAL;
}

/* What a type's values add up to. */
static int64_t total(const struct ct_profile *p, int type)
{
    int64_t sum = 0;

    for (size_t i = 0; i < p->samples.count; i++)
        sum = ct_profile_sum(sum, p->values.items[i * p->type_count + (unsigned)type]);
    return sum;
}

/* pprof refuses bytes without objects, and what is negative. */
static void print_heap_values(struct text *t, const int64_t *values, const int types[4])
{
    int64_t v[4];

    for (int i = 0; i < 4; i++)
        v[i] = values[types[i]] > 0 ? values[types[i]] : 0;
    for (int i = 0; i < 4; i += 2)
        if (v[i] == 0 && v[i + 1] > 0)
            v[i] = 1;
    print(t, "%" PRId64 ": %" PRId64 " [%" PRId64 ": %" PRId64 "] ", v[0], v[1], v[2], v[3]);
}

static int finish(struct text *t, struct record *records)
{
    flush(t);
    free(records);
    return t->error;
}

int ct_profile_text_heap(const struct ct_profile *p, uint64_t raw_rate, ct_profile_sink *sink, void *context)
{
    static const char *const names[4] = { "inuse_objects", "inuse_space", "alloc_objects", "alloc_space" };
    struct text t = { .profile = p, .sink = sink, .context = context };
    struct record *records;
    int64_t totals[4];
    int types[4];

    for (int i = 0; i < 4; i++) {
        types[i] = find_type(p, names[i]);
        if (types[i] < 0)
            return types[i];
        totals[i] = total(p, types[i]);
    }
    records = sort_samples(p, (unsigned)types[1]);
    if (!records)
        return -ENOMEM;
    /* Were both pairs equal, pprof would take the second for missing. */
    if (totals[0] == totals[2] && totals[1] == totals[3])
        totals[3] = ct_profile_sum(totals[3], 1);
    /* Twice the rate: so early heap profilers wrote it, and pprof halves it. */
    print(&t, "heap profile: %" PRId64 ": %" PRId64 " [%" PRId64 ": %" PRId64 "] @ heap/%" PRIu64 "\n", totals[0], totals[1],
          totals[2], totals[3], 2 * (raw_rate ? raw_rate : 1));
    for (uint32_t i = 0; i < p->samples.count && t.error == 0; i++) {
        print_heap_values(&t, p->values.items + (size_t)records[i].row * p->type_count, types);
        print_stack(&t, records[i].row);
        print_names(&t, records[i].row);
    }
    return finish(&t, records);
}

int ct_profile_text_count(const struct ct_profile *p, const char *name, ct_profile_sink *sink, void *context)
{
    struct text t = { .profile = p, .sink = sink, .context = context };
    struct record *records = p->type_count ? sort_samples(p, 0) : NULL;

    if (!records)
        return p->type_count ? -ENOMEM : -EINVAL;
    for (; *name; name++)
        print(&t, "%c", isspace((unsigned char)*name) || iscntrl((unsigned char)*name) ? '_' : *name);
    print(&t, " profile: total %" PRId64 "\n", total(p, 0));
    for (uint32_t i = 0; i < p->samples.count && t.error == 0; i++) {
        uint32_t row = records[i].row;

        print(&t, "%s%" PRId64 " ", p->stacks.items[p->samples.items[row].stack].depth ? "" : "# without a stack: ",
              records[i].key > 0 ? records[i].key : 0);
        print_stack(&t, row);
        print_labels(&t, row);
        print_names(&t, row);
    }
    return finish(&t, records);
}

int ct_profile_text_contention(const struct ct_profile *p, enum ct_profile_contention which, ct_profile_sink *sink,
                               void *context)
{
    struct text t = { .profile = p, .sink = sink, .context = context };
    int count = find_type(p, "contentions"), delay = find_type(p, "delay");
    struct record *records;

    if (count < 0 || delay < 0)
        return -EINVAL;
    records = sort_samples(p, (unsigned)delay);
    if (!records)
        return -ENOMEM;
    /* Our cycles are nanoseconds. */
    print(&t, "--- %s:\ncycles/second=1000000000\n", which == CT_PROFILE_MUTEX ? "mutex" : "contention");
    if (which == CT_PROFILE_MUTEX)
        print(&t, "sampling period=1\n");
    for (uint32_t i = 0; i < p->samples.count && t.error == 0; i++) {
        int64_t n = p->values.items[(size_t)records[i].row * p->type_count + (unsigned)count];

        print(&t, "%" PRId64 " %" PRId64 " ", records[i].key > 0 ? records[i].key : 0, n > 0 ? n : 0);
        print_stack(&t, records[i].row);
        print_names(&t, records[i].row);
    }
    return finish(&t, records);
}

static void print_mapping(struct text *t, const struct ct_profile_mapping *mapping)
{
    const struct ct_profile *p = t->profile;

    print(t, "%" PRIx64 "-%" PRIx64 " ", mapping->start, mapping->limit);
    print_word(t, mapping->file ? ct_profile_at(p, mapping->file) : "?", false);
    print(t, " (@%" PRIx64 ") ", mapping->offset);
    print_word(t, ct_profile_at(p, mapping->build_id), false);
    print(t, "\n");
}

int ct_profile_text_mappings(const struct ct_profile *p, ct_profile_sink *sink, void *context)
{
    struct text t = { .profile = p, .sink = sink, .context = context };

    /* Of the two headings that pprof knows the one that ends every kind of text. */
    print(&t, "--- Memory map: ---\n");
    if (p->main_mapping < p->mappings.count)
        print_mapping(&t, &p->mappings.items[p->main_mapping]);
    for (uint32_t i = 0; i < p->mappings.count; i++)
        if (i != p->main_mapping)
            print_mapping(&t, &p->mappings.items[i]);
    return finish(&t, NULL);
}

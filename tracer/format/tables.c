/* Rows of the table blocks: the order of their fields is written once, for both directions. */
#include "format/tables.h"

#include "format/schema.h"

/*
 * Each row is a list of U (number), T (text) and B (fixed bytes).  Later versions append fields: a get of an older
 * row reads what is there, since every row stands behind its own length.
 */
#define RUN_FIELDS(U, T, B) \
    B(run_id) B(arena_id) B(boot_id) U(pid) U(parent_pid) U(uid) U(start_time) U(clock) U(ticks_per_second) U(cpus) \
    U(categories) T(host) T(program) T(arguments) T(version) T(system)
#define GENERATION_FIELDS(U, T, B) \
    U(clock.ticks) U(clock.monotonic_ns) U(clock.realtime_ns) U(pause_ticks) U(pause_kind)
#define GENERATION_END_FIELDS(U, T, B) \
    U(clock.ticks) U(clock.monotonic_ns) U(clock.realtime_ns) U(events_lost) U(flags) \
    U(pause_ticks) U(pause_kind)
#define STRING_FIELDS(U, T, B) U(id) T(text)
#define ADDRESS_FIELDS(U, T, B) U(id) U(address)
#define THREAD_FIELDS(U, T, B) \
    U(serial) U(tid) U(parent) U(routine) U(start_ticks) U(exit_ticks) U(state) U(reason) U(object) U(since_ticks) \
    U(cpu) U(lost) T(name)
#define MODULE_FIELDS(U, T, B) U(start) U(end) U(offset) U(bias) T(build_id) T(path)
#define PIECE_FIELDS(U, T, B) U(batch) U(thread) U(offset) U(base_ticks) U(nested)
#define SYMBOL_FIELDS(U, T, B) U(pc) U(inlined) U(line) T(function) T(file) T(module)
#define DIRECTORY_FIELDS(U, T, B) U(generation) U(offset) U(size) U(start_ns) U(end_ns) U(events) \
    U(end_offset) U(flags)
#define END_FIELDS(U, T, B) U(reason) U(status) U(events_lost) T(text)

static int text_get(struct ct_cursor *c, struct ct_text *ret, struct ct_error *err)
{
    return ct_cursor_text(c, &ret->at, &ret->size, err);
}

static int fixed_get(struct ct_cursor *c, void *ret, size_t size, struct ct_error *err)
{
    const uint8_t *bytes;
    int r = ct_cursor_bytes(c, size, &bytes, err);

    if (r == 0)
        memcpy(ret, bytes, size);
    return r;
}

/* Opens a row: `ret` covers just its bytes, `c` stands behind it. */
static int row_get(struct ct_cursor *c, struct ct_cursor *ret, struct ct_error *err)
{
    const char *bytes;
    size_t size;
    int r = ct_cursor_text(c, &bytes, &size, err);

    if (r == 0)
        *ret = ct_cursor_over(bytes, size, ct_cursor_offset(c) - size);
    return r;
}

/* A row is built behind the place of its length (three bytes, padded varint), which is filled in when it is known. */
enum { ROW_HEAD = 3 };

static uint8_t *row_begin(struct ct_buffer *b)
{
    uint8_t *head = b->at;

    if (b->end - b->at < ROW_HEAD) {
        b->full = true;
        return NULL;
    }
    b->at += ROW_HEAD;
    return head;
}

static void row_end(struct ct_buffer *b, uint8_t *head)
{
    size_t size;

    if (!head)
        return;
    size = (size_t)(b->at - head) - ROW_HEAD;
    if (b->full || size >> (7 * ROW_HEAD)) {
        b->full = true;
        b->at = head;
        return;
    }
    head[0] = (uint8_t)(size & 0x7f) | 0x80;
    head[1] = (uint8_t)((size >> 7) & 0x7f) | 0x80;
    head[2] = (uint8_t)(size >> 14);
}

#define ROW_CODE(name, fields) \
    void ct_##name##_put(struct ct_buffer *b, const struct ct_##name *row) \
    { \
        uint8_t *head = row_begin(b); \
        fields(U_PUT, T_PUT, B_PUT) \
        row_end(b, head); \
    } \
    int ct_##name##_get(struct ct_cursor *c, struct ct_##name *ret, struct ct_error *err) \
    { \
        struct ct_cursor row; \
        int r = row_get(c, &row, err); \
        if (r < 0) \
            return r; \
        memset(ret, 0, sizeof *ret); \
        fields(U_GET, T_GET, B_GET) \
        return r; \
    }

#define U_PUT(field) ct_buffer_varint(b, row->field);
#define T_PUT(field) ct_buffer_text(b, row->field.at, row->field.size);
#define B_PUT(field) ct_buffer_bytes(b, row->field, sizeof row->field);
#define U_GET(field) if (ct_cursor_left(&row) && (r = ct_cursor_varint(&row, &ret->field, err)) < 0) return r;
#define T_GET(field) if (ct_cursor_left(&row) && (r = text_get(&row, &ret->field, err)) < 0) return r;
#define B_GET(field) if ((r = fixed_get(&row, ret->field, sizeof ret->field, err)) < 0) return r;

ROW_CODE(run, RUN_FIELDS)
ROW_CODE(generation, GENERATION_FIELDS)
ROW_CODE(generation_end, GENERATION_END_FIELDS)
ROW_CODE(string_row, STRING_FIELDS)
ROW_CODE(address_row, ADDRESS_FIELDS)
ROW_CODE(thread_row, THREAD_FIELDS)
ROW_CODE(module_row, MODULE_FIELDS)
ROW_CODE(batch_piece, PIECE_FIELDS)
ROW_CODE(symbol_row, SYMBOL_FIELDS)
ROW_CODE(directory_row, DIRECTORY_FIELDS)
ROW_CODE(end, END_FIELDS)

/* Frames of one stack lie close together: each is told by its distance from the one before. */
void ct_stack_row_put(struct ct_buffer *b, const struct ct_stack_row *row)
{
    uint8_t *head = row_begin(b);
    uint64_t before = 0;

    ct_buffer_varint(b, row->id);
    ct_buffer_varint(b, row->truncated);
    ct_buffer_varint(b, row->depth);
    for (uint32_t i = 0; i < row->depth; i++) {
        ct_buffer_varint(b, ct_zigzag((int64_t)(row->pcs[i] - before)));
        before = row->pcs[i];
    }
    row_end(b, head);
}

int ct_stack_row_get(struct ct_cursor *c, struct ct_stack_row *ret, struct ct_error *err)
{
    struct ct_cursor row;
    uint64_t depth, before = 0;
    int r = row_get(c, &row, err);

    if (r < 0 || (r = ct_cursor_varint(&row, &ret->id, err)) < 0 ||
        (r = ct_cursor_varint(&row, &ret->truncated, err)) < 0 || (r = ct_cursor_varint(&row, &depth, err)) < 0)
        return r;
    if (depth > CT_STACK_MAX)
        return ct_error_at(err, -EINVAL, ct_cursor_offset(&row), "a stack of %llu frames, %d are allowed",
                           (unsigned long long)depth, CT_STACK_MAX);
    ret->depth = (uint32_t)depth;
    for (uint32_t i = 0; i < depth; i++) {
        uint64_t delta;

        if ((r = ct_cursor_varint(&row, &delta, err)) < 0)
            return r;
        before += (uint64_t)ct_unzigzag(delta);
        ret->pcs[i] = before;
    }
    return 0;
}

void ct_schema_row_put(struct ct_buffer *b, const struct ct_schema_row *row)
{
    uint8_t *head = row_begin(b);

    ct_buffer_varint(b, row->no);
    ct_buffer_varint(b, row->shape);
    ct_buffer_varint(b, row->category);
    ct_buffer_text(b, row->name.at, row->name.size);
    ct_buffer_varint(b, row->field_count);
    for (unsigned i = 0; i < row->field_count; i++) {
        ct_buffer_varint(b, row->fields[i].type);
        ct_buffer_text(b, row->fields[i].name.at, row->fields[i].name.size);
    }
    row_end(b, head);
}

void ct_schema_put(struct ct_buffer *b)
{
    for (unsigned no = 0; no < CT_EV_END; no++) {
        const struct ct_event_info *info = ct_schema_event(no);
        struct ct_schema_row row = { .no = no };

        if (!info)
            continue;
        row.shape = info->shape;
        row.category = info->category;
        row.name = (struct ct_text){ info->name, strlen(info->name) };
        row.field_count = info->field_count;
        for (unsigned i = 0; i < info->field_count; i++) {
            row.fields[i].type = info->fields[i].type;
            row.fields[i].name = (struct ct_text){ info->fields[i].name, strlen(info->fields[i].name) };
        }
        ct_schema_row_put(b, &row);
    }
}

int ct_schema_row_get(struct ct_cursor *c, struct ct_schema_row *ret, struct ct_error *err)
{
    struct ct_cursor row;
    int r = row_get(c, &row, err);

    if (r < 0 || (r = ct_cursor_varint(&row, &ret->no, err)) < 0 ||
        (r = ct_cursor_varint(&row, &ret->shape, err)) < 0 || (r = ct_cursor_varint(&row, &ret->category, err)) < 0 ||
        (r = text_get(&row, &ret->name, err)) < 0 || (r = ct_cursor_varint(&row, &ret->field_count, err)) < 0)
        return r;
    if (ret->no > 255 || ret->field_count > CT_EVENT_FIELDS_MAX)
        return ct_error_at(err, -EINVAL, ct_cursor_offset(&row), "an event with number %llu and %llu fields",
                           (unsigned long long)ret->no, (unsigned long long)ret->field_count);
    for (unsigned i = 0; i < ret->field_count; i++)
        if ((r = ct_cursor_varint(&row, &ret->fields[i].type, err)) < 0 ||
            (r = text_get(&row, &ret->fields[i].name, err)) < 0)
            return r;
    return 0;
}

/* Numbers of fixed size are little-endian, as this machine is. */
void ct_foot_put(uint8_t *to, const struct ct_foot *foot)
{
    memcpy(to, &foot->directory, 8);
    memcpy(to + 8, &foot->named, 8);
}

void ct_foot_get(const uint8_t *from, struct ct_foot *ret)
{
    memcpy(&ret->directory, from, 8);
    memcpy(&ret->named, from + 8, 8);
}

static struct ct_text without_folder(struct ct_text path)
{
    for (size_t i = path.size; i > 0; i--)
        if (path.at[i - 1] == '/')
            return (struct ct_text){ path.at + i, path.size - i };
    return path;
}

/* Who wrote a title over its arguments is called by what the title begins with: "nginx: master process nginx -c /etc/..." */
static struct ct_text without_title(struct ct_text first, struct ct_text file)
{
    struct ct_text name = without_folder(first), base = without_folder(file);
    size_t size = 0;

    if (name.size == base.size && memcmp(name.at, base.at, base.size) == 0)
        return name;                    /* a file's own name may hold anything */
    while (size < first.size && first.at[size] != ' ' && first.at[size] != ':')
        size++;
    return size < first.size ? without_folder((struct ct_text){ first.at, size }) : name;
}

struct ct_text ct_run_name(const struct ct_run *run)
{
    struct ct_text first = { run->arguments.at, run->arguments.size ? strnlen(run->arguments.at, run->arguments.size) : 0 };
    struct ct_text name = without_title(first, run->program);

    if (name.size > 1 && name.at[0] == '-')     /* a login shell */
        name = (struct ct_text){ name.at + 1, name.size - 1 };
    return name.size ? name : without_folder(run->program);
}

/* Stacks in Chrome JSON: a table of frames at the end of the file, and a readable line in the args of each slice. */
#include <stdlib.h>

#include "converter/chrome/chrome.h"

enum {
    LINE_FRAMES = 8,                   /* of the line in args; the table has them all */
    NAME_MAX_BYTES = 120,               /* of a function's name; C++ knows no end */
    LINES_MAX_BYTES = 64 << 20,         /* lines kept for use again */
    FRAMES_MAX = 64,                    /* source frames of one address that are shown */
};

/* ,"stack":"..." */
struct line {
    uint64_t last;                      /* where it was written last */
    uint32_t size;
    uint32_t inner_count;
    struct ct_repeat inner[LINE_FRAMES];    /* what its frames have in common, for a line that was written long ago */
    char text[];                        /* with room for chrome_copy */
};

/* The line of each node, made when it is first wanted. */
struct chrome_stacks {
    struct line **line;
    uint32_t room;
    size_t bytes;
};

struct chrome_stacks *chrome_stacks_new(void)
{
    return calloc(1, sizeof(struct chrome_stacks));
}

void chrome_stacks_free(struct chrome_stacks *s)
{
    if (!s)
        return;
    for (uint32_t i = 0; i < s->room; i++)
        free(s->line[i]);
    free(s->line);
    free(s);
}

static char *name_of(char *p, struct ct_text function)
{
    return ct_json_text(p, function.at, function.size < NAME_MAX_BYTES ? function.size : NAME_MAX_BYTES);
}

static struct ct_text base_name(struct ct_text path)
{
    for (size_t i = path.size; i > 0; i--)
        if (path.at[i - 1] == '/')
            return (struct ct_text){ path.at + i, path.size - i };
    return path;
}

char *chrome_code(char *p, const struct ct_read_program *program, uint64_t pc)
{
    const struct ct_read_frame *frames;
    const struct ct_read_module *module;

    if (pc == 0)
        return CT_JSON_PUT(p, "(callers not captured)");
    if (ct_read_frames(program, pc, &frames) > 0 && frames[0].function.size > 0)
        return name_of(p, frames[0].function);
    module = ct_read_module(program, pc);
    if (!module)
        return ct_json_hex(p, pc);
    p = name_of(p, base_name(module->row.path));
    *p++ = '+';
    return ct_json_hex(p, pc - module->row.bias);
}

/* --- the line --- */

static char *line_of(struct ct_chrome *c, char *p, uint32_t node)
{
    const struct ct_stacks *stacks = ct_model_stacks(c->model);
    unsigned shown = 0;

    p = CT_JSON_PUT(p, ",\"stack\":\"");
    while (node != CT_NODE_NONE && shown < LINE_FRAMES) {
        const struct ct_stack_node *n = ct_stacks_node(stacks, node);
        const struct ct_read_program *program = ct_reader_program(c->reader, n->program);
        const struct ct_read_frame *frames;
        size_t count = n->pc ? ct_read_frames(program, n->pc, &frames) : 0;

        for (size_t i = 0; (i == 0 || i < count) && shown < LINE_FRAMES; i++, shown++) {
            if (shown > 0)
                p = CT_JSON_PUT(p, " < ");
            p = i < count && frames[i].function.size > 0 ? name_of(p, frames[i].function)
                                                         : chrome_code(p, program, n->pc);
        }
        node = n->parent;
    }
    if (node != CT_NODE_NONE)
        p = CT_JSON_PUT(p, " < ...");
    *p++ = '"';
    return p;
}

static bool room_for(struct chrome_stacks *s, uint32_t node)
{
    uint32_t room = s->room ? s->room : 1024;
    struct line **more;

    if (node < s->room)
        return true;
    while (room <= node)
        room *= 2;
    more = realloc(s->line, room * sizeof *more);
    if (!more)
        return false;
    memset(more + s->room, 0, (room - s->room) * sizeof *more);
    s->line = more;
    s->room = room;
    return true;
}

/* Frames of one module or name space begin alike: " < libc.so.6+0x27". */
static void find_inner(struct line *line)
{
    const char *end = line->text + line->size, *before = NULL;

    line->inner_count = 0;
    for (const char *at = line->text; (at = memmem(at, (size_t)(end - at), " < ", 3)); at++) {
        size_t same = 0;

        while (before && at + same < end && before + same < at && at[same] == before[same])
            same++;
        if (same >= CT_REPEAT_MIN && line->inner_count < LINE_FRAMES)
            line->inner[line->inner_count++] = (struct ct_repeat){ (uint32_t)(at - line->text), (uint16_t)same,
                                                                   (uint16_t)(at - before) };
        before = at;
    }
}

/* Keeps the line that stands at `p`. */
static void keep(struct chrome_stacks *s, const char *p, size_t size, uint32_t node)
{
    enum { COPY_ROOM = 32 };            /* chrome_copy reads so much at once */
    struct line *line;

    if (s->bytes + size >= LINES_MAX_BYTES || !room_for(s, node) || !(line = malloc(sizeof *line + size + COPY_ROOM)))
        return;
    line->last = 0;
    line->size = (uint32_t)size;
    memcpy(line->text, p, size);
    memset(line->text + size, 0, COPY_ROOM);
    find_inner(line);
    s->line[node] = line;
    s->bytes += size + sizeof *line;
}

/* The line is written at `p`; not its comma, which close_record may replace. */
static void tell_repeats(struct ct_chrome *c, const char *p, struct line *line)
{
    uint64_t at = c->out->flushed + (uint64_t)(p - c->out->base);

    if (line->last + CT_REPEAT_DISTANCE_MAX > at && line->last) {
        ct_output_repeat(c->out, p + 1, line->size - 1, &line->last);
        return;
    }
    line->last = at + 1;
    ct_output_again(c->out, p + 1, p + (line->inner_count ? line->inner[0].at : line->size), &c->stack_last);
    for (uint32_t i = 0; i < line->inner_count; i++) {
        uint64_t before = at + line->inner[i].at - line->inner[i].distance;

        ct_output_repeat(c->out, p + line->inner[i].at, line->inner[i].size, &before);
    }
}

void chrome_stack_ahead(const struct ct_chrome *c, uint32_t node)
{
    enum { LINE_BYTES = 256, CACHE_BYTES = 64 };        /* as long as most lines are; a processor goes on by itself */
    const struct line *line = node < c->stacks->room ? c->stacks->line[node] : NULL;

    for (unsigned at = 0; line && at < LINE_BYTES; at += CACHE_BYTES)
        __builtin_prefetch((const char *)line + at);
}

char *chrome_stack_args(struct ct_chrome *c, char *p, uint32_t node)
{
    struct chrome_stacks *s = c->stacks;
    struct line *line;
    char *end;

    if (node == CT_NODE_NONE)
        return p;
    if (node == CT_NODE_LOST)
        return CT_JSON_PUT(p, ",\"stack\":\"(stack lost)\"");
    line = node < s->room ? s->line[node] : NULL;
    if (line) {
        end = chrome_copy(p, line->text, line->size);
        if (c->out->repeat)
            tell_repeats(c, p, line);
        return end;
    }
    end = line_of(c, p, node);
    keep(s, p, (size_t)(end - p), node);
    return end;
}

/* --- the table --- */

/* Source frames of one address that are inlined into each other have ids "7", "7.1" ...; "7" is the innermost. */
static char *frame_id(char *p, uint32_t node, size_t inlined)
{
    *p++ = '"';
    p = ct_json_u64(p, node);
    if (inlined) {
        *p++ = '.';
        p = ct_json_u64(p, inlined);
    }
    *p++ = '"';
    return p;
}

static char *frame_source(char *p, const struct ct_read_frame *frame)
{
    if (frame->file.size == 0)
        return p;
    p = CT_JSON_PUT(p, " (");
    p = name_of(p, base_name(frame->file));
    if (frame->line) {
        *p++ = ':';
        p = ct_json_u64(p, frame->line);
    }
    *p++ = ')';
    return p;
}

static void frame(struct ct_chrome *c, uint32_t node, const struct ct_stack_node *n, size_t index, size_t count,
                  const struct ct_read_frame *frames)
{
    const struct ct_read_program *program = ct_reader_program(c->reader, n->program);
    const struct ct_read_module *module = ct_read_module(program, n->pc);
    char *p = chrome_begin(c);

    if (node != CT_NODE_FIRST || index > 0)
        p = CT_JSON_PUT(p, ",\n");
    p = frame_id(p, node, index);
    p = CT_JSON_PUT(p, ":{\"name\":\"");
    if (index < count && frames[index].function.size > 0) {
        p = name_of(p, frames[index].function);
        p = frame_source(p, &frames[index]);
    } else {
        p = chrome_code(p, program, n->pc);
    }
    p = CT_JSON_PUT(p, "\",\"category\":\"");
    p = module ? name_of(p, base_name(module->row.path)) : CT_JSON_PUT(p, "?");
    *p++ = '"';
    if (index + 1 < count || n->parent != CT_NODE_NONE) {
        p = CT_JSON_PUT(p, ",\"parent\":");
        p = index + 1 < count ? frame_id(p, node, index + 1) : frame_id(p, n->parent, 0);
    }
    *p++ = '}';
    chrome_end(c, p);
}

void chrome_stack_frames(struct ct_chrome *c)
{
    const struct ct_stacks *stacks = ct_model_stacks(c->model);

    ct_output_string(c->out, "\"stackFrames\":{\n");
    for (uint32_t node = CT_NODE_FIRST; node < ct_stacks_count(stacks); node++) {
        const struct ct_stack_node *n = ct_stacks_node(stacks, node);
        const struct ct_read_frame *frames = NULL;
        size_t count = n->pc ? ct_read_frames(ct_reader_program(c->reader, n->program), n->pc, &frames) : 0;

        if (count > FRAMES_MAX)
            count = FRAMES_MAX;
        for (size_t i = 0; i == 0 || i < count; i++)
            frame(c, node, n, i, count, frames);
    }
    ct_output_string(c->out, "}");
}

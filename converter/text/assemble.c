/*
 * Reads the text form, twice: times are relative to the whole trace, so all clocks must be known before the first event,
 * and ids that are used without a definition must be known before the first string gets one.
 */
#include "converter/text/assemble.h"

#include <stdlib.h>

#include "converter/text/assemble_event.h"
#include "converter/text/assemble_line.h"

/* One kind of line.  `take` is called in the pass it belongs to. */
static const struct {
    const char *word;
    int pass;
    int (*take)(struct ct_assembly *a);
} lines[] = {
    { "program", 1, ct_assemble_program }, { "end", 1, ct_assemble_end },       { "event", 1, ct_assemble_schema },
    { "generation", 1, ct_assemble_generation }, { "generation", 2, ct_assemble_current },
    { "module", 2, ct_assemble_module },   { "symbol", 2, ct_assemble_symbol }, { "thread", 2, ct_assemble_thread },
    { "stack", 2, ct_assemble_stack },
};

static int take_line(struct ct_assembly *a, int pass)
{
    struct ct_text word = ct_words_next(&a->line);
    bool known = false;

    if (word.size == 0)
        return 0;
    if ((word.at[0] >= '0' && word.at[0] <= '9') || word.at[0] == '-')
        return pass == 1 ? ct_assemble_reserve(a) : ct_assemble_event(a, word);
    for (size_t i = 0; i < sizeof lines / sizeof *lines; i++) {
        if (!ct_words_are(word, lines[i].word))
            continue;
        if (lines[i].pass == pass)
            return lines[i].take(a);
        known = true;
    }
    if (known)
        return 0;
    return ct_assemble_fail(a, "begins neither with a time nor with a word of the text form");
}

static int take_lines(struct ct_assembly *a, const char *text, size_t size, int pass)
{
    const char *at = text, *end = text + size;
    int r = 0;

    for (a->line_number = 1; r == 0 && at < end; a->line_number++) {
        const char *stop = memchr(at, '\n', (size_t)(end - at));

        stop = stop ? stop : end;
        a->line = (struct ct_text){ at, (size_t)(stop - at) };
        a->line_offset = (uint64_t)(at - text);
        r = take_line(a, pass);
        at = stop < end ? stop + 1 : end;
    }
    return r;
}

/* Comments before the first line of the trace are its cover: what it tells.  Kept without "# ". */
static int take_cover(struct ct_assembly *a, const char *text, size_t size)
{
    size_t used = 0;

    a->cover = malloc(size + 1);
    if (!a->cover)
        return -ENOMEM;
    for (size_t from = 0, to; from < size && text[from] == '#'; from = to + 1) {
        size_t skip = from + 1 < size && text[from + 1] == ' ' ? 2 : 1;

        for (to = from; to < size && text[to] != '\n'; to++)
            ;
        if (to - from > skip)
            memcpy(a->cover + used, text + from + skip, to - from - skip);
        used += to - from > skip ? to - from - skip : 0;
        a->cover[used++] = '\n';
    }
    a->build.cover = (struct ct_text){ a->cover, used };
    return used <= CT_BLOCK_MAX ? 0 : ct_error_at(a->err, -EINVAL, 0, "the comment at the head is too long");
}

static int assemble(struct ct_assembly *a, const char *text, size_t size)
{
    int r = take_cover(a, text, size);

    if (r == 0)
        r = take_lines(a, text, size, 1);
    if (r == 0 && a->build.programs.count == 0) {
        a->line_number = 1;
        a->line_offset = 0;
        r = ct_assemble_fail(a, "the text has no program");
    }
    if (r == 0)
        r = ct_trace_align(&a->clocks, a->err);
    if (r == 0)
        r = take_lines(a, text, size, 2);
    return r;
}

int ct_assemble(const char *text, size_t size, struct ct_output *out, struct ct_error *err)
{
    struct ct_assembly *a = calloc(1, sizeof *a);
    int r = -ENOMEM;

    if (a) {
        a->err = err;
        a->pool_room = size;
        a->pool = malloc(size + 1);         /* unquoting never makes a text longer */
        if (a->pool)
            r = assemble(a, text, size);
        if (r == 0)
            r = ct_build_write(&a->build, out);
        ct_assembly_fini(a);
    }
    free(a);
    return r == -ENOMEM ? ct_error_at(err, r, 0, "out of memory")
         : r == -E2BIG ? ct_error_at(err, r, 0, "a row is too long for a block") : r;
}

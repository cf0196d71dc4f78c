/* What the lines of the text form are made of: owners, numbers, texts, fields. */
#include "converter/text/assemble_words.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

void ct_assembly_fini(struct ct_assembly *a)
{
    for (size_t i = 0; i < a->programs.count; i++)
        for (unsigned no = 0; no < 256; no++)
            free(a->programs.items[i].schema[no]);
    ct_list_fini(&a->programs);
    ct_trace_fini(&a->clocks);
    ct_build_fini(&a->build);
    free(a->cover);
    free(a->pool);
}

int ct_assemble_fail(struct ct_assembly *a, const char *format, ...)
{
    char why[100];
    va_list args;

    va_start(args, format);
    vsnprintf(why, sizeof why, format, args);
    va_end(args);
    return ct_error_at(a->err, -EINVAL, a->line_offset, "line %lu: %s", a->line_number, why);
}

int ct_assemble_number(struct ct_assembly *a, struct ct_text value, uint64_t *ret)
{
    return ct_words_get_number(value, ret) ? 0
        : ct_assemble_fail(a, "\"%.*s\" is not a number", (int)(value.size < 40 ? value.size : 40), value.at);
}

int ct_assemble_quoted(struct ct_assembly *a, struct ct_text value, struct ct_text *ret)
{
    char *to = a->pool + a->pool_used;
    size_t size;

    if (!ct_words_get_quoted(value, to, a->pool_room - a->pool_used, &size))
        return ct_assemble_fail(a, "a text in quotes is expected, not %.*s", (int)(value.size < 40 ? value.size : 40),
                                value.at);
    a->pool_used += size;
    *ret = (struct ct_text){ to, size };
    return 0;
}

int ct_assemble_word(struct ct_assembly *a, enum ct_words_set set, struct ct_text value, uint64_t *ret)
{
    int number = ct_words_number_of(set, value);

    if (number < 0)
        return ct_assemble_number(a, value, ret);
    *ret = (uint64_t)number;
    return 0;
}

int ct_assemble_fields(struct ct_assembly *a, const char *const *names,
                       int (*take)(struct ct_assembly *a, unsigned field, struct ct_text value, void *to), void *to)
{
    struct ct_text word, name, value = { "", 0 };
    int r = 0;

    while (r == 0 && (word = ct_words_next(&a->line)).size) {
        bool pair = ct_words_pair(word, &name, &value);
        unsigned i;

        for (i = 0; names[i]; i++)
            if (pair ? ct_words_are(name, names[i]) : names[i][0] == '!' && ct_words_are(word, names[i] + 1))
                break;
        if (!names[i])
            return ct_assemble_fail(a, "nothing here is called \"%.*s\"", (int)(word.size < 40 ? word.size : 40), word.at);
        r = take(a, i, value, to);
    }
    return r;
}

int ct_assemble_owner(struct ct_assembly *a, struct ct_text word, struct ct_assembly_owner *ret)
{
    struct ct_assembly_owner owner = { 0 };
    const char *colon, *at;
    uint64_t number;

    owner.nested = word.size && word.at[word.size - 1] == '!';
    word.size -= owner.nested;
    colon = word.size ? memchr(word.at, ':', word.size) : NULL;
    if (colon) {
        size_t behind = (size_t)(colon - word.at) + 1;

        owner.has_number = true;
        if (!ct_words_get_number((struct ct_text){ colon + 1, word.size - behind }, &owner.number) ||
            owner.number > INT64_MAX)
            return ct_assemble_fail(a, "a number is expected behind the colon");
        word.size = behind - 1;
    }
    at = word.size ? memchr(word.at, '@', word.size) : NULL;
    if (!ct_words_get_number((struct ct_text){ word.at, at ? (size_t)(at - word.at) : word.size }, &number) ||
        number == 0 || number > a->programs.count)
        return ct_assemble_fail(a, "no such program: \"%.*s\"", (int)(word.size < 40 ? word.size : 40), word.at);
    owner.program = &a->programs.items[number - 1];
    owner.generation = owner.program->current;
    if (at) {
        struct ct_text digits = { at + 1, (size_t)(word.at + word.size - at) - 1 };

        if (!ct_words_get_number(digits, &number) || !(owner.generation = ct_build_find(owner.program->build, number)))
            return ct_assemble_fail(a, "no such generation");
    }
    *ret = owner;
    return 0;
}

uint64_t ct_assemble_ticks(const struct ct_assembly_program *program, int64_t ns)
{
    return ct_read_clock_ticks(&program->clock->clock, ns - program->clock->shift_ns);
}

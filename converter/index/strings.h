/* Texts, each once, by dense numbers; and the names of slices, which are a text with its meaning. */
#pragma once

#include "converter/read/idmap.h"
#include "converter/read/list.h"
#include "converter/index/store.h"

/* Number 0 is the empty text; 1 stands for texts that came when there were too many. */
enum { CT_STRINGS_EMPTY, CT_STRINGS_FULL };

struct ct_strings {
    CT_LIST(char) bytes;
    CT_LIST(uint32_t) offsets;          /* one more than there are texts */
    CT_LIST(uint8_t) uses;              /* by text: 1 when an argument has it */
    struct ct_idmap places;             /* of hashes */
};

int ct_strings_init(struct ct_strings *strings);
void ct_strings_fini(struct ct_strings *strings);

/* The number of a text, which is added when it is new.  CT_STRINGS_FULL where there is no room. */
uint32_t ct_strings_of(struct ct_strings *strings, struct ct_text text);
/* The same, CT_IDMAP_NONE when it is not there: nothing is added. */
uint32_t ct_strings_find(const struct ct_strings *strings, struct ct_text text);
/* As ct_strings_of, for a text that an argument has. */
uint32_t ct_strings_used(struct ct_strings *strings, struct ct_text text);
uint32_t ct_strings_print(struct ct_strings *strings, const char *format, ...) __attribute__((format(printf, 2, 3)));

static inline struct ct_text ct_strings_text(const struct ct_strings *s, uint32_t number)
{
    return (struct ct_text){ s->bytes.items + s->offsets.items[number],
                             s->offsets.items[number + 1] - s->offsets.items[number] };
}

/* Whether text `number` is this one. */
static inline bool ct_strings_is(const struct ct_strings *s, uint32_t number, struct ct_text text)
{
    struct ct_text it = ct_strings_text(s, number);

    return it.size == text.size && (text.size == 0 || memcmp(it.at, text.at, text.size) == 0);
}

/* The names of slices. */
struct ct_names {
    CT_LIST(struct ct_name_record) list;
    struct ct_idmap places;
};

void ct_names_fini(struct ct_names *names);

/* The id of a name, added when it is new; 0 ("more names") where there is no room. */
uint32_t ct_names_of(struct ct_names *names, const struct ct_name_record *name);
/* The same, 0 when it is not there: nothing is added. */
uint32_t ct_names_find(const struct ct_names *names, const struct ct_name_record *name);

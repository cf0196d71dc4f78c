/* Texts of messages, which are gone with the message, kept until the rows that borrow them are written. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "converter/bt2/in.h"

static bool add_chunk(struct ct_in_texts *texts, size_t size)
{
    char **slot = ct_list_add(&texts->chunks);

    if (!slot)
        return false;
    *slot = malloc(size);
    if (!*slot) {
        texts->chunks.count--;
        return false;
    }
    texts->used = 0;
    texts->size = size;
    return true;
}

struct ct_text ct_in_text(struct ct_in_texts *texts, struct ct_text text)
{
    size_t size = text.size > CT_IN_TEXTS_BYTES ? text.size : CT_IN_TEXTS_BYTES;
    char *to;

    if (texts->size - texts->used < text.size || texts->chunks.count == 0)
        if (!add_chunk(texts, size))
            return (struct ct_text){ NULL, 0 };
    to = texts->chunks.items[texts->chunks.count - 1] + texts->used;
    memcpy(to, text.at ? text.at : "", text.size);
    texts->used += text.size;
    return (struct ct_text){ to, text.size };
}

void ct_in_text_forget(struct ct_in_texts *texts, struct ct_text text)
{
    texts->used -= text.size;
}

void ct_in_texts_fini(struct ct_in_texts *texts)
{
    for (size_t i = 0; i < texts->chunks.count; i++)
        free(texts->chunks.items[i]);
    ct_list_fini(&texts->chunks);
    texts->used = texts->size = 0;
}

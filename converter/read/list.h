/* Growing arrays: CT_LIST(type) is a struct of items, count and room. */
#pragma once

#include <errno.h>
#include <stdint.h>
#include <stdlib.h>

#define CT_LIST(type) struct { type *items; size_t count, room; }

/* Makes room for one more, at first for some small ones or one large; 0 or -ENOMEM.  Not to be called but through ct_list_add. */
static inline int ct_list_grow(void **items, size_t *room, size_t size)
{
    size_t wide = *room ? *room * 2 : size <= 64 ? 16 : 1 + 1024 / size;
    void *p = wide > SIZE_MAX / size ? NULL : realloc(*items, wide * size);

    if (!p)
        return -ENOMEM;
    *items = p;
    *room = wide;
    return 0;
}

/* A pointer to a new last item (not zeroed), or NULL without memory. */
#define ct_list_add(list) \
    ((list)->count < (list)->room || \
     ct_list_grow((void **)&(list)->items, &(list)->room, sizeof *(list)->items) == 0 \
         ? &(list)->items[(list)->count++] : NULL)

#define ct_list_fini(list) \
    do { \
        free((list)->items); \
        (list)->items = NULL; \
        (list)->count = (list)->room = 0; \
    } while (0)

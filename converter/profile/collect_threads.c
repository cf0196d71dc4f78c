/* The threads that are there now; those of a server that makes one a connection come and go for months. */
#include <errno.h>

#include "converter/profile/collect_state.h"

static uint32_t place_of(const struct ct_collect *c, uint64_t serial)
{
    uint32_t place = ct_idmap_get(&c->thread_places, serial);

    return place == CT_IDMAP_NONE || c->threads.items[place].serial != serial ? CT_IDMAP_NONE : place;
}

/* The map remembers every serial it was given; it is made anew when most of them are of the past. */
static int prune(struct ct_collect *c)
{
    size_t alive = c->threads.count - c->free_places.count;

    if (c->thread_places.count < 4 * alive + 1024)
        return 0;
    ct_idmap_clear(&c->thread_places);
    for (size_t i = 0; i < c->threads.count; i++)
        if (c->threads.items[i].serial && ct_idmap_add(&c->thread_places, c->threads.items[i].serial, (uint32_t)i) == -ENOMEM)
            return -ENOMEM;
    return 0;
}

size_t ct_collect_thread_count(const struct ct_collect *c)
{
    return c->threads.count - c->free_places.count;
}

bool ct_collect_thread_over(const struct ct_collect *c, uint64_t serial)
{
    return serial == 0 || (place_of(c, serial) == CT_IDMAP_NONE && ct_idmap_get(&c->thread_places, serial) != CT_IDMAP_NONE);
}

struct ct_collect_thread *ct_collect_thread(struct ct_collect *c, uint64_t serial)
{
    uint32_t place = place_of(c, serial);
    struct ct_collect_thread *t;

    if (place != CT_IDMAP_NONE)
        return &c->threads.items[place];
    if (c->free_places.count) {
        place = c->free_places.items[c->free_places.count - 1];
        t = &c->threads.items[place];
    } else {
        t = c->threads.count < CT_COLLECT_THREADS_MAX ? ct_list_add(&c->threads) : NULL;
        if (!t)
            return NULL;
        place = (uint32_t)(c->threads.count - 1);
    }
    *t = (struct ct_collect_thread){ 0 };
    if (prune(c) < 0 || ct_idmap_add(&c->thread_places, serial, place) < 0)
        return NULL;
    if (c->free_places.count)
        c->free_places.count--;
    t->serial = serial;
    return t;
}

int ct_collect_thread_gone(struct ct_collect *c, uint64_t serial)
{
    uint32_t place = place_of(c, serial), *slot;

    if (place == CT_IDMAP_NONE)
        return 0;
    slot = ct_list_add(&c->free_places);
    if (!slot)
        return -ENOMEM;
    *slot = place;
    ct_collect_wait_forget(c, &c->threads.items[place]);
    c->threads.items[place].serial = 0;
    return 0;
}

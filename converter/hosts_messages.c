/*
 * Messages between machines.  A trace names the peer of a socket only, so the two ends of a connection find each other by the
 * server's port and by their order: the first that one host opened is the first that the other accepted from one address.
 * Ends that do not fit - more bytes arrive than were sent, to the program's own end, or a message before it was sent,
 * whatever the clocks - are left out.
 */
#include "converter/hosts_messages.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "converter/read/idmap.h"
#include "converter/read/list.h"

enum { MARKS_MAX = 4 << 20, ENDS_MAX = 1 << 16 };

/* So many bytes had gone, or come, with the call that began or ended then. */
struct mark {
    uint64_t bytes;
    int64_t ns;
};

struct end {
    unsigned host, port;                /* port: the server's */
    bool accepted;
    bool goes_on;                       /* after the end of its trace: more was sent than that tells */
    uint64_t peer;                      /* hash of the peer's address, of the client's without its port */
    CT_LIST(struct mark) sent, received;
};

struct look {
    const struct ct_hosts *hosts;
    CT_LIST(struct end) ends;
    struct ct_idmap open;               /* program and descriptor -> place in `slots` */
    CT_LIST(struct slot { uint32_t end; unsigned port; bool accepted; }) slots;    /* end: CT_IDMAP_NONE none */
    CT_LIST(int64_t) told;              /* by index of the thread: when it told of a call last */
    size_t marks;
    bool no_memory;
};

/* The slot of a descriptor; NULL without memory. */
static struct slot *slot_of(struct look *l, const struct ct_read_program *p, int32_t fd)
{
    uint64_t key = (uint64_t)p->index << 32 | (uint32_t)fd;
    uint32_t place = ct_idmap_get(&l->open, key);
    struct slot *slot;

    if (place != CT_IDMAP_NONE)
        return &l->slots.items[place];
    slot = ct_list_add(&l->slots);
    if (!slot || ct_idmap_add(&l->open, key, (uint32_t)l->slots.count - 1) < 0) {
        l->no_memory = true;
        return NULL;
    }
    *slot = (struct slot){ .end = CT_IDMAP_NONE };
    return slot;
}

static unsigned host_of(const struct look *l, const struct ct_read_program *p)
{
    for (unsigned i = 0; i < l->hosts->count; i++)
        if (l->hosts->shift[i].host.size == p->run.host.size &&
            memcmp(l->hosts->shift[i].host.at, p->run.host.at, p->run.host.size) == 0)
            return i;
    return CT_HOSTS_MAX;
}

/* "10.0.0.1:80", "[::1]:80": the port, and the hash of what is before it. */
static unsigned port_of(struct ct_text name, uint64_t *ret_address)
{
    uint64_t h = 0xcbf29ce484222325u;
    size_t colon = name.size;
    unsigned port = 0;

    while (colon > 0 && name.at[colon - 1] != ':')
        colon--;
    for (size_t i = colon; colon > 0 && i < name.size && name.at[i] >= '0' && name.at[i] <= '9'; i++)
        port = port * 10 + (unsigned)(name.at[i] - '0');
    for (size_t i = 0; i + 1 < colon; i++)
        h = (h ^ (uint8_t)name.at[i]) * 0x100000001b3u;
    *ret_address = h;
    return port < 65536 ? port : 0;
}

/* --- what the events tell --- */

static void begin_end(struct look *l, const struct ct_read_event *e, struct slot *slot, bool accepted, unsigned port)
{
    struct end *end = l->ends.count < ENDS_MAX ? ct_list_add(&l->ends) : NULL;
    const struct ct_read_program *p = e->thread->program;

    slot->end = CT_IDMAP_NONE;
    if (!end)
        return;
    *end = (struct end){ .host = host_of(l, p), .accepted = accepted, .port = port,
                         .goes_on = !p->has_end || (p->end.reason != CT_END_EXIT && p->end.reason != CT_END_SIGNAL) };
    slot->end = (uint32_t)l->ends.count - 1;
    slot->accepted = accepted;
}

/* A descriptor is described: of a listener where it is bound, of others their peer. */
static void take_name(struct look *l, const struct ct_read_event *e)
{
    struct slot *slot = slot_of(l, e->thread->program, (int32_t)e->arg[0]);
    struct ct_text name;
    uint64_t address;
    unsigned port;

    if (!slot || e->arg[1] != CT_FD_tcp || !ct_read_string(e->generation, e->arg[2], &name))
        return;
    if (name.size > 3 && memcmp(name.at, "at ", 3) == 0) {
        slot->port = port_of((struct ct_text){ name.at + 3, name.size - 3 }, &address);
        return;
    }
    port = port_of(name, &address);
    if (slot->end == CT_IDMAP_NONE)
        return;
    if (!slot->accepted)
        l->ends.items[slot->end].port = port;
    l->ends.items[slot->end].peer = address;
}

static void take_bytes(struct look *l, struct slot *slot, bool sent, uint64_t bytes, int64_t ns)
{
    struct end *end = slot->end == CT_IDMAP_NONE ? NULL : &l->ends.items[slot->end];
    struct mark *mark;
    uint64_t before = 0;

    if (!end || l->marks >= MARKS_MAX)
        return;
    if (sent && end->sent.count)
        before = end->sent.items[end->sent.count - 1].bytes;
    else if (!sent && end->received.count)
        before = end->received.items[end->received.count - 1].bytes;
    mark = sent ? ct_list_add(&end->sent) : ct_list_add(&end->received);
    if (!mark) {
        l->no_memory = true;
        return;
    }
    *mark = (struct mark){ before + bytes, ns };
    l->marks++;
}

/* When the thread told of a call last; NULL without memory. */
static int64_t *told_by(struct look *l, const struct ct_read_thread *thread)
{
    while (l->told.count <= thread->index) {
        int64_t *told = ct_list_add(&l->told);

        if (!told) {
            l->no_memory = true;
            return NULL;
        }
        *told = INT64_MIN;
    }
    return &l->told.items[thread->index];
}

/*
 * No later than the call began.  Recorders of ours read the clock before and after; LTTng's reads it when the event is told, before
 * which the thread may have lost its CPU.  Then all that is known is that the thread had told of the call before this one.
 */
static int64_t begin_of(struct look *l, const struct ct_read_event *e)
{
    int64_t start = e->ns - (int64_t)e->arg[0], *told = told_by(l, e->thread);

    return told && e->thread->program->run.clock == CT_CLOCK_MONOTONIC && *told < start ? *told : start;
}

static void take_call(struct look *l, const struct ct_read_event *e)
{
    int64_t start = begin_of(l, e), result = (int64_t)e->arg[3];
    struct slot *slot = slot_of(l, e->thread->program, (int32_t)e->arg[2]);
    const struct ct_call_info *call = ct_schema_call((unsigned)e->arg[1]);
    unsigned port;

    if (!slot || !call)
        return;
    if (e->arg[1] == CT_CALL_connect && (result == 0 || result == -EINPROGRESS)) {
        begin_end(l, e, slot, false, 0);
    } else if (e->arg[1] == CT_CALL_accept && result >= 0) {
        port = slot->port;
        slot = slot_of(l, e->thread->program, (int32_t)result);
        if (slot)
            begin_end(l, e, slot, true, port);
    } else if (e->arg[1] == CT_CALL_close) {
        *slot = (struct slot){ .end = CT_IDMAP_NONE };
    } else if (call->category == CT_CAT_io && result > 0 && (call->direction == 'R' || call->direction == 'W')) {
        take_bytes(l, slot, call->direction == 'W', (uint64_t)result, call->direction == 'W' ? start : e->ns);
    }
}

/*
 * What is told within a call and before it - what its descriptor is, on which CPU the thread goes on, a sample - says nothing of when
 * the call began: only calls do.
 */
static void take_call_told(struct look *l, const struct ct_read_event *e)
{
    int64_t *told;

    take_call(l, e);
    told = e->nested ? NULL : told_by(l, e->thread);
    if (told)
        *told = e->ns;
}

/* --- what follows --- */

/* The least that the receiver's clock must be put forward, so that nothing arrives before it is sent.  False: they do not fit. */
static bool least(const struct end *from, const struct end *to, int64_t *ret)
{
    const struct mark *sent = from->sent.items, *received = to->received.items;
    size_t s = 0, i;

    *ret = INT64_MIN;
    for (i = 0; i < to->received.count; i++) {
        while (s < from->sent.count && sent[s].bytes < received[i].bytes)
            s++;
        if (s == from->sent.count)
            break;
        if (sent[s].ns != INT64_MIN && sent[s].ns - received[i].ns > *ret)
            *ret = sent[s].ns - received[i].ns;
    }
    return *ret != INT64_MIN && (i == to->received.count || from->goes_on);
}

/* `a` opened the connection that `b` accepted, if the two fit. */
static void compare(struct ct_hosts_bounds *bounds, const struct end *a, const struct end *b)
{
    struct ct_hosts_bound *there = &bounds->pair[a->host][b->host], *back = &bounds->pair[b->host][a->host];
    int64_t low, other;

    if (!least(a, b, &low) || !least(b, a, &other))
        return;
    if (low > -other || (low > there->high || -other < there->low))
        return;                         /* a message would be there before it was sent */
    there->low = low > there->low ? low : there->low;
    there->high = -other < there->high ? -other : there->high;
    there->messages += b->received.count + a->received.count;
    *back = (struct ct_hosts_bound){ -there->high, -there->low, there->messages };
}

/* How many ends like this one came before it. */
static size_t number_of(const struct look *l, size_t at)
{
    const struct end *end = &l->ends.items[at];
    size_t number = 0;

    for (size_t i = 0; i < at; i++) {
        const struct end *o = &l->ends.items[i];

        number += o->host == end->host && o->port == end->port && o->accepted == end->accepted && o->peer == end->peer;
    }
    return number;
}

enum { COMPARED_MAX = 2048 };           /* connections: more make it no better, and each is held against all */

static void compare_all(const struct look *l, struct ct_hosts_bounds *bounds)
{
    size_t count = l->ends.count < COMPARED_MAX ? l->ends.count : COMPARED_MAX;
    size_t *numbers = calloc(count ? count : 1, sizeof *numbers);

    for (size_t i = 0; numbers && i < count; i++)
        numbers[i] = number_of(l, i);
    for (size_t a = 0; numbers && a < count; a++)
        for (size_t b = 0; b < count; b++) {
            const struct end *from = &l->ends.items[a], *to = &l->ends.items[b];

            if (!from->accepted && to->accepted && from->port != 0 && from->port == to->port && from->host != to->host &&
                from->host < CT_HOSTS_MAX && to->host < CT_HOSTS_MAX && numbers[a] == numbers[b])
                compare(bounds, from, to);
        }
    free(numbers);
}

int ct_hosts_look(const struct ct_hosts *hosts, struct ct_reader *reader, struct ct_hosts_bounds *ret)
{
    struct look l = { .hosts = hosts };
    const struct ct_read_item *item;
    struct ct_error err = { 0 };

    for (unsigned a = 0; a < CT_HOSTS_MAX; a++)
        for (unsigned b = 0; b < CT_HOSTS_MAX; b++)
            ret->pair[a][b] = (struct ct_hosts_bound){ INT64_MIN, INT64_MAX, 0 };
    while (!l.no_memory && ct_reader_next(reader, &item, &err) > 0) {
        if (item->kind != CT_READ_EVENT)
            continue;
        if (item->event.no == CT_EV_FD)
            take_name(&l, &item->event);
        else if (item->event.no == CT_EV_IO || item->event.no == CT_EV_IO_SLOW || item->event.no == CT_EV_FILE ||
                 item->event.no == CT_EV_FILE_SLOW)
            take_call_told(&l, &item->event);
    }
    compare_all(&l, ret);
    for (size_t i = 0; i < l.ends.count; i++) {
        ct_list_fini(&l.ends.items[i].sent);
        ct_list_fini(&l.ends.items[i].received);
    }
    ct_list_fini(&l.ends);
    ct_list_fini(&l.slots);
    ct_list_fini(&l.told);
    ct_idmap_fini(&l.open);
    return l.no_memory ? -ENOMEM : 0;
}

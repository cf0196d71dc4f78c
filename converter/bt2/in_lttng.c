/* What LTTng's own libraries tell: allocations, mutexes, functions that begin and end. */
#include <errno.h>
#include <string.h>

#include "converter/bt2/in.h"

/* An unlock is told after it was done: whoever got the mutex may have said so before.  More than that is another story. */
enum { UNLOCK_LATE_NS = 100000 };

/* --- classes --- */

static const struct {
    const char *name;
    enum ct_in_kind kind;
    struct ct_field_info field[4];
} events[] = {
    { "lttng_ust_pthread:pthread_mutex_lock_req", CT_IN_LOCK_BEGIN, { { CT_TYPE_ADDR, "mutex" } } },
    { "lttng_ust_pthread:pthread_mutex_lock_acq", CT_IN_LOCK_END, { { CT_TYPE_RESULT, "status" }, { CT_TYPE_ADDR, "mutex" } } },
    { "lttng_ust_pthread:pthread_mutex_unlock", CT_IN_UNLOCK, { { CT_TYPE_ADDR, "mutex" } } },
    { "lttng_ust_libc:malloc", CT_IN_ALLOC, { { CT_TYPE_ADDR, "ptr" }, { CT_TYPE_UINT, "size" } } },
    { "lttng_ust_libc:memalign", CT_IN_ALLOC, { { CT_TYPE_ADDR, "ptr" }, { CT_TYPE_UINT, "size" } } },
    { "lttng_ust_libc:calloc", CT_IN_ALLOC_MANY, { { CT_TYPE_ADDR, "ptr" }, { CT_TYPE_UINT, "size" }, { CT_TYPE_UINT, "nmemb" } } },
    { "lttng_ust_libc:posix_memalign", CT_IN_ALLOC_TRIED, { { CT_TYPE_ADDR, "out_ptr" }, { CT_TYPE_UINT, "size" }, { CT_TYPE_INT, "result" } } },
    { "lttng_ust_libc:realloc", CT_IN_REALLOC, { { CT_TYPE_ADDR, "ptr" }, { CT_TYPE_UINT, "size" }, { CT_TYPE_ADDR, "in_ptr" } } },
    { "lttng_ust_libc:free", CT_IN_FREE, { { CT_TYPE_ADDR, "ptr" } } },
    { "lttng_ust_cyg_profile:func_entry", CT_IN_FUNCTION_ENTRY, { { CT_TYPE_ADDR, "addr" } } },
    { "lttng_ust_cyg_profile:func_exit", CT_IN_FUNCTION_EXIT, { { CT_TYPE_ADDR, "addr" } } },
    { "lttng_ust_cyg_profile_fast:func_entry", CT_IN_FUNCTION_ENTRY, { { CT_TYPE_ADDR, "addr" } } },
    { "lttng_ust_cyg_profile_fast:func_exit", CT_IN_FUNCTION_EXIT, { { 0 } } },     /* of the innermost */
};

bool ct_in_lttng_class(struct ct_in_class *class, const char *name, const bt_field_class *payload)
{
    struct ct_field_info fields[sizeof events->field / sizeof *events->field + 1] = { { 0 } };

    if (strncmp(name, "lttng_ust_", 10) != 0)
        return false;
    for (size_t i = 0; i < sizeof events / sizeof *events; i++) {
        if (strcmp(name, events[i].name) != 0)
            continue;
        class->kind = events[i].kind;
        memcpy(fields, events[i].field, sizeof events[i].field);
        return ct_in_find_members(class, payload, fields);
    }
    return false;
}

/* --- allocations --- */

/* All of them are told, so each stands for itself: rate 1. */
static int allocated(struct ct_in *in, struct ct_in_program *p, uint64_t serial, uint64_t block, uint64_t size)
{
    const struct ct_bt2_value values[] = { { .number = block }, { .number = size }, { .number = 1 }, { .pcs = &in->ip, .depth = in->ip != 0 } };

    return block ? ct_in_ours(in, p, serial, CT_EV_ALLOC_SAMPLE, values) : 0;
}

static int freed(struct ct_in *in, struct ct_in_program *p, uint64_t serial, uint64_t block)
{
    const struct ct_bt2_value value = { .number = block };

    return block ? ct_in_ours(in, p, serial, CT_EV_FREE_SAMPLE, &value) : 0;
}

static int reallocated(struct ct_in *in, struct ct_in_program *p, uint64_t serial, const struct ct_bt2_value *v)
{
    int r = v[0].number || v[1].number == 0 ? freed(in, p, serial, v[2].number) : 0;     /* else it failed, and the old block stays */

    return r < 0 ? r : allocated(in, p, serial, v[0].number, v[1].number);
}

/* --- mutexes --- */

static struct ct_in_mutex *mutex_of(struct ct_in_program *p, uint64_t address)
{
    uint32_t place = ct_idmap_get(&p->mutex_places, address);
    struct ct_in_mutex *mutex = place == CT_IDMAP_NONE ? ct_list_add(&p->mutexes) : &p->mutexes.items[place];

    if (place != CT_IDMAP_NONE || !mutex)
        return mutex;
    *mutex = (struct ct_in_mutex){ 0 };
    return ct_idmap_add(&p->mutex_places, address, (uint32_t)p->mutexes.count - 1) == 0 ? mutex : NULL;
}

static int acquire(struct ct_in *in, struct ct_in_program *p, uint64_t serial, const struct ct_bt2_value *v)
{
    const struct ct_bt2_value result = { .number = (uint64_t)-(int64_t)v[0].number };
    struct ct_in_mutex *mutex = mutex_of(p, v[1].number);

    if (!mutex)
        return ct_error_at(in->err, -ENOMEM, 0, "no memory");
    if (v[0].number != 0)
        return ct_in_ours(in, p, serial, CT_EV_WAIT_FAILED, &result);
    *mutex = (struct ct_in_mutex){ serial, in->now, mutex->owner == serial ? 0 : mutex->owner };
    return ct_in_ours(in, p, serial, CT_EV_WAIT_DONE, NULL);
}

/* The unlock was before the lock that it made possible, also where it is told after it. */
static int unlock(struct ct_in *in, struct ct_in_program *p, uint64_t serial, const struct ct_bt2_value *v)
{
    const struct ct_bt2_value values[2] = { { .number = v[0].number }, { .pcs = &in->ip, .depth = in->ip != 0 } };
    const struct ct_in_thread *thread = ct_in_thread_of(p, serial);
    struct ct_in_mutex *mutex = mutex_of(p, v[0].number);
    uint64_t now = in->now;
    int r;

    if (!mutex)
        return ct_error_at(in->err, -ENOMEM, 0, "no memory");
    if (mutex->owner == serial) {
        mutex->owner = 0;
    } else if (mutex->before == serial) {
        mutex->before = 0;
        if (thread && now - mutex->since < UNLOCK_LATE_NS && mutex->since > p->g_start && mutex->since > thread->last)
            in->now = mutex->since - 1;
    }
    r = ct_in_ours(in, p, serial, CT_EV_UNLOCK_WAKE, values);
    in->now = now;
    return r;
}

/* --- one event --- */

int ct_in_lttng(struct ct_in *in, struct ct_in_program *p, uint64_t serial, const struct ct_in_class *class,
                const struct ct_bt2_value *v)
{
    const struct ct_bt2_value wait[2] = { { .number = v[0].number }, { .pcs = &in->ip, .depth = in->ip != 0 } };
    char room[CT_IN_NAME_BYTES];
    int r;

    switch (class->kind) {
    case CT_IN_LOCK_BEGIN:
        return ct_in_ours(in, p, serial, CT_EV_MUTEX_WAIT, wait);
    case CT_IN_LOCK_END:
        return acquire(in, p, serial, v);
    case CT_IN_UNLOCK:
        return unlock(in, p, serial, v);
    case CT_IN_ALLOC:
        return allocated(in, p, serial, v[0].number, v[1].number);
    case CT_IN_ALLOC_MANY:
        return allocated(in, p, serial, v[0].number, v[1].number * v[2].number);
    case CT_IN_ALLOC_TRIED:
        return v[2].number ? 0 : allocated(in, p, serial, v[0].number, v[1].number);
    case CT_IN_REALLOC:
        return reallocated(in, p, serial, v);
    case CT_IN_FREE:
        return freed(in, p, serial, v[0].number);
    case CT_IN_FUNCTION_ENTRY:
        return ct_in_range_begin(in, p, serial, CT_IN_FUNCTIONS, v[0].number, ct_in_function(in, p, v[0].number, room),
                                 (struct ct_text){ 0 });
    default:
        r = ct_in_range_end(in, p, serial, CT_IN_FUNCTIONS, class->count ? v[0].number : 0, (struct ct_text){ 0 });
        return r != 0 ? r : ct_in_ours(in, p, serial, CT_EV_REGION_END, NULL);      /* it began before the trace */
    }
}

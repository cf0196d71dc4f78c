/* What slices and states are called, and of which class they are. */
#include "converter/index/builder.h"
#include "converter/model/args.h"

enum { TEXT_MAX = 256, EVENTS_NEW_MAX = 1000 };

static const struct { const char *name; uint8_t class; } fixed[CT_EV_END] = {
    [CT_EV_MUTEX_WAIT] = { "wait for mutex", CT_CLASS_LOCK },
    [CT_EV_RWLOCK_READ_WAIT] = { "wait for read lock", CT_CLASS_LOCK },
    [CT_EV_RWLOCK_WRITE_WAIT] = { "wait for write lock", CT_CLASS_LOCK },
    [CT_EV_COND_WAIT] = { "wait on condition", CT_CLASS_CONDITION },
    [CT_EV_SEM_WAIT] = { "wait for semaphore", CT_CLASS_CONDITION },
    [CT_EV_BARRIER_WAIT] = { "wait at barrier", CT_CLASS_CONDITION },
    [CT_EV_JOIN_WAIT] = { "join", CT_CLASS_JOIN },
    [CT_EV_SLEEP] = { "sleep", CT_CLASS_SLEEP },
    [CT_EV_WAIT_DONE] = { "wait", CT_CLASS_UNKNOWN },
    [CT_EV_WAKE] = { "wake", CT_CLASS_POINT },
    [CT_EV_THREAD_START] = { "thread starts", CT_CLASS_POINT },
    [CT_EV_THREAD_EXIT] = { "thread ends", CT_CLASS_POINT },
    [CT_EV_THREAD_CREATE] = { "create thread", CT_CLASS_POINT },
    [CT_EV_FORK] = { "fork", CT_CLASS_PROCESS },
    [CT_EV_HANDLER] = { "signal handler", CT_CLASS_PROCESS },
    [CT_EV_HEAP_GROW] = { "heap grows", CT_CLASS_ALLOCATOR_PAUSE },
    [CT_EV_HEAP_SHRINK] = { "heap shrinks", CT_CLASS_ALLOCATOR_PAUSE },
    [CT_EV_LOST] = { "events lost", CT_CLASS_LOST },
    [CT_EV_THREAD_NAME] = { "thread named", CT_CLASS_MARK },
    [CT_EV_THREAD_DETACH] = { "thread detached", CT_CLASS_MARK },
    [CT_EV_EXEC] = { "exec", CT_CLASS_PROCESS },
    [CT_EV_EXEC_FAILED] = { "exec failed", CT_CLASS_PROCESS },
    [CT_EV_EXIT] = { "exit", CT_CLASS_PROCESS },
    [CT_EV_CPU_SAMPLE] = { "CPU sample", CT_CLASS_CPU_SAMPLE },
    [CT_EV_ALLOC_SAMPLE] = { "allocation", CT_CLASS_ALLOC_SAMPLE },
    [CT_EV_LOG] = { "log", CT_CLASS_MARK },
    [CT_EV_SCHED_OUT] = { "blocked", CT_CLASS_CONDITION },
    [CT_EV_SCHED_WAKING] = { "wakes a thread", CT_CLASS_POINT },
};

static const struct { const char *name; uint8_t class; } states[CT_STATE_END] = {
    [CT_STATE_UNKNOWN] = { "unknown", CT_CLASS_UNKNOWN }, [CT_STATE_RUNNING] = { "running", CT_CLASS_RUNNING },
    [CT_STATE_RUNNABLE] = { "runnable", CT_CLASS_RUNNABLE }, [CT_STATE_WAITING] = { "waiting", CT_CLASS_CONDITION },
    [CT_STATE_SLEEPING] = { "sleep", CT_CLASS_SLEEP }, [CT_STATE_CALL] = { "in a call", CT_CLASS_IO },
};

static struct ct_text text_of(const char *s)
{
    return (struct ct_text){ s, strlen(s) };
}

/* Where a name that was asked for lately would be: by its last bytes, in which names that are alike differ. */
static inline uint32_t *near_of(struct ct_builder *b, struct ct_text text, unsigned event)
{
    uint64_t last = 0;

    if (text.size >= sizeof last)
        memcpy(&last, text.at + text.size - sizeof last, sizeof last);
    else
        for (size_t i = 0; i < text.size; i++)
            last = last << 8 | (uint8_t)text.at[i];
    last = (last ^ event ^ (uint64_t)text.size << 56) * 0x9e3779b97f4a7c15u;
    return &b->near_name[last >> (64 - CT_NEAR_NAME_BITS)];         /* only the top depends on the last byte of all */
}

uint32_t ct_build_name(struct ct_builder *b, struct ct_text text, unsigned event, unsigned call, unsigned class)
{
    size_t before = b->names.list.count;
    struct ct_name_record record = { .lane = CT_INDEX_NONE, .event = (uint16_t)event, .call = (uint16_t)call,
                                     .class = (uint8_t)class };
    const struct ct_name_record *known;
    uint32_t *near;

    if (text.size > TEXT_MAX)
        text.size = TEXT_MAX;
    near = near_of(b, text, event);
    known = *near < before ? &b->names.list.items[*near] : &record;
    if (known != &record && known->event == event && known->call == call && known->class == class &&
        known->lane == CT_INDEX_NONE && ct_strings_is(&b->strings, known->text, text))
        return *near;
    record.text = ct_strings_of(&b->strings, text);
    *near = ct_names_of(&b->names, &record);
    b->revision += b->names.list.count != before;
    return *near;
}

static unsigned class_of_call(unsigned category)
{
    switch (category) {
    case CT_CAT_lock: return CT_CLASS_LOCK;
    case CT_CAT_sleep: return CT_CLASS_SLEEP;
    case CT_CAT_poll: return CT_CLASS_POLL;
    case CT_CAT_file: return CT_CLASS_FILE;
    case CT_CAT_process: return CT_CLASS_PROCESS;
    case CT_CAT_heap: return CT_CLASS_ALLOCATOR_PAUSE;
    }
    return CT_CLASS_IO;
}

static unsigned event_of_call(unsigned category)
{
    return category == CT_CAT_poll ? CT_EV_POLL : category == CT_CAT_file ? CT_EV_FILE : CT_EV_IO;
}

void ct_build_fixed_names(struct ct_builder *b)
{
    ct_build_name(b, text_of("(more names)"), 0, 0, CT_CLASS_OTHER);     /* id 0: see ct_names_of */
    for (unsigned i = 0; i < CT_STATE_END; i++)
        b->state_name[i] = ct_build_name(b, text_of(states[i].name), 0, 0, states[i].class);
    for (unsigned i = 0; i < CT_EV_END; i++)
        if (fixed[i].name)
            b->event_name[i] = ct_build_name(b, text_of(fixed[i].name), i, 0, fixed[i].class);
    for (unsigned i = 0; i <= CT_CALL_END; i++) {
        const struct ct_call_info *call = ct_schema_call(i);
        unsigned category = call ? call->category : CT_CAT_io;
        struct ct_text name = text_of(call ? call->name : "a call of a newer version");

        b->call_name[i] = ct_build_name(b, name, event_of_call(category), i, class_of_call(category));
        b->call_state[i] = ct_build_name(b, name, 0, i, class_of_call(category));
    }
}

unsigned ct_build_new_event(struct ct_builder *b, const struct ct_read_event_info *info)
{
    struct ct_new_event *seen;
    struct ct_event_record *record;

    for (size_t i = 0; i < b->new_events.count; i++)
        if (b->new_events.items[i].info == info)
            return b->new_events.items[i].event;
    if (b->new_events.count == EVENTS_NEW_MAX)
        return 0;
    seen = ct_list_add(&b->new_events);
    record = seen ? ct_list_add(&b->events) : NULL;
    if (!record) {
        b->new_events.count -= seen != NULL;
        return 0;
    }
    *record = (struct ct_event_record){ .name = ct_strings_of(&b->strings, text_of(info->name)), .count = info->field_count };
    for (unsigned i = 0; i < info->field_count; i++) {
        record->field[i].type = info->fields[i].type;
        record->field[i].name = ct_strings_of(&b->strings, text_of(info->fields[i].name));
    }
    *seen = (struct ct_new_event){ info, (uint16_t)(CT_EVENT_NEW + b->events.count - 1) };
    return seen->event;
}

static uint32_t unknown_name(struct ct_builder *b, const struct ct_span *s)
{
    return ct_build_name(b, text_of(s->info ? s->info->name : "?"), s->info ? ct_build_new_event(b, s->info) : 0, 0,
                         CT_CLASS_OTHER);
}

uint32_t ct_build_span_name(struct ct_builder *b, const struct ct_span *s)
{
    struct ct_text lost = { "(name lost)", 11 };

    switch (s->no) {
    case CT_EV_OPEN: case CT_EV_LOCK_CALL: case CT_EV_SIGNAL_CALL: case CT_EV_PATH: case CT_EV_LOOKUP: case CT_EV_CHILD_CALL:
    case CT_EV_MAP: case CT_EV_ALLOC_SLOW: {
        const struct ct_call_info *call = s->arg[1] < CT_CALL_END ? ct_schema_call((unsigned)s->arg[1]) : NULL;

        return ct_build_name(b, text_of(call ? call->name : "a call of a newer version"), s->no, 0,
                             class_of_call(call ? call->category : CT_CAT_io));
    }
    case CT_EV_SYSCALL: {
        const struct ct_call_info *call = s->arg[1] < CT_CALL_END ? ct_schema_call((unsigned)s->arg[1]) : NULL;

        return ct_build_name(b, s->name_lost ? lost : s->name, s->no, 0, call ? class_of_call(call->category) : CT_CLASS_PROCESS);
    }
    case CT_EV_REGION_BEGIN:
        return ct_build_name(b, s->name_lost ? lost : s->name, s->told.size ? CT_EV_RANGE_BEGIN : s->no, 0, CT_CLASS_REGION);
    case CT_EV_GC_BEGIN:
        return ct_build_name(b, s->name_lost ? lost : s->name.size ? s->name : text_of("collection"), s->no, 0,
                             CT_CLASS_COLLECTOR_PAUSE);
    }
    return s->no && s->no < CT_EV_END && fixed[s->no].name ? b->event_name[s->no] : unknown_name(b, s);
}

uint32_t ct_build_state_name(struct ct_builder *b, const struct ct_state_span *s)
{
    if (s->call)
        return b->call_state[s->call < CT_CALL_END ? s->call : CT_CALL_END];
    if (s->state == CT_STATE_WAITING && s->reason < CT_EV_END && fixed[s->reason].name)
        return b->event_name[s->reason];
    return b->state_name[s->state];
}

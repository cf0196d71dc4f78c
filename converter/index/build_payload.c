/* Arguments as bytes; see payload.h.  HOT: once a slice. */
#include "converter/index/builder.h"
#include "converter/index/frames.h"
#include "converter/index/payload.h"
#include "converter/model/args.h"
#include "format/varint.h"

static __attribute__((noinline)) uint32_t describe_new_fd(struct ct_builder *b, struct ct_fd *fd)
{
    char line[CT_STRING_MAX + 64];
    int size = snprintf(line, sizeof line, "%s %.*s", ct_schema_fdkind(fd->kind),
                        (int)(fd->name_size < CT_STRING_MAX ? fd->name_size : CT_STRING_MAX), fd->name ? fd->name : "");

    while (size > 0 && line[size - 1] == ' ')
        size--;
    fd->user = ct_strings_used(&b->strings, (struct ct_text){ line, (size_t)size }) + 1;
    return fd->user - 1;
}

/* What a descriptor is, as a string's number + 1; kept with the descriptor as long as it is the same. */
static inline uint32_t describe_fd(struct ct_builder *b, struct ct_model_program *program, int32_t number)
{
    struct ct_fd *fd = ct_fds_get(&program->fds, number);

    if (!fd)
        return CT_STRINGS_EMPTY;
    return __builtin_expect(fd->user != 0, 1) ? fd->user - 1 : describe_new_fd(b, fd);
}

enum { ADDRESSES_MAX = 1 << 22 };       /* 32 MB of them; further ones stand where they are used */

static __attribute__((noinline)) uint64_t new_address(struct ct_builder *b, uint64_t address)
{
    uint64_t *place = b->addresses.count < ADDRESSES_MAX ? ct_list_add(&b->addresses) : NULL;

    if (!place)
        return address << 1 | 1;
    *place = address;
    if (ct_idmap_add(&b->address_places, address, (uint32_t)b->addresses.count - 1) < 0)
        b->no_memory = true;
    return 2 * (b->addresses.count - 1);
}

/* What stands for an address in a payload. */
static inline uint64_t address_of(struct ct_builder *b, uint64_t address)
{
    uint32_t at = ct_idmap_get(&b->address_places, address);

    return at != CT_IDMAP_NONE ? 2 * (uint64_t)at : new_address(b, address);
}

static uint32_t describe_code(struct ct_builder *b, const struct ct_read_program *program, uint64_t pc)
{
    const struct ct_read_frame *frames;
    char address[256];

    if (pc == 0)
        return CT_STRINGS_EMPTY;
    if (ct_read_frames(program, pc, &frames) > 0 && frames[0].function.size > 0)
        return ct_strings_used(&b->strings, frames[0].function);
    return ct_strings_used(&b->strings, (struct ct_text){ address, ct_frames_address(program, pc, address, sizeof address) });
}

static inline uint8_t *put_fd(struct ct_builder *b, uint8_t *p, struct ct_model_program *program, uint64_t fd)
{
    p = ct_varint_put(p, (uint32_t)fd);
    return ct_varint_put(p, describe_fd(b, program, (int32_t)fd));
}

/* The head and what comes before the arguments; the head's place is the first byte. */
static inline uint8_t *put_head(struct ct_builder *b, const struct ct_span *s, uint8_t *head)
{
    uint8_t *p = head + 1;

    *head = 0;
    if (__builtin_expect((s->flags | s->stack) != 0 || s->waker || s->result, 0)) {
        if (s->flags) {
            *head |= CT_PAYLOAD_FLAGS;
            *p++ = (uint8_t)s->flags;
        }
        if (s->stack) {
            *head |= CT_PAYLOAD_STACK;
            p = ct_varint_put(p, s->stack);
        }
        if (s->waker && ct_build_thread_of(b, s->waker)) {
            *head |= CT_PAYLOAD_WAKER;
            p = ct_varint_put(p, ct_build_thread_of(b, s->waker)->lane);
            p = ct_varint_put(p, s->wake_ns == CT_READ_NEVER ? 0 : ct_zigzag(s->end - s->wake_ns));
        }
        if (s->result) {
            *head |= CT_PAYLOAD_RESULT;
            p = ct_varint_put(p, ct_zigzag(s->result));
        }
    }
    return p;
}

static uint8_t *put_text(uint8_t *p, struct ct_text text)
{
    if (text.size > CT_EVENT_TEXT_MAX)
        text.size = CT_EVENT_TEXT_MAX;
    __asm__("" : "+r"(text.size));      /* what is known to be short, gcc copies by a string instruction that takes 30 ns to begin */
    p = ct_varint_put(p, text.size);
    if (text.size)
        memcpy(p, text.at, text.size);
    return p + text.size;
}

/* One field; `string` is what a STRING becomes. */
static uint8_t *put_field(struct ct_builder *b, uint8_t *p, struct ct_model_program *program, unsigned type, uint64_t value,
                          uint32_t string)
{
    switch (type) {
    case CT_TYPE_FD:
        return put_fd(b, p, program, value);
    case CT_TYPE_CODE:
        p = ct_varint_put(p, value);
        return ct_varint_put(p, describe_code(b, program->read, value));
    case CT_TYPE_INT: case CT_TYPE_RESULT:
        return ct_varint_put(p, ct_zigzag((int64_t)value));
    case CT_TYPE_STRING:
        return ct_varint_put(p, string);
    case CT_TYPE_ADDR:
        return ct_varint_put(p, address_of(b, value));
    }
    return ct_varint_put(p, value);
}

static uint32_t string_of(struct ct_builder *b, const struct ct_read_generation *g, uint64_t id)
{
    struct ct_near_string *near = &b->near_string[(id ^ (uintptr_t)g >> 6) % CT_NEAR_STRINGS];
    struct ct_text text;

    if (!g || !id)
        return CT_STRINGS_EMPTY;
    if (near->generation != g || near->number != g->number || near->id != id)
        *near = (struct ct_near_string){ g, g->number, id, ct_read_string(g, id, &text) ? ct_strings_used(&b->strings, text)
                                                                                        : CT_STRINGS_EMPTY };
    return near->string;
}

static uint8_t *put_known(struct ct_builder *b, uint8_t *p, const struct ct_span *s)
{
    const struct ct_event_info *info = ct_schema_event(s->no);
    bool named = s->no != CT_EV_OPEN && s->no != CT_EV_PATH && s->no != CT_EV_LOOKUP;   /* by its text; a call is by the call */

    for (unsigned i = 0; info && i < info->field_count; i++)
        if (ct_payload_keeps(i, info->fields[i].type))
            p = put_field(b, p, s->thread->program, info->fields[i].type, s->arg[i],
                          info->fields[i].type == CT_TYPE_STRING && !named ? string_of(b, s->generation, s->arg[i]) : CT_STRINGS_EMPTY);
    return p;
}

/* All fields that a file says an event has; `text` is its TEXT. */
static uint8_t *put_told(struct ct_builder *b, uint8_t *p, struct ct_model_program *program,
                         const struct ct_read_event_info *info, const struct ct_read_generation *g, const uint64_t *arg,
                         struct ct_text text, bool named)
{
    for (unsigned i = 0; i < info->field_count; i++) {
        unsigned type = info->fields[i].type;

        if (!ct_payload_keeps(i, type))
            continue;
        if ((type & CT_WIRE_MASK) == CT_WIRE_TEXT)
            p = put_text(p, text);
        else
            p = put_field(b, p, program, type, arg[i],
                          type == CT_TYPE_STRING && !named ? string_of(b, g, arg[i]) : CT_STRINGS_EMPTY);
    }
    return p;
}

static inline uint8_t *put_call(struct ct_builder *b, uint8_t *p, struct ct_model_program *program, const uint64_t *arg)
{
    p = put_fd(b, p, program, ct_args_IO(arg)->fd);
    return ct_varint_put_short(p, ct_zigzag((int64_t)ct_args_IO(arg)->result));     /* of one byte or two as it happens */
}

size_t ct_build_io_payload(struct ct_builder *b, const struct ct_span *s, uint8_t *to)
{
    uint8_t *p = put_call(b, put_head(b, s, to), s->thread->program, s->arg);

    *to |= CT_PAYLOAD_ARGS;
    return (size_t)(p - to);
}

size_t ct_build_call_payload(struct ct_builder *b, struct ct_model_program *program, const uint64_t *arg, uint8_t *to)
{
    *to = CT_PAYLOAD_ARGS;
    return (size_t)(put_call(b, to + 1, program, arg) - to);
}

size_t ct_build_span_payload(struct ct_builder *b, const struct ct_span *s, uint8_t *to)
{
    uint8_t *p = put_head(b, s, to), *args = p;

    switch (s->no) {
    case CT_EV_MUTEX_WAIT: case CT_EV_WAKE:
        p = ct_varint_put(p, address_of(b, s->arg[0]));
        break;
    case CT_EV_SYSCALL:
        p = put_told(b, p, s->thread->program, s->info, s->generation, s->arg, (struct ct_text){ 0 }, false);
        break;
    case CT_EV_REGION_BEGIN:
        p = ct_varint_put(p, CT_STRINGS_EMPTY);
        if (s->told.size)               /* named as a RANGE_BEGIN */
            p = put_text(p, s->told);
        else
            p = ct_varint_put(p, ct_args_REGION_BEGIN(s->arg)->task);
        break;
    case 0:
        if (s->info && ct_build_new_event(b, s->info))
            p = put_told(b, p, s->thread->program, s->info, s->generation, s->arg, (struct ct_text){ 0 }, false);
        break;
    default:
        p = put_known(b, p, s);
    }
    if (p > args)
        *to |= CT_PAYLOAD_ARGS;
    return (size_t)(p - to);
}

size_t ct_build_moment_payload(struct ct_builder *b, const struct ct_moment *m, bool named, uint8_t *to)
{
    uint8_t *p = to + 1, *args;

    *to = 0;
    if (m->stack) {
        *to |= CT_PAYLOAD_STACK;
        p = ct_varint_put(p, m->stack);
    }
    args = p;
    if (m->event->no || ct_build_new_event(b, m->event->info))
        p = put_told(b, p, m->thread->program, m->event->info, m->event->generation, m->event->arg, m->event->text, named);
    if (p > args)
        *to |= CT_PAYLOAD_ARGS;
    return (size_t)(p - to);
}

/* Reading payloads back; bounds are those of the leaf. */
#include "converter/index/payload.h"

#include "format/varint.h"

/* 0 when it is cut short or too long. */
static uint64_t varint(const uint8_t **at, const uint8_t *end)
{
    uint64_t value = 0;

    for (unsigned shift = 0; *at < end && shift < 64; shift += 7) {
        uint8_t byte = *(*at)++;

        value |= (uint64_t)(byte & 0x7f) << shift;
        if (byte < 0x80)
            return value;
    }
    *at = end;
    return 0;
}

void ct_payload_open(struct ct_payload *p, const uint8_t *bytes, size_t size)
{
    unsigned head;

    *p = (struct ct_payload){ .waker = CT_INDEX_NONE, .at = bytes, .end = bytes + size };
    if (size == 0)
        return;
    head = *p->at++;
    if (head & CT_PAYLOAD_FLAGS)
        p->flags = (unsigned)varint(&p->at, p->end);
    if (head & CT_PAYLOAD_STACK)
        p->stack = (uint32_t)varint(&p->at, p->end);
    if (head & CT_PAYLOAD_WAKER) {
        p->waker = (uint32_t)varint(&p->at, p->end);
        p->waker_before = ct_unzigzag(varint(&p->at, p->end));
    }
    if (head & CT_PAYLOAD_RESULT)
        p->result = ct_unzigzag(varint(&p->at, p->end));
    if (!(head & CT_PAYLOAD_ARGS))
        p->end = p->at;
}

/* The next field that is kept; false when there is none. */
static bool next_field(const struct ct_store *s, const struct ct_name_record *name, struct ct_arguments *state,
                       struct ct_argument *ret)
{
    const struct ct_event_info *info = name->event < CT_EVENT_NEW ? ct_schema_event(name->event) : NULL;
    unsigned new = name->event - CT_EVENT_NEW, i;

    *ret = (struct ct_argument){ 0 };
    if (name->event >= CT_EVENT_NEW && new < s->event_count) {
        const struct ct_event_record *e = &s->events[new];

        while ((i = state->field++) < e->count && i < CT_EVENT_FIELDS_MAX)
            if (ct_payload_keeps(i, e->field[i].type)) {
                ret->name_text = ct_store_text(s, e->field[i].name);
                ret->type = e->field[i].type;
                return true;
            }
    }
    while (info && (i = state->field++) < info->field_count)
        if (ct_payload_keeps(i, info->fields[i].type)) {
            ret->name = info->fields[i].name;
            ret->name_text = (struct ct_text){ ret->name, strlen(ret->name) };
            ret->type = info->fields[i].type;
            return true;
        }
    return false;
}

bool ct_payload_next(const struct ct_store *s, const struct ct_name_record *name, struct ct_payload *p,
                     struct ct_arguments *state, struct ct_argument *ret)
{
    if (p->at >= p->end || !next_field(s, name, state, ret))
        return false;
    ret->value = varint(&p->at, p->end);
    if ((ret->type & CT_WIRE_MASK) == CT_WIRE_TEXT) {
        size_t left = (size_t)(p->end - p->at);

        ret->bytes = (struct ct_text){ (const char *)p->at, ret->value < left ? ret->value : left };
        p->at += ret->bytes.size;
    } else if (ret->type == CT_TYPE_INT || ret->type == CT_TYPE_RESULT) {
        ret->value = (uint64_t)ct_unzigzag(ret->value);
    } else if (ret->type == CT_TYPE_ADDR) {
        if (ret->value & 1)
            ret->value >>= 1;
        else
            ret->value = ret->value / 2 < s->address_count ? s->addresses[ret->value / 2] : 0;
    } else if (ret->type == CT_TYPE_FD || ret->type == CT_TYPE_CODE) {
        ret->text = (uint32_t)varint(&p->at, p->end);
    }
    return true;
}

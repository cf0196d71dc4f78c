/* How to decode each event of one SCHEMA block: made once, followed at every event. */
#pragma once

#include "converter/read/reader.h"
#include "format/varint.h"

/* Those before TICKS need no branch: `zigzag` and `widen` of the plan say it all. */
enum ct_read_op { CT_READ_OP_NUMBER, CT_READ_OP_TICKS, CT_READ_OP_ADDR, CT_READ_OP_TEXT };

enum { CT_READ_ROOM_MAX = CT_EVENT_FIELDS_MAX * 2 * CT_VARINT_MAX };

struct ct_read_step {
    uint8_t op;                         /* enum ct_read_op */
    uint8_t zigzag;                     /* 1: undo it */
    uint8_t widen;                      /* 32: the low 32 bits are a signed number */
};

struct ct_read_plan {
    struct ct_read_event_info info;     /* info.name is NULL: the schema has no such event */
    struct ct_read_step step[CT_EVENT_FIELDS_MAX];
    uint8_t no;                         /* CT_EV_*, 0: not known to this version */
    int room;                           /* bytes that must be readable from its first field on to read it without a check */
};

/* The plans of one schema. */
struct ct_read_plans {
    struct ct_read_plans *next;
    uint32_t crc;                       /* of the block it was made from; 0: this version's own */
    uint32_t size;
    char *names;
    uint32_t count;                     /* of plan[]; the one behind them is that of an event that is not in the schema */
    struct ct_read_plan plan[];
};

static inline const struct ct_read_plan *ct_read_plan_of(const struct ct_read_plans *plans, uint8_t no)
{
    return &plans->plan[no < plans->count ? no : plans->count];
}

/* Plans of this version's own schema, for a file without one.  -ENOMEM or 0; caller frees with ct_read_plans_free. */
int ct_read_plans_own(struct ct_read_plans **ret);

/* Plans from the payload of a SCHEMA block. */
int ct_read_plans_new(struct ct_cursor *payload, uint32_t crc, struct ct_read_plans **ret, struct ct_error *err);

/* Frees one; takes NULL. */
void ct_read_plans_free(struct ct_read_plans *plans);

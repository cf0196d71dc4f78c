/* What an event is told with, before it is coded: struct ct_ev_NAME for each event of events.def. */
#pragma once

#include <stddef.h>
#include <stdint.h>

/* Bit 63 of an ADDR argument: not interned, the rest is the address. */
#define CT_ADDRESS_RAW ((uint64_t)1 << 63)

/* Arguments of each event: `time` in ticks, 0 means the present; fields as in events.def, of which strings, stacks and addresses are ids. */
struct ct_text_argument { const char *at; size_t size; };
#define CT_FIELD_C_TEXT struct ct_text_argument
#define CT_FIELD_C_UINT uint64_t
#define CT_FIELD_C_INT int64_t
#define CT_FIELD_C_TICKS uint64_t
#define CT_FIELD_C_CPU uint64_t
#define CT_FIELD_C_FD int
#define CT_FIELD_C_RESULT int64_t
#define CT_FIELD_C_CALL unsigned
#define CT_FIELD_C_CODE uint64_t
#define CT_FIELD_C_ADDR uint64_t
#define CT_FIELD_C_STRING uint64_t
#define CT_FIELD_C_STACK uint64_t
#define CT_FIELD_C_THREAD uint64_t
#define FIELD(type, name) CT_FIELD_C_##type name;
#define EVENT(no, NAME, shape, category, doc, ...) struct ct_ev_##NAME { uint64_t time; __VA_ARGS__ };
#include "format/events.def"

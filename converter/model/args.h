/* The fields of every event as a struct over ct_read_event.arg, made from events.def: ct_args_IO(event)->fd. */
#pragma once

#include <stdint.h>

#define FIELD(type, name) uint64_t name;
#define EVENT(no, NAME, shape, category, doc, ...) \
    struct ct_args_##NAME { __VA_ARGS__ }; \
    static inline const struct ct_args_##NAME *ct_args_##NAME(const uint64_t *arg) \
    { \
        return (const struct ct_args_##NAME *)(const void *)arg; \
    }
#include "format/events.def"

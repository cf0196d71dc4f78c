/* The fields of events by their names: CT_ARG(event, MUTEX_WAIT, object). */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "converter/read/reader.h"

/* One byte a field, so that a field's offset is its number. */
#define FIELD(type, name) uint8_t name;
#define EVENT(no, NAME, shape, category, doc, ...) struct ct_arguments_##NAME { __VA_ARGS__ };
#include "format/events.def"

#define CT_ARG(event, NAME, field) ((event)->arg[offsetof(struct ct_arguments_##NAME, field)])

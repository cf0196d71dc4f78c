/* Schema types as field classes of babeltrace2, and values of one as fields of the other. */
#include "converter/bt2/value.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "converter/profile/utf8.h"
#include "format/schema.h"

enum { CALL_BITS = 16 };

static bt_field_class *number_class(bt_trace_class *trace, bool hex)
{
    bt_field_class *class = bt_field_class_integer_unsigned_create(trace);

    if (class && hex)
        bt_field_class_integer_set_preferred_display_base(class, BT_FIELD_CLASS_INTEGER_PREFERRED_DISPLAY_BASE_HEXADECIMAL);
    return class;
}

static bt_field_class *signed_class(bt_trace_class *trace, uint64_t bits)
{
    bt_field_class *class = bt_field_class_integer_signed_create(trace);

    if (class)
        bt_field_class_integer_set_field_value_range(class, bits);
    return class;
}

/* Labels `value` with `label`; false without memory. */
static bool add_label(bt_field_class *class, const char *label, uint64_t value)
{
    bt_integer_range_set_unsigned *range = bt_integer_range_set_unsigned_create();
    bool ok = range && bt_integer_range_set_unsigned_add_range(range, value, value) == 0 &&
              bt_field_class_enumeration_unsigned_add_mapping(class, label, range) == 0;

    bt_integer_range_set_unsigned_put_ref(range);
    return ok;
}

static bt_field_class *labelled_class(bt_trace_class *trace, unsigned end, const char *label_of(unsigned no))
{
    bt_field_class *class = bt_field_class_enumeration_unsigned_create(trace);
    bool ok = class != NULL;

    if (ok)
        bt_field_class_integer_set_field_value_range(class, CALL_BITS);
    for (unsigned i = 0; ok && i < end; i++)
        if (label_of(i))
            ok = add_label(class, label_of(i), i);
    if (ok)
        return class;
    bt_field_class_put_ref(class);
    return NULL;
}

static const char *call_label(unsigned no)
{
    const struct ct_call_info *call = ct_schema_call(no);

    return call ? call->name : NULL;
}

static bt_field_class *stack_class(bt_trace_class *trace)
{
    bt_field_class *pc = number_class(trace, true);
    bt_field_class *class = pc ? bt_field_class_array_dynamic_create(trace, pc, NULL) : NULL;

    bt_field_class_put_ref(pc);
    return class;
}

bt_field_class *ct_bt2_field_class(bt_trace_class *trace, unsigned type, bool kinds)
{
    switch (type) {
    case CT_TYPE_INT:
    case CT_TYPE_RESULT:
        return signed_class(trace, 64);
    case CT_TYPE_FD:
        return signed_class(trace, 32);
    case CT_TYPE_CALL:
        return labelled_class(trace, CT_CALL_END, call_label);
    case CT_TYPE_CODE:
    case CT_TYPE_ADDR:
        return number_class(trace, true);
    case CT_TYPE_STRING:
    case CT_TYPE_TEXT:
        return bt_field_class_string_create(trace);
    case CT_TYPE_STACK:
        return stack_class(trace);
    default:
        if ((type & CT_WIRE_MASK) == CT_WIRE_TEXT)
            return bt_field_class_string_create(trace);
        return kinds ? labelled_class(trace, CT_FD_END, ct_schema_fdkind) : number_class(trace, false);
    }
}

/* Readers of CTF take strings for UTF-8 that ends with a zero; names of files may be anything. */
static int set_text(bt_field *field, struct ct_text text)
{
    char room[256], *mended = room;
    size_t size = text.size;
    int r;

    if (ct_utf8_span(text.at, text.size) < text.size || memchr(text.at, '\0', text.size)) {
        size_t most = text.size * 3 + 1;

        if (most > sizeof room && !(mended = malloc(most)))
            return -ENOMEM;
        size = ct_utf8_mend(text.at, text.size, mended);
        for (size_t i = 0; i < size; i++)
            if (mended[i] == '\0')
                mended[i] = ' ';
        text.at = mended;
    }
    bt_field_string_clear(field);
    r = bt_field_string_append_with_length(field, text.at, size) == 0 ? 0 : -ENOMEM;
    if (mended != room)
        free(mended);
    return r;
}

static int set_stack(bt_field *field, const struct ct_bt2_value *value)
{
    uint32_t length = value->depth + value->open;

    if (bt_field_array_dynamic_set_length(field, length) != 0)
        return -ENOMEM;
    for (uint32_t i = 0; i < length; i++)
        bt_field_integer_unsigned_set_value(bt_field_array_borrow_element_field_by_index(field, i),
                                            i < value->depth ? value->pcs[i] : 0);
    return 0;
}

/* HOT: at every field. */
int ct_bt2_set(bt_field *field, unsigned type, const struct ct_bt2_value *value)
{
    switch (type) {
    case CT_TYPE_INT:
    case CT_TYPE_RESULT:
        bt_field_integer_signed_set_value(field, (int64_t)value->number);
        return 0;
    case CT_TYPE_FD:
        bt_field_integer_signed_set_value(field, (int32_t)value->number);
        return 0;
    case CT_TYPE_STRING:
    case CT_TYPE_TEXT:
        return set_text(field, value->text);
    case CT_TYPE_STACK:
        return set_stack(field, value);
    default:
        if ((type & CT_WIRE_MASK) == CT_WIRE_TEXT)
            return set_text(field, value->text);
        bt_field_integer_unsigned_set_value(field, type == CT_TYPE_CALL && value->number >> CALL_BITS
                                                       ? (1u << CALL_BITS) - 1 : value->number);
        return 0;
    }
}

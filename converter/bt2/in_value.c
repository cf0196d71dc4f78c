/* Fields of messages as values, and as text where we have no type for them. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "converter/bt2/in.h"
#include "converter/read/told.h"

enum { DEPTH_MAX = 8, ELEMENTS_MAX = 64 };

int64_t ct_in_integer(const bt_field *field)
{
    bt_field_class_type type = bt_field_get_class_type(field);

    if (bt_field_class_type_is(type, BT_FIELD_CLASS_TYPE_UNSIGNED_INTEGER))
        return (int64_t)bt_field_integer_unsigned_get_value(field);
    return bt_field_class_type_is(type, BT_FIELD_CLASS_TYPE_SIGNED_INTEGER) ? bt_field_integer_signed_get_value(field) : 0;
}

/* babeltrace2 2.0 leaves the old text in a string that is empty: the length counts. */
static struct ct_text string_of(const bt_field *field)
{
    return (struct ct_text){ bt_field_string_get_value(field), bt_field_string_get_length(field) };
}

static struct ct_bt2_value stack_of(struct ct_in *in, const bt_field *field)
{
    uint64_t length = bt_field_array_get_length(field);
    struct ct_bt2_value value = { .pcs = in->pcs };

    for (uint64_t i = 0; i < length; i++) {
        uint64_t pc = (uint64_t)ct_in_integer(bt_field_array_borrow_element_field_by_index_const(field, i));

        if ((pc == 0 && i + 1 == length) || value.depth == CT_STACK_MAX) {
            value.open = true;
            break;
        }
        in->pcs[value.depth++] = pc;
    }
    return value;
}

/* What the schema has no type for becomes a text. */
static struct ct_text described(char room[CT_IN_DESCRIBED_BYTES], const bt_field *field)
{
    struct ct_buffer b = ct_buffer_over(room, CT_IN_DESCRIBED_BYTES);

    ct_in_describe(&b, field, 0);
    return (struct ct_text){ room, ct_buffer_used(&b) };
}

/* HOT: at every event. */
void ct_in_values(struct ct_in *in, const struct ct_in_class *class, const bt_field *structure, struct ct_bt2_value *ret)
{
    for (unsigned i = 0; i < class->count; i++) {
        const bt_field *field = bt_field_structure_borrow_member_field_by_index_const(structure, (uint64_t)class->member[i]);

        ret[i] = (struct ct_bt2_value){ 0 };
        switch (class->read[i]) {
        case CT_IN_UNSIGNED:
            ret[i].number = bt_field_integer_unsigned_get_value(field);
            break;
        case CT_IN_SIGNED:
            ret[i].number = (uint64_t)bt_field_integer_signed_get_value(field);
            break;
        case CT_IN_STRING:
            ret[i].text = string_of(field);
            break;
        case CT_IN_STACK:
            ret[i] = stack_of(in, field);
            break;
        default:
            ret[i].text = described(in->described[i], field);
        }
    }
}

static void put_string(struct ct_buffer *to, const char *text)
{
    ct_buffer_bytes(to, text, strlen(text));
}

static void put_enumeration(struct ct_buffer *to, const bt_field *field, bool is_signed)
{
    bt_field_class_enumeration_mapping_label_array labels;
    uint64_t count = 0;

    if (is_signed)
        bt_field_enumeration_signed_get_mapping_labels(field, &labels, &count);
    else
        bt_field_enumeration_unsigned_get_mapping_labels(field, &labels, &count);
    if (count)
        put_string(to, labels[0]);
}

/* As the trace wants it shown: addresses. */
static bool is_hexadecimal(const bt_field *field)
{
    return bt_field_class_integer_get_preferred_display_base(bt_field_borrow_class_const(field)) ==
           BT_FIELD_CLASS_INTEGER_PREFERRED_DISPLAY_BASE_HEXADECIMAL;
}

static void put_number(struct ct_buffer *to, const bt_field *field, bt_field_class_type type)
{
    char room[40];

    if (bt_field_class_type_is(type, BT_FIELD_CLASS_TYPE_UNSIGNED_INTEGER))
        snprintf(room, sizeof room, is_hexadecimal(field) ? "0x%" PRIx64 : "%" PRIu64, bt_field_integer_unsigned_get_value(field));
    else if (bt_field_class_type_is(type, BT_FIELD_CLASS_TYPE_SIGNED_INTEGER))
        snprintf(room, sizeof room, "%" PRId64, bt_field_integer_signed_get_value(field));
    else if (type == BT_FIELD_CLASS_TYPE_BOOL)
        snprintf(room, sizeof room, "%s", bt_field_bool_get_value(field) ? "true" : "false");
    else if (type == BT_FIELD_CLASS_TYPE_BIT_ARRAY)
        snprintf(room, sizeof room, "0x%" PRIx64, bt_field_bit_array_get_value_as_integer(field));
    else if (type == BT_FIELD_CLASS_TYPE_SINGLE_PRECISION_REAL)
        snprintf(room, sizeof room, "%.9g", (double)bt_field_real_single_precision_get_value(field));
    else if (type == BT_FIELD_CLASS_TYPE_DOUBLE_PRECISION_REAL)
        snprintf(room, sizeof room, "%.17g", bt_field_real_double_precision_get_value(field));
    else
        room[0] = '\0';
    put_string(to, room);
}

static void put_structure(struct ct_buffer *to, const bt_field *field, unsigned depth)
{
    const bt_field_class *class = bt_field_borrow_class_const(field);
    uint64_t count = bt_field_class_structure_get_member_count(class);

    if (depth)
        put_string(to, "{");
    for (uint64_t i = 0; i < count; i++) {
        const bt_field_class_structure_member *member =
            bt_field_class_structure_borrow_member_by_index_const(class, i);

        put_string(to, i ? " " : "");
        put_string(to, bt_field_class_structure_member_get_name(member));
        put_string(to, "=");
        ct_in_describe(to, bt_field_structure_borrow_member_field_by_index_const(field, i), depth + 1);
    }
    if (depth)
        put_string(to, "}");
}

static void put_array(struct ct_buffer *to, const bt_field *field, unsigned depth)
{
    uint64_t count = bt_field_array_get_length(field);

    put_string(to, "[");
    for (uint64_t i = 0; i < count && i < ELEMENTS_MAX; i++) {
        put_string(to, i ? ", " : "");
        ct_in_describe(to, bt_field_array_borrow_element_field_by_index_const(field, i), depth + 1);
    }
    put_string(to, count > ELEMENTS_MAX ? ", ...]" : "]");
}

struct ct_text ct_in_tell_of(const bt_field *structure, char room[CT_EVENT_TEXT_MAX])
{
    const bt_field_class *class = structure ? bt_field_borrow_class_const(structure) : NULL;
    uint64_t count = class ? bt_field_class_structure_get_member_count(class) : 0;
    struct ct_buffer b = ct_buffer_over(room, CT_EVENT_TEXT_MAX);

    for (uint64_t i = 0; i < count; i++) {
        if (i > 0)
            ct_buffer_bytes(&b, (char[]){ CT_TOLD_SEPARATOR }, 1);
        put_string(&b, bt_field_class_structure_member_get_name(bt_field_class_structure_borrow_member_by_index_const(class, i)));
        put_string(&b, "=");
        ct_in_describe(&b, bt_field_structure_borrow_member_field_by_index_const(structure, i), 1);
    }
    return (struct ct_text){ room, ct_buffer_used(&b) };
}

void ct_in_describe(struct ct_buffer *to, const bt_field *field, unsigned depth)
{
    bt_field_class_type type = bt_field_get_class_type(field);

    if (depth > DEPTH_MAX) {
        put_string(to, "...");
    } else if (type == BT_FIELD_CLASS_TYPE_STRING) {
        ct_buffer_bytes(to, bt_field_string_get_value(field), bt_field_string_get_length(field));
    } else if (type == BT_FIELD_CLASS_TYPE_UNSIGNED_ENUMERATION || type == BT_FIELD_CLASS_TYPE_SIGNED_ENUMERATION) {
        put_enumeration(to, field, type == BT_FIELD_CLASS_TYPE_SIGNED_ENUMERATION);
        put_string(to, "(");
        put_number(to, field, type);
        put_string(to, ")");
    } else if (type == BT_FIELD_CLASS_TYPE_STRUCTURE) {
        put_structure(to, field, depth);
    } else if (bt_field_class_type_is(type, BT_FIELD_CLASS_TYPE_ARRAY)) {
        put_array(to, field, depth);
    } else if (bt_field_class_type_is(type, BT_FIELD_CLASS_TYPE_VARIANT)) {
        ct_in_describe(to, bt_field_variant_borrow_selected_option_field_const(field), depth + 1);
    } else if (bt_field_class_type_is(type, BT_FIELD_CLASS_TYPE_OPTION)) {
        const bt_field *inside = bt_field_option_borrow_field_const(field);

        if (inside)
            ct_in_describe(to, inside, depth + 1);
    } else {
        put_number(to, field, type);
    }
}

/* Values of fields in the text form: strings and addresses resolved, stacks by their id. */
#include "converter/text/value.h"

#include "converter/text/words.h"

static void write_string(struct ct_output *out, const struct ct_read_event *event, uint64_t id)
{
    struct ct_text text;

    if (id == CT_STRING_NONE) {
        ct_output_string(out, "-");
    } else if (ct_read_string(event->generation, id, &text)) {
        ct_words_quoted(out, text);
    } else {
        ct_output_string(out, "?");
        ct_words_number(out, id);
    }
}

void ct_text_value(struct ct_output *out, const struct ct_read_event *event, unsigned i, bool no_stacks)
{
    uint64_t v = event->arg[i];
    unsigned type = event->info->fields[i].type;
    const struct ct_call_info *call;

    switch (type) {
    case CT_TYPE_INT:
    case CT_TYPE_RESULT:
    case CT_TYPE_FD:
        ct_words_signed(out, (int64_t)v);
        return;
    case CT_TYPE_CALL:
        call = v <= UINT16_MAX ? ct_schema_call((unsigned)v) : NULL;
        if (call)
            ct_output_string(out, call->name);
        else
            ct_words_number(out, v);
        return;
    case CT_TYPE_CODE:
        ct_words_hex(out, v);
        return;
    case CT_TYPE_STRING:
        write_string(out, event, v);
        return;
    case CT_TYPE_STACK:
        if (v == CT_STACK_NONE || no_stacks)
            ct_output_string(out, "-");
        else if (v == CT_STACK_LOST)
            ct_output_string(out, "lost");
        else
            ct_words_number(out, v);
        return;
    default:
        break;
    }
    if ((type & CT_WIRE_MASK) == CT_WIRE_TEXT) {
        ct_words_quoted(out, event->text);
    } else if ((type & CT_WIRE_MASK) == CT_WIRE_ESCAPE && event->unresolved >> i & 1) {
        ct_output_string(out, "?");
        ct_words_number(out, v);
    } else if ((type & CT_WIRE_MASK) == CT_WIRE_ESCAPE) {
        ct_words_hex(out, v);
    } else {
        ct_words_number(out, v);
    }
}

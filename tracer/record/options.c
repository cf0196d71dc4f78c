/* Reading "key=value;key=value". */
#include "record/options.h"

#include <errno.h>
#include <string.h>

#include "record/rawfile.h"

void ct_options_default(struct ct_session_options *ret)
{
    *ret = (struct ct_session_options){
        .categories = ~(uint64_t)0,
        .depth = CT_STACK_DEFAULT,
        .cpu_rate = CT_CPU_RATE_DEFAULT,
        .heap_rate = CT_HEAP_RATE_DEFAULT,
        .block_rate = 1,
        .mutex_fraction = 1,
        .start = true,
        .paths = true,
        .asks = true,
    };
}

static bool is_key(const char *text, size_t length, const char *key)
{
    return strlen(key) == length && memcmp(text, key, length) == 0;
}

static int read_hex(const char *value, size_t length, uint8_t *to, size_t size)
{
    if (length != 2 * size)
        return -EINVAL;
    for (size_t i = 0; i < size; i++) {
        const char two[3] = { value[2 * i], value[2 * i + 1], '\0' };
        const char *at = two;

        to[i] = (uint8_t)ct_raw_number(&at, 16);
        if (*at)
            return -EINVAL;
    }
    return 0;
}

static int take(const char *key, size_t key_length, const char *value, size_t length, struct ct_session_options *o)
{
    const char *end = value;
    bool hex = is_key(key, key_length, "categories");
    uint64_t number;

    if (is_key(key, key_length, "dir")) {
        if (length >= sizeof o->dir)
            return -EINVAL;
        memcpy(o->dir, value, length);
        o->dir[length] = '\0';
        return 0;
    }
    if (is_key(key, key_length, "run"))
        return read_hex(value, length, o->run_id, sizeof o->run_id);
    number = ct_raw_number(&end, hex ? 16 : 10);
    if (is_key(key, key_length, "buffer"))
        o->buffer = number;
    else if (hex)
        o->categories = number | 1;         /* category 0 is always on */
    else if (is_key(key, key_length, "depth"))
        o->depth = number > CT_STACK_MAX ? CT_STACK_MAX : (uint32_t)number;
    else if (is_key(key, key_length, "cpu_rate"))
        o->cpu_rate = number < 1 || number > CT_CPU_RATE_MAX ? CT_CPU_RATE_DEFAULT : (uint32_t)number;
    else if (is_key(key, key_length, "cpu_signal"))
        o->cpu_signal = number > CT_SIGNAL_MAX ? 0 : (uint32_t)number;
    else if (is_key(key, key_length, "heap_rate"))
        o->heap_rate = number < 1 || number > CT_HEAP_RATE_MAX ? CT_HEAP_RATE_DEFAULT : number;
    else if (is_key(key, key_length, "alloc_slow"))
        o->alloc_slow = number;
    else if (is_key(key, key_length, "start"))
        o->start = number != 0;
    else if (is_key(key, key_length, "paths"))
        o->paths = number != 0;
    else if (is_key(key, key_length, "asks"))
        o->asks = number != 0;
    else if (is_key(key, key_length, "lttng"))
        o->lttng = number != 0;
    else if (is_key(key, key_length, "only"))
        o->only = (uint32_t)number;
    else
        return 0;
    return end == value + length ? 0 : -EINVAL;
}

int ct_options_parse(const char *text, struct ct_session_options *ret)
{
    while (*text) {
        size_t length = strcspn(text, ";"), key = strcspn(text, "=;");
        int r = key < length ? take(text, key, text + key + 1, length - key - 1, ret) : -EINVAL;

        if (r < 0)
            return r;
        text += length + (text[length] == ';');
    }
    return 0;
}

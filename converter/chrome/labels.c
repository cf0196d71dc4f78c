/* Labels of threads in Chrome JSON: args of the slices and samples that the thread had while it had them. */
#include "converter/chrome/chrome.h"
#include "converter/model/args.h"

/* Longer sets are cut between two labels: a record has its limit, and each byte may be written as six. */
enum { BYTES_MAX = 1024 };

void chrome_labels_take(struct ct_chrome *c, struct chrome_thread *own, const struct ct_read_event *e)
{
    struct ct_text key, value;

    if (ct_read_string(e->generation, ct_args_LABEL(e->arg)->key, &key) &&
        ct_read_string(e->generation, ct_args_LABEL(e->arg)->value, &value) &&
        ct_label_set_with(&c->label_sets, own->labels, key, value, &own->labels) < 0)
        c->no_memory = true;
}

char *chrome_labels_args(struct ct_chrome *c, char *p, const struct ct_model_thread *t)
{
    const struct chrome_thread *own = t->user;
    struct ct_text set = ct_label_set_text(&c->label_sets, own ? own->labels : 0);

    if (set.size == 0)
        return p;
    p = CT_JSON_PUT(p, ",\"labels\":{");
    for (size_t at = 0; at < set.size;) {
        const char *key = set.at + at, *value = key + strlen(key) + 1;

        if ((size_t)(value - set.at) + strlen(value) > BYTES_MAX)
            break;
        if (at)
            *p++ = ',';
        *p++ = '"';
        p = ct_json_text(p, key, (size_t)(value - key) - 1);
        p = CT_JSON_PUT(p, "\":\"");
        p = ct_json_text(p, value, strlen(value));
        *p++ = '"';
        at = (size_t)(value - set.at) + strlen(value) + 1;
    }
    *p++ = '}';
    return p;
}

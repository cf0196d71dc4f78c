/* A program's own profiles: the arena tells which there are, and the program, when it is asked, what is in one. */
#include "service/values.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "converter/profile/export.h"
#include "converter/profile/sample.h"
#include "converter/profile/text.h"
#include "converter/profile/write.h"
#include "format/value_dump.h"
#include "serve/reply.h"
#include "service/question.h"

/* --- which there are --- */

struct found {
    char name[CT_VALUE_NAME];
    uint64_t count, refused;
};

/* A look into the arena, for the thread that drains. */
struct look {
    struct ct_service *service;
    pid_t pid;
    struct found rows[CT_VALUE_PROFILES];
    uint32_t count;
};

/* What goes into pages and headers: the memory is the program's. */
static bool is_good_name(const char *name)
{
    size_t size = strnlen(name, CT_VALUE_NAME);

    return size > 0 && size < CT_VALUE_NAME &&
           strspn(name, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_.") == size;
}

static void look(void *context)
{
    struct look *l = context;
    const struct ct_process *p = ct_follow_process(l->service->follow, l->pid);
    const struct ct_arena *a = p ? p->image.arena : NULL;
    uint32_t count = a ? atomic_load_explicit(&a->profile_count, memory_order_acquire) : 0;     /* edge VALUES */

    for (l->count = 0; l->count < count && l->count < CT_VALUE_PROFILES; l->count++) {
        struct found *row = &l->rows[l->count];

        memcpy(row->name, a->profiles[l->count].name, sizeof row->name);
        row->count = atomic_load_explicit(&a->profiles[l->count].count, memory_order_relaxed);
        row->refused = atomic_load_explicit(&a->profiles[l->count].refused, memory_order_relaxed);
        if (!is_good_name(row->name))
            return;
    }
}

/* A name that lives as long as the service: rows of the host's table are borrowed.  NULL: no memory, or far too many. */
static const char *keep_name(struct ct_service *s, const char *name)
{
    enum { MOST = 1024 };
    struct ct_service_name *n;
    unsigned count = 0;

    pthread_mutex_lock(&s->lock);
    for (n = s->names; n && strcmp(n->text, name) != 0; n = n->next)
        count++;
    if (!n && count < MOST && (n = malloc(sizeof *n)) != NULL) {
        strcpy(n->text, name);
        n->next = s->names;
        s->names = n;
    }
    pthread_mutex_unlock(&s->lock);
    return n ? n->text : NULL;
}

void ct_service_own_profiles_fini(struct ct_service *s)
{
    while (s->names) {
        struct ct_service_name *n = s->names;

        s->names = n->next;
        free(n);
    }
}

size_t ct_service_own_profiles(struct ct_service *s, pid_t pid, struct ct_profile_info *rows)
{
    struct look l = { .service = s, .pid = pid };
    size_t count = 0;

    if (!ct_errands_send(&s->errands, look, &l))
        return 0;
    for (uint32_t i = 0; i < l.count; i++) {
        rows[count] = (struct ct_profile_info){ .name = keep_name(s, l.rows[i].name), .count = l.rows[i].count };
        count += rows[count].name != NULL;
    }
    return count;
}

/* --- one of them --- */

static int add_value(struct ct_profile *p, const struct ct_value_dump *row)
{
    const int64_t value = 1;
    uint32_t stack;
    int r = row->depth ? ct_profile_add_pcs(p, row->pcs, row->depth, CT_PROFILE_LEAF_RETURN, &stack)
                       : ct_profile_add_word(p, "[no stack]", &stack);

    return r == 0 ? ct_profile_add_sample(p, stack, &value, NULL, 0, NULL) : r;
}

static int add_head(struct ct_profile *p, const struct found *found)
{
    char text[96];
    int r = ct_profile_add_type(p, found->name, "count");

    if (r == 0)
        r = ct_profile_set_period(p, found->name, "count", 1);
    if (r == 0)
        r = ct_profile_add_comment(p, "ctrace " CT_VERSION);
    if (r == 0 && found->refused) {
        snprintf(text, sizeof text, "%llu values found no room and are missing", (unsigned long long)found->refused);
        r = ct_profile_add_comment(p, text);
    }
    p->time_ns = (int64_t)time(NULL) * 1000000000;
    return r;
}

static int make_profile(struct ct_served *one, const struct found *found, const struct ct_value_dump *rows, size_t count,
                        struct ct_profile **ret)
{
    struct ct_profile *p;
    int r = ct_profile_new(&p);

    if (r < 0)
        return r;
    r = add_head(p, found);
    ct_fold_lock(one->fold);
    if (r == 0)
        r = ct_export_add_modules(p, one->fold->collect);
    ct_fold_unlock(one->fold);
    for (size_t i = 0; i < count && r == 0; i++)
        r = add_value(p, &rows[i]);
    if (r < 0)
        ct_profile_free(p);
    else
        *ret = p;
    return r;
}

static int answer(struct ct_service *s, struct ct_served *one, const struct found *found, const struct ct_value_dump *rows,
                  size_t count, const struct ct_profile_request *request, struct ct_reply *reply)
{
    struct ct_profile *p = NULL;
    int r = make_profile(one, found, rows, count, &p);

    /* Code of no module that is known: loaded, perhaps, since the program last told. */
    if (r == 0 && ct_profile_has_strays(p) && ct_service_refresh(s, one)) {
        ct_profile_free(p);
        p = NULL;
        r = make_profile(one, found, rows, count, &p);
    }
    if (r == 0 && request->symbolize)
        r = ct_namer_profile(&s->namer, p);
    if (r == -EFBIG)                    /* too many names: addresses say as much */
        r = 0;
    if (r == 0 && request->debug > 0)
        r = ct_profile_text_count(p, found->name, ct_reply_put, reply);
    else if (r == 0)
        r = ct_profile_write(p, ct_reply_put, reply);
    if (r == 0 && request->debug > 0 && found->refused)
        ct_reply_print(reply, "# %llu values found no room and are missing\n", (unsigned long long)found->refused);
    ct_profile_free(p);
    return r;
}

/* The rows as they are in the file; what does not fit a row is not believed. */
static struct ct_value_dump *read_rows(int fd, size_t *ret_count)
{
    off_t size = lseek(fd, 0, SEEK_END);
    size_t count = size > 0 ? (size_t)size / sizeof(struct ct_value_dump) : 0;
    struct ct_value_dump *rows = malloc((count ? count : 1) * sizeof *rows);

    if (!rows || pread(fd, rows, count * sizeof *rows, 0) != (ssize_t)(count * sizeof *rows)) {
        free(rows);
        return NULL;
    }
    for (size_t i = 0; i < count; i++)
        if (rows[i].depth > CT_VALUE_DEPTH)
            rows[i].depth = 0;
    *ret_count = count;
    return rows;
}

int ct_service_own_profile(struct ct_service *s, struct ct_served *one, const struct ct_profile_request *r, struct ct_reply *reply)
{
    struct look l = { .service = s, .pid = one->pid };
    struct ct_value_dump *rows;
    size_t count = 0;
    uint32_t i = 0;
    int fd, e;

    if (!ct_errands_send(&s->errands, look, &l))
        return -ENOENT;
    while (i < l.count && strcmp(l.rows[i].name, r->name) != 0)
        i++;
    if (i == l.count)
        return -ENOENT;
    fd = ct_service_question(s, one->pid, CT_CONTROL_VALUES, i);
    if (fd < 0) {
        ct_reply_fault(reply, 500, "the program does not answer: %s", ct_service_silence(fd));
        return fd;
    }
    rows = read_rows(fd, &count);
    close(fd);
    e = rows ? answer(s, one, &l.rows[i], rows, count, r, reply) : -ENOMEM;
    free(rows);
    return e;
}

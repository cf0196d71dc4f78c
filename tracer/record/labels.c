/* A block of text for each thread that has labels, found by its number, and the events that tell what is in it. */
#include "record/labels.h"

#include <errno.h>
#include <string.h>
#include <sys/mman.h>

#include "record/emit.h"
#include "record/intern.h"
#include "record/session.h"
#include "record/syscall.h"

/*
 * Entries are "key\0value\0"; of several with one key the last holds, and the others are what trace_label_end() brings back.
 * Only its thread changes a block.
 *
 * EDGES
 *   edge   release side        acquire side       what the acquirer may then rely on
 *   OWN    take, give_back     take, read         the block is the thread's, and empty
 *   TEXT   change_end          ct_labels_read     `text` and `size`, when `sequence` is even and the same before and after
 *   CHUNK  add_chunk           first_of           the chunk's blocks are there
 */
struct block {
    _Atomic uint32_t tid;               /* 0: free; edge OWN */
    _Atomic uint32_t sequence;          /* odd while it is being changed; edge TEXT */
    uint32_t size;
    bool untold;                        /* a slice began while it was being changed, without its labels */
    uintptr_t busy;                     /* stack pointer of who changes it; 0: nobody */
    char text[CT_LABELS_TEXT + 8];      /* what lies behind CT_LABELS_TEXT stays 0 */
};
_Static_assert(sizeof(struct block) <= 1024, "four to a page");

enum { CHUNK = 64 << 10, BLOCKS = CHUNK / sizeof(struct block) - 1 };

struct chunk {
    struct chunk *next;
    struct block block[BLOCKS];
};

static _Atomic(struct chunk *) chunks;  /* edge CHUNK; never freed */
static __thread struct block *mine __attribute__((tls_model("initial-exec")));      /* NULL: no label was ever set */

/* --- blocks --- */

static uint32_t self_tid(void)
{
    return (uint32_t)ct_syscall(SYS_gettid);
}

static bool is_dead(uint32_t tid)
{
    return ct_syscall(SYS_tgkill, ct_syscall(SYS_getpid), tid, 0) == -ESRCH;
}

static bool claim(struct block *b, uint32_t owner, uint32_t tid)
{
    if (!atomic_compare_exchange_strong_explicit(&b->tid, &owner, tid, memory_order_acquire, memory_order_relaxed))  /* edge OWN */
        return false;
    atomic_store_explicit(&b->sequence, 0, memory_order_relaxed);
    b->size = 0;
    b->busy = 0;
    b->untold = false;
    return true;
}

/* A block that nobody has; with `dead`, also one whose thread ended unseen, as threads do while nobody records. */
static struct block *find_free(uint32_t tid, bool dead)
{
    for (struct chunk *c = atomic_load_explicit(&chunks, memory_order_acquire); c; c = c->next)      /* edge CHUNK */
        for (size_t i = 0; i < BLOCKS; i++) {
            uint32_t owner = atomic_load_explicit(&c->block[i].tid, memory_order_relaxed);

            if ((owner == 0 || (dead && is_dead(owner))) && claim(&c->block[i], owner, tid))
                return &c->block[i];
        }
    return NULL;
}

static struct block *add_chunk(uint32_t tid)
{
    long at = ct_syscall(SYS_mmap, 0, CHUNK, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    struct chunk *c = (struct chunk *)at;

    if (at < 0)
        return NULL;
    claim(&c->block[0], 0, tid);
    c->next = atomic_load_explicit(&chunks, memory_order_relaxed);
    while (!atomic_compare_exchange_weak_explicit(&chunks, &c->next, c, memory_order_release, memory_order_relaxed))  /* edge CHUNK */
        ;
    return &c->block[0];
}

static struct block *own_block(void)
{
    uint32_t tid;

    if (mine)
        return mine;
    tid = self_tid();
    mine = find_free(tid, false);
    if (!mine)
        mine = find_free(tid, true);
    if (!mine)
        mine = add_chunk(tid);
    return mine;
}

static void give_back(struct block *b)
{
    atomic_store_explicit(&b->tid, 0, memory_order_release);      /* edge OWN */
}

/* --- entries --- */

/* The next entry from `at` on: its value, and how long it is; NULL at the end. */
static const char *next_entry(const struct block *b, size_t at, size_t *ret_size)
{
    const char *value;

    if (at >= b->size)
        return NULL;
    value = b->text + at + strlen(b->text + at) + 1;
    *ret_size = (size_t)(value - b->text) - at + strlen(value) + 1;
    return at + *ret_size <= b->size ? value : NULL;    /* a change that was left halfway may have garbled them */
}

/* Where the last entry of `key` stands, and how many there are. */
static unsigned find_key(const struct block *b, const char *key, size_t *ret_at, size_t *ret_size)
{
    unsigned count = 0;
    size_t size;

    for (size_t at = 0; next_entry(b, at, &size); at += size)
        if (strcmp(b->text + at, key) == 0) {
            *ret_at = at;
            *ret_size = size;
            count++;
        }
    return count;
}

static bool is_last(const struct block *b, size_t entry)
{
    size_t at, size;

    find_key(b, b->text + entry, &at, &size);
    return at == entry;
}

static void remove_entry(struct block *b, size_t at, size_t size)
{
    memmove(b->text + at, b->text + at + size, b->size - at - size);
    b->size -= (uint32_t)size;
}

static unsigned count_entries(const struct block *b)
{
    unsigned count = 0;
    size_t size;

    for (size_t at = 0; next_entry(b, at, &size); at += size)
        count++;
    return count;
}

static int append(struct block *b, const char *key, const char *value)
{
    size_t k = strlen(key) + 1, v = strlen(value) + 1;

    if (k > CT_LABELS_TEXT || v > CT_LABELS_TEXT || b->size + k + v > CT_LABELS_TEXT || count_entries(b) >= CT_LABELS_MAX)
        return -ENOSPC;
    memcpy(b->text + b->size, key, k);
    memcpy(b->text + b->size + k, value, v);
    b->size += (uint32_t)(k + v);
    return 0;
}

/* --- telling --- */

static bool is_wanted(void)
{
    return ct_gate_open() && ct_wanted(CT_CAT_user);
}

static uint64_t id_of(const char *text)
{
    return ct_string_of(text, strlen(text));
}

static void tell(const struct block *b, const char *key)
{
    size_t at, size;
    const char *value = find_key(b, key, &at, &size) ? next_entry(b, at, &size) : "";

    EMIT(LABEL, .key = ct_string(key), .value = id_of(value));
}

bool ct_labels_any(void)
{
    return mine && mine->size && ct_wanted(CT_CAT_user);
}

void ct_labels_put(struct ct_writer *w)
{
    size_t size;
    const char *value;

    if (mine->busy && ct_thread_frame_alive(mine->busy)) {
        mine->untold = true;
        return;
    }
    for (size_t at = 0; (value = next_entry(mine, at, &size)); at += size) {
        if (!*value || !is_last(mine, at))
            continue;
        *w->at++ = CT_EV_LABEL;
        *w->at++ = 0;
        w->at = ct_varint_put(w->at, id_of(mine->text + at));
        w->at = ct_varint_put(w->at, id_of(value));
    }
}

/* --- changing --- */

static int change_begin(const char *key, struct block **ret)
{
    struct block *b;

    if (!key || !*key)
        return -EINVAL;
    b = own_block();
    if (!b)
        return -ENOMEM;
    if (b->busy && ct_thread_frame_alive(b->busy))
        return -EAGAIN;                 /* a handler that interrupted a change */
    b->busy = ct_stack_pointer();
    atomic_store_explicit(&b->sequence, atomic_load_explicit(&b->sequence, memory_order_relaxed) | 1, memory_order_relaxed);
    atomic_thread_fence(memory_order_release);      /* edge TEXT: what is half changed is seen to be */
    *ret = b;
    return 0;
}

static void change_end(struct block *b, const char *key)
{
    size_t size;

    atomic_store_explicit(&b->sequence, atomic_load_explicit(&b->sequence, memory_order_relaxed) + 1, memory_order_release);  /* edge TEXT */
    atomic_signal_fence(memory_order_seq_cst);
    b->busy = 0;
    if (!is_wanted())
        return;
    if (b->untold)
        for (size_t at = 0; next_entry(b, at, &size); at += size)
            tell(b, b->text + at);
    b->untold = false;
    tell(b, key);
}

int ct_label_set(const char *key, const char *value)
{
    size_t at = 0, size = 0;
    unsigned count;
    struct block *b;
    int r;

    if ((!value || !*value) && !mine)
        return key && *key ? 0 : -EINVAL;
    r = change_begin(key, &b);
    if (r < 0)
        return r;
    count = find_key(b, key, &at, &size);
    if (count && value && b->size - size + strlen(key) + strlen(value) + 2 > CT_LABELS_TEXT) {
        r = -ENOSPC;                    /* the old one stays */
    } else {
        if (count)
            remove_entry(b, at, size);
        if (count > 1 || (value && *value))         /* an empty one hides those below it */
            r = append(b, key, value ? value : "");
    }
    change_end(b, key);
    return r;
}

int ct_label_begin(const char *key, const char *value)
{
    struct block *b;
    int r = change_begin(key, &b);

    if (r < 0)
        return r;
    r = append(b, key, value ? value : "");
    change_end(b, key);
    return r;
}

void ct_label_end(const char *key)
{
    size_t at, size;
    struct block *b;

    if (!mine || change_begin(key, &b) < 0)
        return;
    if (find_key(b, key, &at, &size))
        remove_entry(b, at, size);
    change_end(b, key);
}

/* --- other threads, and lives --- */

static struct block *find(uint32_t tid)
{
    for (struct chunk *c = atomic_load_explicit(&chunks, memory_order_acquire); c; c = c->next)      /* edge CHUNK */
        for (size_t i = 0; i < BLOCKS; i++)
            if (atomic_load_explicit(&c->block[i].tid, memory_order_acquire) == tid)        /* edge OWN */
                return &c->block[i];
    return NULL;
}

/* What holds, of what was copied: `b` is the reader's own. */
static uint32_t put_all(const struct block *b, char *to)
{
    const char *value;
    uint32_t used = 0;
    size_t size;

    for (size_t at = 0; (value = next_entry(b, at, &size)); at += size)
        if (*value && is_last(b, at)) {
            memcpy(to + used, b->text + at, size);
            used += (uint32_t)size;
        }
    return used;
}

uint32_t ct_labels_read(uint32_t tid, char to[CT_LABELS_TEXT])
{
    static struct block copy;           /* the control thread's stack is small */
    const struct block *b = find(tid);

    for (int tries = 0; b && tries < 16; tries++) {
        uint32_t before = atomic_load_explicit(&b->sequence, memory_order_acquire);         /* edge TEXT */

        memcpy(&copy, b, sizeof copy);
        atomic_thread_fence(memory_order_acquire);
        if (before & 1 || before != atomic_load_explicit(&b->sequence, memory_order_relaxed))
            continue;
        return put_all(&copy, to);
    }
    return 0;
}

void ct_labels_thread_gone(void)
{
    if (mine)
        give_back(mine);
    mine = NULL;
}

void ct_labels_thread_born(uint32_t tid)
{
    struct block *old = mine || !atomic_load_explicit(&chunks, memory_order_relaxed) ? NULL : find(tid);

    if (old)
        give_back(old);
    if (mine)                           /* it may have been another's before a fork */
        atomic_store_explicit(&mine->tid, tid, memory_order_relaxed);
}

void ct_labels_forked_child(void)
{
    for (struct chunk *c = atomic_load_explicit(&chunks, memory_order_acquire); c; c = c->next)      /* edge CHUNK */
        for (size_t i = 0; i < BLOCKS; i++)
            atomic_store_explicit(&c->block[i].tid, &c->block[i] == mine ? self_tid() : 0, memory_order_relaxed);
}

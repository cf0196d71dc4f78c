/* A block of text for each thread that has labels, found by the thread's number, and the events that tell what is in it. */
#include "record/labels.h"

#include <errno.h>
#include <string.h>
#include <sys/mman.h>

#include "record/emit.h"
#include "record/intern.h"
#include "record/session_state.h"
#include "record/syscall.h"

/*
 * Entries are "key\0value\0"; of several with one key the last holds, and the others are what trace_label_end() brings back.
 * Only its thread changes a block.  A thread's own is that with its number and its place: while nobody records, threads end
 * unseen, and their numbers and places come again, but hardly both.  A pointer in each thread would be simpler; the
 * static TLS that we may take is full.
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
    uintptr_t thread;                   /* its place: where its thread pointer points: a fork keeps it */
    uint32_t size;
    bool untold;                        /* a slice began while it was being changed, without its labels */
    uintptr_t busy;                     /* stack pointer of who changes it; 0: nobody */
    char text[CT_LABELS_TEXT + 8];      /* what lies behind CT_LABELS_TEXT stays 0 */
};
enum { CHUNK = 64 << 10, BLOCKS = CHUNK / sizeof(struct block) - 1 };

struct chunk {
    struct chunk *next;
    struct block block[BLOCKS];
};

static _Atomic(struct chunk *) chunks;  /* edge CHUNK; never freed */
static _Atomic(struct block *) found[512];       /* by the number of the thread: the last of these that was looked for */

/* --- blocks --- */

static uint32_t self_tid(void)
{
    return ct_thread_tid_now();
}

static uintptr_t self_place(void)
{
    return (uintptr_t)__builtin_thread_pointer();
}

static struct block *find(uint32_t tid)
{
    _Atomic(struct block *) *last = &found[tid % (sizeof found / sizeof *found)];
    struct block *b = atomic_load_explicit(last, memory_order_acquire);

    if (b && atomic_load_explicit(&b->tid, memory_order_acquire) == tid)       /* edge OWN */
        return b;
    for (struct chunk *c = atomic_load_explicit(&chunks, memory_order_acquire); c; c = c->next)      /* edge CHUNK */
        for (size_t i = 0; i < BLOCKS; i++)
            if (atomic_load_explicit(&c->block[i].tid, memory_order_acquire) == tid) {      /* edge OWN */
                atomic_store_explicit(last, &c->block[i], memory_order_release);
                return &c->block[i];
            }
    return NULL;
}

/* The calling thread's; NULL when it never had a label. */
static struct block *mine(void)
{
    struct block *b = atomic_load_explicit(&chunks, memory_order_relaxed) ? find(self_tid()) : NULL;

    return b && b->thread == self_place() ? b : NULL;
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
    b->thread = self_place();
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

static void give_back(struct block *b)
{
    atomic_store_explicit(&b->tid, 0, memory_order_release);      /* edge OWN */
}

/* What threads left that were at this place before and ended unseen. */
static void give_back_others(const struct block *own)
{
    for (struct chunk *c = atomic_load_explicit(&chunks, memory_order_acquire); c; c = c->next)      /* edge CHUNK */
        for (size_t i = 0; i < BLOCKS; i++)
            if (&c->block[i] != own && c->block[i].thread == own->thread &&
                atomic_load_explicit(&c->block[i].tid, memory_order_relaxed))
                give_back(&c->block[i]);
}

static struct block *own_block(void)
{
    struct block *b = mine();
    uint32_t tid;

    if (b)
        return b;
    tid = self_tid();
    b = find_free(tid, false);
    if (!b)
        b = find_free(tid, true);
    if (!b)
        b = add_chunk(tid);
    if (b)
        give_back_others(b);
    return b;
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

    *ret_at = *ret_size = 0;
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
    const struct block *b = ct_wanted(CT_CAT_user) ? mine() : NULL;

    return b && b->size;
}

void ct_labels_put(struct ct_writer *w)
{
    struct block *b = mine();
    size_t size;
    const char *value;

    if (!b)
        return;
    if (b->busy && ct_thread_frame_alive(b->busy)) {
        b->untold = true;
        return;
    }
    for (size_t at = 0; (value = next_entry(b, at, &size)); at += size) {
        if (!*value || !is_last(b, at))
            continue;
        *w->at++ = CT_EV_LABEL;
        *w->at++ = 0;
        w->at = ct_varint_put(w->at, id_of(b->text + at));
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

    if ((!value || !*value) && !mine())
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

    if (!mine() || change_begin(key, &b) < 0)
        return;
    if (find_key(b, key, &at, &size))
        remove_entry(b, at, size);
    change_end(b, key);
}

/* --- other threads, and lives --- */

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
    struct block *b = mine();

    if (b)
        give_back(b);
}

void ct_labels_thread_born(uint32_t tid)
{
    struct block *b = atomic_load_explicit(&chunks, memory_order_relaxed) ? find(tid) : NULL;

    if (b && b->thread != self_place())
        give_back(b);
}

/* The only thread has another number here, and its place as before. */
void ct_labels_forked_child(void)
{
    for (struct chunk *c = atomic_load_explicit(&chunks, memory_order_acquire); c; c = c->next)      /* edge CHUNK */
        for (size_t i = 0; i < BLOCKS; i++) {
            struct block *b = &c->block[i];
            bool own = atomic_load_explicit(&b->tid, memory_order_relaxed) && b->thread == self_place();

            atomic_store_explicit(&b->tid, own ? self_tid() : 0, memory_order_relaxed);
        }
}

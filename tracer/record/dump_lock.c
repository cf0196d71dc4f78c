/* From the word that a thread sleeps on to the lock around it. */
#include "record/dump_lock.h"

#include <linux/futex.h>
#include <pthread.h>
#include <string.h>

#include "format/schema.h"
#include "format/tables.h"
#include "record/dump_stack.h"
#include "record/rawfile.h"
#include "record/syscall.h"
#include "record/tasks.h"

/* glibc's own: bits of a mutex's kind, and of the count of readers those that are flags. */
enum { KINDS = 0x3ff, READER_SHIFT = 3 };

static bool is_thread(uint32_t tid)
{
    return tid && ct_syscall(SYS_tgkill, ct_syscall(SYS_getpid), tid, 0) == 0;
}

static bool waits(const struct ct_thread_dump *row, unsigned event)
{
    return row->what == ((uint64_t)CT_THREAD_WAITING << 16 | event);
}

/* `sure`: its thread said that it waits for a mutex there; else it must look like one. */
static bool read_mutex(struct ct_thread_dump *row, uint64_t at, bool sure)
{
    pthread_mutex_t mutex;
    uint32_t owner;

    if (at % _Alignof(pthread_mutex_t) || ct_raw_peek(at, &mutex, sizeof mutex) < 0)
        return false;
    owner = (uint32_t)mutex.__data.__owner;
    if (!sure && (mutex.__data.__lock == 0 || mutex.__data.__kind & ~KINDS || mutex.__data.__nusers == 0 || !is_thread(owner)))
        return false;
    row->lock = at;
    row->lock_kind = CT_DUMP_MUTEX;
    row->holder = owner;
    return true;
}

static bool read_rwlock(struct ct_thread_dump *row, uint64_t at, bool sure)
{
    pthread_rwlock_t lock;
    uint32_t writer;

    if (at % _Alignof(pthread_rwlock_t) || ct_raw_peek(at, &lock, sizeof lock) < 0)
        return false;
    writer = (uint32_t)lock.__data.__cur_writer;
    if (!sure && (lock.__data.__pad3 || lock.__data.__pad4 || lock.__data.__shared & ~1 || lock.__data.__flags > 2 ||
                  !is_thread(writer)))
        return false;
    row->lock = at;
    row->lock_kind = CT_DUMP_RWLOCK;
    row->holder = writer;
    row->readers = writer ? 0 : lock.__data.__readers >> READER_SHIFT;
    return true;
}

/* The word that the kernel clears when the thread ends, which until then holds its number. */
static bool read_join(struct ct_thread_dump *row, uint64_t at, uint32_t value, bool sure)
{
    uint32_t now;

    if (!is_thread(value) || ct_raw_peek(at, &now, sizeof now) < 0 || (now != value && !sure))
        return false;
    row->lock = at;
    row->lock_kind = CT_DUMP_THREAD;
    row->holder = value;
    return true;
}

static bool waits_for_rwlock(const struct ct_thread_dump *row, uint64_t at)
{
    return (waits(row, CT_EV_RWLOCK_READ_WAIT) || waits(row, CT_EV_RWLOCK_WRITE_WAIT)) &&
           at - row->object < sizeof(pthread_rwlock_t);
}

/* Which words of a rwlock are slept on. */
static bool guess_rwlock(struct ct_thread_dump *row, uint64_t at)
{
    static const size_t words[] = {
        offsetof(pthread_rwlock_t, __data.__wrphase_futex), offsetof(pthread_rwlock_t, __data.__writers_futex),
        offsetof(pthread_rwlock_t, __data.__readers),
    };

    for (unsigned i = 0; i < sizeof words / sizeof *words; i++)
        if (read_rwlock(row, at - words[i], false))
            return true;
    return false;
}

static void look(struct ct_thread_dump *row, const struct ct_place *place)
{
    uint64_t at = place->arguments[0];
    uint32_t value = (uint32_t)place->arguments[2];
    int op = (int)place->arguments[1] & FUTEX_CMD_MASK;
    bool private = (int)place->arguments[1] & FUTEX_PRIVATE_FLAG;

    if (op != FUTEX_WAIT && op != FUTEX_WAIT_BITSET && op != FUTEX_LOCK_PI && op != 13 /* FUTEX_LOCK_PI2 */)
        return;
    if (waits_for_rwlock(row, at))
        read_rwlock(row, row->object, true);
    else if (waits(row, CT_EV_JOIN_WAIT))
        read_join(row, at, value, true);
    if (!row->lock_kind && !read_mutex(row, at, waits(row, CT_EV_MUTEX_WAIT) && row->object == at) &&
        (private || !read_join(row, at, value, false)))
        guess_rwlock(row, at);
    if (row->lock_kind && place->arguments[3])
        row->flags |= CT_DUMP_TIMED;
}

/* Both kinds: by itself and by the kernel's will. */
static uint64_t count_switches(uint32_t tid)
{
    static const char key[] = "_ctxt_switches:\t";
    static char text[4096];
    uint64_t sum = 0;

    if (ct_tasks_read(tid, "status", text, sizeof text) <= 0)
        return 0;
    for (const char *at = text; *at; at++) {
        size_t i = 0;

        while (key[i] && at[i] == key[i])
            i++;
        if (key[i])
            continue;
        at += i;
        sum += ct_raw_number(&at, 10);
        if (!*at)
            break;
    }
    return sum;
}

void ct_dump_lock(struct ct_thread_dump *row)
{
    struct ct_place place;

    row->lock = row->switches = 0;
    row->lock_kind = CT_DUMP_NO_LOCK;
    row->holder = row->readers = 0;
    row->flags &= ~(uint32_t)CT_DUMP_TIMED;
    if (row->call != SYS_futex)
        return;
    row->switches = count_switches(row->tid);       /* first: what comes after was so while the thread slept */
    if (ct_place_read(row->tid, &place) && place.call == SYS_futex)
        look(row, &place);
}

bool ct_dump_settled(const struct ct_thread_dump *row)
{
    struct ct_thread_dump now = { .tid = row->tid, .call = row->call, .what = row->what, .object = row->object };

    ct_dump_lock(&now);
    return (row->holder || row->readers) && now.lock == row->lock && now.lock_kind == row->lock_kind && now.holder == row->holder &&
           !now.readers == !row->readers && now.switches == row->switches;
}

/* The control thread's life: birth of the arena, requests of the program, turns, growth. */
#include "record/control.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/close_range.h>
#include <linux/futex.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <time.h>

#include "format/control.h"
#include "record/arena.h"
#include "record/clock.h"
#include "record/control_ask.h"
#include "record/control_thread.h"
#include "record/identity.h"
#include "record/modules.h"
#include "record/rawfile.h"
#include "record/sampler.h"
#include "record/sandbox.h"
#include "record/session_state.h"
#include "record/syscall.h"
#include "record/tap.h"
#include "record/talk.h"
#include "record/thread.h"
#include "record/turn.h"

static int arena_fd, signal_fd;         /* in the control thread's own table; -1: none */
static int birth_error;
static uint32_t opener;                 /* who waits for the birth */

/* --- what must not wait long, whatever else there is to do --- */

static void keep_up(void)
{
    ct_arena_grow_ahead(ct_arena, arena_fd);
    if (ct_turn_due_ns(ct_arena) == 0)
        ct_turn(ct_arena);
}

bool ct_control_go_on(void)
{
    keep_up();
    return ct_control_asked(NULL) == CT_ASK_NONE;
}

/* --- requests of the program's threads --- */

static int do_asked(enum ct_control_request request, const struct ct_control_question *question)
{
    switch (request) {
    case CT_ASK_START: ct_tap_start(ct_arena); return ct_turn_want(ct_arena, CT_TURN_FOR_CTRACE);
    case CT_ASK_STOP: ct_turn_want_no_more(ct_arena, CT_TURN_FOR_CTRACE); return 0;
    case CT_ASK_TURN: ct_turn(ct_arena); return 0;
    case CT_ASK_CONSUMER: return ct_talk_consumer(question->fd, question->text);
    case CT_ASK_UNCONSUME: return ct_talk_end_consumer();
    case CT_ASK_MODULES: return ct_modules_scan(ct_arena);
    case CT_ASK_JOIN: return ct_talk_join(arena_fd, question->text);
    case CT_ASK_LEAVE: return ct_talk_leave();
    case CT_ASK_SERVE: ct_options.asks = true; return ct_talk_pass(CT_CONTROL_SERVE, question->fd, NULL);
    case CT_ASK_PROFILE: return ct_talk_hand(CT_CONTROL_PROFILE, question->fd, NULL);
    case CT_ASK_LISTENED: return ct_talk_socket() < 0 ? -ENOTCONN : 0;
    case CT_ASK_HEAR: ct_talk_hear_all(); return 0;
    case CT_ASK_TAP: case CT_ASK_LOOK: ct_tap_look(ct_arena); return 0;
    case CT_ASK_SILENCE: ct_turn_want_nothing(ct_arena); return 0;
    case CT_ASK_SAMPLERS:
        CT_SAMPLER(follow, atomic_load_explicit(&ct_arena->phase, memory_order_relaxed) == CT_ARENA_RECORDING);
        return 0;
    case CT_ASK_IDENTITY: return ct_identity_set(&question->identity);
    case CT_ASK_NONE: case CT_ASK_END: break;
    }
    return 0;
}

/* Returns false when the thread is to end. */
static bool answer_ask(void)
{
    const struct ct_control_question *question;
    enum ct_control_request request = ct_control_asked(&question);

    if (request != CT_ASK_NONE)
        ct_control_answer(do_asked(request, question));
    return request != CT_ASK_END;
}

/* --- the thread --- */

static int open_signal(uint64_t set)
{
    long fd = ct_syscall(SYS_signalfd4, signal_fd, &set, sizeof set, SFD_CLOEXEC | SFD_NONBLOCK);

    signal_fd = fd < 0 ? -1 : (int)fd;
    return fd < 0 ? (int)fd : 0;
}

/*
 * Recording begins before the birth is told, or the program would wait twice for this thread to get a processor, which takes
 * long where many want one.  Who waits comes first in the table of threads.
 */
static void begin_at_once(void)
{
    ct_thread_opens(opener);
    do_asked(CT_ASK_START, NULL);
}

/* A first life makes the arena and shows it to ctrace; a later one has only its descriptors to find again. */
static int be_born(void)
{
    char path[160];
    bool is_first = !ct_arena;
    int r = open_signal((uint64_t)1 << (CT_POKE - 1) | (uint64_t)1 << (CT_POKE_UNQUEUED - 1));

    if (r < 0)
        return r;
    if (!is_first) {
        ct_arena_path(ct_arena, path, sizeof path);
        arena_fd = (int)ct_syscall(SYS_openat, AT_FDCWD, path, O_RDWR | O_NOFOLLOW | O_CLOEXEC, 0);
    } else {
        struct ct_arena *made;

        r = ct_arena_make(&made, &arena_fd);
        if (r < 0)
            return r;
        ct_slow_ticks = made->ticks_per_second / 50000;
        ct_arena = made;
        ct_modules_forget();
    }
    if (!ct_options.record)
        return 0;
    r = ct_talk_connect(arena_fd);
    if (r == 0 && is_first && ct_options.start)
        begin_at_once();
    return r;
}

/* Of two spans; a negative one never ends. */
static int64_t sooner(int64_t a, int64_t b)
{
    return a < 0 || (b >= 0 && b < a) ? b : a;
}

/*
 * How long to sleep: until the next turn while recording, or the next look of a sampler or what LTTng wants, else until somebody
 * speaks; in a sandbox perhaps nobody can.
 */
static const struct timespec *until_turn(struct timespec *wait)
{
    static const int64_t look_ns = 10000000, rest_ns = 100000000;
    bool sandboxed = atomic_load_explicit(&ct_sandbox_on, memory_order_relaxed);
    int64_t left = ct_turn_due_ns(ct_arena), most = left < 0 ? rest_ns : look_ns;

    left = sooner(left, ct_tap_due_ns());
    left = sooner(left, &ct_sampler ? ct_sampler.look_ns() : -1);
    if (left < 0 && !sandboxed)
        return NULL;
    if (sandboxed && (left < 0 || left > most))
        left = most;
    wait->tv_sec = left / 1000000000;
    wait->tv_nsec = left % 1000000000;
    return wait;
}

/* Somebody sent it to the process, whose threads all block it: it goes back, and is left alone from now on. */
static void give_back(const struct signalfd_siginfo *taken)
{
    siginfo_t info = { .si_signo = (int)taken->ssi_signo, .si_code = taken->ssi_code };

    info.si_pid = (pid_t)taken->ssi_pid;
    info.si_uid = taken->ssi_uid;
    info.si_ptr = (void *)(uintptr_t)taken->ssi_ptr;
    open_signal((uint64_t)1 << (CT_POKE - 1));
    /* A thread other than the first may not repeat what another process's kill() said of itself. */
    if (ct_syscall(SYS_rt_sigqueueinfo, ct_syscall(SYS_getpid), info.si_signo, &info) < 0)
        ct_syscall(SYS_kill, ct_syscall(SYS_getpid), info.si_signo);
}

/* Of one of ours that came when the queue was full the kernel remembers nothing but that it came. */
static bool is_poke(const struct signalfd_siginfo *taken)
{
    return taken->ssi_signo == CT_POKE || taken->ssi_code == SI_TKILL || (taken->ssi_code == SI_USER && taken->ssi_pid == 0);
}

static void hear_pokes(void)
{
    struct signalfd_siginfo info;

    while (ct_syscall(SYS_read, signal_fd, &info, sizeof info) == sizeof info)
        if (!is_poke(&info))
            give_back(&info);
    ct_control_poked();
}

/* Field `wanted` of /proc/self/stat; the name before them may hold spaces and brackets, so count from the last ')'. */
static const char *field_of(const char *stat, int wanted)
{
    const char *at = stat;

    for (const char *p = stat; *p; p++)
        if (*p == ')')
            at = p;
    for (int field = 2; *at && field < wanted; at++)
        field += *at == ' ';
    return at;
}

/*
 * All threads of the program may go by themselves, as a filter kills them and as strict sandboxes end: the process would
 * last for as long as we do, and end as we do.  The first stays on as a zombie, with what it ended by, when only we are left.
 */
static void follow_last(void)
{
    static const struct { void *handler; unsigned long flags; void *restorer; uint64_t mask; } by_default;
    char text[1024];
    const char *state, *count, *code;
    uint64_t status, number;
    long pid = ct_syscall(SYS_getpid);

    if (ct_raw_read_file("/proc/self/stat", text, sizeof text) <= 0)
        return;
    state = field_of(text, 3);
    count = field_of(text, 20);
    code = field_of(text, 52);
    if (*state != 'Z' || ct_raw_number(&count, 10) > 2)
        return;
    status = ct_raw_number(&code, 10);
    number = status & 0x7f;
    if (number) {
        uint64_t mask = ~((uint64_t)1 << (number - 1));

        ct_syscall(SYS_rt_sigaction, number, &by_default, 0, sizeof mask);
        ct_syscall(SYS_rt_sigprocmask, SIG_SETMASK, &mask, 0, sizeof mask);
        ct_syscall(SYS_tgkill, pid, ct_syscall(SYS_gettid), number);
    }
    ct_syscall(SYS_exit, status >> 8);
}

static void live(void)
{
    for (;;) {
        struct pollfd watch[2] = { { .fd = signal_fd, .events = POLLIN }, { .fd = ct_talk_socket(), .events = POLLIN } };
        struct timespec wait;
        long n = ct_syscall(SYS_ppoll, watch, 2, until_turn(&wait), 0, 8);

        if (n < 0 && n != -EINTR)
            return;
        if (watch[0].revents)
            hear_pokes();
        if (watch[0].revents || n == 0)
            CT_SAMPLER(poked, atomic_load_explicit(&ct_arena->phase, memory_order_relaxed) == CT_ARENA_RECORDING);
        if (!answer_ask())
            return;
        if (n > 0 && watch[1].revents)
            ct_talk_hear();
        ct_tap_look(ct_arena);
        if (n == 0 && atomic_load_explicit(&ct_sandbox_on, memory_order_relaxed))
            follow_last();
        keep_up();
    }
}

/*
 * From here on nothing of the program's descriptors is held open by us, and none of ours is seen by it.  Runtimes of
 * containers that are older than close_range() refuse it.
 */
static int leave_descriptors(void)
{
    enum { ALL = 1 << 20 };
    uint64_t limit[2] = { ALL, ALL };
    long r = ct_syscall(SYS_close_range, 0, ~0U, CLOSE_RANGE_UNSHARE);

    if (r != -ENOSYS && r != -EPERM)
        return (int)r;
    r = ct_syscall(SYS_unshare, CLONE_FILES);
    if (r < 0)
        return -EOPNOTSUPP;
    ct_syscall(SYS_prlimit64, 0, RLIMIT_NOFILE, NULL, limit);
    for (uint64_t fd = 0; fd < limit[0] && fd < ALL; fd++)
        ct_syscall(SYS_close, fd);
    return 0;
}

static void control_main(void)
{
    int r;

    arena_fd = signal_fd = -1;
    ct_talk_init();
    r = leave_descriptors();
    if (r == 0)
        r = be_born();
    birth_error = r;
    ct_control_born();
    if (r == 0)
        live();
}

int ct_control_start(void)
{
    uint32_t before = ct_control_answers();
    int r;

    if (!ct_sandbox_lets_control())
        return -EPERM;
    birth_error = -ETIMEDOUT;
    opener = ct_thread_tid_now();
    r = ct_raw_thread_start(control_main, &ct_control_tid);
    if (r < 0)
        return r;
    ct_control_wait(before);
    if (birth_error < 0)
        ct_raw_thread_join(&ct_control_tid);    /* or the next to ask would take it for alive */
    return birth_error;
}

void ct_control_forget(void)
{
    ct_control_ask_forget();
    ct_turn_forget();
    ct_modules_forget();
}

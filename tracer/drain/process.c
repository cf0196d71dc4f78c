/* Attaching to a process's arena, draining it, and the consumers the process asked for itself. */
#include "drain/process.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "drain/fault.h"
#include "drain/output.h"
#include "format/schema.h"

/* An arena that is being looked at for the first time: its file may be cut short meanwhile. */
struct attachment {
    struct ct_process *process;
    struct ct_arena *arena;
    uint64_t size;
    struct ct_error *err;
    int result;
};

static void run_open(void *context)
{
    struct attachment *a = context;

    a->result = ct_drain_open(a->arena, a->size, &a->process->image.drain, a->err);
    if (a->result == 0)
        atomic_store_explicit(&a->arena->drainer_pid, (uint32_t)getpid(), memory_order_relaxed);
}

int ct_process_attach(struct ct_process *p, int fd, struct ct_error *err)
{
    struct attachment a = { .process = p, .err = err };
    struct stat st;
    void *at;

    if (fstat(fd, &st) < 0 || !S_ISREG(st.st_mode) || st.st_size < CT_ARENA_MIN / 2 || st.st_size > (off_t)1 << 31)
        return ct_error_at(err, -EINVAL, 0, "process %ld sent no arena", (long)p->pid);
    a.size = (uint64_t)st.st_size;
    at = mmap(NULL, a.size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    if (at == MAP_FAILED)
        return ct_error_at(err, -errno, 0, "the arena of process %ld cannot be mapped: %s", (long)p->pid,
                           strerror(errno));
    a.arena = at;
    if (!ct_fault_guard(at, a.size, run_open, &a))
        a.result = ct_error_at(err, -EINVAL, 0, "the arena of process %ld was cut short", (long)p->pid);
    if (a.result < 0) {
        munmap(at, a.size);
        return a.result;
    }
    p->image = (struct ct_image){ .arena = at, .size = a.size, .drain = p->image.drain };
    p->images++;
    return 0;
}

struct round {
    struct ct_process *process;
    bool finish, exact, something;
};

static void look_at_state(struct ct_image *image)
{
    const struct ct_arena *a = image->arena;
    uint32_t phase = atomic_load_explicit(&a->phase, memory_order_acquire);

    image->recording = phase == CT_ARENA_RECORDING;
    image->notes = atomic_load_explicit(&a->notes, memory_order_relaxed);
    image->quiet = image->recording ? 0 : image->quiet + 1;
    image->execing = atomic_load_explicit(&a->execing, memory_order_acquire) != 0;
    image->exit_known = atomic_load_explicit(&a->exit_known, memory_order_acquire) != 0;
    image->exit_status = atomic_load_explicit(&a->exit_status, memory_order_relaxed);
    if (phase == CT_ARENA_TROUBLE && !image->trouble[0]) {
        memcpy(image->trouble, a->trouble, sizeof a->trouble);
        image->trouble[sizeof a->trouble] = '\0';
    }
}

static void run_round(void *context)
{
    struct round *r = context;
    struct ct_image *image = &r->process->image;

    if (r->finish)
        ct_drain_finish(&image->drain, r->exact);
    else
        r->something = ct_drain_round(&image->drain);
    look_at_state(image);
}

static void guarded(struct ct_process *p, struct round *r)
{
    if (!p->image.arena || p->image.broken)
        return;
    if (!ct_fault_guard(p->image.arena, p->image.size, run_round, r)) {
        p->image.broken = true;
        strcpy(p->image.trouble, "its arena was cut short while it was drained");
    }
}

bool ct_process_round(struct ct_process *p)
{
    struct round r = { .process = p };

    guarded(p, &r);
    return r.something;
}

void ct_process_finish(struct ct_process *p, bool exact)
{
    struct round r = { .process = p, .finish = true, .exact = exact };

    guarded(p, &r);
}

static void run_part(void *context)
{
    struct ct_process *p = context;

    ct_drain_part(&p->image.drain, &p->consumer);
}

void ct_process_stop(struct ct_process *p)
{
    if (!p->guests && !p->watchers)
        ct_process_finish(p, true);
    else if (!p->image.broken && !ct_fault_guard(p->image.arena, p->image.size, run_part, p))
        p->image.broken = true;
}

static void free_guest(struct ct_guest *g)
{
    close(g->consumer.fd);
    ct_consumer_fini(&g->consumer);
    free(g);
}

/* Those that the program did not end itself are ended with it. */
static void end_guests(struct ct_process *p, const struct ct_end *end)
{
    while (p->guests) {
        struct ct_guest *g = p->guests;

        p->guests = g->next;
        ct_consumer_end(&g->consumer, end);
        free_guest(g);
    }
}

/* The image is over: all that was drained of it is in their segments. */
static void end_watchers(struct ct_process *p, const struct ct_end *end)
{
    while (p->watchers) {
        struct ct_segments *s = p->watchers;

        p->watchers = s->next;
        ct_consumer_end(&s->consumer, end);
        ct_segments_end(s);
    }
}

void ct_process_detach(struct ct_process *p, const struct ct_end *end)
{
    if (!p->image.arena)
        return;
    end_guests(p, end);
    end_watchers(p, end);
    if (!p->image.broken)
        p->lost += ct_drain_lost(&p->image.drain);
    ct_drain_close(&p->image.drain);
    munmap(p->image.arena, p->image.size);
    p->image.arena = NULL;
    p->attached = false;
}

bool ct_process_tell(struct ct_process *p, enum ct_control_kind kind, int64_t value)
{
    struct ct_control_message m = { .kind = kind, .pid = (uint32_t)getpid(), .value = value };

    p->image.quiet = 0;             /* something may come of it */
    return p->socket >= 0 && send(p->socket, &m, sizeof m, MSG_NOSIGNAL | MSG_DONTWAIT) == sizeof m;
}

void ct_process_end_row(const struct ct_process *p, struct ct_end *ret)
{
    static const char lost_text[] = "how it ended is not known";

    *ret = (struct ct_end){ .reason = CT_END_EXIT, .events_lost = p->lost };
    if (p->image.arena && !p->image.broken)
        ret->events_lost += ct_drain_lost(&p->image.drain);
    if (p->status_known && WIFSIGNALED(p->status)) {
        ret->reason = CT_END_SIGNAL;
        ret->status = (uint64_t)WTERMSIG(p->status);
    } else if (p->status_known && WIFEXITED(p->status)) {
        ret->status = (uint64_t)WEXITSTATUS(p->status);
    } else if (p->image.exit_known) {
        ret->status = (uint64_t)(p->image.exit_status & 0xff);
    } else {
        ret->reason = CT_END_SIGNAL;        /* it had no time to say that it exits */
        ret->text = (struct ct_text){ lost_text, sizeof lost_text - 1 };
    }
    if (p->image.trouble[0])
        ret->text = (struct ct_text){ p->image.trouble, strlen(p->image.trouble) };
}

static int add_guest(struct ct_process *p, int fd)
{
    struct ct_guest *g;

    if (!p->image.arena || p->image.broken || fd < 0)
        return -EINVAL;
    g = calloc(1, sizeof *g);
    if (!g)
        return -ENOMEM;
    ct_consumer_init(&g->consumer, fd, ct_trace_file_head(fd));
    ct_drain_add(&p->image.drain, &g->consumer, p->image.drain.generation + 1);
    g->next = p->guests;
    p->guests = g;
    return 0;
}

void ct_process_add_guest(struct ct_process *p, int fd)
{
    int r;

    ct_process_round(p);
    r = add_guest(p, fd);
    if (p->watchers || (p->told && p->told != p->all))      /* told nothing yet, it goes by all that there is */
        ct_process_tell_categories(p);
    if (r < 0 && fd >= 0)
        close(fd);
    /* The program turns when it has the answer, before trace_start() returns: all that follows is in the file. */
    ct_process_tell(p, CT_CONTROL_REPLY, r);
}

static void run_leave(void *context)
{
    struct ct_process *p = context;
    struct ct_end end = { .reason = CT_END_STOP, .events_lost = ct_drain_lost(&p->image.drain) };

    ct_drain_leave(&p->image.drain, &p->guests->consumer, &end);
}

void ct_process_end_guest(struct ct_process *p)
{
    struct ct_guest *g = p->guests;
    int r;

    if (!g || p->image.broken || !ct_fault_guard(p->image.arena, p->image.size, run_leave, p)) {
        ct_process_tell(p, CT_CONTROL_REPLY, g ? -EIO : -ENOENT);
        return;
    }
    ct_drain_remove(&p->image.drain, &g->consumer);
    r = g->consumer.error;
    p->guests = g->next;
    free_guest(g);
    ct_process_tell(p, CT_CONTROL_REPLY, r);
    if (p->watchers || p->told != p->base)
        ct_process_tell_categories(p);
    if (!p->image.drain.consumers)      /* our file had reached its limit before */
        ct_process_tell(p, CT_CONTROL_STOP, 0);
}

/* One sampler for all: it runs as fast as the most eager of them wants, and each sample says what it stands for. */
static void tell_rate(struct ct_process *p)
{
    const uint64_t cpu = (uint64_t)1 << CT_CAT_cpu;
    unsigned wanted = (p->base | (p->guests ? p->all : 0)) & cpu ? p->cpu_rate : 0;

    for (const struct ct_segments *s = p->watchers; s; s = s->next) {
        unsigned rate = s->cpu_rate ? s->cpu_rate : p->cpu_rate;

        if (s->categories & cpu && rate > wanted)
            wanted = rate;
    }
    if (wanted == 0 || wanted == p->told_rate)
        return;
    ct_process_tell(p, CT_CONTROL_CPU_RATE, wanted);
    p->told_rate = wanted;
}

void ct_process_dumped(struct ct_process *p, int fd)
{
    void (*dumped)(void *context, int fd) = p->dumped;

    if (p->dumps_unheard) {             /* it is that of somebody before */
        p->dumps_unheard--;
        dumped = NULL;
    } else {
        p->dumped = NULL;
    }
    if (dumped)
        dumped(p->dumped_context, fd);
    else if (fd >= 0)
        close(fd);
}

bool ct_process_calm(const struct ct_process *p)
{
    return p->calm && p->told && !(p->told & ~p->calm) && !p->guests;
}

void ct_process_rest(struct ct_process *p)
{
    struct ct_image *image = &p->image;

    if (!image->arena || image->rested == image->drain.generation || !ct_process_calm(p))
        return;
    image->rested = image->drain.generation;
    madvise(image->arena, image->size, MADV_DONTNEED);          /* of this mapping: the arena stays as it is */
}

bool ct_process_wants_turn(const struct ct_process *p)
{
    bool wants = ct_consumer_wants_turn(&p->consumer);

    for (const struct ct_segments *s = p->watchers; s && !wants; s = s->next)
        wants = ct_consumer_wants_turn(&s->consumer);
    return wants;
}

/* Each turn wakes several threads, ours and the program's: without an audience there are few. */
static void tell_pace(struct ct_process *p, uint64_t wanted)
{
    bool calm = p->calm && wanted && !(wanted & ~p->calm) && !p->guests;
    uint64_t pace = calm ? CT_CALM_S * (uint64_t)1000000000 : CT_GENERATION_NS;

    if (pace != (p->paced_ns ? p->paced_ns : CT_GENERATION_NS))
        ct_process_tell(p, CT_CONTROL_PACE, (int64_t)pace);
    p->paced_ns = pace;
}

void ct_process_tell_categories(struct ct_process *p)
{
    uint64_t wanted = p->base | (p->guests ? p->all : 0);

    tell_rate(p);

    for (const struct ct_segments *s = p->watchers; s; s = s->next)
        wanted |= s->categories;
    tell_pace(p, wanted);
    if (wanted == p->told)
        return;
    if (wanted == 0) {
        ct_process_tell(p, CT_CONTROL_STOP, 0);
    } else {
        ct_process_tell(p, CT_CONTROL_CATEGORIES, (int64_t)wanted);
        if (p->told == 0)
            ct_process_tell(p, CT_CONTROL_START, 0);
    }
    p->told = wanted;
}

int ct_process_watch(struct ct_process *p, struct ct_segments *s, uint32_t from)
{
    if (!p->image.arena || p->image.broken || p->image.over)
        return -ESRCH;
    ct_drain_add(&p->image.drain, &s->consumer, from);
    s->next = p->watchers;
    p->watchers = s;
    ct_process_tell_categories(p);
    return 0;
}

struct leave {
    struct ct_process *process;
    struct ct_segments *who;
};

static void run_watcher_leave(void *context)
{
    struct leave *l = context;
    struct ct_end end = { .reason = CT_END_STOP, .events_lost = ct_drain_lost(&l->process->image.drain) };

    ct_drain_leave(&l->process->image.drain, &l->who->consumer, &end);
}

void ct_process_unwatch(struct ct_process *p, struct ct_segments *s)
{
    struct ct_segments **at = &p->watchers;
    struct leave leave = { p, s };

    while (*at && *at != s)
        at = &(*at)->next;
    if (!*at)
        return;
    if (!p->image.broken && !ct_fault_guard(p->image.arena, p->image.size, run_watcher_leave, &leave))
        p->image.broken = true;
    *at = s->next;
    ct_drain_remove(&p->image.drain, &s->consumer);
    ct_process_tell_categories(p);
    ct_segments_end(s);
}

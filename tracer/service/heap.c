/* Asking the allocator, and giving memory back: at most once in a while. */
#include "service/heap.h"

#include <errno.h>
#include <malloc.h>
#include <stdio.h>
#include <time.h>
#include <unistd.h>

#include "service/question.h"

static int64_t now_s(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec;
}

/* Whether it may be trimmed now; 0, or how many seconds ago it was. */
static int64_t trimmed_ago(struct ct_service *s, struct ct_served *one)
{
    int64_t now = now_s() + 1, ago;     /* + 1: 0 is never */

    pthread_mutex_lock(&s->lock);
    ago = one->trimmed_s && now - one->trimmed_s < CT_HEAP_TRIM_S ? now - one->trimmed_s + 1 : 0;
    if (!ago)
        one->trimmed_s = now;
    pthread_mutex_unlock(&s->lock);
    return ago;
}

/* It was not done after all. */
static void may_trim_again(struct ct_service *s, struct ct_served *one)
{
    pthread_mutex_lock(&s->lock);
    one->trimmed_s = 0;
    pthread_mutex_unlock(&s->lock);
}

static void ask(struct ct_service *s, pid_t pid, enum ct_control_heap how, struct ct_heap_facts *ret)
{
    int fd = ct_service_question(s, pid, CT_CONTROL_HEAP, how);

    *ret = (struct ct_heap_facts){ .outcome = fd == -ECANCELED ? CT_HEAP_STOPPED : CT_HEAP_NOBODY };
    if (fd < 0)
        return;
    if (pread(fd, ret, sizeof *ret, 0) != sizeof *ret)
        *ret = (struct ct_heap_facts){ .outcome = CT_HEAP_NOBODY };
    close(fd);
}

/* Inside the program we are one of its threads. */
static void look(bool trim, struct ct_heap_facts *f)
{
    uint32_t trimmed = trim ? 1 + (uint32_t)malloc_trim(0) : 0;
    struct mallinfo2 info = mallinfo2();

    *f = (struct ct_heap_facts){
        .outcome = CT_HEAP_TOLD, .trimmed = trimmed, .arena = info.arena, .in_use = info.uordblks, .free = info.fordblks,
        .free_chunks = info.ordblks, .fast_chunks = info.smblks, .fast_free = info.fsmblks, .top = info.keepcost,
        .mapped_blocks = info.hblks, .mapped = info.hblkhd,
    };
}

static void say(char said[160], const struct ct_heap_facts *f, int64_t ago)
{
    static const char *const texts[] = {
        [CT_HEAP_NOBODY] = "nothing was given back: no thread of the program made a call in time",
        [CT_HEAP_TOLD] = "what is free was given back to the kernel",
        [CT_HEAP_FOREIGN] = "nothing was given back: the program's allocator is not libc's",
        [CT_HEAP_BUSY] = "a thread of the program is still giving memory back",
        [CT_HEAP_STOPPED] = "nothing was given back: the program is stopped",
    };

    if (ago)
        snprintf(said, 160, "gc=1: nothing was given back: that was done within the last %d seconds", CT_HEAP_TRIM_S);
    else
        snprintf(said, 160, "gc=1: %s", f->outcome == CT_HEAP_TOLD && f->trimmed == 1 ? "there was nothing to give back"
                                        : f->outcome <= CT_HEAP_STOPPED ? texts[f->outcome] : "it is not known what came of it");
}

void ct_service_heap(struct ct_service *s, struct ct_served *one, bool trim, struct ct_heap_facts *ret, char said[160])
{
    int64_t ago = trim ? trimmed_ago(s, one) : 0;
    bool now = trim && !ago;

    said[0] = '\0';
    ask(s, one->pid, one->pid == getpid() ? CT_CONTROL_HEAP_GLANCE : now ? CT_CONTROL_HEAP_TRIM : CT_CONTROL_HEAP_TELL, ret);
    if (one->pid == getpid() && ret->outcome != CT_HEAP_FOREIGN)
        look(now, ret);
    if (now && ret->outcome != CT_HEAP_TOLD && ret->outcome != CT_HEAP_BUSY)
        may_trim_again(s, one);
    if (trim)
        say(said, ret, ago);
}

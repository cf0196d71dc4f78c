/* Traced images and their files: opening, naming, closing, and saying why one ended early. */
#include "drain/image.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "drain/output.h"
#include "drain/ring.h"
#include "drain/sieve.h"

__attribute__((format(printf, 2, 3)))
static void complain(const struct ct_follow *f, const char *format, ...)
{
    char text[256];
    va_list args;

    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    f->hooks.trouble(f->hooks.context, text);
}

/* --- files --- */

static int open_file(struct ct_follow *f, struct ct_process *p)
{
    int fd, r = 0;

    if (p->has_file || !f->options.output)
        return 0;
    if (p->pid == f->first && f->options.output_fd >= 0) {
        fd = f->options.output_fd;
        f->options.output_fd = -1;
        snprintf(p->path, sizeof p->path, "%s", f->options.output);
    } else {
        r = ct_trace_file_open_child(f->options.output, p->pid, p->path, sizeof p->path, &fd);
    }
    if (r < 0)
        return r;
    ct_consumer_init(&p->consumer, fd, ct_trace_file_head(fd));
    p->consumer.limit = f->options.limit;
    if (f->options.ring)
        r = ct_ring_init(&p->consumer, p->path, f->options.ring);
    p->has_file = true;
    return r;
}

void ct_image_close_file(struct ct_follow *f, struct ct_process *p)
{
    if (!p->has_file)
        return;
    f->written += p->consumer.size;
    close(p->consumer.fd);
    ct_ring_fini(&p->consumer);
    ct_sieve_free(p->consumer.sieve);
    ct_consumer_fini(&p->consumer);
    if (p->images)
        f->hooks.closed(f->hooks.context, p->path);
    p->has_file = false;
}

/* A guest may want more than the file is to have.  Batches of each image count from one: the sieve before forgets.  Without memory it gets all. */
static void set_sieve(struct ct_follow *f, struct ct_process *p)
{
    ct_sieve_free(p->consumer.sieve);
    p->consumer.sieve = f->options.own != f->options.categories ? ct_sieve_new(f->options.own) : NULL;
}

/* Says once why a file ended early; a program that nobody listens to any more stops recording. */
void ct_image_check_file(struct ct_follow *f, struct ct_process *p)
{
    struct ct_consumer *c = &p->consumer;

    if (!p->attached || c->state != CT_CONSUMER_DONE)
        return;
    if (c->error)
        complain(f, "%s ends here: %s; the program runs on", p->path, ct_consumer_reason(c->error));
    else if (c->full)
        complain(f, "%s has reached its size limit; the program runs on, its recording ends", p->path);
    p->attached = false;
    ct_drain_remove(&p->image.drain, c);
    if (!p->image.drain.consumers && !p->image.over)
        ct_process_tell(p, CT_CONTROL_STOP, 0);
}

void ct_image_note_guest(struct ct_follow *f, struct ct_process *p)
{
    char link[48], path[CT_PATH_MAX];
    ssize_t n;

    if (!p->guests)
        return;
    /* Of the thread: it may have a table of descriptors of its own. */
    snprintf(link, sizeof link, "/proc/thread-self/fd/%d", p->guests->consumer.fd);
    n = readlink(link, path, sizeof path - 1);
    if (n <= 0 || path[0] != '/')
        return;
    path[n] = '\0';
    ct_consumer_begin(&p->guests->consumer, p->image.drain.run, p->image.drain.run_size);
    ct_session_note(f->session, p->image.drain.arena_id, p->guests->consumer.fd, path);
}

/* --- images --- */

/* Closes the image's part of the file: names, the halves of a ring, END. */
void ct_image_end_file(struct ct_follow *f, struct ct_process *p, const struct ct_end *end)
{
    int r;

    if (!p->attached)
        return;
    if (p->consumer.state == CT_CONSUMER_WAITING)       /* not one generation: still say who it was */
        ct_consumer_begin(&p->consumer, p->image.drain.run, p->image.drain.run_size);
    r = p->consumer.roll ? ct_ring_merge(&p->consumer) : 0;
    if (r < 0)
        complain(f, "the two halves of %s stay apart: %s", p->path, strerror(-r));
    ct_consumer_end(&p->consumer, end);
    ct_image_check_file(f, p);
}

/* The program image is over: `given` says how, NULL: as the process's end. */
void ct_image_end(struct ct_follow *f, struct ct_process *p, const struct ct_end *given)
{
    struct ct_end end;
    uint64_t lost;

    if (!p->image.arena)
        return;
    p->image.over = true;               /* the next image may have connected already: what follows is not for it */
    if (f->has_bell)
        ct_bell_remove(&f->bell, p->image.arena);
    ct_process_finish(p, true);
    ct_image_check_file(f, p);
    f->notes |= p->image.notes;
    if (p->image.trouble[0])
        complain(f, "process %ld: %s", (long)p->pid, p->image.trouble);
    ct_process_end_row(p, &end);
    lost = end.events_lost;
    if (given)
        end = *given;
    end.events_lost = lost;
    ct_image_end_file(f, p, &end);
    if (f->options.keep_first && p->pid == f->first)
        ct_session_unnote(f->session, p->image.drain.arena_id);
    else
        ct_session_forget(f->session, p->image.drain.arena_id);
    ct_process_detach(p, &end);
}

void ct_image_begin(struct ct_follow *f, struct ct_process *p, int arena)
{
    struct ct_error err = { 0 };
    int r = ct_process_attach(p, arena, &err);

    if (r < 0) {
        complain(f, "%s", err.text);
        return;
    }
    r = open_file(f, p);
    if (r < 0)
        complain(f, "no trace of process %ld: %s.%ld: %s", (long)p->pid, f->options.output, (long)p->pid,
                 strerror(-r));
    p->expected = false;
    f->images++;
    if (p->has_file && !p->consumer.error && !p->consumer.full) {
        set_sieve(f, p);
        ct_drain_add(&p->image.drain, &p->consumer, 0);
        /* At once: should both be killed, the file's head leads to the arena. */
        ct_consumer_begin(&p->consumer, p->image.drain.run, p->image.drain.run_size);
        if (f->options.later)
            p->consumer.first = UINT32_MAX;
        p->attached = true;
        ct_session_note(f->session, p->image.drain.arena_id, p->consumer.fd, p->path);
    }
    if (f->has_bell)
        ct_bell_add(&f->bell, p->image.arena);
    p->base = f->options.later || f->stopped || !p->attached ? 0 : f->options.own;
    p->all = f->options.categories;
    p->told = f->options.begins;
    p->cpu_rate = p->told_rate = f->options.cpu_rate ? f->options.cpu_rate : CT_CPU_RATE_DEFAULT;
    p->calm = f->has_bell ? f->options.calm : 0;
    p->paced_ns = 0;
    if (f->hooks.began)
        f->hooks.began(f->hooks.context, p);
    if (p->watchers)
        return;                         /* they have told it what to record */
    if (!p->attached || f->stopped)
        ct_process_tell(p, CT_CONTROL_STOP, 0);
    else if (f->options.start)
        ct_process_tell(p, CT_CONTROL_START, 0);
}


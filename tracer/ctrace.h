/*
 * ctrace: record what every thread of a program did, and see it.
 *
 *     #include <ctrace.h>                         cc app.c $(pkg-config --cflags --libs ctrace)
 *
 *     trace_start("trace.out");
 *     ...
 *     trace_stop();                               then: ctrace convert trace.out, ctrace info trace.out
 *
 * Every function may be called from any thread at any time.  What adds to a recording may be called in signal handlers
 * too, keeps errno, and costs a call and a look at one word while nothing is recorded.  None ever ends the program: on
 * trouble ctrace stops recording, says one line on stderr, and the program runs on.
 *
 * Three ways to build with it:
 *     as it is           link with libctrace
 *     -DTRACE_WEAK       do not link; where libctrace is in the process (preloaded, or linked by somebody) calls work,
 *                        elsewhere they do nothing: trace_start() gives -ENOSYS
 *     -DTRACE_DISABLED   calls vanish at compile time; nothing is linked (fully static programs, too)
 */
#ifndef CTRACE_H
#define CTRACE_H

#include <errno.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#define CTRACE_VERSION_MAJOR 0
#define CTRACE_VERSION_MINOR 1

#if defined(__GNUC__)
#define TRACE_PRINTF_(a, b) __attribute__((format(printf, a, b)))
#define TRACE_UNUSED_ __attribute__((unused))
#else
#define TRACE_PRINTF_(a, b)
#define TRACE_UNUSED_
#endif

/* For trace_serve_with() and trace_http_handle(); zeros and NULLs are the defaults.  Everything is copied. */
struct trace_serve_options {
    size_t size;                        /* sizeof(struct trace_serve_options) */
    const char *address;                /* as of trace_serve() */
    const char *prefix;                 /* of the paths; NULL: /debug/pprof */
    const char *token;                  /* that clients must know (Bearer, Basic password, ?token=); NULL: none */
    const char *const *hosts;           /* names that may stand in Host, besides localhost and addresses */
    size_t host_count;
    int insecure;                       /* not 0: beyond loopback without a token */
};

struct trace_http_header {
    const char *name, *value;           /* of a request: no value, as if it were not there */
};

/* A request that came to the program's own web server, for trace_http_handle(), during which all of it must stay there. */
struct trace_http_request {
    size_t size;                        /* sizeof(struct trace_http_request) */
    const char *method;                 /* "GET" */
    const char *target;                 /* the path as it was sent, not decoded, with its query unless that is in `query` */
    const char *query;                  /* what stood behind the `?`, as it was sent; NULL: nothing, or it is in `target` */
    const struct trace_http_header *headers;    /* Host (which must be there), Origin, Sec-Fetch-Site, Authorization */
    size_t header_count;                /* others may be among them */
    const void *body;                   /* of a POST */
    size_t body_size;
    const char *peer;                   /* the client's address, "127.0.0.1"; NULL: the program has judged who may ask */
    const struct trace_serve_options *options;  /* prefix, token, hosts, insecure; NULL: the defaults */
};

/*
 * Where the answer goes, on the thread that called.  A result other than 0 means: no more, the client has gone.  They return: no
 * longjmp(), no C++ exception; that the thread is cancelled in one is fine.
 */
struct trace_http_writer {
    size_t size;                        /* sizeof(struct trace_http_writer) */
    void *context;                      /* handed to both */
    /* Once, first.  `length` of the body, or -1 when it is not known yet; the connection's own headers are not in there. */
    int (*head)(void *context, int status, int64_t length, const struct trace_http_header *headers, size_t header_count);
    int (*bytes)(void *context, const void *bytes, size_t size);        /* any number of times; up to 64 KiB each */
};

/*
 * The list of functions, once: TRACE_FUNCTION_(return type, name, (parameters), (arguments), result when off), and
 * TRACE_PROCEDURE_(name, (parameters), (arguments)) for those that return nothing.
 *
 * trace_start        Records into the file `path`, created with mode 0600; one that is there becomes path.old.  A folder, or a name
 *                    that ends in a slash, receives trace.out.  %p (pid),
 *                    %t (seconds since 1970), %h (host) and %q{VARIABLE} in it are filled in, %% is %.  NULL or "" takes
 *                    the variable CTRACE_OUTPUT, else trace.out; the other CTRACE_* variables of ctrace-record(1) hold
 *                    too.  Under `ctrace record` it is one more file, which begins at once, whatever --delay and --duration
 *                    say of record's own.  Returns 0, -EALREADY when this program's trace_start is in force, -EINVAL for
 *                    a malformed path or variable, or another negative errno; on failure nothing has changed.
 * trace_start_fd     The same into an open descriptor, which is borrowed until trace_stop() returns.
 * trace_stop         Ends what trace_start began; the file is complete when it returns.  0, -EINVAL when not started; what
 *                    writing the file gave, of which a line on stderr told when it happened.
 * trace_serve        Serves /debug/pprof/ for this program and its forked children (?pid=) at `address`: "127.0.0.1:6060",
 *                    ":6060" (loopback, too), ":0" for any port; IPv4 only.  curl, go tool pprof and Prometheus read it.  From then on
 *                    what heap, block and mutex profiles are made of is recorded.  Under `ctrace record` that serves it.
 *                    Returns 0, -EALREADY when it is served, -EBUSY while a trace_start() made before is in force, -ENOTSUP
 *                    in a program that exports a web server's mg_start(), -EADDRINUSE, or another negative errno with one
 *                    line on stderr; the program runs on.  CTRACE_HTTP=ADDRESS in the environment does it before main.
 * trace_serve_with   The same with options.
 * trace_serve_stop   Ends it, which may take two seconds; clients are cut off.  -EINVAL when it is not served, -EBUSY while a
 *                    trace_start() made since, or a trace_cpu_profile_start(), is in force.  Under `ctrace record` that goes on serving.
 * trace_serve_url    Where: "http://127.0.0.1:6060/debug/pprof/"; NULL when it is not served.  Valid until the stop.
 * trace_http_handle  Answers a request for /debug/pprof/..., or /metrics, that came to the program's own web server; it blocks as
 *                    long as the answer takes (profile?seconds=30: 30 s and more), on the calling thread, which alone calls
 *                    the writer.  A writer that is slow is never waited for by what records: a trace loses whole
 *                    generations, and who takes nothing for 30 s is given up.  Any number of threads may call at once; beyond 8
 *                    answers under way the next ones are 503.  Host, Origin and token are judged as trace_serve()
 *                    judges them, and a `peer` that is not loopback needs a token, or insecure.  What makes profiles is as for
 *                    trace_profile_write(); trace_http_handle(NULL, NULL) only starts it, so that heap, block and
 *                    mutex profiles count from then on.  A forked child answers for itself.  Returns 0 when the writer has had
 *                    a whole answer, be it 503 with a line that says why; -ENOENT when the target is none of these (the program
 *                    answers; nothing was written), -EINVAL for a malformed struct (same), -ECANCELED when the writer
 *                    wanted no more, -EPIPE when the answer was cut short and the connection is to be closed without its
 *                    end.  Not in signal handlers.
 * trace_profile_write      Writes a profile, as it is now, into the file `path`: "heap", "allocs", "block", "mutex", "threads",
 *                    "threadcreate", or one of trace_profile_new()'s.  With debug 0 it is one for go tool pprof, with 1 or 2 the text of ?debug=.  `ctrace
 *                    record` makes it, or what trace_serve() started; where neither is there, that is started without an
 *                    address, and from this first call on what heap, block and mutex profiles are made of is recorded:
 *                    they say since when they count.  trace_serve_stop() after a trace_serve() ends it.  The path is as
 *                    trace_start's; the file has mode 0600, takes the place of one that is there, and is whole, or nothing
 *                    has changed.  Takes some milliseconds, or seconds when symbols of large programs are to be read.
 *                    Returns 0, -EINVAL for an unknown name or a malformed path, -EBUSY while a trace_start() is in force
 *                    that was made before anybody was there to make profiles, -ENOTCONN when nobody makes them of this
 *                    process, or not any more, -ENOTSUP under `ctrace record --no-wait`, or another negative errno.  Not in
 *                    signal handlers.
 * trace_cpu_profile_start  Begins a CPU profile of all threads, beside all traces and profiles that others take, for the file
 *                    `path`, as above.  0, -EALREADY when one begun by this is in force, or as above.
 * trace_cpu_profile_stop   Ends it and writes it.  0, -EINVAL when none was begun, or as above: it has ended then, too.  One
 *                    that is not ended when the program ends is not written.  Neither in signal handlers.
 * trace_profile_new  Makes a profile of the program's own, which counts what is alive by the stacks that made it: open
 *                    connections, say.  It is served and written by its name, like the others, and it is kept from this call
 *                    on, whether anything is recorded or not, here and, from what it holds then, in forked children.  `name`:
 *                    1 to 31 letters, digits, '-', '_' or '.' (not first).  Returns its number, which is positive; -EINVAL
 *                    for another name, -EEXIST for one that is taken, also by ctrace, -ENOSPC when there are 16, -ENOMEM.
 * trace_profile_add  Puts `value` in, an address as a rule, with the stack of the caller without its first `skip` frames, of
 *                    which 32 are kept.  Takes a microsecond, and memory of 280 bytes until it is removed.  Returns 0; -EEXIST
 *                    when it is in; -EINVAL when `profile` is none, or `skip` is negative; -ENOSPC when there are 65,536
 *                    values in all profiles, which the profile tells; -ENOMEM; -EAGAIN in a signal handler that interrupted
 *                    one of these functions, for which they are not made.
 * trace_profile_remove     Takes it out.  0, -ENOENT when it is not in, -EINVAL, -EAGAIN.
 * trace_profile_count      How many are in it, or -EINVAL.
 * trace_lttng_enable Makes this program's events known to LTTng, as the provider `ctrace`: `lttng enable-event -u 'ctrace:*'`
 *                    records them from then on, here and in forked children, whether a trace_start() is in force or not.
 *                    Loads liblttng-ust, which starts two threads and waits up to 3 s for a session daemon that does not
 *                    answer.  0, also when it was done already, or -ELIBACC with one line on stderr where LTTng is not there,
 *                    or another negative errno.  CTRACE_LTTNG=1 in the environment does it before main.  Not in signal
 *                    handlers.
 * trace_enabled      1 while events are recorded (by anybody), else 0.
 *
 * trace_task_begin   Begins a task, a piece of work that may cross threads; `parent` is a task or 0.  Returns its id,
 *                    never 0 while recording; 0 when nothing is recorded, which every function takes for "no task".
 * trace_task_end     Ends it; on any thread.
 * trace_region_begin Begins a region on this thread; regions nest and end in reverse order, on the same thread.
 * trace_region_in    The same as part of a task.
 * trace_region_end   Ends the innermost region of this thread.
 * trace_log          Records a message of up to 1,024 bytes (longer ones are cut) under a category, for a task or 0.
 * trace_instant      Records a named moment.
 * trace_counter      Records a named value.
 * trace_label_set    Gives this thread's label `key` a value from now on; NULL or "" takes it away.  Labels go with the
 *                    thread's CPU samples, its slices in Chrome's JSON, and its row among the threads' stacks.  They are
 *                    kept while nothing is recorded, too, so that whatever begins later has them; that costs some 100 ns.
 *                    New threads have none.  Returns 0, -EINVAL without a key, -ENOSPC when the labels of a thread would
 *                    be more than 32 or, with a NUL behind each key and value, longer than 992 bytes; -EAGAIN in a signal
 *                    handler that interrupted one of these three.
 * trace_label_begin  The same until trace_label_end, which brings back what the label was before; they nest.  Call the
 *                    end only when this returned 0.  TRACE_LABEL does both for a block.
 * trace_label_end    Ends the last trace_label_begin of that key on this thread.
 * trace_thread_name  Names this thread (15 bytes, as the kernel's name of it).
 * trace_gc_begin     A pause of the program's own collector begins on this thread; `kind` says which.
 * trace_gc_end       It ends; `kind` is for the reader of the source.
 *
 * Names, categories, kinds, keys and values are copied: they may be freed afterwards.  Literals are fastest.
 *
 * Rates of what is sampled.  Each holds for every recording under way and to come, whoever asks for it, in this process and
 * its forked children; before the first call it is what CTRACE_* variables and options of `ctrace record` say.  0 ends such
 * samples, a negative number changes nothing.  All return the former rate, -EINVAL for one that is too large, or -ENOSYS.
 * Not in signal handlers.
 *
 * trace_set_cpu_rate       Samples a second of CPU time, 1 to 1,000 (100).  A client's ?hz= takes its place, and what the
 *                          session was begun with does when that client has gone.
 * trace_set_heap_rate      Bytes allocated between two samples, on average, up to 1 GiB (512 KiB); 1 takes each allocation.
 *                          Other threads go by it after their next sample.
 * trace_set_block_rate     Nanoseconds spent waiting between two samples, on average, up to 2^10 seconds (1: every wait).
 *                          With a larger one, waits as long as that all have their stacks, shorter ones with a probability
 *                          of length / rate: one that is taken stands for all like it, so sums stay right.
 * trace_set_mutex_fraction Of contended unlocks one in so many has its stack, and stands for them (1: every one).
 *
 * What can be asked about the process, with or without a recording.  Not in signal handlers.
 *
 * trace_thread_count  How many threads it has, without ctrace's own; or a negative errno where there is no /proc.  20 us.
 * trace_mem_stats     Fills `*stats`, whose member `size` says how large the caller's is: set it to sizeof.  0, or -EINVAL
 *                     when `size` is none, or a negative errno.  It takes malloc's locks one after the other, and the
 *                     kernel looks at every page for `pss`: some 100 us, and 1 ms for each GB in use.
 */
struct trace_memory {
    size_t size;                /* of this struct, set by the caller; members beyond what is known are 0 */
    uint64_t malloc_known;      /* 1: libc's malloc serves the program; 0: another, and malloc_* are 0 */
    uint64_t malloc_in_use;     /* bytes that the program has, those in mappings of their own included */
    uint64_t malloc_free;       /* bytes in its arenas that it could give to the program */
    uint64_t malloc_arenas;     /* bytes of its arenas: both, without the mappings */
    uint64_t malloc_mmapped;    /* bytes of blocks in mappings of their own */
    uint64_t malloc_mmapped_blocks;     /* and their number */
    uint64_t malloc_trimmable;  /* bytes at the top of the heap that malloc_trim(3) could give back at least */
    uint64_t brk;               /* bytes of the heap that brk(2) made */
    uint64_t mmap;              /* bytes of other private memory that can be written: mappings, stacks, modules' data */
    uint64_t rss, peak_rss;     /* bytes in memory, now and at most */
    uint64_t pss;               /* bytes in memory, shared ones divided among those who share; 0: the kernel does not say */
    uint64_t vss;               /* bytes of address space */
    uint64_t swap;              /* bytes swapped out */
    uint64_t minor_faults, major_faults;        /* since the process began; major: something had to be read */
};

#define TRACE_FUNCTIONS_ \
    TRACE_FUNCTION_(int, trace_serve, (const char *address), (address), -ENOSYS) \
    TRACE_FUNCTION_(int, trace_serve_with, (const struct trace_serve_options *options), (options), -ENOSYS) \
    TRACE_FUNCTION_(int, trace_serve_stop, (void), (), -ENOSYS) \
    TRACE_FUNCTION_(const char *, trace_serve_url, (void), (), NULL) \
    TRACE_FUNCTION_(int, trace_http_handle, \
                    (const struct trace_http_request *request, const struct trace_http_writer *writer), (request, writer), -ENOSYS) \
    TRACE_FUNCTION_(int, trace_start, (const char *path), (path), -ENOSYS) \
    TRACE_FUNCTION_(int, trace_start_fd, (int fd), (fd), -ENOSYS) \
    TRACE_FUNCTION_(int, trace_stop, (void), (), -ENOSYS) \
    TRACE_FUNCTION_(int, trace_profile_write, (const char *name, const char *path, int debug), (name, path, debug), -ENOSYS) \
    TRACE_FUNCTION_(int, trace_cpu_profile_start, (const char *path), (path), -ENOSYS) \
    TRACE_FUNCTION_(int, trace_cpu_profile_stop, (void), (), -ENOSYS) \
    TRACE_FUNCTION_(int, trace_profile_new, (const char *name), (name), -ENOSYS) \
    TRACE_FUNCTION_(int, trace_profile_add, (int profile, const void *value, int skip), (profile, value, skip), -ENOSYS) \
    TRACE_FUNCTION_(int, trace_profile_remove, (int profile, const void *value), (profile, value), -ENOSYS) \
    TRACE_FUNCTION_(int, trace_profile_count, (int profile), (profile), -ENOSYS) \
    TRACE_FUNCTION_(int, trace_enabled, (void), (), 0) \
    TRACE_FUNCTION_(uint64_t, trace_task_begin, (const char *name, uint64_t parent), (name, parent), 0) \
    TRACE_PROCEDURE_(trace_task_end, (uint64_t task), (task)) \
    TRACE_PROCEDURE_(trace_region_begin, (const char *name), (name)) \
    TRACE_PROCEDURE_(trace_region_in, (uint64_t task, const char *name), (task, name)) \
    TRACE_PROCEDURE_(trace_region_end, (void), ()) \
    TRACE_PROCEDURE_(trace_log, (uint64_t task, const char *category, const char *text), (task, category, text)) \
    TRACE_PROCEDURE_(trace_instant, (const char *name), (name)) \
    TRACE_PROCEDURE_(trace_counter, (const char *name, int64_t value), (name, value)) \
    TRACE_FUNCTION_(int, trace_label_set, (const char *key, const char *value), (key, value), -ENOSYS) \
    TRACE_FUNCTION_(int, trace_label_begin, (const char *key, const char *value), (key, value), -ENOSYS) \
    TRACE_PROCEDURE_(trace_label_end, (const char *key), (key)) \
    TRACE_PROCEDURE_(trace_thread_name, (const char *name), (name)) \
    TRACE_PROCEDURE_(trace_gc_begin, (const char *kind), (kind)) \
    TRACE_PROCEDURE_(trace_gc_end, (const char *kind), (kind)) \
    TRACE_FUNCTION_(int64_t, trace_set_cpu_rate, (int64_t hz), (hz), -ENOSYS) \
    TRACE_FUNCTION_(int64_t, trace_set_heap_rate, (int64_t bytes), (bytes), -ENOSYS) \
    TRACE_FUNCTION_(int64_t, trace_set_block_rate, (int64_t ns), (ns), -ENOSYS) \
    TRACE_FUNCTION_(int64_t, trace_set_mutex_fraction, (int64_t n), (n), -ENOSYS) \
    TRACE_FUNCTION_(int, trace_lttng_enable, (void), (), -ENOSYS) \
    TRACE_FUNCTION_(int, trace_thread_count, (void), (), -ENOSYS) \
    TRACE_FUNCTION_(int, trace_mem_stats, (struct trace_memory *stats), (stats), -ENOSYS)

#if defined(TRACE_DISABLED)

#define TRACE_FUNCTION_(type, name, parameters, arguments, off) \
    static inline TRACE_UNUSED_ type name parameters { TRACE_OFF_##name return off; }
#define TRACE_PROCEDURE_(name, parameters, arguments) \
    static inline TRACE_UNUSED_ void name parameters { TRACE_OFF_##name }
/* Each parameter is used, so that no compiler warns. */
#define TRACE_OFF_trace_start (void)path;
#define TRACE_OFF_trace_start_fd (void)fd;
#define TRACE_OFF_trace_stop
#define TRACE_OFF_trace_serve (void)address;
#define TRACE_OFF_trace_serve_with (void)options;
#define TRACE_OFF_trace_serve_stop
#define TRACE_OFF_trace_serve_url
#define TRACE_OFF_trace_http_handle (void)request; (void)writer;
#define TRACE_OFF_trace_profile_write (void)name; (void)path; (void)debug;
#define TRACE_OFF_trace_cpu_profile_start (void)path;
#define TRACE_OFF_trace_cpu_profile_stop
#define TRACE_OFF_trace_profile_new (void)name;
#define TRACE_OFF_trace_profile_add (void)profile; (void)value; (void)skip;
#define TRACE_OFF_trace_profile_remove (void)profile; (void)value;
#define TRACE_OFF_trace_profile_count (void)profile;
#define TRACE_OFF_trace_enabled
#define TRACE_OFF_trace_task_begin (void)name; (void)parent;
#define TRACE_OFF_trace_task_end (void)task;
#define TRACE_OFF_trace_region_begin (void)name;
#define TRACE_OFF_trace_region_in (void)task; (void)name;
#define TRACE_OFF_trace_region_end
#define TRACE_OFF_trace_log (void)task; (void)category; (void)text;
#define TRACE_OFF_trace_instant (void)name;
#define TRACE_OFF_trace_counter (void)name; (void)value;
#define TRACE_OFF_trace_label_set (void)key; (void)value;
#define TRACE_OFF_trace_label_begin (void)key; (void)value;
#define TRACE_OFF_trace_label_end (void)key;
#define TRACE_OFF_trace_thread_name (void)name;
#define TRACE_OFF_trace_gc_begin (void)kind;
#define TRACE_OFF_trace_gc_end (void)kind;
#define TRACE_OFF_trace_set_cpu_rate (void)hz;
#define TRACE_OFF_trace_set_heap_rate (void)bytes;
#define TRACE_OFF_trace_set_block_rate (void)ns;
#define TRACE_OFF_trace_set_mutex_fraction (void)n;
#define TRACE_OFF_trace_lttng_enable
#define TRACE_OFF_trace_thread_count
#define TRACE_OFF_trace_mem_stats (void)stats;
TRACE_FUNCTIONS_
#undef TRACE_FUNCTION_
#undef TRACE_PROCEDURE_

#elif defined(TRACE_WEAK)

/* A weak reference to libctrace's function, and under its name a call that looks whether it is there. */
#define TRACE_FUNCTION_(type, name, parameters, arguments, off) \
    extern type name parameters __attribute__((weak)); \
    static inline TRACE_UNUSED_ type weak_##name parameters { return name ? name arguments : off; }
#define TRACE_PROCEDURE_(name, parameters, arguments) \
    extern void name parameters __attribute__((weak)); \
    static inline TRACE_UNUSED_ void weak_##name parameters { if (name) name arguments; }
TRACE_FUNCTIONS_
#undef TRACE_FUNCTION_
#undef TRACE_PROCEDURE_
#define trace_start weak_trace_start
#define trace_start_fd weak_trace_start_fd
#define trace_stop weak_trace_stop
#define trace_serve weak_trace_serve
#define trace_serve_with weak_trace_serve_with
#define trace_serve_stop weak_trace_serve_stop
#define trace_serve_url weak_trace_serve_url
#define trace_http_handle weak_trace_http_handle
#define trace_profile_write weak_trace_profile_write
#define trace_cpu_profile_start weak_trace_cpu_profile_start
#define trace_cpu_profile_stop weak_trace_cpu_profile_stop
#define trace_profile_new weak_trace_profile_new
#define trace_profile_add weak_trace_profile_add
#define trace_profile_remove weak_trace_profile_remove
#define trace_profile_count weak_trace_profile_count
#define trace_enabled weak_trace_enabled
#define trace_task_begin weak_trace_task_begin
#define trace_task_end weak_trace_task_end
#define trace_region_begin weak_trace_region_begin
#define trace_region_in weak_trace_region_in
#define trace_region_end weak_trace_region_end
#define trace_log weak_trace_log
#define trace_instant weak_trace_instant
#define trace_counter weak_trace_counter
#define trace_label_set weak_trace_label_set
#define trace_label_begin weak_trace_label_begin
#define trace_label_end weak_trace_label_end
#define trace_thread_name weak_trace_thread_name
#define trace_gc_begin weak_trace_gc_begin
#define trace_gc_end weak_trace_gc_end
#define trace_set_cpu_rate weak_trace_set_cpu_rate
#define trace_set_heap_rate weak_trace_set_heap_rate
#define trace_set_block_rate weak_trace_set_block_rate
#define trace_set_mutex_fraction weak_trace_set_mutex_fraction
#define trace_lttng_enable weak_trace_lttng_enable
#define trace_thread_count weak_trace_thread_count
#define trace_mem_stats weak_trace_mem_stats

#else

#define TRACE_FUNCTION_(type, name, parameters, arguments, off) extern type name parameters;
#define TRACE_PROCEDURE_(name, parameters, arguments) extern void name parameters;
TRACE_FUNCTIONS_
#undef TRACE_FUNCTION_
#undef TRACE_PROCEDURE_

#endif

#if defined(__GNUC__)
/* TRACE_REGION("name"); records a region from here to the end of the enclosing block, however it is left. */
static inline TRACE_UNUSED_ void trace_region_leave_(const int *unused)
{
    (void)unused;
    trace_region_end();
}
#define TRACE_PASTE_2_(a, b) a##b
#define TRACE_PASTE_(a, b) TRACE_PASTE_2_(a, b)
#define TRACE_REGION(name) \
    int TRACE_PASTE_(trace_region_, __LINE__) __attribute__((cleanup(trace_region_leave_), unused)) = \
        (trace_region_begin(name), 0)

/* TRACE_LABEL("key", value); labels this thread from here to the end of the enclosing block, however it is left. */
static inline TRACE_UNUSED_ void trace_label_leave_(const char *const *key)
{
    if (*key)
        trace_label_end(*key);
}
#define TRACE_LABEL(key, value) \
    const char *TRACE_PASTE_(trace_label_, __COUNTER__) __attribute__((cleanup(trace_label_leave_), unused)) = \
        trace_label_begin(key, value) == 0 ? (key) : NULL
#endif

#ifdef __cplusplus
}
#endif

#endif

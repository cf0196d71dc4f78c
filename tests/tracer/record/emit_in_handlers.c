/* Handlers that interrupt an emit, and each other: what they write, what there is no place for, and what they leave behind. */
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "tests/tracer/record/seen.h"

static volatile sig_atomic_t handler_events;

static void emit_in_handler(int signal)
{
    (void)signal;
    EMIT(WAKE, .object = 9);
    handler_events++;
}

/* The handler comes just where it hurts: the event is begun, its bytes are not published. */
static void a_handler_comes_within_an_emit(void **state)
{
    struct ct_emit e;
    struct seen seen;

    (void)state;
    start();
    handler_events = 0;
    signal(SIGALRM, emit_in_handler);
    assert_true(ct_emit_begin(&e, CT_EV_TASK_END, 0, 0));
    raise(SIGALRM);
    e.at = ct_varint_put(e.at, 1234567);
    ct_emit_end(&e);
    EMIT(GC_END);
    seen = stop();
    assert_int_equal(seen.count[CT_EV_WAKE], 1);
    assert_int_equal(seen.count[CT_EV_TASK_END], 1);
    assert_int_equal(seen.last[CT_EV_TASK_END].arg[0], 1234567);
    assert_int_equal(seen.count[CT_EV_GC_END], 1);
}

enum { DEEP = 3 };
static uint64_t dropped_at;
static bool goes_on;

static void emit_deep(int signal)
{
    (void)signal;
    for (int i = 0; i < DEEP; i++)
        EMIT(WAKE, .object = 9);
    dropped_at = ct_clock_now();
}

/* Itself interrupted in the middle of an event; whether it has another one to write then. */
static void emit_and_be_interrupted(int signal)
{
    struct ct_emit e;

    (void)signal;
    assert_true(ct_emit_begin(&e, CT_EV_TASK_END, 0, 0));
    raise(SIGUSR2);
    e.at = ct_varint_put(e.at, 1234567);
    ct_emit_end(&e);
    if (goes_on)
        EMIT(GC_BEGIN);
}

/* Both places to write to are in use: what is dropped is told before the next event that the handler has, or who was interrupted. */
static void what_is_dropped_deep_is_told_in_place(void **state)
{
    struct ct_emit e;
    struct seen seen;

    (void)state;
    signal(SIGALRM, emit_and_be_interrupted);
    signal(SIGUSR2, emit_deep);
    for (int i = 0; i < 2; i++) {
        goes_on = i == 1;
        start();
        assert_true(ct_emit_begin(&e, CT_EV_TASK_END, 0, 0));
        raise(SIGALRM);
        e.at = ct_varint_put(e.at, 1234567);
        ct_emit_end(&e);
        EMIT(MARK, .name = 3);
        seen = stop();
        assert_int_equal(seen.count[CT_EV_TASK_END], 2);
        assert_int_equal(seen.last[CT_EV_TASK_END].arg[0], 1234567);
        assert_int_equal(seen.count[CT_EV_MARK], 1);
        assert_int_equal(seen.count[CT_EV_WAKE], 0);
        assert_int_equal(seen.count[CT_EV_LOST], 1);
        assert_int_equal(seen.lost, DEEP);
        assert_true(seen.last[CT_EV_LOST].ticks >= dropped_at);
        assert_int_equal(seen.last[CT_EV_LOST].ticks, seen.last[goes_on ? CT_EV_GC_BEGIN : CT_EV_MARK].ticks);
    }
}

/* Signals each 50 us while the thread emits: no byte of either is damaged. */
static void handlers_interrupt_emits(void **state)
{
    struct itimerval often = { { 0, 50 }, { 0, 50 } }, never = { { 0, 0 }, { 0, 0 } };
    struct seen seen;

    (void)state;
    start();
    handler_events = 0;
    signal(SIGALRM, emit_in_handler);
    setitimer(ITIMER_REAL, &often, NULL);
    for (int i = 0; i < 100000 || (handler_events < 200 && i < 400000); i++)
        EMIT(SEM_WAIT, .object = 1, .at = 2);
    setitimer(ITIMER_REAL, &never, NULL);
    seen = stop();
    assert_true(handler_events >= 50);
    assert_int_equal(seen.count[CT_EV_WAKE], handler_events);
    assert_true(seen.count[CT_EV_SEM_WAIT] >= 100000);
    assert_int_equal(ct_self.under & CT_EMITS, 0);
}

#if defined(__x86_64__) && !defined(__SANITIZE_THREAD__)

#define STEP_THROUGH(...) \
    do { \
        asm volatile("lea -128(%%rsp), %%rsp; pushfq; orl $0x100, (%%rsp); popfq; lea 128(%%rsp), %%rsp" : : : "memory", "cc"); \
        __VA_ARGS__; \
        asm volatile("lea -128(%%rsp), %%rsp; pushfq; andl $~0x100, (%%rsp); popfq; lea 128(%%rsp), %%rsp" : : : "memory", "cc"); \
    } while (0)

/* A handler at each instruction of an emit: each writes what it has to, and none of it is lost. */
static void handlers_come_at_each_instruction(void **state)
{
    enum { EMITS = 20 };
    struct seen seen;

    (void)state;
    start();
    handler_events = 0;
    signal(SIGTRAP, emit_in_handler);
    EMIT(GC_END);
    for (int i = 0; i < EMITS; i++)
        STEP_THROUGH(EMIT(SEM_WAIT, .object = 1, .at = 2));
    signal(SIGTRAP, SIG_DFL);
    seen = stop();
    assert_int_equal(seen.count[CT_EV_SEM_WAIT], EMITS);
    assert_true(handler_events > EMITS * 10);
    assert_int_equal(seen.count[CT_EV_WAKE], handler_events);
    assert_int_equal(ct_self.under & CT_EMITS, 0);
}

static struct seen drained;

static void emit_deep_each_time(int signal)
{
    emit_and_be_interrupted(signal);
    handler_events++;
    if (handler_events % 50 == 0)
        recording_drain(look, &drained);
}

/* The same with one that is interrupted itself: of what that one drops each event is told, also where the first takes a slice. */
static void deep_handlers_come_at_each_instruction(void **state)
{
    struct seen seen;

    (void)state;
    start();
    memset(&drained, 0, sizeof drained);
    handler_events = 0;
    goes_on = false;
    signal(SIGUSR2, emit_deep);
    signal(SIGTRAP, emit_deep_each_time);
    STEP_THROUGH(EMIT(SEM_WAIT, .object = 1, .at = 2));
    signal(SIGTRAP, SIG_DFL);
    EMIT(GC_END);
    seen = stop();
    assert_int_equal(seen.count[CT_EV_SEM_WAIT] + drained.count[CT_EV_SEM_WAIT], 1);
    assert_true(handler_events > 100);          /* it takes a slice */
    assert_int_equal(seen.count[CT_EV_TASK_END] + drained.count[CT_EV_TASK_END], handler_events);
    assert_true(seen.lost + drained.lost > 100);
    assert_int_equal(seen.count[CT_EV_WAKE] + drained.count[CT_EV_WAKE] + seen.lost + drained.lost, DEEP * handler_events);
}

#endif

static sigjmp_buf away;

static void leave_handler(int signal)
{
    (void)signal;
    siglongjmp(away, 1);
}

/* A handler that leaves an emit by siglongjmp must not stop the thread from recording for ever. */
static void recording_survives_siglongjmp(void **state)
{
    uint64_t written, now;
    struct seen seen;

    (void)state;
    start();
    signal(SIGUSR1, leave_handler);
    EMIT(GC_END);
    written = ct_self.writer[0].last_ticks;
    if (sigsetjmp(away, 1) == 0) {
        ct_self.under = (ct_stack_pointer() - 4096) | 1;        /* as if an emit deeper in the stack were under way */
        ct_self.writer[0].last_ticks++;                 /* and were at its last store but one */
        raise(SIGUSR1);
    }
    now = written + 1000;
    EMIT(GC_END, .time = now);
    assert_int_equal(ct_self.under & CT_EMITS, 0);
    EMIT(GC_END, .time = now);
    seen = stop();
    assert_int_equal(seen.count[CT_EV_GC_END], 3);
    assert_int_equal(seen.last[CT_EV_GC_END].ticks, now);
}

/* A handler forks in the middle of an event, and the child goes on with it, as its parent does: each in a memory of its own. */
static void a_child_ends_what_its_parent_began(void **state)
{
    struct ct_emit e;
    struct seen seen;
    int goes[2], status;
    pid_t child;

    (void)state;
    start();
    assert_int_equal(pipe(goes), 0);
    assert_true(ct_emit_begin(&e, CT_EV_TASK_END, 0, 0));
    child = fork();
    if (child == 0) {
        ct_session_forked_child();              /* as the wrapper of fork() does */
        if (read(goes[0], &status, 1) != 1)
            _exit(1);
        e.at = ct_varint_put(e.at, 7654321);
        ct_emit_end(&e);
        _exit(0);
    }
    e.at = ct_varint_put(e.at, 1234567);
    ct_emit_end(&e);
    EMIT(GC_END);
    assert_int_equal(write(goes[1], "", 1), 1);
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_int_equal(status, 0);
    close(goes[0]);
    close(goes[1]);
    seen = stop();
    assert_int_equal(seen.count[CT_EV_TASK_END], 1);
    assert_int_equal(seen.last[CT_EV_TASK_END].arg[0], 1234567);
    assert_int_equal(seen.count[CT_EV_GC_END], 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_handler_comes_within_an_emit),
        cmocka_unit_test(what_is_dropped_deep_is_told_in_place),
        cmocka_unit_test(handlers_interrupt_emits),
#if defined(__x86_64__) && !defined(__SANITIZE_THREAD__)
        cmocka_unit_test(handlers_come_at_each_instruction),
        cmocka_unit_test(deep_handlers_come_at_each_instruction),
#endif
        cmocka_unit_test(recording_survives_siglongjmp),
        cmocka_unit_test(a_child_ends_what_its_parent_began),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

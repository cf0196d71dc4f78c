/* Who this process is: read from /proc; what cannot be read stays empty. */
#include "record/run.h"

#include <fcntl.h>
#include <string.h>
#include <sys/utsname.h>

#include "record/clock.h"
#include "record/rawfile.h"
#include "record/session_state.h"
#include "record/syscall.h"

/* Field 22 of /proc/self/stat; the name before it may hold spaces and brackets, so count from the last ')'. */
static uint64_t start_time(void)
{
    char text[1024];
    const char *at = text;

    if (ct_raw_read_file("/proc/self/stat", text, sizeof text) <= 0)
        return 0;
    for (const char *p = text; *p; p++)
        if (*p == ')')
            at = p;
    for (int field = 2; *at && field < 22; at++)
        field += *at == ' ';
    return ct_raw_number(&at, 10);
}

static void read_boot_id(uint8_t *to)
{
    char text[64];
    unsigned nibbles = 0;

    if (ct_raw_read_file("/proc/sys/kernel/random/boot_id", text, sizeof text) <= 0)
        return;
    for (const char *p = text; *p && nibbles < 2 * CT_UUID_SIZE; p++) {
        const char one[2] = { *p, '\0' };
        const char *at = one;
        uint64_t value = ct_raw_number(&at, 16);

        if (at == one)
            continue;
        to[nibbles / 2] = (uint8_t)(to[nibbles / 2] << 4 | value);
        nibbles++;
    }
}

/* "0-7" or "0,2-3": one more than the last number. */
static uint32_t cpu_count(void)
{
    char text[256];
    const char *at = text;
    uint64_t last = 0;

    if (ct_raw_read_file("/sys/devices/system/cpu/possible", text, sizeof text) <= 0)
        return 0;
    while (*at) {
        const char *was = at;

        last = ct_raw_number(&at, 10);
        at += *at && at == was ? 1 : 0;
        while (*at && (*at < '0' || *at > '9'))
            at++;
    }
    return (uint32_t)last + 1;
}

static struct ct_text text_of(const char *s)
{
    return (struct ct_text){ s, strlen(s) };
}

void ct_run_describe(struct ct_arena *a)
{
    static char program[CT_PATH_MAX], arguments[2048], system_name[400];
    static struct utsname name;
    struct ct_run run = { 0 };
    struct ct_buffer buffer = ct_buffer_over(a->run, sizeof a->run);
    long length;
    size_t at = 0;

    a->pid = (uint32_t)ct_syscall(SYS_getpid);
    a->parent_pid = (uint32_t)ct_syscall(SYS_getppid);
    a->uid = (uint32_t)ct_syscall(SYS_getuid);
    a->clock = ct_clock_kind();
    a->ticks_per_second = ct_clock_rate();
    a->start_time = start_time();
    a->cpus = cpu_count();
    read_boot_id(a->boot_id);
    memcpy(run.run_id, a->run_id, sizeof run.run_id);
    memcpy(run.arena_id, a->arena_id, sizeof run.arena_id);
    memcpy(run.boot_id, a->boot_id, sizeof run.boot_id);
    run.pid = a->pid;
    run.parent_pid = a->parent_pid;
    run.uid = a->uid;
    run.start_time = a->start_time;
    run.clock = a->clock;
    run.ticks_per_second = a->ticks_per_second;
    run.cpus = a->cpus;
    run.categories = a->categories;
    ct_syscall(SYS_uname, &name);
    run.host = text_of(name.nodename);
    ct_raw_append(system_name, sizeof system_name, &at, name.sysname);
    ct_raw_append(system_name, sizeof system_name, &at, " ");
    ct_raw_append(system_name, sizeof system_name, &at, name.release);
    ct_raw_append(system_name, sizeof system_name, &at, " ");
    ct_raw_append(system_name, sizeof system_name, &at, name.machine);
    run.system = text_of(system_name);
    length = ct_syscall(SYS_readlinkat, AT_FDCWD, "/proc/thread-self/exe", program, 1024);
    run.program = (struct ct_text){ program, length > 0 ? (size_t)length : 0 };
    length = ct_options.paths ? ct_raw_read_file("/proc/thread-self/cmdline", arguments, sizeof arguments) : 0;
    run.arguments = (struct ct_text){ arguments, length > 0 ? (size_t)length : 0 };
    run.version = text_of(CT_VERSION);
    ct_run_put(&buffer, &run);
    a->run_size = (uint32_t)ct_buffer_used(&buffer);
}

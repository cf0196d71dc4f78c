/* The list /proc/self/task. */
#include "record/tasks.h"

#include <fcntl.h>

#include "record/rawfile.h"
#include "record/syscall.h"

bool ct_tasks_each(void (*each)(uint32_t tid))
{
    struct entry { uint64_t inode; int64_t next; unsigned short size; unsigned char type; char name[]; };
    static char list[4096] __attribute__((aligned(8)));
    long fd = ct_syscall(SYS_openat, AT_FDCWD, "/proc/self/task", O_RDONLY | O_DIRECTORY | O_CLOEXEC, 0);
    long own = ct_syscall(SYS_gettid), n;

    if (fd < 0)
        return false;
    while ((n = ct_syscall(SYS_getdents64, fd, list, sizeof list)) > 0)
        for (long at = 0; at < n;) {
            struct entry *e = (struct entry *)(list + at);
            const char *digits = e->name;
            uint64_t tid = ct_raw_number(&digits, 10);

            at += e->size;
            if (tid != 0 && tid != (uint64_t)own)
                each((uint32_t)tid);
        }
    ct_syscall(SYS_close, fd);
    return true;
}

long ct_tasks_read(uint32_t tid, const char *file, char *to, size_t size)
{
    char path[64], digits[12];
    size_t used = 0, at = sizeof digits - 1;

    digits[at] = '\0';
    for (; tid && at; tid /= 10)
        digits[--at] = (char)('0' + tid % 10);
    ct_raw_append(path, sizeof path, &used, "/proc/self/task/");
    ct_raw_append(path, sizeof path, &used, digits + at);
    ct_raw_append(path, sizeof path, &used, "/");
    ct_raw_append(path, sizeof path, &used, file);
    return ct_raw_read_file(path, to, size);
}

/* The threads that the kernel knows of this process. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Calls `each` for every thread but the calling one.  Control thread only.  False when there is no list (no /proc). */
bool ct_tasks_each(void (*each)(uint32_t tid));

/* Reads /proc/self/task/TID/FILE as ct_raw_read_file() does. */
long ct_tasks_read(uint32_t tid, const char *file, char *to, size_t size);

/* Going through session directories for arenas whose drainer is gone. */
#include "drain/dead.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "drain/life.h"

/* An arena that is no arena yet may be one in the making while it is younger than this. */
enum { BEING_MADE_S = 10 };

struct visit {
    enum ct_session_use use;
    unsigned patience_ms;
    int (*visit)(void *context, struct ct_dead *dead);
    void *context;
};

static bool this_boot(const uint8_t id[CT_UUID_SIZE])
{
    char text[40], plain[2 * CT_UUID_SIZE + 1];
    uint8_t now[CT_UUID_SIZE];
    FILE *file = fopen("/proc/sys/kernel/random/boot_id", "re");
    size_t n = 0;

    if (!file)
        return true;
    if (!fgets(text, sizeof text, file))
        text[0] = '\0';
    fclose(file);
    for (const char *p = text; *p && n < sizeof plain - 1; p++)
        if (*p != '-' && *p != '\n')
            plain[n++] = *p;
    plain[n] = '\0';
    return !ct_session_unhex(plain, now) || memcmp(now, id, CT_UUID_SIZE) == 0;
}

bool ct_dead_writer_lives(const struct ct_arena *head)
{
    uint64_t start = this_boot(head->boot_id) ? ct_life_start((pid_t)head->pid) : 0;

    return start && (start == head->start_time || head->start_time == 0);
}

static void look_into(struct ct_dead *dead)
{
    struct ct_arena *head = malloc(sizeof *head);
    struct ct_cursor c;
    struct ct_run run;

    if (!head)
        return;
    if (pread(dead->fd, head, sizeof *head, 0) == (ssize_t)sizeof *head && ct_arena_check(head, dead->size, NULL) == 0 &&
        memcmp(head->arena_id, dead->arena_id, CT_UUID_SIZE) == 0) {
        dead->whole = true;
        dead->pid = head->pid;
        dead->writer_lives = ct_dead_writer_lives(head);
        c = ct_cursor_over(head->run, head->run_size, 0);
        if (ct_run_get(&c, &run, NULL) == 0)
            snprintf(dead->program, sizeof dead->program, "%.*s", (int)(run.program.size < 60 ? run.program.size : 60),
                     run.program.at);
    }
    free(head);
    dead->has_target = ct_session_target(dead->session, dead->arena_id, &dead->target) == 0;
}

/* Visits one arena file; `*keep` says that it is still of use afterwards. */
static int visit_arena(const struct visit *v, struct ct_session_dir *s, const char *name, const uint8_t *id, bool *keep)
{
    struct ct_dead dead = { .session = s };
    struct stat st;
    int r = 0;

    memcpy(dead.arena_id, id, CT_UUID_SIZE);
    dead.fd = openat(s->fd, name, O_RDWR | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK);
    if (dead.fd < 0)
        return 0;
    if (fstat(dead.fd, &st) == 0 && S_ISREG(st.st_mode) && st.st_uid == geteuid()) {
        dead.size = (uint64_t)st.st_size;
        look_into(&dead);
        if (dead.whole)
            r = v->visit(v->context, &dead);
        else if (v->use == CT_SESSION_FOLD && time(NULL) - st.st_mtime > BEING_MADE_S)
            unlinkat(s->fd, name, 0);
    }
    close(dead.fd);
    *keep |= faccessat(s->fd, name, F_OK, AT_SYMLINK_NOFOLLOW) == 0;
    return r;
}

static int visit_session(void *context, struct ct_session_dir *s)
{
    const struct visit *v = context;
    struct dirent *entry;
    bool keep = false;
    int copy, r = 0;
    DIR *dir;

    if (!ct_session_take(s, v->use, v->patience_ms))
        return 0;
    copy = openat(s->fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    dir = copy < 0 ? NULL : fdopendir(copy);
    if (!dir) {
        if (copy >= 0)
            close(copy);
        return 0;
    }
    while (r == 0 && (entry = readdir(dir))) {
        uint8_t id[CT_UUID_SIZE];

        if (ct_session_unhex(entry->d_name, id))
            r = visit_arena(v, s, entry->d_name, id, &keep);
    }
    closedir(dir);
    if (v->use == CT_SESSION_FOLD && r == 0 && !keep)
        ct_session_dir_close(s, true);
    return r;
}

int ct_dead_session(struct ct_session_dir *s, enum ct_session_use use, int (*visit)(void *context, struct ct_dead *dead),
                    void *context)
{
    struct visit v = { use, 0, visit, context };

    return visit_session(&v, s);
}

int ct_dead_each(enum ct_session_use use, unsigned patience_ms, int (*visit)(void *context, struct ct_dead *dead),
                 void *context)
{
    struct visit v = { use, patience_ms, visit, context };

    return ct_session_each(visit_session, &v);
}

/* What happens after the last event: names, and a word about traces that stayed empty. */
#include "viewer/record_finish.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "drain/recover.h"
#include "format/file.h"
#include "format/limits.h"
#include "format/notes.h"
#include "viewer/names.h"
#include "viewer/record_profiles.h"

void ct_finish_begin(struct ct_finish *f, const char *output)
{
    f->output = output;
    f->terminal = isatty(STDERR_FILENO);
}

void ct_finish_add(void *finish, const char *path)
{
    struct ct_finish *f = finish;
    char *copy;

    if (f->count == f->room) {
        size_t room = f->room ? f->room * 2 : 16;
        char **more = realloc(f->path, room * sizeof *more);

        if (!more)
            return;                 /* that trace stays without names; `ctrace convert` can still find them */
        f->path = more;
        f->room = room;
    }
    copy = strdup(path);
    if (copy)
        f->path[f->count++] = copy;
}

void ct_finish_add_other(struct ct_finish *f, const char *path, const char *output)
{
    char old[CT_PATH_MAX];
    size_t before = f->count;

    if (strcmp(path, output) == 0 && (size_t)snprintf(old, sizeof old, "%s.old", path) < sizeof old)
        path = old;
    ct_finish_add(f, path);
    f->others += f->count - before;
}

void ct_finish_trouble(void *finish, const char *text)
{
    (void)finish;
    fprintf(stderr, "ctrace: %s\n", text);
}

void ct_finish_say_waiting(struct ct_finish *f, unsigned count)
{
    f->said_waiting = true;
    if (f->terminal && count)
        fprintf(stderr, "ctrace: the program has ended and left %u process%s running, traced on; "
                        "^C ends that, and with --no-wait the prompt comes at once\n", count, count == 1 ? "" : "es");
}

void ct_finish_lost(struct ct_finish *f, uint64_t lost, unsigned images)
{
    f->lost = lost;
    f->images = images;
}

void ct_finish_say_notes(uint32_t notes)
{
    for (unsigned i = 0; i < CT_NOTES; i++)
        if (notes >> i & 1)
            fprintf(stderr, "ctrace: %s\n", ct_note_text(i));
}

static void hear_of_leftover(void *context, const struct ct_recovery *one)
{
    if (one->path && one->result == 0)
        ct_finish_add(context, one->path);
}

void ct_finish_fold(struct ct_finish *f, struct ct_session_dir *session)
{
    const struct ct_recover_options recover = { .report = hear_of_leftover, .context = f };
    struct stat st;

    if (stat(f->output, &st) == 0 && S_ISREG(st.st_mode))
        f->images += (unsigned)ct_recover_session(session, &recover);
}

void ct_finish_end(struct ct_finish *f)
{
    struct stat st;

    if (f->images == 0) {
        fputs("ctrace: the program never let the recorder in, so nothing was recorded\n", stderr);
        if (stat(f->output, &st) == 0 && S_ISREG(st.st_mode) && st.st_size <= (off_t)sizeof(struct ct_file_head))
            unlink(f->output);
    } else {
        ct_names_add_all(f->path, f->count);
        ct_record_profiles_write(f->profiles, f->path + f->others, f->count - f->others, f->terminal);
        if (f->terminal && ct_record_profiles_keep_trace(f->profiles))
            ct_summary_print(f->output, f->lost, f->count - f->others);
    }
    for (size_t i = 0; i < f->count; i++)
        free(f->path[i]);
    free(f->path);
    *f = (struct ct_finish){ 0 };
}

/* `ctrace info` for a person. */
#include <errno.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <time.h>

#include "converter/text/words.h"
#include "viewer/info.h"

__attribute__((format(printf, 2, 3)))
static void put(struct ct_output *out, const char *format, ...)
{
    va_list args;
    char *room = ct_output_room(out, 256);
    int n;

    va_start(args, format);
    n = vsnprintf(room, 256, format, args);
    va_end(args);
    ct_output_advance(out, room + (n < 256 ? n : 255));
}

static void write_input(const struct ct_info *info, unsigned i, struct ct_output *out)
{
    const struct ct_read_ending *ending = ct_reader_ending(info->reader, i);
    struct ct_text cover = ct_reader_cover(info->reader, i);

    ct_words_shown(out, (struct ct_text){ info->paths[i], strlen(info->paths[i]) });
    put(out, ": %s", ct_info_ending(ending));
    if (ending->damage || !ending->complete)
        put(out, " at byte %llu: %s", (unsigned long long)ending->cut_offset, ending->error.text);
    put(out, "%s\n", ending->recovered ? " (its end was recovered)" : "");
    if (cover.size && cover.at[cover.size - 1] == '\n')
        cover.size--;
    if (cover.size) {
        put(out, "  ");
        ct_words_shown(out, cover);
        put(out, "\n");
    }
}

/* Arguments are separated by NULs; the last may have one behind it too. */
static void write_command(const struct ct_run *run, struct ct_output *out)
{
    struct ct_text name = ct_run_name(run), file = run->program, arguments = run->arguments;
    struct ct_text base = ct_run_name(&(struct ct_run){ .program = file });
    bool other = base.size != name.size || memcmp(base.at, name.at, name.size) != 0;

    put(out, "\nprogram      ");
    if (!file.size)
        put(out, "unknown: its description is missing");
    else
        ct_words_shown(out, other ? name : file);
    for (size_t from = 0, to, word = 0; from < arguments.size; from = to + 1, word++) {
        for (to = from; to < arguments.size && arguments.at[to]; to++)
            ;
        if (word == 0)
            continue;                   /* argv[0] */
        put(out, " ");
        ct_words_shown(out, (struct ct_text){ arguments.at + from, to - from });
    }
    if (file.size && other) {
        put(out, "\nexecutable   ");
        ct_words_shown(out, file);
    }
    put(out, "\n");
}

/* Without a generation there is no clock: only when the file was written last is known. */
static void write_no_time(const char *path, struct ct_output *out)
{
    char when[32];
    struct stat st;
    struct tm tm;

    put(out, "recorded     no time was recorded");
    if (stat(path, &st) == 0 && S_ISREG(st.st_mode) && gmtime_r(&st.st_mtime, &tm) &&
        strftime(when, sizeof when, "%Y-%m-%d %H:%M:%S", &tm))
        put(out, "; the file was last written %s UTC", when);
    put(out, "\n");
}

static void write_when(const struct ct_read_program *program, struct ct_output *out)
{
    int64_t realtime = program->start_ns + program->realtime_offset_ns;
    time_t second = (time_t)(realtime / 1000000000);
    char when[32];
    struct tm tm;

    if (realtime < 0 || !gmtime_r(&second, &tm) || !strftime(when, sizeof when, "%Y-%m-%d %H:%M:%S", &tm))
        strcpy(when, "unknown");
    put(out, "recorded     %s UTC, ", when);
    put(out, "%.6f s", (double)(program->end_ns - program->start_ns) / 1e9);
    if (program->start_ns > 0)
        put(out, ", from %.6f s", (double)program->start_ns / 1e9);
    put(out, "\n");
}

/* By which clock it stands beside what other machines did. */
static void write_host(const struct ct_read_program *program, struct ct_output *out)
{
    const struct ct_read_shift *shift = program->shift;

    if (!shift)
        return;
    if (shift->how == CT_READ_SHIFT_FIRST)
        put(out, "offset       0 ns: other machines' clocks are compared with this one\n");
    else if (shift->how == CT_READ_SHIFT_SAID)
        put(out, "offset       %+lld ns, as --offset says\n", (long long)shift->ns);
    else if (shift->how == CT_READ_SHIFT_COMPARED)
        put(out, "offset       %+lld ns, +-%lld ns by %llu messages\n", (long long)shift->ns, (long long)shift->uncertain_ns,
            (unsigned long long)shift->messages);
    else
        put(out, "offset       unknown: no messages both ways tell how the machine's clock differs\n");
}

static void write_ended(const struct ct_read_program *program, struct ct_output *out)
{
    static const char *const reasons[] = { "exit status", "killed by signal", "recording was stopped", "at its maximal size",
                                           "became another program", "the recorder gave up", "recovered" };
    const struct ct_end *end = &program->end;

    put(out, "ended        ");
    if (!program->has_end)
        put(out, "not told: the trace is cut");
    else if (end->reason == CT_END_SIGNAL && end->status == 0)
        put(out, "unseen");             /* no signal has that number: see ct_process_end_row() */
    else if (end->reason <= CT_END_SIGNAL)
        put(out, "%s %llu", reasons[end->reason], (unsigned long long)end->status);
    else
        put(out, "%s", end->reason <= CT_END_RECOVERED ? reasons[end->reason] : "for a reason this version does not know");
    if (program->has_end && end->text.size) {
        put(out, ": ");
        ct_words_shown(out, end->text);
    }
    put(out, "\n");
}

/* What the recording itself cost the program at its start and stop and in between. */
static void write_pauses(const struct ct_info_program *p, struct ct_output *out)
{
    static const struct { enum ct_pause_kind kind; const char *name, *several; } kinds[] = {
        { CT_PAUSE_START, "start", "starts" }, { CT_PAUSE_TURN, "turn", "turns" }, { CT_PAUSE_STOP, "stop", "stops" },
    };
    const char *before = "pauses       ";

    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++) {
        uint64_t count = p->pauses[kinds[i].kind].count;

        if (!count)
            continue;
        put(out, "%s%llu %s %.1f us", before, (unsigned long long)count, count == 1 ? kinds[i].name : kinds[i].several,
            (double)p->pauses[kinds[i].kind].ns / 1e3);
        before = ", ";
    }
    if (*before == ',')
        put(out, "\n");
}

static void write_program(const struct ct_info_program *p, const char *path, struct ct_output *out)
{
    const struct ct_run *run = &p->program->run;
    const char *clock = ct_words_of(CT_WORDS_CLOCKS, run->clock);

    write_command(run, out);
    put(out, "process      %llu, child of %llu, user %llu\n", (unsigned long long)run->pid,
        (unsigned long long)run->parent_pid, (unsigned long long)run->uid);
    put(out, "host         ");
    ct_words_shown(out, run->host);
    put(out, ", ");
    ct_words_shown(out, run->system);
    put(out, ", %llu CPUs, ctrace ", (unsigned long long)run->cpus);
    ct_words_shown(out, run->version);
    put(out, "\n");
    if (p->generations)
        write_when(p->program, out);
    else
        write_no_time(path, out);
    put(out, "clock        %s, %llu ticks a second\n", clock ? clock : "unknown", (unsigned long long)run->ticks_per_second);
    write_host(p->program, out);
    put(out, "threads      %llu\n", (unsigned long long)p->threads);
    put(out, "generations  %llu", (unsigned long long)p->generations);
    if (p->recovered_generations)
        put(out, ", %llu of them recovered", (unsigned long long)p->recovered_generations);
    if (p->missing_generations)
        put(out, "; %llu more are not in the trace: %.6f s", (unsigned long long)p->missing_generations, (double)p->missing_ns / 1e9);
    put(out, "\nevents       %llu in %llu bytes\n", (unsigned long long)p->events, (unsigned long long)p->event_bytes);
    put(out, "lost         %llu\n", (unsigned long long)p->lost);
    write_pauses(p, out);
    write_ended(p->program, out);
}

struct line {
    const struct ct_info_count *first;
    uint64_t count, bytes;
};

static int by_bytes(const void *a, const void *b)
{
    const struct line *x = a, *y = b;

    if (x->bytes != y->bytes)
        return x->bytes > y->bytes ? -1 : 1;
    return x->first && y->first ? strcmp(x->first->event->name, y->first->event->name) : 0;
}

/* Events of all programs by type, those that take the most room first. */
static void write_table(const struct ct_info *info, struct ct_output *out)
{
    struct line lines[256] = { { 0 } };

    for (unsigned i = 0; i < info->program_count; i++)
        for (unsigned no = 0; no < 256; no++) {
            const struct ct_info_count *count = &info->programs[i].counts[no];

            if (count->count && !lines[no].first)
                lines[no].first = count;
            lines[no].count += count->count;
            lines[no].bytes += count->bytes;
        }
    qsort(lines, 256, sizeof *lines, by_bytes);
    if (lines[0].first)
        put(out, "\n%-20s %14s %16s %6s\n", "event", "count", "bytes", "each");
    for (unsigned i = 0; i < 256 && lines[i].first; i++)
        put(out, "%-20s %14llu %16llu %6.1f\n", lines[i].first->event->name, (unsigned long long)lines[i].count,
            (unsigned long long)lines[i].bytes, (double)lines[i].bytes / (double)lines[i].count);
}

static void write_oddities(const struct ct_info *info, struct ct_output *out)
{
    const struct ct_read_oddities *odd = ct_reader_oddities(info->reader);
    const struct { uint64_t count; const char *text; } rows[] = {
        { odd->missing_pieces, "pieces of batches could not be used: what precedes them is missing" },
        { odd->duplicate_pieces, "pieces stood there twice" },
        { odd->unknown_blocks, "blocks of a newer version were stepped over" },
    };

    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        if (rows[i].count)
            put(out, "note: %llu %s\n", (unsigned long long)rows[i].count, rows[i].text);
    if (odd->disordered)
        put(out, "note: %llu events, written after later ones, were moved in time: %.1f us at most\n",
            (unsigned long long)odd->disordered, (double)odd->raised_ns / 1e3);
}

void ct_info_write_text(const struct ct_info *info, struct ct_output *out)
{
    for (unsigned i = 0; i < info->input_count; i++)
        write_input(info, i, out);
    if (info->program_count == 0)
        put(out, "nothing was recorded: the file ends before the first program is described\n");
    for (unsigned i = 0; i < info->program_count; i++)
        write_program(&info->programs[i], info->paths[info->programs[i].program->input], out);
    write_table(info, out);
    write_oddities(info, out);
}

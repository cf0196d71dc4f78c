/* The graph that reads CTF: babeltrace2's source for each trace, and our sink. */
#include "converter/bt2/ctf_in.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "converter/bt2/folders.h"
#include "converter/bt2/graph.h"
#include "converter/bt2/in_merge.h"
#include "converter/bt2/unpack.h"
#include "converter/symbols/annotate.h"

enum { AGAIN_US = 100000, TELL_MS = 1000 };

/* --- the graph --- */

static bool is_live(const char *place)
{
    return strncmp(place, "net://", 6) == 0 || strncmp(place, "net4://", 7) == 0 || strncmp(place, "net6://", 7) == 0;
}

/* What is read: folders, or one live session.  Their words: where babeltrace2's log goes, 0 nowhere. */
struct subject {
    const char *place;
    const struct ct_ctf_folders *folders;       /* NULL: it is live */
    int words;
};

static const char *place_of(const struct subject *s, size_t folder)
{
    return s->folders ? s->folders->item[folder].path : s->place;
}

/* The folders of the trace that begins with folder `first`: parts of one, which babeltrace2 joins. */
static int put_inputs(bt_value *inputs, const struct subject *s, size_t first)
{
    int r = s->folders ? 0 : bt_value_array_append_string_element(inputs, s->place);

    for (size_t i = first; s->folders && r == 0 && i < s->folders->count; i++)
        if (s->folders->item[i].group == first)
            r = bt_value_array_append_string_element(inputs, s->folders->item[i].path);
    return r;
}

static int add_source(bt_graph *graph, const bt_plugin *ctf, const struct subject *s, size_t first,
                      const bt_component_source **ret, struct ct_error *err)
{
    const bt_component_class_source *class =
        bt_plugin_borrow_source_component_class_by_name_const(ctf, s->folders ? "fs" : "lttng-live");
    bt_logging_level level = s->words ? BT_LOGGING_LEVEL_WARNING : BT_LOGGING_LEVEL_NONE;
    bt_value *params = bt_value_map_create(), *inputs = NULL;
    char name[32];
    int r = 0;

    snprintf(name, sizeof name, "ctf%zu", first);
    if (!params || bt_value_map_insert_empty_array_entry(params, "inputs", &inputs) != 0 || put_inputs(inputs, s, first) != 0 ||
        (!s->folders && bt_value_map_insert_string_entry(params, "session-not-found-action", "fail") != 0))
        r = ct_error_at(err, -ENOMEM, 0, "no memory");
    else if (bt_graph_add_source_component(graph, class, name, params, level, ret) != 0)
        r = ct_bt2_error(err, place_of(s, first), s->words);
    bt_value_put_ref(params);
    return r;
}

static int connect(bt_graph *graph, const bt_component_source *source, const bt_component_sink *sink, uint64_t first)
{
    int r = 0;

    for (uint64_t i = 0; r == 0 && i < bt_component_source_get_output_port_count(source); i++)
        r = bt_graph_connect_ports(graph, bt_component_source_borrow_output_port_by_index_const(source, i),
                                   bt_component_sink_borrow_input_port_by_index_const(sink, first + i), NULL);
    return r;
}

static int fill_graph(bt_graph *graph, const struct subject *s, struct ct_in *in, struct ct_error *err)
{
    size_t count = s->folders ? s->folders->count : 1;
    const bt_component_source **sources = calloc(count, sizeof *sources);
    const bt_component_sink *sink;
    const bt_plugin *ctf = NULL;
    uint64_t ports = 0, first = 0;
    int r = sources ? 0 : ct_error_at(err, -ENOMEM, 0, "no memory");

    if (r == 0 && bt_plugin_find("ctf", BT_FALSE, BT_TRUE, BT_TRUE, BT_TRUE, BT_FALSE, &ctf) != 0)
        r = ct_bt2_error(err, "babeltrace2's plugin 'ctf' is not there", 0);
    for (size_t i = 0; r == 0 && i < count; i++) {
        if (s->folders && s->folders->item[i].group != i)
            continue;
        r = add_source(graph, ctf, s, i, &sources[i], err);
        ports += r == 0 ? bt_component_source_get_output_port_count(sources[i]) : 0;
    }
    if (r == 0)
        r = ct_in_merge_add(graph, in, (unsigned)ports, &sink, err);
    for (size_t i = 0; r == 0 && i < count; i++) {
        if (!sources[i])
            continue;
        if (connect(graph, sources[i], sink, first) != 0)
            r = ct_bt2_error(err, place_of(s, i), s->words);
        first += bt_component_source_get_output_port_count(sources[i]);
    }
    bt_plugin_put_ref(ctf);
    free(sources);
    return r;
}

/* --- running it --- */

static volatile sig_atomic_t stopped;
static bt_interrupter *interrupter;

/* A relay that hangs is waited for inside babeltrace2, which goes on waiting after a signal unless it is told. */
static void stop(int signal)
{
    stopped = 1;
    bt_interrupter_set(interrupter);
}

static int64_t now_ms(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

/* babeltrace2 says at length that a session is not there, or a relay no more, and little of what to do. */
static int live_error(struct ct_error *err, const char *place)
{
    static const char *const gone[] = { "Remote side has closed connection", "Error receiving from Relay", "Error sending" };
    int r = ct_bt2_error(err, place, 0);
    char cause[80] = "";
    const char *at = strstr(err->text, ": ");

    if (at)
        snprintf(cause, sizeof cause, "%.*s", (int)strcspn(at, ";"), at);      /* the others only passed it on */
    if (strstr(err->text, "Unable to connect to the requested live viewer session"))
        return ct_error_at(err, -ENOENT, 0, "%.70s: no such session is there to be looked at", place);
    for (size_t i = 0; i < sizeof gone / sizeof *gone; i++)
        if (strstr(err->text, gone[i]))
            return ct_error_at(err, r, 0, "%.70s: the relay daemon went away%s", place, cause);
    return r;
}

/* A live source says "again" while there is nothing.  Who ends a live session from the keyboard wants what came. */
static int run_live(bt_graph *graph, struct ct_in *in, struct ct_error *err, const char *place)
{
    int64_t told_ms = now_ms();
    struct sigaction action = { .sa_handler = stop }, before[2];
    bt_graph_run_once_status status;

    stopped = 0;
    interrupter = bt_graph_borrow_default_interrupter(graph);
    sigaction(SIGINT, &action, &before[0]);
    sigaction(SIGTERM, &action, &before[1]);
    while ((status = bt_graph_run_once(graph)) == BT_GRAPH_RUN_ONCE_STATUS_OK || status == BT_GRAPH_RUN_ONCE_STATUS_AGAIN) {
        if (stopped)
            break;
        if (now_ms() - told_ms >= TELL_MS) {
            if (ct_in_tell(in) < 0)
                break;
            (void)futimens(STDOUT_FILENO, NULL);    /* who waits for the file sees that nothing hangs */
            told_ms = now_ms();
        }
        if (status == BT_GRAPH_RUN_ONCE_STATUS_AGAIN)
            usleep(AGAIN_US);
    }
    sigaction(SIGINT, &before[0], NULL);
    sigaction(SIGTERM, &before[1], NULL);
    if (stopped || status == BT_GRAPH_RUN_ONCE_STATUS_END)
        return 0;
    return err->code ? err->code : live_error(err, place);
}

static int run(struct ct_in *in, const struct subject *s, struct ct_error *err)
{
    bt_graph *graph = bt_graph_create(0);
    int r = graph ? fill_graph(graph, s, in, err) : ct_error_at(err, -ENOMEM, 0, "no memory");
    bool whole = true;

    if (r == 0 && !s->folders) {
        r = run_live(graph, in, err, s->place);
        whole = r == 0;
        if (in->programs.count)
            r = 0;              /* the relay is gone: what arrived stays, and `err` says why there is no more */
    } else if (r == 0 && bt_graph_run(graph) != BT_GRAPH_RUN_STATUS_OK)
        r = err->code ? err->code : ct_bt2_error(err, s->place, s->words);
    if (r == 0)
        r = ct_in_release(in);
    if (r == 0)
        r = ct_in_lost_at_end(in);
    if (r == 0)
        r = ct_in_kernel_end(in);
    if (r == 0)
        r = ct_in_end(in, whole);
    if (!stopped)
        bt_graph_put_ref(graph);        /* takes leave of the relay and waits for its answer; else the process's end is that */
    return r;
}

/* Calls that were told with the address they came from have a stack of that alone: its name. */
static void add_names(struct ct_in *in, const char *output)
{
    struct ct_annotation result;
    struct ct_error none;
    int fd = in->placed ? open(strcmp(output, "-") == 0 ? "/proc/self/fd/1" : output, O_RDWR | O_CLOEXEC) : -1;

    if (fd >= 0 && (in->symbols || ct_symbols_new(&in->symbols) == 0))
        (void)ct_annotate(fd, in->symbols, &result, &none);     /* or addresses */
    if (fd >= 0)
        close(fd);
}

static int read_subject(const struct subject *s, const struct ct_ctf_options *options, const char *output, struct ct_error *err)
{
    struct ct_output out;
    struct ct_in in = { .out = &out, .err = err, .options = options };
    int r = ct_output_open(&out, output, false, err);

    if (r < 0)
        return r;
    ct_build_write_head(&in.build, &out);
    r = run(&in, s, err);
    if (r == 0 && in.programs.count == 0)
        r = ct_error_at(err, -ENODATA, 0, "%.300s holds no event", s->place);
    if (r < 0)
        ct_output_abort(&out);
    else
        r = ct_output_commit(&out, err);
    if (r == 0) {
        add_names(&in, output);
        ct_in_range_notes(&in);
        ct_in_thread_notes(&in);
    }
    ct_in_fini(&in);
    return r;
}

/* Whose metadata is empty has nothing to be read by; the others are read. */
static void note_empty(const struct ct_ctf_folders *folders, char *notes)
{
    char line[400] = "";

    if (folders->empty)
        snprintf(line, sizeof line, "left out, for their metadata is empty (was their session stopped?): %zu (the first: %s)\n",
                 folders->empty, folders->first_empty);
    strncat(notes, line, CT_CTF_NOTES - 1 - strlen(notes));
}

static int read_directory(const char *directory, const struct ct_ctf_options *options, const char *output, struct ct_error *err)
{
    struct ct_ctf_folders *folders = NULL;
    int r = ct_ctf_folders_find(directory, &folders, err);

    if (r == 0 && folders->count == 0 && folders->empty)
        r = ct_error_at(err, -ENODATA, 0, "%.300s is empty: nothing was written there yet", folders->first_empty);
    else if (r == 0 && folders->count == 0 && folders->states)
        r = ct_error_at(err, -ENOENT, 0, "%.300s holds states for other viewers only; open the folder that holds it", directory);
    else if (r == 0 && folders->count == 0)
        r = ct_error_at(err, -ENOENT, 0, "%.300s is a directory that holds no trace.out, and no CTF", directory);
    if (r == 0) {
        note_empty(folders, options->notes);
        r = read_subject(&(struct subject){ directory, folders, options->words }, options, output, err);
    }
    ct_ctf_folders_free(folders);
    return r;
}

/* What is packed is read where it was unpacked, by names that are those in the archive. */
static int read_archive(const char *archive, const struct ct_ctf_options *options, const char *output, struct ct_error *err)
{
    char here[CT_PATH_MAX], said[sizeof err->text], *at;
    int r = ct_ctf_unpack(archive, options->scratch, err);

    if (r == 0)
        r = read_directory(".", options, output, err);
    if (r == 0)
        return 0;
    while (getcwd(here, sizeof here - 1) && (at = strstr(err->text, strcat(here, "/"))))
        memmove(at, at + strlen(here), strlen(at + strlen(here)) + 1);
    memcpy(said, err->text, sizeof said);
    snprintf(err->text, sizeof err->text, "%.300s: %.700s", archive, strncmp(said, "./", 2) == 0 ? said + 2 : said);
    return r;
}

int ct_ctf_read(const char *place, const struct ct_ctf_options *options, const char *output, struct ct_error *err)
{
    struct stat st;

    *err = (struct ct_error){ 0 };
    if (options->words) {               /* reasons that no cause tells: why it aborts, and the parser's */
        bt_logging_set_global_level(BT_LOGGING_LEVEL_FATAL);
        setenv("BABELTRACE_PLUGIN_CTF_METADATA_LOG_LEVEL", "ERROR", 1);
    }
    if (is_live(place))
        return read_subject(&(struct subject){ place, NULL, 0 }, options, output, err);
    if (stat(place, &st) == 0 && S_ISREG(st.st_mode))
        return read_archive(place, options, output, err);
    return read_directory(place, options, output, err);
}

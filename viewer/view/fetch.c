/* Fetching a trace or a profile from a debug server, into a file: libcurl, loaded when it is wanted and only then. */
#include "viewer/view/fetch.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <time.h>
#include <unistd.h>

bool ct_fetch_is_url(const char *text)
{
    return strncasecmp(text, "http://", 7) == 0 || strncasecmp(text, "https://", 8) == 0;
}

#ifdef CT_HAVE_CURL

#include <curl/curl.h>
#include <dlfcn.h>
#include <fcntl.h>

#undef curl_easy_setopt         /* macros that check types by the functions' own names */
#undef curl_easy_getinfo

enum { CONNECT_S = 10, SILENCE_S = 60, REDIRECTS = 5, SAID = 120 };

/* With what it needs, libcurl takes longer to load than `ctrace` takes for most verbs. */
struct curl {
    __typeof__(&curl_global_init) global_init;
    __typeof__(&curl_easy_init) init;
    __typeof__(&curl_easy_setopt) setopt;
    __typeof__(&curl_easy_perform) perform;
    __typeof__(&curl_easy_getinfo) getinfo;
    __typeof__(&curl_easy_strerror) strerror;
    __typeof__(&curl_easy_cleanup) cleanup;
};

struct fetch {
    struct curl curl;
    CURL *easy;
    FILE *file;
    long status;                    /* of the reply whose body comes; 0: not asked yet */
    char said[SAID];                /* what a server that refuses says first */
    size_t said_size;
    bool terminal;
    time_t begun, shown;
};

static int load(struct curl *ret)
{
    static const char *const names[] = { "curl_global_init", "curl_easy_init", "curl_easy_setopt", "curl_easy_perform",
                                         "curl_easy_getinfo", "curl_easy_strerror", "curl_easy_cleanup" };
    void **places[] = { (void **)&ret->global_init, (void **)&ret->init, (void **)&ret->setopt, (void **)&ret->perform,
                        (void **)&ret->getinfo, (void **)&ret->strerror, (void **)&ret->cleanup };
    void *library = dlopen("libcurl.so.4", RTLD_NOW | RTLD_LOCAL);

    if (!library)
        library = dlopen("libcurl-gnutls.so.4", RTLD_NOW | RTLD_LOCAL);
    for (unsigned i = 0; i < sizeof names / sizeof *names; i++) {
        *places[i] = library ? dlsym(library, names[i]) : NULL;
        if (!*places[i])
            return -ENOSYS;
    }
    return ret->global_init(CURL_GLOBAL_DEFAULT) == CURLE_OK ? 0 : -ENOMEM;
}

static size_t take(char *bytes, size_t one, size_t size, void *context)
{
    struct fetch *f = context;
    size_t room = SAID - 1 - f->said_size;

    if (!f->status)
        f->curl.getinfo(f->easy, CURLINFO_RESPONSE_CODE, &f->status);
    if (f->status == 200)
        return fwrite(bytes, one, size, f->file);
    memcpy(f->said + f->said_size, bytes, size < room ? size : room);
    f->said_size += size < room ? size : room;
    return size;
}

static int show(void *context, curl_off_t total, curl_off_t now, curl_off_t up_total, curl_off_t up)
{
    struct fetch *f = context;
    time_t t = time(NULL);

    if (f->terminal && t != f->shown) {
        f->shown = t;
        fprintf(stderr, "\rfetching: %lld s, %.1f MB \033[K", (long long)(t - f->begun), (double)now / 1e6);
    }
    return 0;
}

/* A window sends nothing until it is over. */
static long silence_s(const char *url)
{
    const char *at = strstr(url, "seconds=");
    long seconds = at ? strtol(at + 8, NULL, 10) : 0;

    return SILENCE_S + (seconds > 0 && seconds < 86400 ? seconds : 0);
}

static int perform(struct fetch *f, const char *url, struct ct_error *err)
{
    const struct curl *c = &f->curl;
    char problem[CURL_ERROR_SIZE] = "";
    CURLcode code;

    c->setopt(f->easy, CURLOPT_URL, url);
    c->setopt(f->easy, CURLOPT_PROTOCOLS_STR, "http,https");
    c->setopt(f->easy, CURLOPT_FOLLOWLOCATION, 1L);
    c->setopt(f->easy, CURLOPT_MAXREDIRS, (long)REDIRECTS);
    c->setopt(f->easy, CURLOPT_NOSIGNAL, 1L);
    c->setopt(f->easy, CURLOPT_CONNECTTIMEOUT, (long)CONNECT_S);
    c->setopt(f->easy, CURLOPT_LOW_SPEED_LIMIT, 1L);
    c->setopt(f->easy, CURLOPT_LOW_SPEED_TIME, silence_s(url));
    c->setopt(f->easy, CURLOPT_USERAGENT, "ctrace/" CT_VERSION);
    c->setopt(f->easy, CURLOPT_ERRORBUFFER, problem);
    c->setopt(f->easy, CURLOPT_WRITEFUNCTION, take);
    c->setopt(f->easy, CURLOPT_WRITEDATA, (void *)f);
    c->setopt(f->easy, CURLOPT_NOPROGRESS, 0L);
    c->setopt(f->easy, CURLOPT_XFERINFOFUNCTION, show);
    c->setopt(f->easy, CURLOPT_XFERINFODATA, (void *)f);
    code = c->perform(f->easy);
    if (f->terminal)
        fputs("\r\033[K", stderr);
    if (code == CURLE_OK && !f->status)
        c->getinfo(f->easy, CURLINFO_RESPONSE_CODE, &f->status);
    f->said[strcspn(f->said, "\r\n")] = 0;
    if (code != CURLE_OK)
        return ct_error_at(err, -EIO, 0, "cannot fetch it: %.120s", *problem ? problem : c->strerror(code));
    if (f->status != 200)
        return ct_error_at(err, -EIO, 0, "the server refuses with %ld: %.100s", f->status, f->said);
    return 0;
}

/* The file gets its name when all is there: who is stopped leaves nothing. */
static int create(FILE **ret, struct ct_error *err)
{
    int fd = open(".", O_TMPFILE | O_WRONLY | O_CLOEXEC, 0600);

    *ret = fd >= 0 ? fdopen(fd, "w") : NULL;
    return *ret ? 0 : ct_error_at(err, -errno, 0, "no file can be made here for what is fetched: %s", strerror(errno));
}

/* What was asked for, from where and when; "" or "-2" ... behind it. */
static int make_name(const char *url, unsigned number, char **ret)
{
    const char *host = strstr(url, "://") + 3, *at = memchr(host, '@', strcspn(host, "/?"));
    const char *end = host + strcspn(host, "?#"), *last = memrchr(host, '/', (size_t)(end - host));
    char day[24], again[16] = "";
    time_t now = time(NULL);
    size_t size;
    struct tm tm;
    bool trace;

    host = at ? at + 1 : host;
    last = last ? last + 1 : end;
    size = strspn(last, "abcdefghijklmnopqrstuvwxyz");
    trace = size == 0 || (size == 5 && memcmp(last, "trace", 5) == 0);
    if (!localtime_r(&now, &tm) || !strftime(day, sizeof day, "%Y%m%d-%H%M%S", &tm))
        strcpy(day, "now");
    if (number)
        snprintf(again, sizeof again, "-%u", number + 1);
    return asprintf(ret, "%.*s-%.*s-%s%s.%s", size ? (int)size : 5, size ? last : "trace", (int)strcspn(host, "/?:"), host, day, again,
                    trace ? "out" : "pb.gz");
}

/* A name that is new in this folder. */
static int give_name(FILE *file, const char *url, char **ret, struct ct_error *err)
{
    char from[40], *path;

    snprintf(from, sizeof from, "/proc/self/fd/%d", fileno(file));
    errno = EIO;
    for (unsigned i = 0; fflush(file) == 0 && i < 100; i++) {
        if (make_name(url, i, &path) < 0)
            return ct_error_at(err, -ENOMEM, 0, "out of memory");
        if (linkat(AT_FDCWD, from, AT_FDCWD, path, AT_SYMLINK_FOLLOW) == 0) {
            *ret = path;
            return 0;
        }
        free(path);
        if (errno != EEXIST)
            break;
    }
    return ct_error_at(err, -errno, 0, "what was fetched cannot be kept: %s", strerror(errno));
}

int ct_fetch(const char *url, char **ret, struct ct_error *err)
{
    struct fetch f = { .terminal = isatty(STDERR_FILENO), .begun = time(NULL) };
    int r = load(&f.curl);

    if (r < 0)
        return ct_error_at(err, r, 0, "libcurl could not be loaded: install libcurl4, or fetch the file by other means");
    r = create(&f.file, err);
    if (r < 0)
        return r;
    f.easy = f.curl.init();
    r = f.easy ? perform(&f, url, err) : ct_error_at(err, -ENOMEM, 0, "out of memory");
    if (f.easy)
        f.curl.cleanup(f.easy);
    if (r == 0)
        r = give_name(f.file, url, ret, err);
    fclose(f.file);
    return r;
}

#else

int ct_fetch(const char *url, char **ret, struct ct_error *err)
{
    return ct_error_at(err, -ENOSYS, 0, "this ctrace was built without libcurl: fetch the file with curl, then view it");
}

#endif

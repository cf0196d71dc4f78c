/* Streams: results, errno and bytes are those of libc, buffered by lines, by blocks or not at all. */
#include <fcntl.h>
#include <semaphore.h>
#include <stdarg.h>
#include <stdio_ext.h>
#include <sys/stat.h>
#include <syslog.h>

#include "cases.h"

static char path[64], text[20000];

static FILE *file(const char *mode)
{
    sprintf(path, "/tmp/ctrace-streams-%d", getpid());
    return fopen(path, mode);
}

static int say(FILE *f, const char *format, ...)
{
    va_list list;
    int r;

    va_start(list, format);
    r = vfprintf(f, format, list);
    va_end(list);
    return r;
}

static void blocks(void)
{
    FILE *f = file("w");
    char word[16], *line = NULL;
    size_t size = 0;
    int c, n = 0;

    memset(text, 'x', sizeof text);
    SHOW_ERRNO(fwrite("hello\n", 1, 6, f));
    SHOW_ERRNO(fputs("world\n", f) >= 0);
    SHOW_ERRNO(fputc('a', f));
    SHOW_ERRNO(putc('\n', f));
    SHOW_ERRNO(say(f, "%d %s %.1f\n", 42, "words", 0.5));
    SHOW_ERRNO(fflush(f));
    SHOW_ERRNO(fflush(f));
    SHOW_ERRNO(fwrite(text, 1, sizeof text, f));
    for (int i = 0; i < 10000; i++)
        putc('y', f);
    SHOW_ERRNO(fclose(f));
    f = file("r");
    printf("%s", fgets(word, sizeof word, f));
    printf("%zd\n", getline(&line, &size, f));
    SHOW_ERRNO(getc(f));
    SHOW_ERRNO(fgetc(f));
    printf("%zd\n", getdelim(&line, &size, ' ', f));
    SHOW_ERRNO(fread(text, 1, 1000, f));
    SHOW_ERRNO(fread(text, 1, 12000, f));
    while ((c = getc(f)) != EOF)
        n++;
    printf("%d\n", n);
    SHOW_ERRNO(getc(f));
    SHOW_ERRNO(fread(text, 1, 1, f));
    printf("%d\n", fgets(word, sizeof word, f) == NULL);
    SHOW_ERRNO(fclose(f));
    printf("%d\n", fopen("/nowhere/at/all", "r") == NULL && errno == ENOENT);
    unlink(path);
}

static void lines(void)
{
    int fds[2];
    FILE *in, *out;
    char line[64];

    (void)!pipe(fds);
    in = fdopen(fds[0], "r");
    out = fdopen(fds[1], "w");
    setvbuf(out, NULL, _IOLBF, 0);
    SHOW_ERRNO(fputs("one ", out) >= 0);
    SHOW_ERRNO(fputc('2', out));
    SHOW_ERRNO(fputc('\n', out));
    printf("%s", fgets(line, sizeof line, in));
    setvbuf(out, NULL, _IONBF, 0);
    SHOW_ERRNO(fputc('3', out));
    SHOW_ERRNO(fputc('\n', out));
    SHOW_ERRNO(say(out, "%s\n", "four"));
    printf("%s", fgets(line, sizeof line, in));
    printf("%s", fgets(line, sizeof line, in));
    fclose(out);
    printf("%d\n", fgets(line, sizeof line, in) == NULL);
}

static void failures(void)
{
    FILE *full = fopen("/dev/full", "w"), *read_only = fopen("/dev/null", "r"), *dir = fopen("/", "r");
    FILE *memory = fmemopen(text, sizeof text, "r+");
    char word[4];

    SHOW_ERRNO(fputs("text", full) >= 0);
    SHOW_ERRNO(fflush(full));
    SHOW_ERRNO(fputc('x', read_only));
    SHOW_ERRNO(fgetc(dir));
    printf("%d\n", ferror(dir) != 0);
    SHOW_ERRNO(fwrite("abc", 1, 3, memory));
    rewind(memory);
    SHOW_ERRNO(fread(word, 1, 3, memory));
    SHOW_ERRNO(fclose(memory));
    SHOW_ERRNO(fclose(read_only));
    SHOW_ERRNO(fflush(NULL));
}

#ifdef __x86_64__
/* Not what the headers make of them. */
int plain_scanf(FILE *f, const char *format, ...) __asm__("fscanf");
int checked_printf(FILE *f, int flag, const char *format, ...) __asm__("__fprintf_chk");
int checked_dprintf(int fd, int flag, const char *format, ...) __asm__("__dprintf_chk");
int listed_scanf(FILE *f, const char *format, va_list list) __asm__("__isoc99_vfscanf");

static int hear(FILE *f, const char *format, ...)
{
    va_list list;
    int r;

    va_start(list, format);
    r = listed_scanf(f, format, list);
    va_end(list);
    return r;
}

/* Arguments in registers of both kinds and on the stack. */
static void formats(void)
{
    FILE *f = file("w+");
    char word[16] = "";
    double d[9] = { 0 };
    long l[8] = { 0 };
    int n = 0;

    SHOW_ERRNO(fprintf(f, "%d %s %.1f %c%c%c %ld %g\n", 42, "words", 0.5, 'a', 'b', 'c', 7L, 1e9));
    SHOW_ERRNO(checked_printf(f, 1, "%g %g %g %g %g %g %g %g %g\n", 1.5, 2.5, 3.5, 4.5, 5.5, 6.5, 7.5, 8.5, 9.5));
    SHOW_ERRNO(fprintf(f, "%ld %ld %ld %ld %ld %ld %ld %ld\n", 1L, 2L, 3L, 4L, 5L, 6L, 7L, 8L));
    SHOW_ERRNO(fseek(f, 0, SEEK_SET));
    SHOW_ERRNO(fscanf(f, "%d %15s", &n, word));
    printf("%d %s\n", n, word);
    SHOW_ERRNO(plain_scanf(f, "%*[^\n]"));
    SHOW_ERRNO(fscanf(f, "%lf %lf %lf %lf %lf %lf %lf %lf %lf", d, d + 1, d + 2, d + 3, d + 4, d + 5, d + 6, d + 7, d + 8));
    SHOW_ERRNO(hear(f, "%ld %ld %ld %ld %ld %ld %ld %ld", l, l + 1, l + 2, l + 3, l + 4, l + 5, l + 6, l + 7));
    printf("%g %g %ld %ld\n", d[0], d[8], l[0], l[7]);
    SHOW_ERRNO(fscanf(f, "%d", &n));
    SHOW_ERRNO(dprintf(fileno(f), "%s", ""));
    SHOW_ERRNO(dprintf(fileno(f), "%d%s\n", 1, "2"));
    SHOW_ERRNO(checked_dprintf(-1, 1, "%d\n", 1));
    SHOW_ERRNO(printf("out %d\n", 5));
    SHOW_ERRNO(fclose(f));
    syslog(LOG_DEBUG, "%s", "streams");
    unlink(path);
}
#endif

static void *write_much(void *f)
{
    for (int i = 0; i < 20000; i++)
        fputs("0123456789\n", f);
    return NULL;
}

static void shared(void)
{
    FILE *f = file("w");
    pthread_t t[4];
    struct stat st;

    for (int i = 0; i < 4; i++)
        pthread_create(&t[i], NULL, write_much, f);
    for (int i = 0; i < 4; i++)
        pthread_join(t[i], NULL);
    SHOW_ERRNO(fclose(f));
    stat(path, &st);
    printf("%lld\n", (long long)st.st_size);
    unlink(path);
}

enum { HOLDS = 5 };
static FILE *held[HOLDS];
static sem_t taken, let_in;

/* Until somebody waits for it: the first word of libc's lock is 2 then. */
static void *hold(void *unused)
{
    for (int i = 0; i < HOLDS; i++) {
        flockfile(held[i]);
        sem_post(&taken);
        while (__atomic_load_n((int *)held[i]->_lock, __ATOMIC_RELAXED) != 2)
            pause_ms(1);
        pause_ms(30);
        funlockfile(held[i]);
        while (sem_wait(&let_in) < 0)
            ;
    }
    return unused;
}

/* Who has a stream keeps others waiting whose text the buffer would take, or has. */
static void waited(void)
{
    FILE *to = file("w"), *from = fopen("/proc/self/exe", "re");
    pthread_t t;

    setvbuf(to, NULL, _IOFBF, 4096);
    SHOW_ERRNO(fputs("first\n", to));
    printf("%c\n", getc(from) == 0x7f ? 'E' : '?');
    for (int i = 0; i < HOLDS; i++)
        held[i] = i == 4 ? from : to;
    sem_init(&taken, 0, 0);
    sem_init(&let_in, 0, 0);
    pthread_create(&t, NULL, hold, NULL);
    for (int i = 0; i < HOLDS; i++) {
        sem_wait(&taken);
        if (i == 0)
            SHOW_ERRNO(fputs("second\n", to));
        if (i == 1)
            SHOW_ERRNO(fprintf(to, "%d\n", 3));
        if (i == 2)
            SHOW_ERRNO(fwrite("fourth\n", 1, 7, to));
        if (i == 3)
            SHOW_ERRNO(fputc('5', to));
        if (i == 4)
            SHOW_ERRNO(fgetc(from));
        sem_post(&let_in);
    }
    pthread_join(t, NULL);
    flockfile(to);
    SHOW_ERRNO(fputs("one's own\n", to));
    SHOW_ERRNO(fputc('6', to));
    funlockfile(to);
    SHOW_ERRNO(fclose(to));
    fclose(from);
    unlink(path);
}

#ifdef __x86_64__
#define FORMATS { "formats", formats },
#else
#define FORMATS
#endif

CASES({ "blocks", blocks }, { "lines", lines }, { "failures", failures }, FORMATS { "shared", shared }, { "waited", waited })

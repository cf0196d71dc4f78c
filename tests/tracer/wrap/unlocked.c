/* Streams by their other names: without the lock, inside of macros, checked, of two versions of C.  Each does what the plain one does. */
#include <stdarg.h>
#include <syslog.h>

#include "cases.h"

static char text[64];

size_t fread_1(void *to, size_t room, size_t size, size_t n, FILE *f) __asm__("__fread_chk");
size_t fread_2(void *to, size_t room, size_t size, size_t n, FILE *f) __asm__("__fread_unlocked_chk");
char *fgets_1(char *to, size_t room, int size, FILE *f) __asm__("__fgets_chk");
char *fgets_2(char *to, size_t room, int size, FILE *f) __asm__("__fgets_unlocked_chk");
int getc_1(FILE *f) __asm__("_IO_getc");
int putc_1(int c, FILE *f) __asm__("_IO_putc");
int plain_getc(FILE *f) __asm__("getc_unlocked");
int plain_putc(int c, FILE *f) __asm__("putc_unlocked");
int plain_fgetc(FILE *f) __asm__("fgetc_unlocked");
int plain_fputc(int c, FILE *f) __asm__("fputc_unlocked");
int plain_getchar(void) __asm__("getchar_unlocked");
int plain_putchar(int c) __asm__("putchar_unlocked");
int plain_getchar_1(void) __asm__("getchar");
int plain_putchar_1(int c) __asm__("putchar");
ssize_t plain_getline(char **line, size_t *size, FILE *f) __asm__("getline");
int plain_vprintf(const char *format, va_list list) __asm__("vprintf");
size_t plain_fread(void *to, size_t size, size_t n, FILE *f) __asm__("fread_unlocked");
size_t plain_fwrite(const void *from, size_t size, size_t n, FILE *f) __asm__("fwrite_unlocked");
int underflow_1(FILE *f) __asm__("__underflow");
int underflow_2(FILE *f) __asm__("__uflow");
int overflow_1(FILE *f, int c) __asm__("__overflow");
ssize_t getdelim_1(char **line, size_t *size, int delimiter, FILE *f) __asm__("__getdelim");
int print_1(int flag, const char *format, ...) __asm__("__printf_chk");
int print_2(int flag, const char *format, va_list list) __asm__("__vprintf_chk");
int print_3(FILE *f, int flag, const char *format, va_list list) __asm__("__vfprintf_chk");
int print_4(int fd, int flag, const char *format, va_list list) __asm__("__vdprintf_chk");
void log_1(int priority, int flag, const char *format, ...) __asm__("__syslog_chk");
void log_2(int priority, int flag, const char *format, va_list list) __asm__("__vsyslog_chk");
int scan_1(FILE *f, const char *format, ...) __asm__("__isoc99_fscanf");
int scan_2(const char *format, ...) __asm__("__isoc99_scanf");
int scan_3(const char *format, va_list list) __asm__("__isoc99_vscanf");
int scan_4(FILE *f, const char *format, va_list list) __asm__("vfscanf");
int scan_5(const char *format, va_list list) __asm__("vscanf");
int scan_6(const char *format, ...) __asm__("scanf");

static void *takes_stream(void *f)
{
    flockfile(f);
    plain_putc('t', f);
    funlockfile(f);
    return NULL;
}

static void streams(void)
{
    FILE *f = tmpfile(), *other = tmpfile64(), *in;
    fpos_t start;
    fpos64_t start64;
    pthread_t t;
    char *line = NULL;
    size_t size = 0;
    int fds[2];

    (void)!pipe(fds);
    printf("%d %d\n", f && other, (in = fopen64("/nowhere/at/all", "r")) == NULL);
    fgetpos(f, &start);
    fgetpos64(f, &start64);
    SHOW_ERRNO(plain_fwrite("one two\nthree\n", 1, 14, f));
    SHOW_ERRNO(fputs_unlocked("four five ", f) >= 0);
    SHOW_ERRNO(plain_putc('6', f));
    SHOW_ERRNO(plain_fputc('7', f));
    SHOW_ERRNO(putc_1('8', f));
    SHOW_ERRNO(overflow_1(f, '9'));
    SHOW_ERRNO(fflush_unlocked(f));
    SHOW_ERRNO(fsetpos(f, &start));
    SHOW_ERRNO(plain_getc(f));
    SHOW_ERRNO(plain_fgetc(f));
    SHOW_ERRNO(getc_1(f));
    SHOW_ERRNO(underflow_1(f));
    SHOW_ERRNO(underflow_2(f));
    SHOW_ERRNO(plain_fread(text, 1, 2, f));
    SHOW_ERRNO(fread_1(text, sizeof text, 1, 2, f));
    SHOW_ERRNO(fread_2(text, sizeof text, 1, 1, f));
    printf("%s", fgets_unlocked(text, 3, f));
    printf("%s", fgets_1(text, sizeof text, 3, f));
    printf("%s\n", fgets_2(text, sizeof text, 3, f));
    SHOW_ERRNO(fsetpos64(f, &start64));
    SHOW_ERRNO(plain_getline(&line, &size, f));
    SHOW_ERRNO(getdelim_1(&line, &size, ' ', f));
    puts(line);
    free(line);
    SHOW_ERRNO(fseeko(f, 4, SEEK_SET));
    SHOW_ERRNO(fseeko64(f, 0, SEEK_END));
    flockfile(f);
    pthread_create(&t, NULL, takes_stream, f);
    pause_ms(20);
    plain_putc('m', f);
    funlockfile(f);
    pthread_join(t, NULL);
    SHOW_ERRNO(ftrylockfile(f));
    funlockfile(f);
    printf("%ld\n", ftell(f));
    SHOW_ERRNO(fclose(f));
    SHOW_ERRNO(fclose(other));
    (void)!write(fds[1], "xy", 2);
    close(fds[1]);
    dup2(fds[0], 0);
    SHOW_ERRNO(plain_getchar());
    SHOW_ERRNO(plain_getchar_1());
    SHOW_ERRNO(plain_getchar());
    SHOW_ERRNO(plain_putchar_1('x'));
    SHOW_ERRNO(plain_putchar('\n'));
}

static int say(int way, const char *format, ...)
{
    va_list list;
    int r = 0;

    va_start(list, format);
    switch (way) {
    case 0: r = plain_vprintf(format, list); break;
    case 1: r = print_2(1, format, list); break;
    case 2: r = print_3(stdout, 1, format, list); break;
    case 3: r = vdprintf(1, format, list); break;
    case 4: r = print_4(1, 1, format, list); break;
    case 5: vsyslog(LOG_DEBUG, format, list); break;
    case 6: log_2(LOG_DEBUG, 1, format, list); break;
    }
    va_end(list);
    return r;
}

static int hear(int way, FILE *f, const char *format, ...)
{
    va_list list;
    int r;

    va_start(list, format);
    r = way == 0 ? scan_4(f, format, list) : way == 1 ? scan_3(format, list) : scan_5(format, list);
    va_end(list);
    return r;
}

static void formats(void)
{
    static const char words[] = "1 2 3 4 5 6 7";
    int fds[2], n[7] = { 0 };

    for (int i = 0; i < 7; i++)
        SHOW_ERRNO(say(i, "%d %s %.1f\n", 42, "words", 0.5));
    SHOW_ERRNO(print_1(1, "%d %g %g %g %g %g %g %g %g %g\n", 1, 1.5, 2.5, 3.5, 4.5, 5.5, 6.5, 7.5, 8.5, 9.5));
    log_1(LOG_DEBUG, 1, "%d %g", 1, 0.5);
    (void)!pipe(fds);
    (void)!write(fds[1], words, sizeof words - 1);
    close(fds[1]);
    dup2(fds[0], 0);
    SHOW_ERRNO(scan_1(stdin, "%d", n));
    SHOW_ERRNO(scan_2("%d", n + 1));
    SHOW_ERRNO(scan_6("%d", n + 2));
    for (int i = 0; i < 3; i++)
        SHOW_ERRNO(hear(i, stdin, "%d", n + 3 + i));
    SHOW_ERRNO(hear(0, stdin, "%d", n + 6));
    SHOW_ERRNO(hear(1, stdin, "%d", n));
    printf("%d %d %d %d %d %d %d\n", n[0], n[1], n[2], n[3], n[4], n[5], n[6]);
}

CASES({ "streams", streams }, { "formats", formats })

/* bench-meter FILE COMMAND...: runs a command and adds a line to FILE: the CPU time it took, in ns, all threads. */
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

static unsigned long long in_ns(struct timeval t)
{
    return (unsigned long long)t.tv_sec * 1000000000 + (unsigned long long)t.tv_usec * 1000;
}

int main(int argc, char **argv)
{
    struct rusage usage;
    int status;
    pid_t pid;
    FILE *file;

    if (argc < 3) {
        fprintf(stderr, "usage: bench-meter FILE COMMAND...\n");
        return 2;
    }
    pid = fork();
    if (pid == 0) {
        execvp(argv[2], argv + 2);
        perror(argv[2]);
        _exit(127);
    }
    if (pid < 0 || wait4(pid, &status, 0, &usage) != pid) {
        perror("bench-meter");
        return 1;
    }
    file = fopen(argv[1], "ae");
    if (!file || fprintf(file, "%llu\n", in_ns(usage.ru_utime) + in_ns(usage.ru_stime)) < 0 || fclose(file) != 0) {
        perror(argv[1]);
        return 1;
    }
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

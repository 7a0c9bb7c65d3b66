/*
 * count-calls: runs a program and counts the system calls of all its threads, by ptrace.
 *
 *     count-calls FILE PROGRAM [ARGUMENT...]
 *
 * FILE holds the count until now, 8 bytes. The program has the process id that this one was started with: it is a child
 * that counts. Exit status 1: tracing is not permitted here.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/wait.h>
#include <unistd.h>

static void fail(const char *what)
{
    fprintf(stderr, "count-calls: %s: %s\n", what, strerror(errno));
    exit(1);
}

/* Follows a process and its threads until it is gone. */
static void count(pid_t process, volatile uint64_t *calls)
{
    uint64_t stops = 0;
    for (;;) {
        int status;
        pid_t thread = waitpid(-1, &status, __WALL);
        if (thread < 0) return;
        if (!WIFSTOPPED(status)) {
            if (thread == process) return;
            continue;
        }
        int signal = WSTOPSIG(status), event = status >> 16, pass = 0;
        if (signal == (SIGTRAP | 0x80)) *calls = ++stops / 2;     /* one stop before the call, one after it */
        else if (event == PTRACE_EVENT_STOP && signal != SIGTRAP) {
            ptrace(PTRACE_LISTEN, thread, 0, 0);                   /* the whole process was stopped */
            continue;
        } else if (!event) pass = signal;
        ptrace(PTRACE_SYSCALL, thread, 0, pass);
    }
}

int main(int argc, char **argv)
{
    if (argc < 3) return 2;
    int file = open(argv[1], O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600), ready[2], traced[2];
    if (file < 0 || ftruncate(file, sizeof(uint64_t)) || pipe2(ready, O_CLOEXEC) || pipe2(traced, O_CLOEXEC)) fail(argv[1]);
    volatile uint64_t *calls = mmap(NULL, sizeof *calls, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
    if (calls == MAP_FAILED) fail("mmap");
    pid_t process = getpid(), counter = fork();
    char byte = 0;
    if (counter < 0) fail("fork");
    if (counter == 0) {
        int status;
        close(ready[1]);
        close(traced[0]);
        if (read(ready[0], &byte, 1) != 1) _exit(1);
        if (ptrace(PTRACE_SEIZE, process, 0, PTRACE_O_TRACESYSGOOD | PTRACE_O_TRACECLONE | PTRACE_O_TRACEEXEC)
            || ptrace(PTRACE_INTERRUPT, process, 0, 0) || waitpid(process, &status, __WALL) != process) fail("ptrace");
        ptrace(PTRACE_SYSCALL, process, 0, 0);
        if (write(traced[1], &byte, 1) != 1) _exit(1);

        /* the pipes of the program's output must end with the program */
        for (int i = 0; i < 3; i++) close(i);
        count(process, calls);
        _exit(0);
    }
    close(traced[1]);
    prctl(PR_SET_PTRACER, counter, 0, 0, 0);
    if (write(ready[1], &byte, 1) != 1 || read(traced[0], &byte, 1) != 1) return 1;
    execv(argv[2], argv + 2);
    fail(argv[2]);
}

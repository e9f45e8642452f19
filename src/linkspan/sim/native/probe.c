/* What the demo's containers run: says what this container can reach, as one line of JSON, then becomes another program.
 *
 *     probe LIBRARY SYMBOL PATH:MAJOR:MINOR... -- PROGRAM [ARGUMENT...]
 *
 * LIBRARY is looked up the way an application would, with SYMBOL telling where it was found. Each device node is opened;
 * one that is not there is made first, as a program that wants more than it was given would do.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

static void print_text(const char *text)
{
    printf("\"");
    for (; *text; text++)
        if ((unsigned char)*text >= ' ')
            printf(*text == '"' || *text == '\\' ? "\\%c" : "%c", *text);
    printf("\"");
}

/* Where the loader finds the library: its real path, and which file of which device that is. */
static void print_library(const char *name, const char *symbol)
{
    static char real[4096];
    struct statx found;
    Dl_info info;
    void *library = dlopen(name, RTLD_LAZY);
    void *address = library ? dlsym(library, symbol) : NULL;

    printf("{\"path\": ");
    if (!address || !dladdr(address, &info) || !realpath(info.dli_fname, real) ||
        syscall(SYS_statx, AT_FDCWD, real, 0, STATX_INO, &found)) {
        printf("\"\", \"error\": ");
        print_text(address ? "it was loaded, but its file cannot be found" : dlerror());
        printf("}");
        return;
    }
    print_text(real);
    printf(", \"device\": [%u, %u], \"inode\": %llu}", found.stx_dev_major, found.stx_dev_minor,
           (unsigned long long)found.stx_ino);
}

static long open_node(const char *path)
{
    long descriptor = syscall(SYS_openat, AT_FDCWD, path, O_RDWR | O_NONBLOCK | O_CLOEXEC, 0);

    if (descriptor < 0)
        return errno;
    syscall(SYS_close, (int)descriptor);
    return 0;
}

/* Not strtoul: where the headers are new, that is a name of C23 which older C libraries lack. */
static unsigned long number(const char *text)
{
    unsigned long value = 0;

    for (; *text >= '0' && *text <= '9'; text++)
        value = value * 10 + (unsigned long)(*text - '0');
    return value;
}

/* The error number of opening a node, 0 where that works; of making it, where even that is refused. */
static void print_node(char *argument)
{
    char *major = strchr(argument, ':'), *minor = major ? strchr(major + 1, ':') : NULL;
    unsigned long device;
    int made = 0;
    long error;

    if (!minor)
        return;
    *major++ = *minor++ = 0;
    error = open_node(argument);
    if (error == ENOENT) {
        /* The kernel's encoding of a device number for mknod(2): 12 bits of major, 20 of minor. */
        device = number(minor);
        device = (device & 0xff) | number(major) << 8 | (device & ~0xffUL) << 12;
        made = 1;
        error = syscall(SYS_mknodat, AT_FDCWD, argument, S_IFCHR | 0666, device) ? errno : open_node(argument);
        syscall(SYS_unlinkat, AT_FDCWD, argument, 0);
    }
    printf("{\"path\": ");
    print_text(argument);
    printf(", \"given\": %s, \"errno\": %ld}", made ? "false" : "true", error);
}

int main(int argc, char **argv)
{
    int i;

    if (argc < 3)
        return 2;
    printf("{\"library\": ");
    print_library(argv[1], argv[2]);
    printf(", \"nodes\": [");
    for (i = 3; i < argc && strcmp(argv[i], "--"); i++) {
        if (i > 3)
            printf(", ");
        print_node(argv[i]);
    }
    printf("]}\n");
    fflush(NULL);
    if (i + 1 < argc) {
        execvp(argv[i + 1], argv + i + 1);
        printf("%s is not in this container\n", argv[i + 1]);
        fflush(NULL);
        return 127;
    }
    return 0;
}

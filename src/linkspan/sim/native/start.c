/* The entry of nvidia-smi, in place of the C library's own.
 *
 * crt1.o of a glibc ties a program to __libc_start_main of that glibc's age (2.34 on Debian 12): it would not start in an
 * older container. This one asks for the function without a version, which every glibc offers.
 */
#include <stddef.h>

int main(int argc, char **argv);
int __libc_start_main(int (*)(int, char **), int, char **, void (*)(void), void (*)(void), void (*)(void), void *);

__attribute__((noreturn, used)) static void begin(long *stack)
{
    __libc_start_main((int (*)(int, char **))main, (int)*stack, (char **)(stack + 1), NULL, NULL, NULL, stack);
    __builtin_trap();
}

#if defined(__x86_64__)
__asm__(".globl _start\n_start:\n\txor %ebp, %ebp\n\tmov %rsp, %rdi\n\tand $-16, %rsp\n\tcall begin\n");
#elif defined(__aarch64__)
__asm__(".globl _start\n_start:\n\tmov x29, #0\n\tmov x30, #0\n\tmov x0, sp\n\tb begin\n");
#else
#error "linkspan simulates hosts of x86_64 and aarch64"
#endif

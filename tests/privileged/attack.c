/* What an attacker's library does when a process outside of the container loads it: it leaves a mark on the host. */
#include <fcntl.h>
#include <unistd.h>

__attribute__((constructor)) static void leave_a_mark(void)
{
    close(open(MARK, O_CREAT | O_WRONLY, 0600));
}

int needed_by_the_victim(void)
{
    return 0;
}

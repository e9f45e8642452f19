#define _GNU_SOURCE
#include <stddef.h>
#include <sys/syscall.h>
#include <unistd.h>
#include "mounts.h"

int new_tmpfs(const char *mode)
{
	int context = (int)syscall(CALL_FSOPEN, "tmpfs", 1), made = -1;
	if (context < 0)
		return -1;
	if (!syscall(CALL_FSCONFIG, context, FS_SET_STRING, "size", "64k", 0) &&
	    !syscall(CALL_FSCONFIG, context, FS_SET_STRING, "mode", mode, 0) &&
	    !syscall(CALL_FSCONFIG, context, FS_CREATE, NULL, NULL, 0))
		made = (int)syscall(CALL_FSMOUNT, context, 1, ATTR_NOSUID | ATTR_NODEV | ATTR_NOEXEC);
	close(context);
	return made;
}

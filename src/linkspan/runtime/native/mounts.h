/* linux/mount.h, which older C libraries come without. The numbers of the calls are the same on all machines. */
#ifndef LINKSPAN_MOUNTS_H
#define LINKSPAN_MOUNTS_H

#include <stdint.h>

enum { CALL_OPEN_TREE = 428, CALL_MOVE_MOUNT, CALL_FSOPEN, CALL_FSCONFIG, CALL_FSMOUNT, CALL_MOUNT_SETATTR = 442 };

/* open_tree(2) and mount_setattr(2) */
enum { TREE_CLONE = 1, TREE_RECURSIVE = 0x8000 };

/* fsconfig(2) */
enum { FS_SET_STRING = 1, FS_CREATE = 6 };

/* Attributes of a mount; the same numbers as the flags of mount(2). */
enum { ATTR_RDONLY = 1, ATTR_NOSUID = 2, ATTR_NODEV = 4, ATTR_NOEXEC = 8 };
enum { SPREAD_PRIVATE = 1 << 18 };

struct attributes {
	uint64_t set, clear, propagation, namespace;
};

/* A descriptor of a new file system in memory, mounted nowhere, whose root has this mode; -1 before Linux 5.2. */
int new_tmpfs(const char *mode);

/* Attaches a mount to a place, both by descriptors; -1 with errno. */
static inline long attach_mount(int mount, int place)
{
	enum { FROM_EMPTY = 0x04, TO_EMPTY = 0x40 };
	return syscall(CALL_MOVE_MOUNT, mount, "", place, "", FROM_EMPTY | TO_EMPTY);
}

#endif

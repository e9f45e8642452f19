#define _GNU_SOURCE
#include "mask.h"
#include "below.h"
#include <fcntl.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

static const char PARAMS[] = "/proc/driver/nvidia/params";
static const char NODES_MADE[] = "ModifyDeviceFiles: 1\n";

enum { PARAMS_LIMIT = 1 << 16 };

/* linux/mount.h, which older C libraries come without. The numbers of the calls are the same on all machines. */
enum { CALL_OPEN_TREE = 428, CALL_MOVE_MOUNT, CALL_FSOPEN, CALL_FSCONFIG, CALL_FSMOUNT, CALL_MOUNT_SETATTR = 442 };
enum { SET_STRING = 1, CREATE = 6, CLONE = 1, FROM_EMPTY = 0x04, TO_EMPTY = 0x40 };
enum { RDONLY = 1, NOSUID = 2, NODEV = 4, NOEXEC = 8 };

struct attributes {
	uint64_t set, clear, propagation, namespace;
};

bool mask_is_needed(void)
{
	struct stat found;
	return stat(PARAMS, &found) == 0;
}

/* The value that has the driver's libraries make device nodes, as a whole line; NULL where it is not there. */
static char *find_value(struct text params)
{
	char *line = params.length ? memmem(params.at, params.length, NODES_MADE, strlen(NODES_MADE)) : NULL;
	if (!line || (line > params.at && line[-1] != '\n'))
		return NULL;
	return line + strlen(NODES_MADE) - 2;
}

/* A descriptor of a new tmpfs, mounted nowhere. */
static int new_tmpfs(void)
{
	int context = (int)syscall(CALL_FSOPEN, "tmpfs", 1), made = -1;
	if (context < 0)
		return -1;
	if (!syscall(CALL_FSCONFIG, context, SET_STRING, "size", "64k", 0) &&
	    !syscall(CALL_FSCONFIG, context, SET_STRING, "mode", "0755", 0) &&
	    !syscall(CALL_FSCONFIG, context, CREATE, NULL, NULL, 0))
		made = (int)syscall(CALL_FSMOUNT, context, 1, NOSUID | NODEV | NOEXEC);
	close(context);
	return made;
}

static int new_file(int folder, struct text data)
{
	int file = openat(folder, "params", O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0444);
	bool good = file >= 0 && fchmod(file, 0444) == 0 && write(file, data.at, data.length) == (ssize_t)data.length;
	if (file >= 0)
		close(file);
	return good ? openat(folder, "params", O_PATH | O_NOFOLLOW | O_CLOEXEC) : -1;
}

/* Binds a read-only copy of the file's mount over the target: no step of it is seen by anybody before it is complete. */
static bool cover(int file, int target)
{
	struct attributes attributes = {.set = RDONLY | NOSUID | NODEV | NOEXEC};
	int copy = (int)syscall(CALL_OPEN_TREE, file, "", AT_EMPTY_PATH | CLONE | O_CLOEXEC);
	bool done = copy >= 0 && !syscall(CALL_MOUNT_SETATTR, copy, "", AT_EMPTY_PATH, &attributes, sizeof attributes) &&
		    !syscall(CALL_MOVE_MOUNT, copy, "", target, "", FROM_EMPTY | TO_EMPTY);
	if (copy >= 0)
		close(copy);
	return done;
}

bool mask_params(int root)
{
	struct text params;
	if (!below_read(root, PARAMS, PARAMS_LIMIT, &params))
		return false;
	char *value = find_value(params);
	if (!value)
		return true; /* they are harmless already */
	*value = '0';
	int target = below_open(root, PARAMS), folder = new_tmpfs(), file = folder < 0 ? -1 : new_file(folder, params);
	bool done = target >= 0 && file >= 0 && cover(file, target);
	for (int *one = (int[]){target, folder, file, -1}; *one >= 0; one++)
		close(*one);
	return done;
}

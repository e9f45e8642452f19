#define _GNU_SOURCE
#include "mask.h"
#include "below.h"
#include "carry.h"
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/syscall.h>
#include <unistd.h>
#include "mounts.h"

static const char FOLDER[] = "/proc/driver/nvidia", PARAMS[] = "/proc/driver/nvidia/params";
static const char NODES_MADE[] = "ModifyDeviceFiles: 1";

enum { PARAMS_LIMIT = 1 << 16 };

bool mask_is_needed(void)
{
	struct stat found;
	return stat(PARAMS, &found) == 0;
}

/* Has the driver's libraries leave device nodes alone, by every line that says otherwise; false where none does. */
static bool make_harmless(struct text params)
{
	bool changed = false;
	for (char *line = (char *)params.at, *end = line + params.length, *next; line < end; line = next) {
		char *stop = memchr(line, '\n', (size_t)(end - line));
		next = stop ? stop + 1 : end;
		if (text_is(text_between(line, stop ? stop : end), NODES_MADE)) {
			line[strlen(NODES_MADE) - 1] = '0';
			changed = true;
		}
	}
	return changed;
}

static int new_file(int folder, struct text data)
{
	int file = openat(folder, "params", O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0444);
	bool good = file >= 0 && fchmod(file, 0444) == 0 && write(file, data.at, data.length) == (ssize_t)data.length;
	if (file >= 0)
		close(file);
	return good ? openat(folder, "params", O_PATH | O_NOFOLLOW | O_CLOEXEC) : -1;
}

/* Binds a read-only copy of the file's mount over the target. */
static bool cover(int file, int target)
{
	struct attributes attributes = {.set = ATTR_RDONLY | ATTR_NOSUID | ATTR_NODEV | ATTR_NOEXEC};
	int copy = (int)syscall(CALL_OPEN_TREE, file, "", AT_EMPTY_PATH | TREE_CLONE | O_CLOEXEC);
	bool done = copy >= 0 && !syscall(CALL_MOUNT_SETATTR, copy, "", AT_EMPTY_PATH, &attributes, sizeof attributes) &&
		    !attach_mount(copy, target);
	if (copy >= 0)
		close(copy);
	return done;
}

/* A file's mount can only be copied from a mount that is attached (until Linux 6.15). So the tmpfs goes over the params' own
 * folder, and away again once its file is bound to the params underneath, which keeps the file alive. */
static bool cover_from(int tmpfs, int folder, int target, struct text params)
{
	char link[32];
	int file = new_file(tmpfs, params);
	if (file < 0 || attach_mount(tmpfs, folder))
		return false;
	bool done = cover(file, target);
	snprintf(link, sizeof link, "/proc/self/fd/%d", tmpfs);
	return umount2(link, MNT_DETACH) == 0 && done;
}

bool mask_params(int root)
{
	struct text params;
	if (!below_read(root, PARAMS, PARAMS_LIMIT, &params))
		return false;
	if (!make_harmless(params))
		return true; /* they are so already */
	int folder = below_open(root, FOLDER), target = below_open(root, PARAMS), tmpfs = new_tmpfs("0755");
	bool shared = folder >= 0 && mount_spreads(folder); /* with the host, whose params they are then */
	bool done = shared || (folder >= 0 && target >= 0 && tmpfs >= 0 && cover_from(tmpfs, folder, target, params));
	for (int *one = (int[]){folder, target, tmpfs}, i = 0; i < 3; i++)
		if (one[i] >= 0)
			close(one[i]);
	return done;
}

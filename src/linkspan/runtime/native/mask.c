#define _GNU_SOURCE
#include "mask.h"
#include "below.h"
#include "carry.h"
#include <dirent.h>
#include <errno.h>
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

/* A descriptor of a new tmpfs, mounted nowhere. */
static int new_tmpfs(void)
{
	int context = (int)syscall(CALL_FSOPEN, "tmpfs", 1), made = -1;
	if (context < 0)
		return -1;
	if (!syscall(CALL_FSCONFIG, context, FS_SET_STRING, "size", "64k", 0) &&
	    !syscall(CALL_FSCONFIG, context, FS_SET_STRING, "mode", "0755", 0) &&
	    !syscall(CALL_FSCONFIG, context, FS_CREATE, NULL, NULL, 0))
		made = (int)syscall(CALL_FSMOUNT, context, 1, ATTR_NOSUID | ATTR_NODEV | ATTR_NOEXEC);
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

static bool make_read_only(int mount)
{
	struct attributes attributes = {.set = ATTR_RDONLY | ATTR_NOSUID | ATTR_NODEV | ATTR_NOEXEC};
	return !syscall(CALL_MOUNT_SETATTR, mount, "", AT_EMPTY_PATH, &attributes, sizeof attributes);
}

static bool take_away(int mount)
{
	char link[32];
	snprintf(link, sizeof link, "/proc/self/fd/%d", mount);
	return umount2(link, MNT_DETACH) == 0;
}

/* Binds a read-only copy of a file's or folder's mount over the target. */
static bool cover(int source, int target)
{
	int copy = (int)syscall(CALL_OPEN_TREE, source, "", AT_EMPTY_PATH | TREE_CLONE | O_CLOEXEC);
	bool done = copy >= 0 && make_read_only(copy) && !attach_mount(copy, target);
	if (copy >= 0)
		close(copy);
	return done;
}

/* A file's mount can only be copied from a mount that is attached (until Linux 6.15). So the tmpfs goes over the params' own
 * folder, and away again once its file is bound to the params underneath, which keeps the file alive. */
static bool cover_from(int tmpfs, int folder, int target, struct text params)
{
	int file = new_file(tmpfs, params);
	if (file < 0 || attach_mount(tmpfs, folder))
		return false;
	bool done = cover(file, target);
	return take_away(tmpfs) && done;
}

bool mask_params(int root)
{
	struct text params;
	if (!below_read(root, PARAMS, PARAMS_LIMIT, &params))
		return false;
	if (!make_harmless(params))
		return true; /* they are so already */
	int folder = below_open(root, FOLDER), target = below_open(root, PARAMS), tmpfs = new_tmpfs();
	bool done = folder >= 0 && target >= 0 && tmpfs >= 0 && cover_from(tmpfs, folder, target, params);
	for (int *one = (int[]){folder, target, tmpfs}, i = 0; i < 3; i++)
		if (one[i] >= 0)
			close(one[i]);
	return done;
}

bool mask_hides_gpus(void)
{
	struct stat found;
	return stat("/proc/driver/nvidia/gpus", &found) == 0;
}

static bool is_among(const char *name, const char *const *shown, int count)
{
	for (int i = 0; i < count; i++)
		if (!strcmp(name, shown[i]))
			return true;
	return false;
}

/* How many others than those shown a folder has; -1 where it cannot be read. */
static int count_others(int folder, const char *const *shown, int count)
{
	int copy = openat(folder, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC), others = 0;
	DIR *entries = copy < 0 ? NULL : fdopendir(copy);
	if (!entries)
		return -1;
	for (struct dirent *entry; (entry = readdir(entries));)
		others += strcmp(entry->d_name, ".") && strcmp(entry->d_name, "..") && !is_among(entry->d_name, shown, count);
	closedir(entries);
	return others;
}

static int open_child(int folder, const char *name)
{
	return openat(folder, name, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
}

/* Binds a GPU's folder to a new one of the same name; a GPU that is not there cannot be shown. */
static bool show(int folder, int made, const char *name)
{
	int source = open_child(folder, name);
	if (source < 0)
		return errno == ENOENT;
	int target = mkdirat(made, name, 0555) ? -1 : open_child(made, name);
	bool done = target >= 0 && cover(source, target);
	close(source);
	if (target >= 0)
		close(target);
	return done;
}

static bool cover_gpus(int folder, int tmpfs, const char *const *shown, int count)
{
	if (attach_mount(tmpfs, folder))
		return false;
	bool done = true;
	for (int i = 0; i < count && done; i++)
		done = show(folder, tmpfs, shown[i]);
	done = done && make_read_only(tmpfs);
	if (!done)
		take_away(tmpfs); /* Python takes a cover that is there for a finished one */
	return done;
}

bool mask_gpus(int root, const char *const *shown, int count)
{
	int above = below_open(root, FOLDER), folder = above < 0 ? -1 : open_child(above, "gpus");
	if (above >= 0)
		close(above);
	if (folder < 0)
		return errno == ENOENT;
	int others = count_others(folder, shown, count);
	bool is_let_be = !others || mount_spreads(folder);
	int tmpfs = is_let_be || others < 0 ? -1 : new_tmpfs();
	bool done = is_let_be || (tmpfs >= 0 && cover_gpus(folder, tmpfs, shown, count));
	close(folder);
	if (tmpfs >= 0)
		close(tmpfs);
	return done;
}

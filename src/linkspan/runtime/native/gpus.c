#define _GNU_SOURCE
#include "gpus.h"
#include "below.h"
#include "carry.h"
#include "mask.h"
#include <dirent.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>
#include "mounts.h"

static const char FOLDER[] = "/proc/driver/nvidia/gpus";

struct gpus gpus_read(struct record *record)
{
	struct stat found;
	struct gpus gpus = {.hidden = record_number(record) != 0, .count = record_count(record)};
	gpus.names = calloc((size_t)gpus.count + 1, sizeof *gpus.names);
	for (int i = 0; i < gpus.count; i++) {
		const char *name = record_string(record);
		if (gpus.names)
			gpus.names[i] = name;
	}
	gpus.hidden = gpus.hidden && stat(FOLDER, &found) == 0;
	record->broken |= !gpus.names;
	return gpus;
}

static bool is_shown(const struct gpus *gpus, const char *name)
{
	for (int i = 0; i < gpus->count; i++)
		if (!strcmp(gpus->names[i], name))
			return true;
	return false;
}

/* False where there is a folder to hide; also where that cannot be seen. */
static bool is_all_shown(const struct gpus *gpus, int folder)
{
	int listed = openat(folder, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *entries = listed >= 0 ? fdopendir(listed) : NULL;
	bool shown = entries != NULL;
	for (struct dirent *entry; shown && (entry = readdir(entries));)
		shown = *entry->d_name == '.' || is_shown(gpus, entry->d_name);
	if (entries)
		closedir(entries);
	return shown;
}

/* A mount of its own of a folder, attached nowhere and read-only; -1 where there is none. */
static int copy_of(int folder, const char *name)
{
	struct attributes attributes = {.set = ATTR_RDONLY | ATTR_NOSUID | ATTR_NODEV | ATTR_NOEXEC};
	int place = openat(folder, name, O_PATH | O_NOFOLLOW | O_DIRECTORY | O_CLOEXEC);
	int copy = place < 0 ? -1 : (int)syscall(CALL_OPEN_TREE, place, "", AT_EMPTY_PATH | TREE_CLONE | O_CLOEXEC);
	if (place >= 0)
		close(place);
	if (copy < 0 || !syscall(CALL_MOUNT_SETATTR, copy, "", AT_EMPTY_PATH, &attributes, sizeof attributes))
		return copy;
	close(copy);
	return -1;
}

/* Shows one folder in the cover; one that is not there below it is left out. */
static bool show(int folder, int cover, const char *name)
{
	struct stat found;
	if (strchr(name, '/') || fstatat(folder, name, &found, AT_SYMLINK_NOFOLLOW))
		return true;
	int copy = copy_of(folder, name), place = -1;
	if (copy >= 0 && mkdirat(cover, name, 0555) == 0)
		place = openat(cover, name, O_PATH | O_NOFOLLOW | O_DIRECTORY | O_CLOEXEC);
	bool done = place >= 0 && !attach_mount(copy, place);
	for (int *one = (int[]){copy, place}, i = 0; i < 2; i++)
		if (one[i] >= 0)
			close(one[i]);
	return done;
}

static bool cover(int folder, const struct gpus *gpus)
{
	struct attributes attributes = {.set = ATTR_RDONLY};
	int tmpfs = mask_new_tmpfs("0555");
	bool done = tmpfs >= 0 && !attach_mount(tmpfs, folder);
	for (int i = 0; done && i < gpus->count; i++)
		done = show(folder, tmpfs, gpus->names[i]);
	done = done && !syscall(CALL_MOUNT_SETATTR, tmpfs, "", AT_EMPTY_PATH, &attributes, sizeof attributes);
	if (tmpfs >= 0 && !done)
		mask_take_away(tmpfs);
	if (tmpfs >= 0)
		close(tmpfs);
	return done;
}

bool gpus_hide(int root, const struct gpus *gpus)
{
	int folder = below_open(root, FOLDER);
	if (folder < 0)
		return true; /* the container has no such /proc */
	bool done = is_all_shown(gpus, folder) || (carry_may_mount_on(folder) && cover(folder, gpus));
	close(folder);
	return done;
}

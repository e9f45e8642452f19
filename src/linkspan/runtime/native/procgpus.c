#define _GNU_SOURCE
#include "procgpus.h"
#include "below.h"
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>
#include "mounts.h"

static const char FOLDER[] = "/proc/driver/nvidia/gpus";

enum { FOLDER_ONLY = O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC };

struct shown shown_read(struct record *record)
{
	struct shown shown = {.limited = record_number(record) != 0, .count = record_count(record)};
	shown.names = calloc((size_t)shown.count + 1, sizeof *shown.names);
	for (int i = 0; shown.names && i < shown.count; i++)
		shown.names[i] = record_string(record);
	return shown;
}

static bool is_shown(const struct shown *shown, const char *name)
{
	for (int i = 0; i < shown->count; i++)
		if (!strcmp(shown->names[i], name))
			return true;
	return false;
}

/* Whether the folder has names that are to be hidden; -1 where it cannot be read. */
static int has_others(int folder, const struct shown *shown)
{
	int own = openat(folder, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC), found = 0;
	DIR *listing = own < 0 ? NULL : fdopendir(own);
	if (!listing)
		return -1;
	for (struct dirent *entry; (entry = readdir(listing));)
		if (strcmp(entry->d_name, ".") && strcmp(entry->d_name, "..") && !is_shown(shown, entry->d_name))
			found = 1;
	closedir(listing);
	return found;
}

/* A read-only copy of what is mounted at a folder of this name, attached nowhere; -1 where there is no such folder. */
static int copy_of(int folder, const char *name)
{
	struct attributes attributes = {.set = ATTR_RDONLY | ATTR_NOSUID | ATTR_NODEV | ATTR_NOEXEC, .propagation = SPREAD_PRIVATE};
	int place = openat(folder, name, FOLDER_ONLY);
	int copy = place < 0 ? -1 : (int)syscall(CALL_OPEN_TREE, place, "", AT_EMPTY_PATH | TREE_CLONE | O_CLOEXEC);
	if (place >= 0)
		close(place);
	if (copy >= 0 && syscall(CALL_MOUNT_SETATTR, copy, "", AT_EMPTY_PATH, &attributes, sizeof attributes)) {
		close(copy);
		return -1;
	}
	return copy;
}

static bool put(int copy, int tmpfs, const char *name)
{
	int place = mkdirat(tmpfs, name, 0555) ? -1 : openat(tmpfs, name, FOLDER_ONLY);
	bool done = place >= 0 && !attach_mount(copy, place);
	if (place >= 0)
		close(place);
	return done;
}

/* Copies are taken of what is in sight, then the new file system covers it, and the copies go into that. */
static bool cover(int folder, const struct shown *shown)
{
	struct attributes attributes = {.set = ATTR_RDONLY};
	int tmpfs = new_tmpfs("0555"), *copies = calloc((size_t)shown->count + 1, sizeof *copies);
	bool done = tmpfs >= 0 && copies;
	for (int i = 0; done && i < shown->count; i++) {
		copies[i] = copy_of(folder, shown->names[i]);
		done = copies[i] >= 0 || errno == ENOENT;
	}
	done = done && !attach_mount(tmpfs, folder);
	for (int i = 0; done && i < shown->count; i++)
		done = copies[i] < 0 || put(copies[i], tmpfs, shown->names[i]);
	done = done && !syscall(CALL_MOUNT_SETATTR, tmpfs, "", AT_EMPTY_PATH, &attributes, sizeof attributes);
	for (int i = 0; copies && i < shown->count; i++)
		if (copies[i] > 0)
			close(copies[i]);
	if (tmpfs >= 0)
		close(tmpfs);
	free(copies);
	return done;
}

bool shown_apply(int root, const struct shown *shown)
{
	if (!shown->limited)
		return true;
	int folder = below_open(root, FOLDER);
	if (folder < 0)
		return errno == ENOENT;
	int others = has_others(folder, shown);
	bool done = others == 0 || (others > 0 && shown->names && cover(folder, shown));
	close(folder);
	return done;
}

#define _GNU_SOURCE
#include "carry.h"
#include "below.h"
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <unistd.h>
#include "mounts.h"

static int take(const char *source, int64_t flags, bool recursive)
{
	struct attributes attributes = {.set = (uint64_t)flags, .propagation = SPREAD_PRIVATE};
	unsigned rest = recursive ? TREE_RECURSIVE : 0;
	int tree = (int)syscall(CALL_OPEN_TREE, AT_FDCWD, source, TREE_CLONE | O_CLOEXEC | rest);
	if (tree >= 0 && !syscall(CALL_MOUNT_SETATTR, tree, "", AT_EMPTY_PATH | rest, &attributes, sizeof attributes))
		return tree;
	if (tree >= 0)
		close(tree);
	return -1;
}

struct freight *carry_load(struct record *record, int *count)
{
	*count = record_count(record);
	struct freight *freight = calloc((size_t)*count + 1, sizeof *freight);
	bool good = freight != NULL;
	for (int i = 0; i < *count; i++) {
		const char *source = record_string(record), *destination = record_string(record);
		int64_t flags = record_number(record), recursive = record_number(record), folder = record_number(record);
		good = good && !record->broken;
		if (!good)
			continue;
		freight[i] = (struct freight){destination, take(source, flags, recursive != 0), folder != 0};
		good = freight[i].tree >= 0;
	}
	return good ? freight : NULL;
}

/* True where what is mounted at a place appears elsewhere too, as the mount that it is on says in mountinfo. */
static bool is_shared(struct text mounts, uint64_t number)
{
	char start[32];
	snprintf(start, sizeof start, "%ju ", (uintmax_t)number);
	for (const char *line = mounts.at, *end = line + mounts.length, *next; line < end; line = next) {
		const char *stop = memchr(line, '\n', (size_t)(end - line));
		next = stop ? stop + 1 : end;
		struct text row = text_between(line, stop ? stop : end);
		const char *dash = memmem(row.at, row.length, " - ", 3);
		if (text_starts(row, start))
			return !dash || text_contains(text_between(row.at, dash), " shared:");
	}
	return true;
}

/* Lets nothing that is mounted on the container's root appear elsewhere: runc shares it where a volume asks for that. */
static bool keep_to_itself(int root)
{
	struct attributes attributes = {.propagation = SPREAD_PRIVATE};
	return !syscall(CALL_MOUNT_SETATTR, root, "", AT_EMPTY_PATH, &attributes, sizeof attributes);
}

/* The mounts that the container's may be mounted on: its root's own, and others that do not spread. */
struct ground {
	struct text mounts; /* mountinfo */
	uint64_t own;
};

static bool may_be_mounted_on(const struct ground *ground, int place)
{
	uint64_t number = below_mount(place);
	return number == ground->own || !is_shared(ground->mounts, number);
}

static int make_target(int folder, const char *name, bool is_folder)
{
	if (is_folder)
		return mkdirat(folder, name, 0755) ? -1 : openat(folder, name, O_PATH | O_NOFOLLOW | O_DIRECTORY | O_CLOEXEC);
	int file = openat(folder, name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0644);
	if (file < 0)
		return -1;
	close(file);
	return openat(folder, name, O_PATH | O_NOFOLLOW | O_CLOEXEC);
}

/* Where a mount goes: what stands there, links followed, or a new mount point; -1 where that is not for us to mount on, or
 * something stands in the way. It is looked up once, and judged by its descriptor. */
static int open_target(int root, const struct ground *ground, const struct freight *freight)
{
	const char *name;
	int target = below_open(root, freight->destination);
	if (target < 0) {
		int folder = errno == ENOENT ? below_parent(root, freight->destination, &name) : -1;
		return folder >= 0 && may_be_mounted_on(ground, folder) ? make_target(folder, name, freight->is_folder) : -1;
	}
	if (may_be_mounted_on(ground, target))
		return target;
	close(target);
	return -1;
}

bool carry_unload(int root, const struct freight *freight, int count)
{
	struct ground ground = {proc_read("/proc/self/mountinfo"), below_mount(root)};
	if (count && (!ground.own || (is_shared(ground.mounts, ground.own) && !keep_to_itself(root))))
		return false;
	for (int i = 0; i < count; i++) {
		int target = open_target(root, &ground, &freight[i]);
		bool done = target >= 0 && !attach_mount(freight[i].tree, target);
		if (target >= 0)
			close(target);
		close(freight[i].tree);
		if (!done)
			return false;
	}
	return true;
}

static bool make_node(int root, const char *path, mode_t mode, dev_t device, uid_t uid, gid_t gid)
{
	char link[32];
	const char *name;
	struct stat made;
	int folder = below_parent(root, path, &name);
	if (folder < 0 || mknodat(folder, name, mode, device))
		return false;
	int node = openat(folder, name, O_PATH | O_NOFOLLOW | O_CLOEXEC);
	snprintf(link, sizeof link, "/proc/self/fd/%d", node);
	/* Its name may be another's by now. */
	bool done = node >= 0 && fstat(node, &made) == 0 && (made.st_mode & S_IFMT) == (mode & S_IFMT) && made.st_rdev == device &&
		    chmod(link, mode & 07777) == 0 && chown(link, uid, gid) == 0;
	if (node >= 0)
		close(node);
	return done;
}

bool carry_nodes(int root, struct record *record)
{
	for (int left = record_count(record); left; left--) {
		const char *path = record_string(record);
		mode_t mode = (mode_t)record_number(record);
		unsigned major_number = (unsigned)record_number(record), minor_number = (unsigned)record_number(record);
		uid_t uid = (uid_t)record_number(record);
		gid_t gid = (gid_t)record_number(record);
		dev_t device = makedev(major_number, minor_number);
		struct stat found;
		if (record->broken)
			return false;
		int there = below_open(root, path);
		if (there < 0 && (errno != ENOENT || !make_node(root, path, mode, device, uid, gid)))
			return false;
		if (there < 0)
			continue;
		bool same = fstat(there, &found) == 0 && (found.st_mode & S_IFMT) == (mode & S_IFMT) && found.st_rdev == device;
		close(there);
		if (!same)
			return false;
	}
	return true;
}

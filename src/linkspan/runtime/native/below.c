#define _GNU_SOURCE
#include "below.h"
#include "whole.h"
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/magic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/statfs.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#ifndef SYS_openat2
#define SYS_openat2 437
#endif

/* linux/openat2.h, which older C libraries come without */
struct how {
	uint64_t flags, mode, resolve;
};
enum { NO_MAGICLINKS = 0x02, NO_SYMLINKS = 0x04, IN_ROOT = 0x10 };

enum { LOOK = O_PATH | O_NOFOLLOW | O_CLOEXEC, CACHE_LIMIT = 1 << 24, MAX_FOLDERS = 64 };

int root_open(const char *path)
{
	struct stat found, ours;
	int root = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (root < 0 || fstat(root, &found) || stat("/", &ours))
		return -1;
	return found.st_dev == ours.st_dev && found.st_ino == ours.st_ino ? -1 : root;
}

int below_open(int root, const char *path)
{
	struct how how = {.flags = O_PATH | O_CLOEXEC, .resolve = IN_ROOT | NO_MAGICLINKS};
	return (int)syscall(SYS_openat2, root, path, &how, sizeof how);
}

uint64_t below_mount(int place)
{
	struct statx found;
	if (statx(place, "", AT_EMPTY_PATH, STATX_MNT_ID, &found) || !(found.stx_mask & STATX_MNT_ID))
		return 0;
	return found.stx_mnt_id;
}

/* A second descriptor, to read by; only of what nobody can make us wait at. */
static int reopen(int place)
{
	char path[32];
	struct stat found;
	if (fstat(place, &found) || !(S_ISREG(found.st_mode) || S_ISDIR(found.st_mode)))
		return -1;
	snprintf(path, sizeof path, "/proc/self/fd/%d", place);
	return open(path, O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
}

static int open_to_read(int root, const char *path)
{
	int place = below_open(root, path);
	if (place < 0)
		return -1;
	int file = reopen(place);
	close(place);
	return file;
}

static bool has_bytes(int file, off_t at, struct text bytes)
{
	char part[1 << 14];
	while (bytes.length) {
		ssize_t got = pread(file, part, bytes.length < sizeof part ? bytes.length : sizeof part, at);
		if (got <= 0 || memcmp(part, bytes.at, (size_t)got))
			return false;
		bytes = (struct text){bytes.at + got, bytes.length - (size_t)got};
		at += got;
	}
	return true;
}

bool below_read(int root, const char *path, size_t limit, struct text *content)
{
	struct buffer buffer = {0};
	char part[1 << 14];
	ssize_t got = -1;
	int file = open_to_read(root, path);
	while (file >= 0 && buffer.length <= limit && (got = read(file, part, sizeof part)) > 0)
		buffer_add(&buffer, (struct text){part, (size_t)got});
	if (file >= 0)
		close(file);
	*content = buffer_text(&buffer);
	return got == 0 && !buffer.failed;
}

/* What is to be found: one function for each kind, which reads its part of the record and says whether it is so. */

static bool is_absent(int root, struct record *record)
{
	int place = below_open(root, record_string(record));
	if (place >= 0)
		close(place);
	return place < 0 && (errno == ENOENT || errno == ENOTDIR);
}

static int64_t nanoseconds(struct timespec time)
{
	return (int64_t)time.tv_sec * 1000000000 + time.tv_nsec;
}

enum { ABSENT, PRESENT, UNKNOWN };

static int look(int root, const char *path, struct stat *found)
{
	int place = below_open(root, path);
	if (place < 0)
		return errno == ENOENT || errno == ENOTDIR ? ABSENT : UNKNOWN;
	bool there = fstat(place, found) == 0;
	close(place);
	return there ? PRESENT : UNKNOWN;
}

static bool is_there(int root, struct record *record)
{
	struct stat found;
	int there = look(root, record_string(record), &found);
	int64_t type = record_number(record), changed = record_number(record);
	return there == PRESENT && (found.st_mode & S_IFMT) == type && (changed < 0 || nanoseconds(found.st_mtim) == changed);
}

static bool is_newer(int root, struct record *record)
{
	struct stat found;
	int there = look(root, record_string(record), &found);
	int64_t than = record_number(record), is = record_number(record);
	return there != UNKNOWN && is == (there == PRESENT && nanoseconds(found.st_mtim) > than);
}

/* What a name stands for in a folder, links not followed: its type, and its number where it is a device. */
static bool is_entry(int root, struct record *record)
{
	struct stat found;
	int folder = below_open(root, record_string(record));
	const char *name = record_string(record);
	bool there = folder >= 0 && fstatat(folder, name, &found, AT_SYMLINK_NOFOLLOW) == 0;
	bool absent = folder >= 0 && !there && errno == ENOENT;
	int64_t type = record_number(record), major_number = record_number(record), minor_number = record_number(record);
	if (folder >= 0)
		close(folder);
	if (!type)
		return absent;
	return there && (found.st_mode & S_IFMT) == type && major(found.st_rdev) == major_number && minor(found.st_rdev) == minor_number;
}

static bool is_file(int root, struct record *record)
{
	struct stat found;
	int file = open_to_read(root, record_string(record));
	int64_t size = record_number(record);
	bool same = file >= 0 && fstat(file, &found) == 0 && S_ISREG(found.st_mode) && found.st_size == size;
	for (int parts = record_count(record); parts; parts--) {
		int64_t at = record_number(record);
		struct text bytes = record_text(record);
		same = same && has_bytes(file, at, bytes);
	}
	if (file >= 0)
		close(file);
	return same;
}

static bool is_resolved(int root, struct record *record)
{
	char link[32], top[PATH_MAX], found[PATH_MAX];
	int place = below_open(root, record_string(record));
	struct text path = record_text(record);
	snprintf(link, sizeof link, "/proc/self/fd/%d", root);
	ssize_t above = readlink(link, top, sizeof top);
	snprintf(link, sizeof link, "/proc/self/fd/%d", place);
	ssize_t length = place < 0 ? -1 : readlink(link, found, sizeof found);
	if (place >= 0)
		close(place);
	if (above < 0 || length < above || memcmp(top, found, (size_t)above))
		return false;
	return text_equal(path, (struct text){found + above, (size_t)(length - above)});
}

static int by_name(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

/* The names in a folder, sorted by their bytes; -1 where it cannot be read, or has more than are expected. */
static int names_in(int folder, char **names, int limit)
{
	DIR *entries = fdopendir(folder);
	int count = entries ? 0 : -1;
	for (struct dirent *entry; count >= 0 && (entry = readdir(entries));) {
		if (!strcmp(entry->d_name, ".") || !strcmp(entry->d_name, ".."))
			continue;
		count = count < limit && (names[count] = strdup(entry->d_name)) ? count + 1 : -1;
	}
	if (entries)
		closedir(entries);
	if (count > 0)
		qsort(names, (size_t)count, sizeof *names, by_name);
	return count;
}

static bool is_folder_of(int root, struct record *record)
{
	int folder = open_to_read(root, record_string(record)), expected = record_count(record);
	char **names = calloc((size_t)expected + 1, sizeof *names);
	int count = names && folder >= 0 ? names_in(folder, names, expected) : -1;
	bool same = count == expected;
	for (int i = 0; i < expected; i++) {
		struct text name = record_text(record);
		same = same && text_is(name, names[i]);
	}
	return same;
}

static const struct {
	const char *kind;
	bool (*holds)(int root, struct record *record);
} FINDINGS[] = {
	{"absent", is_absent}, {"there", is_there}, {"newer", is_newer},       {"entry", is_entry},
	{"file", is_file},     {"names", is_folder_of}, {"resolved", is_resolved},
};

static bool finding_holds(int root, struct record *record)
{
	struct text kind = record_text(record);
	for (size_t i = 0; i < sizeof FINDINGS / sizeof *FINDINGS; i++)
		if (text_is(kind, FINDINGS[i].kind))
			return FINDINGS[i].holds(root, record);
	return false;
}

/* What is to be written. */

struct folder {
	const char *path;
	int place;
};

static int enter(int parent, const char *name, mode_t mode)
{
	if (!strcmp(name, ".") || !strcmp(name, ".."))
		return -1; /* such a path is only right where it is looked up as a whole */
	int place = openat(parent, name, LOOK | O_DIRECTORY);
	if (place >= 0 || errno != ENOENT)
		return place;
	/* The mode is given here and not by the name later, which may be another's by then. */
	mode_t before = umask(0);
	bool made = mkdirat(parent, name, mode) == 0;
	umask(before);
	return made ? openat(parent, name, LOOK | O_DIRECTORY) : -1;
}

/* True where a symlink of the image leads into another mount, which is not for the image to choose (kernel/paths.py). */
static bool is_led_away(int root, const char *path, int place)
{
	struct how how = {.flags = O_PATH | O_CLOEXEC, .resolve = IN_ROOT | NO_SYMLINKS};
	struct statfs found;
	uint64_t own = below_mount(root);
	if (own && below_mount(place) == own)
		return false; /* where mounts cannot be told apart (before Linux 5.8), it is for Python to look */
	int plain = (int)syscall(SYS_openat2, root, *path ? path : "/", &how, sizeof how);
	if (plain >= 0)
		close(plain);
	return !own || (plain < 0 && (fstatfs(place, &found) || found.f_type != TMPFS_MAGIC));
}

/* Makes the last folder of a path, and those above it that are missing; -1 where something unexpected stands there. */
static int make_folder(int root, char *path, mode_t mode)
{
	int place = below_open(root, *path ? path : "/");
	struct stat found;
	if (place >= 0)
		return fstat(place, &found) == 0 && S_ISDIR(found.st_mode) ? place : -1;
	char *slash = strrchr(path, '/');
	if (errno != ENOENT || !slash || !slash[1])
		return -1;
	*slash = 0;
	int parent = make_folder(root, path, 0755);
	place = parent < 0 || is_led_away(root, path, parent) ? -1 : enter(parent, slash + 1, mode);
	*slash = '/';
	if (parent >= 0)
		close(parent);
	return place;
}

/* Makes a folder once for all that goes into it. */
static int folder_at(int root, const char *path, mode_t mode)
{
	static struct folder known[MAX_FOLDERS];
	static int count;
	for (int i = 0; i < count; i++)
		if (!strcmp(known[i].path, path))
			return known[i].place;
	char *copy = strdup(path);
	int place = copy ? make_folder(root, copy, mode) : -1;
	if (place < 0 || count == MAX_FOLDERS || is_led_away(root, path, place))
		return -1;
	known[count++] = (struct folder){path, place};
	return place;
}

/* Splits a path of the record into the folder, which is made, and the last name; -1 where there is no such. */
static int folder_of(int root, char *path, const char **name)
{
	char *slash = strrchr(path, '/');
	if (!slash || !slash[1])
		return -1;
	*slash = 0;
	*name = slash + 1;
	return folder_at(root, path, 0755);
}

int below_parent(int root, const char *path, const char **name)
{
	char *copy = strdup(path);
	return copy ? folder_of(root, copy, name) : -1;
}

static bool make_link(int root, struct record *record)
{
	char now[PATH_MAX];
	const char *target = record_string(record), *name;
	int folder = folder_of(root, record_string(record), &name);
	if (folder < 0 || record->broken)
		return false;
	if (symlinkat(target, folder, name) == 0)
		return true;
	if (errno != EEXIST)
		return false;
	ssize_t length = readlinkat(folder, name, now, sizeof now);
	if (length >= 0 && text_is((struct text){now, (size_t)length}, target))
		return true;
	return whole_link(folder, name, target);
}

static bool make_file(int root, struct record *record)
{
	const char *name;
	int folder = folder_of(root, record_string(record), &name);
	mode_t mode = (mode_t)record_number(record);
	struct text data = record_text(record);
	return folder >= 0 && !record->broken && whole_file(folder, name, data, mode);
}

static bool make_one_folder(int root, struct record *record)
{
	const char *path = record_string(record);
	mode_t mode = (mode_t)record_number(record);
	return !record->broken && folder_at(root, path, mode) >= 0;
}

static bool take_away(int root, struct record *record)
{
	char *path = record_string(record), *slash = strrchr(path, '/');
	if (!slash || !slash[1] || record->broken)
		return false;
	*slash = 0;
	int folder = below_open(root, *path ? path : "/");
	if (folder < 0)
		return errno == ENOENT;
	bool gone = unlinkat(folder, slash + 1, 0) == 0 || errno == ENOENT;
	close(folder);
	return gone;
}

static const struct {
	const char *kind;
	bool (*act)(int root, struct record *record);
} STEPS[] = {{"link", make_link}, {"file", make_file}, {"folder", make_one_folder}, {"remove", take_away}};

static bool take_step(int root, struct record *record)
{
	struct text kind = record_text(record);
	for (size_t i = 0; i < sizeof STEPS / sizeof *STEPS; i++)
		if (text_is(kind, STEPS[i].kind))
			return STEPS[i].act(root, record);
	return false;
}

/* The work and how the image's loader cache looks: what a record is named after, so that each image has its own. */
static struct text record_name(int root, struct text work)
{
	struct buffer name = {0};
	struct stat found;
	char cache[64] = "\n-";
	if (look(root, "/etc/ld.so.cache", &found) == PRESENT)
		snprintf(cache, sizeof cache, "\n%jd:%jd", (intmax_t)found.st_size, (intmax_t)nanoseconds(found.st_mtim));
	buffer_add(&name, work);
	buffer_put(&name, cache);
	return name.failed ? (struct text){"", 0} : buffer_text(&name);
}

bool below_prepare(const struct store *store, int root, struct text work)
{
	struct record record;
	if (!record_open(&record, store, "images", record_name(root, work), work))
		return false;
	for (int left = record_count(&record); left; left--)
		if (!finding_holds(root, &record) || record.broken)
			return false;
	for (int left = record_count(&record); left; left--)
		if (!take_step(root, &record) || record.broken)
			return false;
	return !record.broken;
}

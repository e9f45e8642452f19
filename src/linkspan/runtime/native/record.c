#define _GNU_SOURCE
#include "record.h"
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/sysmacros.h>
#include <unistd.h>

enum { RECORD_LIMIT = 1 << 22, STAMP_TEXT_LIMIT = 1 << 16 };

bool record_open(struct record *record, const struct store *store, const char *kind, struct text name, struct text key)
{
	char path[PATH_MAX];
	struct stat status;
	int length = snprintf(path, sizeof path, "%s/%s/%016" PRIx64, store->state, kind, text_hash(name));
	*record = (struct record){0};
	if (length >= (int)sizeof path || !read_file(path, RECORD_LIMIT, true, &record->rest, &status))
		return false;
	bool ours = text_is(record_text(record), store->version) && text_equal(record_text(record), key);
	return ours && !record->broken;
}

static struct text broken(struct record *record)
{
	record->broken = true;
	record->rest.length = 0;
	return (struct text){"", 0};
}

struct text record_text(struct record *record)
{
	const char *at = record->rest.at, *end = at + record->rest.length;
	size_t length = 0;
	for (; at < end && *at >= '0' && *at <= '9' && length < RECORD_LIMIT; at++)
		length = length * 10 + (size_t)(*at - '0');
	if (at == record->rest.at || at == end || *at++ != ':' || (size_t)(end - at) < length + 1 || at[length] != ',')
		return broken(record);
	record->rest = text_between(at + length + 1, end);
	return (struct text){at, length};
}

char *record_string(struct record *record)
{
	char *string = text_string(record_text(record));
	if (string)
		return string;
	static char empty[1];
	broken(record);
	empty[0] = 0;
	return empty;
}

int64_t record_number(struct record *record)
{
	char *string = record_string(record), *end = string;
	int64_t number = strtoll(string, &end, 10);
	if (end == string || *end)
		broken(record);
	return number;
}

int record_count(struct record *record)
{
	int64_t count = record_number(record);
	if (count < 0 || count > RECORD_LIMIT)
		broken(record);
	return record->broken ? 0 : (int)count;
}

static bool file_holds(const char *path, struct text value)
{
	char now[96];
	struct stat found;
	if (stat(path, &found))
		return !value.length;
	snprintf(now, sizeof now, "%ju:%jd:%jd", (uintmax_t)found.st_ino, (intmax_t)found.st_size,
		 (intmax_t)found.st_mtim.tv_sec * 1000000000 + found.st_mtim.tv_nsec);
	return text_is(value, now);
}

static bool node_holds(const char *path, struct text value)
{
	char now[32];
	struct stat found;
	if (lstat(path, &found))
		return !value.length;
	snprintf(now, sizeof now, "%u:%u", major(found.st_rdev), minor(found.st_rdev));
	return text_is(value, now);
}

/* Blanks around a text do not count; what is not ASCII is left to Python, which compares it decoded. */
static bool text_holds(const char *path, struct text value)
{
	static char now[STAMP_TEXT_LIMIT];
	int file = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	ssize_t length = file < 0 ? -1 : read(file, now, sizeof now);
	if (file >= 0)
		close(file);
	if (length < 0)
		return !value.length;
	struct text found = {now, (size_t)length};
	for (; found.length && strchr(" \t\n\r\v\f", found.at[0]) && found.at[0]; found.length--)
		found.at++;
	while (found.length && found.at[found.length - 1] && strchr(" \t\n\r\v\f", found.at[found.length - 1]))
		found.length--;
	return text_equal(found, value);
}

static bool stamp_holds(struct text kind, const char *path, struct text value)
{
	struct stat found;
	if (text_is(kind, "file"))
		return file_holds(path, value);
	if (text_is(kind, "node"))
		return node_holds(path, value);
	if (text_is(kind, "text"))
		return text_holds(path, value);
	return text_is(kind, "absent") && !value.length && lstat(path, &found) != 0;
}

bool stamps_hold(struct record *record)
{
	bool hold = true;
	for (int left = record_count(record); left && hold; left--) {
		struct text kind = record_text(record);
		const char *path = record_string(record);
		hold = stamp_holds(kind, path, record_text(record)) && !record->broken;
	}
	return hold;
}

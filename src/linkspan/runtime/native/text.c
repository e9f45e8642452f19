#define _GNU_SOURCE
#include "text.h"
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct text text_of(const char *string)
{
	return (struct text){string, strlen(string)};
}

bool text_equal(struct text a, struct text b)
{
	return a.length == b.length && (!a.length || !memcmp(a.at, b.at, a.length));
}

bool text_is(struct text a, const char *string)
{
	return text_equal(a, text_of(string));
}

bool text_starts(struct text a, const char *string)
{
	size_t length = strlen(string);
	return a.length >= length && !memcmp(a.at, string, length);
}

bool text_ends(struct text a, const char *string)
{
	size_t length = strlen(string);
	return a.length >= length && !memcmp(a.at + a.length - length, string, length);
}

bool text_contains(struct text a, const char *word)
{
	return memmem(a.at, a.length, word, strlen(word)) != NULL;
}

static bool make_room(struct buffer *buffer, size_t more)
{
	size_t room = buffer->room ? buffer->room : 1 << 14;
	if (buffer->failed || more > SIZE_MAX / 4)
		return false;
	while (room - buffer->length < more)
		room *= 2;
	if (room == buffer->room)
		return true;
	char *data = realloc(buffer->data, room);
	if (!data)
		return false;
	buffer->data = data;
	buffer->room = room;
	return true;
}

void buffer_add(struct buffer *buffer, struct text text)
{
	if (!text.length)
		return;
	if (!make_room(buffer, text.length)) {
		buffer->failed = true;
		return;
	}
	memcpy(buffer->data + buffer->length, text.at, text.length);
	buffer->length += text.length;
}

void buffer_put(struct buffer *buffer, const char *string)
{
	buffer_add(buffer, text_of(string));
}

struct text buffer_text(const struct buffer *buffer)
{
	return (struct text){buffer->data, buffer->length};
}

char *text_string(struct text text)
{
	if (text.length && memchr(text.at, 0, text.length))
		return NULL;
	char *copy = malloc(text.length + 1);
	if (!copy)
		return NULL;
	if (text.length)
		memcpy(copy, text.at, text.length);
	copy[text.length] = 0;
	return copy;
}

static bool may_be_used(const struct stat *status, size_t limit, bool only_ours)
{
	if (!S_ISREG(status->st_mode) || status->st_size < 0 || (uint64_t)status->st_size > limit)
		return false;
	return !only_ours || (status->st_uid == geteuid() && !(status->st_mode & (S_IWGRP | S_IWOTH)));
}

static bool read_whole(int file, size_t size, struct text *content)
{
	char *data = malloc(size + 1);
	size_t length = 0;
	while (data && length < size) {
		ssize_t got = read(file, data + length, size - length);
		if (got <= 0)
			return false;
		length += (size_t)got;
	}
	if (!data)
		return false;
	data[size] = 0;
	*content = (struct text){data, size};
	return true;
}

bool read_file(const char *path, size_t limit, bool only_ours, struct text *content, struct stat *status)
{
	int file = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK | (only_ours ? O_NOFOLLOW : 0));
	if (file < 0)
		return false;
	bool done = fstat(file, status) == 0 && may_be_used(status, limit, only_ours) &&
		    read_whole(file, (size_t)status->st_size, content);
	close(file);
	return done;
}

struct text proc_read_at(int folder, const char *name)
{
	static char part[1 << 14];
	struct buffer buffer = {0};
	ssize_t got;
	int file = openat(folder, name, O_RDONLY | O_CLOEXEC);
	while (file >= 0 && buffer.length < 1 << 22 && (got = read(file, part, sizeof part)) > 0)
		buffer_add(&buffer, (struct text){part, (size_t)got});
	if (file >= 0)
		close(file);
	return buffer_text(&buffer);
}

struct text proc_read(const char *path)
{
	return proc_read_at(AT_FDCWD, path);
}

uint64_t text_hash(struct text text)
{
	uint64_t hash = 0xcbf29ce484222325u;
	for (size_t i = 0; i < text.length; i++)
		hash = (hash ^ (unsigned char)text.at[i]) * 0x100000001b3u;
	return hash;
}

/* What all parts of the launcher share: pieces of text, a growing buffer, and small files that only we can have written.
 *
 * Nothing is freed: the process becomes another program, or ends, within a millisecond.
 */
#ifndef LINKSPAN_TEXT_H
#define LINKSPAN_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/stat.h>

/* A piece of a text that somebody else holds; not ended by a zero byte. */
struct text {
	const char *at;
	size_t length;
};

struct buffer {
	char *data;
	size_t length, room;
	bool failed; /* there was no memory; what came since is lost */
};

static inline struct text text_between(const char *at, const char *end)
{
	return (struct text){at, (size_t)(end - at)};
}

struct text text_of(const char *string);
bool text_equal(struct text a, struct text b);
bool text_is(struct text a, const char *string);
bool text_starts(struct text a, const char *string);
bool text_ends(struct text a, const char *string);
bool text_contains(struct text a, const char *word);

/* Appends; a failure is kept in the buffer, to be looked at once at the end. */
void buffer_add(struct buffer *buffer, struct text text);
void buffer_put(struct buffer *buffer, const char *string);
struct text buffer_text(const struct buffer *buffer);

/* A copy ended by a zero byte; NULL without memory, or where the text holds a zero byte itself. */
char *text_string(struct text text);

/* A whole regular file of at most ``limit`` bytes, with a zero byte behind it; false where it cannot be read.
 * ``only_ours``: it counts only if our user owns it and nobody else may write it. */
bool read_file(const char *path, size_t limit, bool only_ours, struct text *content, struct stat *status);

/* A file of /proc, which has no size to ask for; empty where it cannot be read. */
struct text proc_read(const char *path);
struct text proc_read_at(int folder, const char *name);

/* 64-bit FNV-1a, by which files of the state folder are named (formats/state.py has the same). It keeps nobody from
 * making two texts of one name, so a file says in full what it is for. */
uint64_t text_hash(struct text text);

#endif

/* JSON taken apart, not converted: where each value stands in the text, so that the rest can be left as it is.
 *
 * Only what is JSON by the letter (RFC 8259, in UTF-8) is taken; of everything else Python says what is wrong with it.
 */
#ifndef LINKSPAN_JSON_H
#define LINKSPAN_JSON_H

#include "text.h"

enum kind { OBJECT, ARRAY, STRING, OTHER };

/* A value: [start, end) in the text, of a string what is between the quotes. An object is followed by its keys and values
 * in turn, an array by its elements; ``next`` is the token behind all of them. */
struct token {
	enum kind kind;
	bool plain; /* a string without escapes */
	int size;   /* members or elements */
	int next;
	size_t start, end;
};

struct json {
	struct text text;
	struct token *tokens;
	int count, room;
};

/* False where the text is not JSON, nested deeper than any configuration is, or there is no memory. */
bool json_scan(struct json *json, struct text text);

struct text json_text(const struct json *json, int token);

/* A string with its escapes undone; false where it is none, or has escapes for what is not ASCII. Engines written in Go
 * escape <, > and &, which the requirements of CUDA images are full of. */
bool json_string(const struct json *json, int token, struct text *string);

/* A member that is a plain string, as a string of its own; NULL where it is not, or where ``object`` is no object. */
char *json_string_member(const struct json *json, int object, const char *name);

bool json_is(const struct json *json, int token, enum kind kind);
bool json_is_null(const struct json *json, int token);

/* The value of an object's member: 0 where there is none, -1 where that cannot be told (it is there twice, or a key has
 * escapes). */
int json_member(const struct json *json, int object, const char *name);

/* The first element of an array or key of an object; the others follow by ``next``, to ``tokens[parent].next``. */
int json_first(int parent);

#endif

#include "json.h"
#include <stdlib.h>
#include <string.h>

enum { MAX_DEPTH = 64, MAX_TOKENS = 1 << 20 };

struct scan {
	struct json *json;
	const unsigned char *at, *end;
};

static bool value(struct scan *scan, int depth);

static int peek(const struct scan *scan)
{
	return scan->at < scan->end ? *scan->at : -1;
}

static void skip_blanks(struct scan *scan)
{
	while (scan->at < scan->end && (*scan->at == ' ' || *scan->at == '\t' || *scan->at == '\n' || *scan->at == '\r'))
		scan->at++;
}

static bool take(struct scan *scan, int character)
{
	if (peek(scan) != character)
		return false;
	scan->at++;
	return true;
}

static size_t position(const struct scan *scan)
{
	return (size_t)(scan->at - (const unsigned char *)scan->json->text.at);
}

/* The number of a new token, which starts here; -1 where there may be no more. */
static int open_token(struct scan *scan, enum kind kind)
{
	struct json *json = scan->json;
	if (json->count == json->room) {
		int room = json->room ? json->room * 2 : 1024;
		struct token *tokens = room > MAX_TOKENS ? NULL : realloc(json->tokens, (size_t)room * sizeof *tokens);
		if (!tokens)
			return -1;
		json->tokens = tokens;
		json->room = room;
	}
	json->tokens[json->count] = (struct token){.kind = kind, .plain = true, .start = position(scan)};
	return json->count++;
}

static bool close_token(struct scan *scan, int token)
{
	scan->json->tokens[token].end = position(scan);
	scan->json->tokens[token].next = scan->json->count;
	return true;
}

static bool is_hex(int c)
{
	return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
}

static bool escape(struct scan *scan)
{
	int c = peek(scan);
	if (c <= 0 || !strchr("\"\\/bfnrtu", c)) /* strchr finds a zero, too */
		return false;
	scan->at++;
	for (int i = 0; c == 'u' && i < 4; i++, scan->at++)
		if (!is_hex(peek(scan)))
			return false;
	return true;
}

/* One character of more than one byte, as RFC 3629 has it: shortest form, no surrogates, nothing above U+10FFFF. */
static bool wide_character(struct scan *scan)
{
	unsigned first = *scan->at++, more = first >= 0xf0 ? 3 : first >= 0xe0 ? 2 : 1;
	unsigned low = first == 0xe0 ? 0xa0 : first == 0xf0 ? 0x90 : 0x80, high = first == 0xed ? 0x9f : first == 0xf4 ? 0x8f : 0xbf;
	if (first < 0xc2 || first > 0xf4)
		return false;
	for (; more; more--, scan->at++, low = 0x80, high = 0xbf)
		if (peek(scan) < (int)low || peek(scan) > (int)high)
			return false;
	return true;
}

static bool string(struct scan *scan)
{
	scan->at++;
	int token = open_token(scan, STRING);
	for (int c; token >= 0 && (c = peek(scan)) >= 0x20;) {
		if (c == '"') {
			close_token(scan, token);
			scan->at++;
			return true;
		}
		if (c >= 0x80) {
			if (!wide_character(scan))
				return false;
			continue;
		}
		scan->at++;
		if (c == '\\') {
			scan->json->tokens[token].plain = false;
			if (!escape(scan))
				return false;
		}
	}
	return false;
}

static bool digits(struct scan *scan)
{
	const unsigned char *first = scan->at;
	while (peek(scan) >= '0' && peek(scan) <= '9')
		scan->at++;
	return scan->at > first;
}

static bool number(struct scan *scan)
{
	take(scan, '-');
	if (!take(scan, '0') && !digits(scan))
		return false;
	if (take(scan, '.') && !digits(scan))
		return false;
	if (take(scan, 'e') || take(scan, 'E')) {
		if (!take(scan, '+'))
			take(scan, '-');
		return digits(scan);
	}
	return true;
}

static bool word(struct scan *scan, const char *text)
{
	size_t length = strlen(text);
	if ((size_t)(scan->end - scan->at) < length || memcmp(scan->at, text, length))
		return false;
	scan->at += length;
	return true;
}

static bool other(struct scan *scan)
{
	int token = open_token(scan, OTHER), c = peek(scan);
	if (token < 0)
		return false;
	bool good = c == 't' ? word(scan, "true") : c == 'f' ? word(scan, "false") : c == 'n' ? word(scan, "null") : number(scan);
	return good && close_token(scan, token);
}

static bool member(struct scan *scan, int depth)
{
	skip_blanks(scan);
	if (peek(scan) != '"' || !string(scan))
		return false;
	skip_blanks(scan);
	return take(scan, ':') && value(scan, depth);
}

static bool list(struct scan *scan, enum kind kind, int depth)
{
	int token = open_token(scan, kind), end = kind == OBJECT ? '}' : ']';
	if (token < 0 || depth > MAX_DEPTH)
		return false;
	scan->at++;
	skip_blanks(scan);
	if (take(scan, end))
		return close_token(scan, token);
	do {
		if (!(kind == OBJECT ? member(scan, depth + 1) : value(scan, depth + 1)))
			return false;
		scan->json->tokens[token].size++;
		skip_blanks(scan);
	} while (take(scan, ','));
	return take(scan, end) && close_token(scan, token);
}

static bool value(struct scan *scan, int depth)
{
	skip_blanks(scan);
	switch (peek(scan)) {
	case '{':
		return list(scan, OBJECT, depth);
	case '[':
		return list(scan, ARRAY, depth);
	case '"':
		return string(scan);
	default:
		return other(scan);
	}
}

bool json_scan(struct json *json, struct text text)
{
	struct scan scan = {json, (const unsigned char *)text.at, (const unsigned char *)text.at + text.length};
	*json = (struct json){.text = text};
	if (!value(&scan, 0))
		return false;
	skip_blanks(&scan);
	return scan.at == scan.end;
}

struct text json_text(const struct json *json, int token)
{
	const struct token *found = &json->tokens[token];
	return (struct text){json->text.at + found->start, found->end - found->start};
}

static int hex_value(const char *at)
{
	int value = 0;
	for (int i = 0; i < 4; i++)
		value = value * 16 + (at[i] <= '9' ? at[i] - '0' : (at[i] | 0x20) - 'a' + 10);
	return value;
}

/* What an escape stands for, which begins behind its backslash; -1 for what is not ASCII, and for a zero byte. */
static int unescaped(const char **at)
{
	static const char letters[] = "bfnrt", values[] = "\b\f\n\r\t";
	char letter = *(*at)++;
	const char *found = strchr(letters, letter);
	if (found)
		return values[found - letters];
	if (letter != 'u')
		return letter;
	int value = hex_value(*at);
	*at += 4;
	return value && value < 0x80 ? value : -1;
}

bool json_string(const struct json *json, int token, struct text *string)
{
	*string = json_text(json, token);
	if (!json_is(json, token, STRING) || json->tokens[token].plain)
		return json_is(json, token, STRING);
	char *out = malloc(string->length + 1), *put = out;
	const char *at = string->at, *end = at + string->length;
	while (out && at < end) {
		int character = *at++;
		if (character == '\\' && (character = unescaped(&at)) < 0)
			return false;
		*put++ = (char)character;
	}
	*string = text_between(out, put);
	return out != NULL;
}

bool json_is(const struct json *json, int token, enum kind kind)
{
	return token >= 0 && json->tokens[token].kind == kind;
}

bool json_is_null(const struct json *json, int token)
{
	return json_is(json, token, OTHER) && text_is(json_text(json, token), "null");
}

char *json_string_member(const struct json *json, int object, const char *name)
{
	int found = json_member(json, object, name);
	if (found <= 0 || !json_is(json, found, STRING) || !json->tokens[found].plain)
		return NULL;
	return text_string(json_text(json, found));
}

int json_first(int parent)
{
	return parent + 1;
}

int json_member(const struct json *json, int object, const char *name)
{
	int found = 0;
	if (!json_is(json, object, OBJECT))
		return -1;
	for (int key = json_first(object); key < json->tokens[object].next; key = json->tokens[key + 1].next) {
		if (!json->tokens[key].plain || (found && text_is(json_text(json, key), name)))
			return -1;
		if (text_is(json_text(json, key), name))
			found = key + 1;
	}
	return found;
}

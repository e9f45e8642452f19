#include "splice.h"
#include <stdlib.h>
#include <string.h>

/* What is compared is compared each with each. */
enum { MAX_MOUNTS = 4096 };

/* Cuts are kept in the order of their places; of two at one place the first comes first. */
static bool add_cut(struct splice *splice, size_t at, size_t drop, struct text insert)
{
	int place = splice->count;
	if (splice->count == MAX_CUTS)
		return false;
	for (; place && splice->cuts[place - 1].at > at; place--)
		splice->cuts[place] = splice->cuts[place - 1];
	splice->cuts[place] = (struct cut){at, drop, insert};
	splice->count++;
	return true;
}

static struct text joined(const char *before, struct text middle, const char *after)
{
	struct buffer buffer = {0};
	buffer_put(&buffer, before);
	buffer_add(&buffer, middle);
	buffer_put(&buffer, after);
	return buffer.failed ? (struct text){NULL, 0} : buffer_text(&buffer);
}

/* Adds to the end of an object or array. */
static bool extend(struct splice *splice, int list, struct text text)
{
	struct token *token = &splice->config->tokens[list];
	struct text insert = token->size++ ? joined(",", text, "") : text;
	return insert.at && add_cut(splice, token->end - 1, 0, insert);
}

static bool replace(struct splice *splice, int value, struct text text)
{
	const struct token *token = &splice->config->tokens[value];
	return text.at && add_cut(splice, token->start, token->end - token->start, text);
}

/* Appends elements to the array of that name in an object, which is made where it is absent or null. */
static bool append(struct splice *splice, int object, const char *name, struct text elements)
{
	int list = json_member(splice->config, object, name);
	if (!elements.length)
		return true;
	if (list < 0)
		return false;
	if (json_is_null(splice->config, list))
		return replace(splice, list, joined("[", elements, "]"));
	if (list)
		return json_is(splice->config, list, ARRAY) && extend(splice, list, elements);
	struct text array = joined("\":[", elements, "]"), member = joined("\"", text_of(name), "");
	struct buffer both = {0};
	buffer_add(&both, member);
	buffer_add(&both, array);
	return !both.failed && extend(splice, object, buffer_text(&both));
}

/* True where an element of an array has a plain string of that name which is among the values, or something else there. */
static bool any_has(const struct json *config, int list, const char *name, const struct text *values, int count)
{
	for (int one = json_first(list); list > 0 && one < config->tokens[list].next; one = config->tokens[one].next) {
		int member = json_member(config, one, name);
		if (member <= 0 || !json_is(config, member, STRING) || !config->tokens[member].plain)
			return true;
		for (int i = 0; i < count; i++)
			if (text_equal(json_text(config, member), values[i]))
				return true;
	}
	return false;
}

/* True where an entry of a hook stage is a program of one of these base names, or cannot be told to be none. */
static bool any_program(const struct json *config, int list, const struct text *names, int count)
{
	for (int one = json_first(list); one < config->tokens[list].next; one = config->tokens[one].next) {
		char *path = json_string_member(config, one, "path");
		const char *slash = path ? strrchr(path, '/') : NULL;
		for (int i = 0; i < count && path; i++)
			if (text_is(names[i], slash ? slash + 1 : path))
				return true;
		if (!path)
			return true;
	}
	return false;
}

/* "uid":N, where the process has one above zero; nothing where it is zero; false where that cannot be told. */
static bool add_owner(const struct json *config, int user, const char *name, struct buffer *owners)
{
	int found = user > 0 ? json_member(config, user, name) : user;
	struct text value = found > 0 ? json_text(config, found) : (struct text){"0", 1};
	if (found < 0 || (found && !json_is(config, found, OTHER)) || strspn(value.at, "0123456789") < value.length)
		return false;
	if (!text_is(value, "0")) {
		buffer_put(owners, "\"");
		buffer_put(owners, name);
		buffer_put(owners, "\":");
		buffer_add(owners, value);
		buffer_put(owners, ",");
	}
	return !owners->failed;
}

/* The entries of linux.devices, given to the process's user where the edits name nobody (contract 2.7). */
static bool render_devices(struct record *record, int count, struct text *paths, struct text owners, struct buffer *out)
{
	for (int i = 0; i < count; i++) {
		paths[i] = record_text(record);
		bool owned = record_number(record) != 0;
		struct text entry = record_text(record);
		if (!entry.length || (owned && owners.length))
			return false;
		buffer_put(out, i ? ",{" : "{");
		buffer_add(out, owners);
		buffer_add(out, (struct text){entry.at + 1, entry.length - 1});
	}
	return !out->failed && !record->broken;
}

static bool add_devices(struct splice *splice, struct record *record, int process)
{
	struct json *config = splice->config;
	struct buffer owners = {0}, entries = {0};
	int count = record_count(record), linux = json_member(config, 0, "linux"), user = json_member(config, process, "user");
	struct text *paths = calloc((size_t)count + 1, sizeof *paths);
	bool ready = paths && add_owner(config, user, "uid", &owners) && add_owner(config, user, "gid", &owners) &&
		     render_devices(record, count, paths, buffer_text(&owners), &entries);
	struct text rules = record_text(record);
	if (!ready)
		return false;
	if (!count)
		return true;
	if (linux <= 0 || !json_is(config, linux, OBJECT))
		return false;
	int present = json_member(config, linux, "devices"), resources = json_member(config, linux, "resources");
	bool clear = present <= 0 || json_is_null(config, present) ||
		     (json_is(config, present, ARRAY) && !any_has(config, present, "path", paths, count));
	return clear && resources > 0 && json_is(config, resources, OBJECT) &&
	       append(splice, linux, "devices", buffer_text(&entries)) && append(splice, resources, "devices", rules);
}

struct mount {
	int depth;
	struct text destination, entry;
};

/* True for an absolute path that is written as the kernel would write it, but for slashes at its end. */
static bool is_normal(struct text path)
{
	if (!path.length || path.at[0] != '/')
		return false;
	return !text_contains(path, "//") && !text_contains(path, "/./") && !text_contains(path, "/../") &&
	       !text_ends(path, "/.") && !text_ends(path, "/..");
}

static struct text without_slash(struct text path)
{
	if (path.length && path.at[path.length - 1] == '/')
		path.length--;
	return path;
}

static int depth_of(struct text path)
{
	int depth = 0;
	path = without_slash(path);
	for (size_t i = 0; i < path.length; i++)
		depth += path.at[i] == '/';
	return depth;
}

/* True where a mount there hides one of these paths. */
static bool covers(struct text destination, const struct text *paths, int count)
{
	destination = without_slash(destination);
	for (int i = 0; i < count; i++)
		if (paths[i].length >= destination.length && !memcmp(paths[i].at, destination.at, destination.length) &&
		    (paths[i].length == destination.length || paths[i].at[destination.length] == '/'))
			return true;
	return false;
}

static int by_depth_stable(struct mount *mounts, int count)
{
	for (int i = 1; i < count; i++) {
		struct mount one = mounts[i];
		int place = i;
		for (; place && mounts[place - 1].depth > one.depth; place--)
			mounts[place] = mounts[place - 1];
		mounts[place] = one;
	}
	return count;
}

/* The mounts that are there; false where one is not as engines write them. */
static bool read_mounts(const struct json *config, int list, struct mount *mounts)
{
	for (int one = json_first(list), i = 0; one < config->tokens[list].next; one = config->tokens[one].next, i++) {
		int member = json_is(config, one, OBJECT) ? json_member(config, one, "destination") : -1;
		if (member <= 0 || !json_is(config, member, STRING) || !config->tokens[member].plain)
			return false;
		struct text destination = json_text(config, member);
		if (!is_normal(destination))
			return false;
		mounts[i] = (struct mount){depth_of(destination), destination, json_text(config, one)};
	}
	return true;
}

static bool in_the_way(const struct mount *mounts, int count, const struct mount *ours, int our_count)
{
	for (int i = 0; i < count; i++)
		for (int j = 0; j < our_count; j++)
			if (text_equal(mounts[i].destination, ours[j].destination))
				return true;
	return false;
}

static struct text *read_texts(struct record *record, int *count)
{
	*count = record_count(record);
	struct text *texts = calloc((size_t)*count + 1, sizeof *texts);
	for (int i = 0; texts && i < *count; i++)
		texts[i] = record_text(record);
	return texts;
}

static struct text render_mounts(const struct mount *mounts, int count)
{
	struct buffer out = {0};
	for (int i = 0; i < count; i++) {
		buffer_put(&out, i ? "," : "[");
		buffer_add(&out, mounts[i].entry);
	}
	buffer_put(&out, count ? "]" : "[]");
	return out.failed ? (struct text){NULL, 0} : buffer_text(&out);
}

/* A folder is mounted before what lies below it, whoever asked for either; equals keep their order. */
static bool add_mounts(struct splice *splice, struct record *record)
{
	struct json *config = splice->config;
	int list = json_member(config, 0, "mounts"), ours = record_count(record), written_count;
	int theirs = list > 0 && json_is(config, list, ARRAY) ? config->tokens[list].size : -1;
	if (theirs > MAX_MOUNTS)
		theirs = -1;
	struct mount *mounts = theirs < 0 ? NULL : calloc((size_t)(theirs + ours) + 1, sizeof *mounts);
	for (int i = 0; i < ours; i++) {
		struct text destination = record_text(record), entry = record_text(record);
		if (mounts)
			mounts[theirs + i] = (struct mount){depth_of(destination), destination, entry};
	}
	struct text *written = read_texts(record, &written_count);
	if (!mounts || !written || !read_mounts(config, list, mounts) || in_the_way(mounts, theirs, mounts + theirs, ours))
		return false;
	for (int i = 0; i < theirs; i++)
		if (covers(mounts[i].destination, written, written_count))
			return false;
	return !ours || replace(splice, list, render_mounts(mounts, by_depth_stable(mounts, theirs + ours)));
}

static bool add_groups(struct splice *splice, struct record *record, int process)
{
	struct text groups = record_text(record);
	int user = json_member(splice->config, process, "user");
	if (!groups.length)
		return true;
	int present = user > 0 && json_is(splice->config, user, OBJECT) ? json_member(splice->config, user, "additionalGids") : -1;
	if (present < 0 || (present && !json_is_null(splice->config, present) && splice->config->tokens[present].size))
		return false;
	return append(splice, user, "additionalGids", groups);
}

/* True where the hooks are of the kind that the specification has, and none of these programs is among them. */
static bool hooks_may_stay(const struct json *config, const struct text *names, int count)
{
	int hooks = json_member(config, 0, "hooks");
	if (hooks <= 0 || json_is_null(config, hooks))
		return hooks >= 0;
	if (!json_is(config, hooks, OBJECT))
		return false;
	for (int stage = json_first(hooks); stage < config->tokens[hooks].next; stage = config->tokens[stage + 1].next)
		if (!json_is_null(config, stage + 1) && (!json_is(config, stage + 1, ARRAY) || any_program(config, stage + 1, names, count)))
			return false;
	return true;
}

bool splice_edits(struct splice *splice, struct record *record)
{
	int count, process = json_member(splice->config, 0, "process");
	struct text *programs = read_texts(record, &count);
	if (!programs || !hooks_may_stay(splice->config, programs, count) || process <= 0 || !json_is(splice->config, process, OBJECT))
		return false;
	return append(splice, process, "env", record_text(record)) && add_devices(splice, record, process) &&
	       add_mounts(splice, record) && add_groups(splice, record, process) && !record->broken;
}

bool splice_hook(struct splice *splice, const char *stage, struct text entry)
{
	int hooks = json_member(splice->config, 0, "hooks");
	struct buffer made = {0};
	if (hooks > 0 && json_is(splice->config, hooks, OBJECT))
		return append(splice, hooks, stage, entry);
	buffer_put(&made, hooks ? "{\"" : "\"hooks\":{\"");
	buffer_put(&made, stage);
	buffer_put(&made, "\":[");
	buffer_add(&made, entry);
	buffer_put(&made, "]}");
	if (hooks < 0 || made.failed)
		return false;
	if (!hooks)
		return extend(splice, 0, buffer_text(&made));
	return json_is_null(splice->config, hooks) && replace(splice, hooks, buffer_text(&made));
}

void splice_write(const struct splice *splice, struct buffer *out)
{
	struct text text = splice->config->text;
	size_t at = 0;
	for (int i = 0; i < splice->count; i++) {
		const struct cut *cut = &splice->cuts[i];
		buffer_add(out, text_between(text.at + at, text.at + cut->at));
		buffer_add(out, cut->insert);
		at = cut->at + cut->drop;
	}
	buffer_add(out, text_between(text.at + at, text.at + text.length));
}

#include "request.h"
#include <stdlib.h>
#include <string.h>

/* A member that may be absent or null: then 0, as if it were absent; -1 where it is of another kind than it has to be. */
static int optional(const struct json *config, int object, const char *name, enum kind kind)
{
	int found = json_member(config, object, name);
	if (found > 0 && json_is_null(config, found))
		return 0;
	return found <= 0 || json_is(config, found, kind) ? found : -1;
}

static bool is_privileged(const struct json *config, int process, bool *privileged)
{
	int capabilities = process ? optional(config, process, "capabilities", OBJECT) : 0;
	int bounding = capabilities > 0 ? optional(config, capabilities, "bounding", ARRAY) : capabilities;
	*privileged = false;
	if (bounding <= 0)
		return bounding == 0;
	for (int one = json_first(bounding); one < config->tokens[bounding].next; one = config->tokens[one].next) {
		if (!json_is(config, one, STRING) || !config->tokens[one].plain)
			return false;
		*privileged |= text_is(json_text(config, one), "CAP_SYS_ADMIN");
	}
	return true;
}

static bool is_named(struct text name, char *const *names, int count)
{
	for (int i = 0; i < count; i++)
		if (text_is(name, names[i]))
			return true;
	return false;
}

/* As formats/oci.py chooses them; an entry without a name is malformed, and kept to be refused. */
static bool is_relevant(struct text entry, const struct settings *words)
{
	const char *sign = entry.length ? memchr(entry.at, '=', entry.length) : NULL;
	if (!sign || text_starts(entry, "NVIDIA_") || text_starts(entry, "CUDA_VERSION="))
		return true;
	return is_named(text_between(entry.at, sign), words->env, words->env_count);
}

/* One line of the text; what has control characters could not be told from two lines, and is left to Python. */
static bool add_line(struct buffer *text, const char *head, struct text entry)
{
	for (size_t i = 0; i < entry.length; i++)
		if ((unsigned char)entry.at[i] < ' ')
			return false;
	buffer_put(text, head);
	buffer_add(text, entry);
	buffer_put(text, "\n");
	return true;
}

struct variable {
	struct text entry, name;
	int number; /* in the order of config.json */
};

static int by_name(const void *first, const void *second)
{
	const struct variable *a = first, *b = second;
	size_t shorter = a->name.length < b->name.length ? a->name.length : b->name.length;
	int order = shorter ? memcmp(a->name.at, b->name.at, shorter) : 0;
	if (!order)
		order = (a->name.length > b->name.length) - (a->name.length < b->name.length);
	return order ? order : (a->number > b->number) - (a->number < b->number);
}

static struct variable named(struct text entry, int number)
{
	const char *sign = entry.length ? memchr(entry.at, '=', entry.length) : NULL;
	return (struct variable){entry, sign ? text_between(entry.at, sign) : entry, number};
}

/* Sorted by name, since Podman writes them in another order each time; of two values the last stays the last. */
static bool add_environment(const struct json *config, int process, const struct settings *words, struct buffer *text)
{
	int env = process ? optional(config, process, "env", ARRAY) : 0, count = 0;
	if (env <= 0)
		return env == 0;
	struct variable *found = calloc((size_t)(config->tokens[env].next - env), sizeof *found);
	for (int one = json_first(env); found && one < config->tokens[env].next; one = config->tokens[one].next) {
		struct text entry;
		if (!json_string(config, one, &entry))
			return false;
		if (is_relevant(entry, words))
			found[count] = named(entry, count), count++;
	}
	if (!found)
		return false;
	qsort(found, (size_t)count, sizeof *found, by_name);
	for (int i = 0; i < count; i++)
		if (!add_line(text, "e", found[i].entry))
			return false;
	return true;
}

static bool has_prefix(struct text key, const struct settings *words)
{
	for (int i = 0; i < words->prefix_count; i++)
		if (text_starts(key, words->prefixes[i]))
			return true;
	return false;
}

static bool is_ascending(struct text last, struct text key)
{
	size_t shorter = last.length < key.length ? last.length : key.length;
	int order = shorter ? memcmp(last.at, key.at, shorter) : 0;
	return order < 0 || (order == 0 && last.length < key.length);
}

/* They have to come sorted, as engines write them. */
static bool add_annotations(const struct json *config, const struct settings *words, struct buffer *text)
{
	int annotations = optional(config, 0, "annotations", OBJECT);
	struct text last = {"", 0};
	if (annotations <= 0)
		return annotations == 0;
	for (int key = json_first(annotations); key < config->tokens[annotations].next; key = config->tokens[key + 1].next) {
		struct text name, value;
		struct buffer pair = {0};
		if (!json_string(config, key, &name))
			return false;
		if (!has_prefix(name, words))
			continue;
		if (!json_string(config, key + 1, &value) || !is_ascending(last, name))
			return false;
		last = name;
		buffer_add(&pair, name);
		buffer_put(&pair, "=");
		buffer_add(&pair, value);
		if (pair.failed || !add_line(text, "a", buffer_text(&pair)))
			return false;
	}
	return true;
}

/* A request by mounts is rare, and left to Python. */
static bool asks_by_mounts(const struct json *config)
{
	return text_contains(config->text, "nvidia-container-devices");
}

bool request_text(const struct json *config, const struct settings *words, struct buffer *text)
{
	bool privileged;
	int process = json_is(config, 0, OBJECT) ? optional(config, 0, "process", OBJECT) : -1;
	if (process < 0 || asks_by_mounts(config) || !is_privileged(config, process, &privileged))
		return false;
	buffer_put(text, privileged ? "privileged\n" : "unprivileged\n");
	return add_environment(config, process, words, text) && add_annotations(config, words, text) && !text->failed;
}

/* The runtime wrapper, warm: what is not ours goes straight on, and edits that are known are put in place.
 *
 * STATE/low-level, written by the full program, holds lines: the configuration file and the PATH that it was written
 * for, "present" or "absent" (was there such a file), the low-level runtime, and then what a request is made of:
 *   word W      config.json has at least one of these if it can be a request; without any, every container is one
 *   env N       a variable that names devices beside our own
 *   prefix P    what annotations that name devices start with
 * It holds as long as the configuration file has the very modification time that this file has, and only if we wrote it.
 *
 * STATE/ready/HASH holds the edits for one request (runtime/ready.py), STATE/images/HASH how a root is prepared (below.h).
 */
#define _GNU_SOURCE
#include "start.h"
#include "below.h"
#include "json.h"
#include "mask.h"
#include "request.h"
#include "splice.h"
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <unistd.h>

enum { TEXT_LIMIT = 1 << 16, CONFIG_LIMIT = 1 << 24, LINE_LIMIT = 64 };

struct settings {
	char *config, *low_level;
	char *lines[LINE_LIMIT];
	char *words[LINE_LIMIT], *env[LINE_LIMIT], *prefixes[LINE_LIMIT];
	int word_count, env_count, prefix_count;
};

/* The toolkit's configuration file, as the engine's environment names it. */
static const char *config_path(void)
{
	static char by_home[PATH_MAX];
	const char *named = getenv("NVIDIA_CTK_CONFIG_FILE_PATH"), *home = getenv("XDG_CONFIG_HOME");
	if (named && *named)
		return named;
	if (!home || !*home)
		return "/etc/nvidia-container-runtime/config.toml";
	int length = snprintf(by_home, sizeof by_home, "%s/nvidia-container-runtime/config.toml", home);
	return length < (int)sizeof by_home ? by_home : "";
}

/* Splits a text into its lines; how many there are, LINE_LIMIT where that is not told. */
static int split_lines(char *text, char *lines[LINE_LIMIT])
{
	int count = 0;
	for (char *end; count < LINE_LIMIT && (end = strchr(text, '\n')); text = end + 1) {
		*end = 0;
		lines[count++] = text;
	}
	return *text ? LINE_LIMIT : count; /* what is left over was not read: too many lines, or no end */
}

static bool same_time(const struct stat *a, const struct stat *b)
{
	return a->st_mtim.tv_sec == b->st_mtim.tv_sec && a->st_mtim.tv_nsec == b->st_mtim.tv_nsec;
}

/* True where the low-level file was written for this configuration file, as it is now, and this PATH. */
static bool holds(char *lines[], const struct stat *marker)
{
	const char *config = config_path(), *path = getenv("PATH");
	struct stat found;
	bool present = stat(config, &found) == 0;
	if (strcmp(lines[0], config) || strcmp(lines[1], path ? path : ""))
		return false;
	return present ? !strcmp(lines[2], "present") && same_time(&found, marker) : !strcmp(lines[2], "absent");
}

static char *after(char *line, const char *head)
{
	size_t length = strlen(head);
	return strncmp(line, head, length) ? NULL : line + length;
}

static bool sort_line(struct settings *settings, char *line)
{
	char *value;
	if ((value = after(line, "word ")))
		settings->words[settings->word_count++] = value;
	else if ((value = after(line, "env ")))
		settings->env[settings->env_count++] = value;
	else if ((value = after(line, "prefix ")))
		settings->prefixes[settings->prefix_count++] = value;
	return value != NULL;
}

static bool read_settings(const char *state, struct settings *settings)
{
	char path[PATH_MAX];
	struct stat marker;
	struct text text;
	if (snprintf(path, sizeof path, "%s/low-level", state) >= (int)sizeof path ||
	    !read_file(path, TEXT_LIMIT, true, &text, &marker))
		return false;
	int count = split_lines((char *)text.at, settings->lines);
	if (count < 4 || count == LINE_LIMIT || !holds(settings->lines, &marker))
		return false;
	settings->config = settings->lines[0];
	settings->low_level = settings->lines[3];
	for (int i = 4; i < count; i++)
		if (!sort_line(settings, settings->lines[i]))
			return false;
	return true;
}

static bool is_bundle_flag(const char *word, size_t length)
{
	if (!length || *word != '-')
		return false;
	while (length && *word == '-')
		word++, length--;
	return (length == 1 && *word == 'b') || (length == 6 && !memcmp(word, "bundle", 6));
}

/* The bundle that runc's arguments name: the last one wins; NULL where the flag has no value. */
static const char *bundle_of(int argc, char **argv)
{
	const char *bundle = ".";
	for (int i = 1; i < argc; i++) {
		size_t name = strcspn(argv[i], "=");
		if (!is_bundle_flag(argv[i], name))
			continue;
		if (argv[i][name])
			bundle = argv[i] + name + 1;
		else if (++i < argc)
			bundle = argv[i];
		else
			return NULL;
	}
	return bundle;
}

static bool may_be_a_request(const struct settings *settings, struct text config)
{
	for (int i = 0; i < settings->word_count; i++)
		if (text_contains(config, settings->words[i]))
			return true;
	return !settings->word_count || !config.length;
}

/* Prepares the root that config.json names; false where Python has to, which may find that a hook does. */
static bool prepare(const char *state, const struct json *config, const char *bundle, struct text work)
{
	char path[PATH_MAX];
	int root = json_member(config, 0, "root"), linux = json_member(config, 0, "linux");
	int named = root > 0 ? json_member(config, root, "path") : -1;
	int namespaces = linux > 0 ? json_member(config, linux, "namespaces") : -1;
	if (named <= 0 || !json_is(config, named, STRING) || !config->tokens[named].plain || namespaces < 0)
		return false;
	/* A user namespace decides who owns what is made, and whether it can be. */
	if (namespaces && text_contains(json_text(config, namespaces), "\"user\""))
		return false;
	char *name = text_string(json_text(config, named));
	if (!name || snprintf(path, sizeof path, "%s/%s", *name == '/' ? "" : bundle, name) >= (int)sizeof path)
		return false;
	int place = root_open(path);
	return place >= 0 && below_prepare(state, place, work);
}

/* Replaces config.json in one step, with mode and owner as they were; it waits for no disk. */
static bool replace_config(const char *bundle, const char *path, struct text text, const struct stat *old)
{
	char temporary[PATH_MAX];
	uint64_t number;
	struct stat new;
	if (getrandom(&number, sizeof number, 0) != sizeof number ||
	    snprintf(temporary, sizeof temporary, "%s/.config.json.%016jx", bundle, (uintmax_t)number) >= (int)sizeof temporary)
		return false;
	int file = open(temporary, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
	bool good = file >= 0 && fstat(file, &new) == 0;
	if (good && (new.st_uid != old->st_uid || new.st_gid != old->st_gid))
		good = fchown(file, old->st_uid, old->st_gid) == 0;
	good = good && fchmod(file, old->st_mode & 07777) == 0 && write(file, text.at, text.length) == (ssize_t)text.length;
	if (file >= 0)
		good = close(file) == 0 && good;
	if (good && rename(temporary, path) == 0)
		return true;
	unlink(temporary);
	return false;
}

/* The name of the edits: what the container asks for, and under which configuration. */
static bool open_edits(struct record *record, const char *state, const struct settings *settings, const struct json *config)
{
	struct words words = {(char **)settings->env, (char **)settings->prefixes, settings->env_count, settings->prefix_count};
	struct buffer key = {0};
	buffer_put(&key, settings->config);
	buffer_put(&key, "\n");
	if (!request_text(config, &words, &key))
		return false;
	return record_open(record, state, "ready", buffer_text(&key), buffer_text(&key)) && stamps_hold(record);
}

/* Edits config.json and prepares the root, where both are known from an earlier start. */
static bool edit(const char *state, const char *hook, const struct settings *settings, const char *bundle)
{
	char path[PATH_MAX];
	struct stat status;
	struct text text;
	struct json config;
	struct record record;
	struct buffer out = {0};
	if (!bundle || snprintf(path, sizeof path, "%s/config.json", bundle) >= (int)sizeof path ||
	    !read_file(path, CONFIG_LIMIT, false, &text, &status))
		return false;
	if (!may_be_a_request(settings, text))
		return true;
	if (!settings->word_count || !json_scan(&config, text) || !open_edits(&record, state, settings, &config))
		return false;
	struct splice splice = {.config = &config};
	bool ready = splice_edits(&splice, &record);
	struct text work = record_text(&record), named = record_text(&record), mask = record_text(&record);
	if (!ready || record.broken || (named.length && !text_is(named, hook)))
		return false;
	if (mask.length && mask_is_needed() && !splice_hook(&splice, "createContainer", mask))
		return false;
	if (work.length && !prepare(state, &config, bundle, work))
		return false;
	splice_write(&splice, &out);
	return !splice.count || (!out.failed && replace_config(bundle, path, buffer_text(&out), &status));
}

void start_runtime(const char *state, const char *hook, int argc, char **argv)
{
	static struct settings settings;
	bool create = false;
	for (int i = 1; i < argc; i++)
		create |= !strcmp(argv[i], "create");
	if (!read_settings(state, &settings) || (create && !edit(state, hook, &settings, bundle_of(argc, argv))))
		return;
	argv[0] = settings.low_level;
	execv(argv[0], argv);
}

#define _GNU_SOURCE
#include "settings.h"
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { TEXT_LIMIT = 1 << 16 };

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

/* True where the settings were written for this configuration file, as it is now, and this PATH. */
static bool holds(char *lines[])
{
	char now[96] = "absent";
	const char *config = config_path(), *path = getenv("PATH");
	struct stat found;
	if (stat(config, &found) == 0)
		snprintf(now, sizeof now, "%ju:%jd:%jd", (uintmax_t)found.st_ino, (intmax_t)found.st_size,
			 (intmax_t)found.st_mtim.tv_sec * 1000000000 + found.st_mtim.tv_nsec);
	return !strcmp(lines[0], config) && !strcmp(lines[1], path ? path : "") && !strcmp(lines[2], now);
}

static char *after(char *line, const char *head)
{
	size_t length = strlen(head);
	return strncmp(line, head, length) ? NULL : line + length;
}

static bool sort_line(struct settings *settings, char *line)
{
	char *value;
	if (!strcmp(line, "every"))
		return settings->every = true;
	if ((value = after(line, "word ")))
		settings->words[settings->word_count++] = value;
	else if ((value = after(line, "env ")))
		settings->env[settings->env_count++] = value;
	else if ((value = after(line, "prefix ")))
		settings->prefixes[settings->prefix_count++] = value;
	return value != NULL;
}

/* Its file's name: several engines may have their own configuration, and a PATH each. */
static bool settings_path(char path[PATH_MAX], const char *state)
{
	const char *search_path = getenv("PATH");
	struct buffer name = {0};
	buffer_put(&name, config_path());
	buffer_put(&name, "\n");
	buffer_put(&name, search_path ? search_path : "");
	return !name.failed &&
	       snprintf(path, PATH_MAX, "%s/settings/%016" PRIx64, state, text_hash(buffer_text(&name))) < PATH_MAX;
}

bool settings_read(struct settings *settings, const char *state)
{
	char path[PATH_MAX], *lines[LINE_LIMIT];
	struct stat status;
	struct text text;
	if (!settings_path(path, state) || !read_file(path, TEXT_LIMIT, true, &text, &status))
		return false;
	int count = split_lines((char *)text.at, lines);
	if (count < 4 || count == LINE_LIMIT || !holds(lines))
		return false;
	settings->config = lines[0];
	settings->stamp = lines[2];
	settings->low_level = lines[3];
	for (int i = 4; i < count; i++)
		if (!sort_line(settings, lines[i]))
			return false;
	return true;
}

/* Escapes by which a letter, a digit or a sign of a word could be spelled; nobody writes them, except to hide it. */
static bool may_be_spelled_out(struct text config)
{
	static const char *const escapes[] = {"\\u002d", "\\u002D", "\\u002e", "\\u002E", "\\u002f", "\\u002F",
					      "\\u003", "\\u004",  "\\u005",  "\\u006",  "\\u007"};
	for (size_t i = 0; i < sizeof escapes / sizeof *escapes; i++)
		if (text_contains(config, escapes[i]))
			return true;
	return false;
}

bool settings_have_word(const struct settings *settings, struct text config)
{
	for (int i = 0; i < settings->word_count; i++)
		if (text_contains(config, settings->words[i]))
			return true;
	return !config.length || may_be_spelled_out(config);
}

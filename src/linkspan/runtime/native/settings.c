#define _GNU_SOURCE
#include "settings.h"
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

bool settings_read(struct settings *settings, const char *state)
{
	char path[PATH_MAX], *lines[LINE_LIMIT];
	struct stat marker;
	struct text text;
	if (snprintf(path, sizeof path, "%s/low-level", state) >= (int)sizeof path ||
	    !read_file(path, TEXT_LIMIT, true, &text, &marker))
		return false;
	int count = split_lines((char *)text.at, lines);
	if (count < 4 || count == LINE_LIMIT || !holds(lines, &marker))
		return false;
	settings->config = lines[0];
	settings->low_level = lines[3];
	for (int i = 4; i < count; i++)
		if (!sort_line(settings, lines[i]))
			return false;
	return true;
}

bool settings_have_word(const struct settings *settings, struct text config)
{
	for (int i = 0; i < settings->word_count; i++)
		if (text_contains(config, settings->words[i]))
			return true;
	return !config.length;
}

/* The launcher of the start path: linkspan-runtime and linkspan-hook, put in place by 'linkspan install'.
 *
 * Engines call an OCI runtime for every verb, and for containers that want no GPU too. What is not ours goes straight on
 * to the low-level runtime from here, in a fraction of the time that an interpreter takes to start; everything else is
 * left to Python. Nothing is decided here but that: whether Python has to look at all.
 *
 * PREFIX/lib/linkspan/NAME.start, beside this program's own PREFIX/bin/NAME, holds strings, each ended by a zero byte:
 * the interpreter, the code that it starts with, and for the runtime its version and the state folder.
 *
 * STATE/low-level, written by the full program, holds lines: the configuration file and the PATH that it was written
 * for, "present" or "absent" (was there such a file), the low-level runtime, and then the words of which a container's
 * config.json has at least one if it can be a request. It holds as long as the configuration file has the very
 * modification time that this file has, and only if we wrote it ourselves.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

enum { TEXT_LIMIT = 1 << 16, FIRST_WORD = 4, LINE_LIMIT = 64 };

/* A small text file as a whole, ended by two zero bytes; NULL where it cannot be read, is too large, or not trusted. */
static char *read_text(const char *path, bool only_ours, struct stat *status)
{
	int file = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
	char *text = NULL;
	if (file < 0)
		return NULL;
	bool usable = fstat(file, status) == 0 && S_ISREG(status->st_mode) && status->st_size < TEXT_LIMIT;
	if (usable && only_ours)
		usable = status->st_uid == geteuid() && !(status->st_mode & (S_IWGRP | S_IWOTH));
	if (usable)
		text = calloc(1, status->st_size + 2);
	if (text && read(file, text, status->st_size) != status->st_size) {
		free(text);
		text = NULL;
	}
	close(file);
	return text;
}

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

/* Splits a text into its lines; how many there are, at most LINE_LIMIT. */
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

/* True unless the bundle's config.json can be read and has none of these words. */
static bool may_be_a_request(const char *bundle, char *words[], int count)
{
	char path[PATH_MAX];
	struct stat status;
	bool may = true;
	if (!bundle || snprintf(path, sizeof path, "%s/config.json", bundle) >= (int)sizeof path)
		return true;
	int file = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
	if (file < 0)
		return true;
	if (fstat(file, &status) == 0 && S_ISREG(status.st_mode) && status.st_size > 0 && status.st_size < (16 << 20)) {
		void *data = mmap(NULL, status.st_size, PROT_READ, MAP_PRIVATE, file, 0);
		if (data != MAP_FAILED) {
			may = false;
			for (int i = 0; i < count && !may; i++)
				may = memmem(data, status.st_size, words[i], strlen(words[i])) != NULL;
		}
	}
	close(file);
	return may;
}

/* Goes on to the low-level runtime where this call is not ours; returns where it may be. */
static void go_straight_on(const char *state, int argc, char **argv)
{
	char path[PATH_MAX], *lines[LINE_LIMIT];
	struct stat marker;
	bool create = false;
	for (int i = 1; i < argc; i++)
		create |= !strcmp(argv[i], "create");
	if (snprintf(path, sizeof path, "%s/low-level", state) >= (int)sizeof path)
		return;
	char *text = read_text(path, true, &marker);
	int count = text ? split_lines(text, lines) : 0;
	if (count < FIRST_WORD || count == LINE_LIMIT || !holds(lines, &marker))
		return;
	if (create && (count == FIRST_WORD || may_be_a_request(bundle_of(argc, argv), lines + FIRST_WORD, count - FIRST_WORD)))
		return;
	argv[0] = lines[3];
	execv(argv[0], argv);
}

static void say_version(const char *name, const char *version, int argc, char **argv)
{
	for (int i = 1; i < argc; i++)
		if (!strcmp(argv[i], "-version") || !strcmp(argv[i], "--version")) {
			printf("%s version %s\nspec: 1.3.0\n\n", name, version);
			fflush(stdout);
			return;
		}
}

static int fail(const char *name, const char *path, const char *reason)
{
	fprintf(stderr, "%s: %s: %s; run 'linkspan install' again\n", name, path, reason);
	return 1;
}

int main(int argc, char **argv)
{
	char self[PATH_MAX], setup_path[PATH_MAX + 64];
	struct stat status;
	ssize_t length = readlink("/proc/self/exe", self, sizeof self - 1);
	self[length > 0 ? length : 0] = 0;
	char *name = strrchr(self, '/');
	if (!name || argc < 1)
		return fail("linkspan", "/proc/self/exe", "cannot be read");
	*name++ = 0;
	snprintf(setup_path, sizeof setup_path, "%s/../lib/linkspan/%s.start", self, name);
	char *python = read_text(setup_path, false, &status);
	if (!python)
		return fail(name, setup_path, errno ? strerror(errno) : "not a file of ours");
	char *code = python + strlen(python) + 1, *end = python + status.st_size;
	char *version = code < end ? code + strlen(code) + 1 : end, *state = version < end ? version + strlen(version) + 1 : end;
	if (state < end) {
		say_version(name, version, argc, argv);
		go_straight_on(state, argc, argv);
	}
	char **call = calloc(argc + 4, sizeof *call);
	if (!call || code >= end)
		return fail(name, setup_path, "not a file of ours");
	call[0] = python, call[1] = "-IS", call[2] = "-c", call[3] = code;
	memcpy(call + 4, argv + 1, (argc - 1) * sizeof *call);
	execv(python, call);
	return fail(name, python, strerror(errno));
}

/* The launcher of the start path: linkspan-runtime, linkspan-hook, linkspan-prestart-hook and linkspan-cdi-hook, put in
 * place by 'linkspan install'.
 *
 * Engines call an OCI runtime for every verb, and wait for it at every start. What is not ours goes straight on to the
 * low-level runtime from here, and what Python did before for the same request and an image that looks the same is done
 * again here, in a fraction of the time that an interpreter takes to start. Everything else is left to Python. Nothing is
 * decided here: what is to be done is read from records that only we can have written, and done if all that they were made
 * from is as it was.
 *
 * PREFIX/lib/linkspan/NAME.start, beside this program's own PREFIX/bin/NAME, holds strings, each ended by a zero byte:
 * the interpreter, the code that it starts with, "runtime", "hook", "prestart" or another word for what is Python's alone,
 * our version, the state folder, the hook.
 */
#define _GNU_SOURCE
#include "start.h"
#include "text.h"
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { START_LIMIT = 1 << 16, FIELDS = 6 };
enum { PYTHON, CODE, ROLE, VERSION, STATE, HOOK };

/* What the kernel adds to the name of a program whose file is another one by now. */
static const char REPLACED[] = " (deleted)";

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
	fprintf(stderr, "%s: %s: %s; run 'linkspan install' again, as root if it is root's\n", name, path, reason);
	return 1;
}

static bool split(struct text text, char *fields[FIELDS])
{
	char *at = (char *)text.at, *end = at + text.length;
	for (int i = 0; i < FIELDS; at += strlen(at) + 1)
		if (at >= end)
			return false;
		else
			fields[i++] = at;
	return true;
}

static void try_without_python(char *fields[FIELDS], const char *name, int argc, char **argv)
{
	/* For tests, and for whoever wants to see the longer way. */
	const char *debug = getenv("LINKSPAN_DEBUG");
	bool runtime = !strcmp(fields[ROLE], "runtime");
	struct store store = {fields[STATE], fields[VERSION]};
	if (runtime)
		say_version(name, fields[VERSION], argc, argv);
	if (debug && *debug)
		return;
	if (runtime)
		start_runtime(&store, fields[HOOK], argc, argv);
	else if (!strcmp(fields[ROLE], "hook"))
		start_hook(&store, argc, argv);
	else if (!strcmp(fields[ROLE], "prestart"))
		start_prestart(&store, argc, argv);
}

int main(int argc, char **argv)
{
	char self[PATH_MAX], path[PATH_MAX + 64], *fields[FIELDS];
	struct stat status;
	struct text text;
	ssize_t length = readlink("/proc/self/exe", self, sizeof self - 1);
	self[length > 0 ? length : 0] = 0;
	if (text_ends(text_of(self), REPLACED))
		self[length - (ssize_t)strlen(REPLACED)] = 0; /* installed anew, just now */
	char *name = strrchr(self, '/');
	if (!name || argc < 1)
		return fail("linkspan", "/proc/self/exe", "cannot be read");
	*name++ = 0;
	snprintf(path, sizeof path, "%s/../lib/linkspan/%s.start", self, name);
	errno = 0;
	if (!read_file(path, START_LIMIT, false, &text, &status))
		return fail(name, path, errno ? strerror(errno) : "not a file of ours");
	char **call = calloc((size_t)argc + 4, sizeof *call);
	if (!call || !split(text, fields))
		return fail(name, path, "not a file of ours");
	try_without_python(fields, name, argc, argv);
	call[0] = fields[PYTHON], call[1] = "-IS", call[2] = "-c", call[3] = fields[CODE];
	memcpy(call + 4, argv + 1, (size_t)(argc - 1) * sizeof *call);
	execv(fields[PYTHON], call);
	return fail(name, fields[PYTHON], strerror(errno));
}

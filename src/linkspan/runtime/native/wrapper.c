/* The runtime wrapper, warm: what is not ours goes straight on, and edits that are known are put in place.
 *
 * STATE/ready/HASH holds the edits for one request (runtime/keep.py), STATE/images/HASH how a root is prepared (below.h).
 */
#define _GNU_SOURCE
#include "start.h"
#include "below.h"
#include "json.h"
#include "mask.h"
#include "request.h"
#include "settings.h"
#include "splice.h"
#include "state.h"
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <unistd.h>

enum { CONFIG_LIMIT = 1 << 24 };

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
		else if (i + 1 < argc)
			bundle = argv[i + 1];
		else
			return NULL;
	}
	return bundle;
}

/* Prepares the root that config.json names; false where Python has to, which may find that a hook does. */
static bool prepare(const struct store *store, const struct json *config, const char *bundle, struct text work)
{
	char path[PATH_MAX];
	if (has_user_namespace(config) || !bundle_root(bundle, config, path))
		return false;
	int place = root_open(path);
	return place >= 0 && below_prepare(store, place, work);
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
static bool open_edits(struct record *record, const struct store *store, const struct settings *settings, const struct json *config)
{
	struct buffer key = {0};
	buffer_put(&key, settings->config);
	buffer_put(&key, "\n");
	buffer_put(&key, settings->stamp);
	buffer_put(&key, "\n");
	if (!request_text(config, settings, &key))
		return false;
	return record_open(record, store, "ready", buffer_text(&key), buffer_text(&key)) && stamps_hold(record);
}

/* Edits config.json and prepares the root, where both are known from an earlier start. */
static bool edit(const struct store *store, const char *hook, const struct settings *settings, const char *bundle)
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
	if (!settings->every && !settings_have_word(settings, text))
		return true;
	if (settings->every || !json_scan(&config, text) || !open_edits(&record, store, settings, &config))
		return false;
	struct splice splice = {.config = &config};
	bool ready = splice_edits(&splice, &record);
	struct text work = record_text(&record), named = record_text(&record), mask = record_text(&record);
	if (!ready || record.broken || (named.length && !text_is(named, hook)))
		return false;
	if (mask.length && mask_is_needed() && !splice_hook(&splice, "createContainer", mask))
		return false;
	if (work.length && !prepare(store, &config, bundle, work))
		return false;
	splice_write(&splice, &out);
	return !splice.count || (!out.failed && replace_config(bundle, path, buffer_text(&out), &status));
}

void start_runtime(const struct store *store, const char *hook, int argc, char **argv)
{
	static struct settings settings;
	bool create = false;
	for (int i = 1; i < argc; i++)
		create |= !strcmp(argv[i], "create") && !is_bundle_flag(argv[i - 1], strlen(argv[i - 1]));
	if (!settings_read(&settings, store->state) || (create && !edit(store, hook, &settings, bundle_of(argc, argv))))
		return;
	argv[0] = settings.low_level;
	execv(argv[0], argv);
}

/* What the full program leaves the launcher of its configuration.
 *
 * STATE/settings/HASH, for the configuration file and the PATH of whoever calls, holds lines: the configuration file and the PATH that it was written for, the stamp of that file (see
 * kernel/stamps.py; "absent" where there was none), the low-level runtime, and then:
 *   every       every container is the wrapper's business (mode legacy)
 *   word W      config.json has at least one of these if it can be a request
 *   env N       a variable that names devices beside our own
 *   prefix P    what annotations that name devices start with
 * It holds as long as the configuration file's stamp does, and only if we wrote it.
 */
#ifndef LINKSPAN_SETTINGS_H
#define LINKSPAN_SETTINGS_H

#include "text.h"

enum { LINE_LIMIT = 64 };

struct settings {
	char *config, *stamp, *low_level;
	char *words[LINE_LIMIT], *env[LINE_LIMIT], *prefixes[LINE_LIMIT];
	int word_count, env_count, prefix_count;
	bool every;
};

/* False where there are none, or they no longer hold. */
bool settings_read(struct settings *settings, const char *state);

/* True where a config.json has one of the words, and so may be a request; also where it is empty, which Python refuses. */
bool settings_have_word(const struct settings *settings, struct text config);

#endif

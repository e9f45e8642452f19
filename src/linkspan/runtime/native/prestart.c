/* The prestart hook, warm: a container that asks for nothing is left alone without Python. */
#define _GNU_SOURCE
#include "start.h"
#include "settings.h"
#include "state.h"
#include <string.h>
#include <unistd.h>

static bool asks_for_nothing(const struct settings *settings, struct text input)
{
	struct json state, config;
	char *bundle = json_scan(&state, input) ? json_string_member(&state, 0, "bundle") : NULL;
	return bundle && *bundle && bundle_config(bundle, &config) && !settings_have_word(settings, config.text);
}

void start_prestart(const struct store *store, int argc, char **argv)
{
	static struct settings settings;
	if (argc != 2 || strcmp(argv[1], "prestart") || !settings_read(&settings, store->state))
		return;
	struct text input = state_read();
	if (input.length && asks_for_nothing(&settings, input))
		_exit(0);
	if (input.length)
		state_put_back(input);
}

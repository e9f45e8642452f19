/* The container's state, which runtimes give their hooks on standard input, and the bundle that it names. */
#ifndef LINKSPAN_STATE_H
#define LINKSPAN_STATE_H

#include "json.h"
#include <limits.h>

/* Standard input, up to more of it than Python takes, too. */
struct text state_read(void);

/* Lets Python read the same once more: a pipe cannot be read twice. */
void state_put_back(struct text input);

/* A bundle's config.json; false where it is none. */
bool bundle_config(const char *bundle, struct json *config);

/* The path of the root that a config.json names, in ``path``; false where it names none, or one with escapes. */
bool bundle_root(const char *bundle, const struct json *config, char path[PATH_MAX]);

/* True unless a config.json surely asks for no user namespace: that decides who owns what is made, and whether it can be. */
bool has_user_namespace(const struct json *config);

#endif

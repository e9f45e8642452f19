/* The container's state, which runtimes give their hooks on standard input, and the bundle that it names. */
#ifndef LINKSPAN_STATE_H
#define LINKSPAN_STATE_H

#include "json.h"

/* Standard input, up to more of it than Python takes, too. */
struct text state_read(void);

/* Lets Python read the same once more: a pipe cannot be read twice. */
void state_put_back(struct text input);

/* A bundle's config.json; false where it is none. */
bool bundle_config(const char *bundle, struct json *config);

#endif

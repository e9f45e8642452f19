/* The programs' warm paths. Each returns where Python has to do the work, and leaves nothing behind that Python does
 * not complete or replace. */
#ifndef LINKSPAN_START_H
#define LINKSPAN_START_H

#include "record.h"

/* The wrapper: goes on to the low-level runtime where this call is not ours, or where the edits are known. */
void start_runtime(const struct store *store, const char *hook, int argc, char **argv);

/* The prestart hook: ends the process where the container asks for nothing. */
void start_prestart(const struct store *store, int argc, char **argv);

/* The hook: ends the process where the container's root is prepared. */
void start_hook(const struct store *store, int argc, char **argv);

#endif

/* A container's root, prepared once more as Python prepared another one that looked the same.
 *
 * The record says what Python found below the root and what it then wrote (kernel/record.py). Where everything that is to
 * be found is the same here, the same is written. Anything else is left to Python, also halfway: it writes only what is
 * missing, so it goes on where we stopped.
 *
 * A root belongs to a stranger. Paths are resolved by the kernel as in a chroot (RESOLVE_IN_ROOT of openat2(2), Linux 5.6),
 * and what was found is used by its descriptor.
 */
#ifndef LINKSPAN_BELOW_H
#define LINKSPAN_BELOW_H

#include "record.h"

/* A descriptor (O_PATH) of a container's root; -1 where it cannot be opened, or is the root that we run in. */
int root_open(const char *path);

/* A descriptor (O_PATH) of what stands at a path below a root, links followed; -1 with errno. */
int below_open(int root, const char *path);

/* The number of the mount that a descriptor is on (Linux 5.8; before it 0, of all). */
uint64_t below_mount(int place);

/* A descriptor of the folder that a path's last name stands in, which is made where it is missing, and that name; -1 where it
 * cannot be made. It stays open. */
int below_parent(int root, const char *path, const char **name);

/* Reads a regular file below a root as a whole; false where there is none of at most ``limit`` bytes. */
bool below_read(int root, const char *path, size_t limit, struct text *content);

/* Prepares the root for the work of this name; false where Python has to. */
bool below_prepare(const struct store *store, int root, struct text work);

#endif

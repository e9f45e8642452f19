/* Mounts and device nodes carried into a created container (kernel/carry.py says how, and does the same).
 *
 * A record has them as lists. A mount: source, destination, flags of mount(2), 1 if what is mounted below comes along, 1 if it
 * is a folder. A node: path, type and mode as mknod(2) takes them, major, minor, owner, group.
 */
#ifndef LINKSPAN_CARRY_H
#define LINKSPAN_CARRY_H

#include "record.h"

struct freight {
	const char *destination;
	int tree; /* a mount of its own, attached nowhere */
	bool is_folder;
};

/* Takes hold of all mounts on this host; NULL where one is not to be had, as before Linux 5.12. */
struct freight *carry_load(struct record *record, int *count);

/* Puts them in place below the root of the container, in whose mount namespace we are. */
bool carry_unload(int root, const struct freight *freight, int count);

/* Makes the nodes; one that is there already stays, if it is the right one. */
bool carry_nodes(int root, struct record *record);

#endif

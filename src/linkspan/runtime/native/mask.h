/* The driver's parameters, covered in a container (contract 6.5; kernel/params.py says why, and does the same). */
#ifndef LINKSPAN_MASK_H
#define LINKSPAN_MASK_H

#include <stdbool.h>

/* True where there are parameters on this host, so that a container may have to be kept from them. */
bool mask_is_needed(void);

/* Covers them below a container's root, in whose mount namespace we are; false where Python has to: before Linux 5.12,
 * or where the kernel refuses. */
bool mask_params(int root);

#endif

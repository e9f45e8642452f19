/* The driver's files in /proc, covered in a container (contract 6.5 and 4.5; kernel/params.py and kernel/gpus.py say why, and do
 * the same). */
#ifndef LINKSPAN_MASK_H
#define LINKSPAN_MASK_H

#include <stdbool.h>

/* True where there are parameters on this host, so that a container may have to be kept from them. */
bool mask_is_needed(void);

/* Covers them below a container's root, in whose mount namespace we are; false where Python has to: before Linux 5.12,
 * or where the kernel refuses. */
bool mask_params(int root);

/* True where this host has GPUs that a container can be kept from seeing. */
bool mask_hides_gpus(void);

/* Hides all GPUs but these, in the same place; false where Python has to, and nothing is changed then. */
bool mask_gpus(int root, const char *const *shown, int count);

#endif

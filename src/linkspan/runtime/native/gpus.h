/* The folders of other GPUs, hidden from a container (contract 4.5; kernel/gpu_folders.py says how, and does the same). */
#ifndef LINKSPAN_GPUS_H
#define LINKSPAN_GPUS_H

#include "record.h"

struct gpus {
	bool hidden; /* but for these */
	const char **names;
	int count;
};

/* Reads from a record which folders may be seen; nothing is hidden on a host that has none. */
struct gpus gpus_read(struct record *record);

/* Hides the others below a container's root, in whose mount namespace we are; false where Python has to. */
bool gpus_hide(int root, const struct gpus *gpus);

#endif

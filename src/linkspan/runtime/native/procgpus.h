/* The GPUs of others, hidden in a container's /proc/driver/nvidia/gpus (kernel/procgpus.py says why, and does the same). */
#ifndef LINKSPAN_PROCGPUS_H
#define LINKSPAN_PROCGPUS_H

#include "record.h"

struct shown {
	bool limited; /* whether any are to be hidden */
	int count;
	const char **names;
};

/* Reads the folders that stay in sight. */
struct shown shown_read(struct record *record);

/* Hides all others below a container's root, in whose mount namespace we are; false where Python has to: before Linux 5.12,
 * or where the kernel refuses. */
bool shown_apply(int root, const struct shown *shown);

#endif

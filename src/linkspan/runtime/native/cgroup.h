/* A process's device cgroup, version 1 or 2 (kernel/cgroup.py and kernel/bpf.py say how, and do the same). */
#ifndef LINKSPAN_CGROUP_H
#define LINKSPAN_CGROUP_H

#include "text.h"

/* A device to allow: type 'c' or 'b', numbers, and the ways of access as bits of BPF_DEVCG_ACC_* (mknod 1, read 2, write 4). */
struct device_rule {
	char type;
	uint32_t major, minor, access;
};

/* Finds the cgroup of a process, given as its folder in /proc, as a descriptor of its own folder, and its version; -1 where it is
 * not to be found. */
int cgroup_open(int process, int *version);

/* Allows devices in it; false where the kernel refuses. What was allowed before stays so. */
bool cgroup_allow(int cgroup, int version, const struct device_rule *rules, int count);

#endif

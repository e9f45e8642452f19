/* A process's device cgroup, version 1 or 2 (kernel/cgroup.py and kernel/bpf.py say how, and do the same). */
#ifndef LINKSPAN_CGROUP_H
#define LINKSPAN_CGROUP_H

#include "text.h"

/* A device to allow: type 'c' or 'b', numbers, the ways of access as bits of BPF_DEVCG_ACC_* (mknod 1, read 2, write 4), and the
 * path of its node; empty where none is known. */
struct device_rule {
	char type;
	uint32_t major, minor, access;
	const char *node;
};
enum { ACCESS_ROOM = 4 };

/* The same bits as letters, as the kernel's files and systemd's have them. */
const char *access_letters(uint32_t access, char letters[ACCESS_ROOM]);

/* Finds the cgroup of a process, given as its folder in /proc, as a descriptor of its own folder, and its version; -1 where it is
 * not to be found. */
int cgroup_open(int process, int *version);

/* Allows devices in it; false where the kernel refuses. What was allowed before stays so. */
bool cgroup_allow(int cgroup, int version, const struct device_rule *rules, int count);

#endif

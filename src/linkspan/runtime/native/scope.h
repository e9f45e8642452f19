/* A drop-in by which systemd allows a container's devices again when it reloads its units (kernel/scope.py says how and why, and
 * does the same; formats/scopes.py has the names). */
#ifndef LINKSPAN_SCOPE_H
#define LINKSPAN_SCOPE_H

#include "cgroup.h"

/* Leaves one for the cgroup that this is a descriptor of, if systemd made it, and removes those of ours whose unit is gone. Where
 * that is not possible, the devices last until the next reload. */
void scope_leave(int cgroup, const struct device_rule *rules, int count);

#endif

/* Which GPUs of the described host are visible where this process runs: those whose device nodes are there.
 *
 * Only functions that glibc since 2.17 and musl both export, linked without versions (see hatch_build.py), so that the
 * libraries can be loaded in any container. That is why files are looked at by statx(2) itself: `stat` is a symbol of
 * glibc only since 2.33.
 */
#define _GNU_SOURCE
#include "host.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/stat.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <unistd.h>

#define NVIDIA_MAJOR 195
#define NVIDIACTL_MINOR 255
#define MODE_TYPE 0170000 /* S_IFMT; <sys/stat.h> and <linux/stat.h> do not go together */
#define MODE_CHAR 0020000

struct sim_host sim_host = {.magic = SIM_MAGIC, .size = sizeof(struct sim_host)};
struct sim_device sim_devices[SIM_MAX_GPUS];
unsigned sim_device_count;

static struct sim_device mig_devices[SIM_MAX_GPUS][SIM_MAX_MIG];

/* The folder that /dev is looked up in. On the simulating machine that is the simulated root, which its marker file
 * tells from some other folder of that name; in a container it is the container's own root. */
static const char *root(void)
{
    static char marker[sizeof sim_host.root + sizeof SIM_MARKER + 1];
    const char *asked = getenv("LINKSPAN_SIM_ROOT");

    if (asked && *asked)
        return asked;
    snprintf(marker, sizeof marker, "%s/" SIM_MARKER, sim_host.root);
    return sim_host.root[0] && access(marker, F_OK) == 0 ? sim_host.root : "";
}

/* The device cgroup denies with EPERM; without a driver a permitted open fails with ENXIO. Asked only in a container:
 * below a simulated root the nodes stand for a kernel that has no cgroup of ours. */
static int denied_by_cgroup(const char *path)
{
    int fd = open(path, O_RDWR | O_CLOEXEC | O_NONBLOCK);

    if (fd >= 0)
        close(fd);
    return fd < 0 && errno == EPERM;
}

static int is_character_device(const char *path, struct statx *found)
{
    return syscall(SYS_statx, AT_FDCWD, path, 0, STATX_TYPE, found) == 0 && (found->stx_mode & MODE_TYPE) == MODE_CHAR;
}

int sim_node_usable(const char *name, unsigned major, unsigned minor)
{
    char path[4096];
    struct statx found;
    const char *below = root();

    snprintf(path, sizeof path, "%s/dev/%s", below, name);
    if (!is_character_device(path, &found) || found.stx_rdev_major != major || found.stx_rdev_minor != minor)
        return 0;
    return *below || !denied_by_cgroup(path);
}

int sim_driver_loaded(void)
{
    char path[4096];
    struct statx found;

    if (!sim_host.wsl)
        return sim_node_usable("nvidiactl", NVIDIA_MAJOR, NVIDIACTL_MINOR);
    snprintf(path, sizeof path, "%s/dev/dxg", root()); /* a misc device: its minor is given out at boot */
    return is_character_device(path, &found);
}

static int cap_usable(unsigned minor)
{
    char name[64];

    snprintf(name, sizeof name, "nvidia-caps/nvidia-cap%u", minor);
    return sim_node_usable(name, sim_host.caps_major, minor);
}

static int gpu_usable(const struct sim_gpu *gpu)
{
    char name[32];

    snprintf(name, sizeof name, "nvidia%u", gpu->minor);
    return sim_host.wsl || sim_node_usable(name, NVIDIA_MAJOR, gpu->minor);
}

static void enumerate_mig(struct sim_device *parent, struct sim_device *devices)
{
    parent->migs = devices;
    parent->mig_count = 0;
    for (unsigned i = 0; i < parent->gpu->mig_count; i++) {
        const struct sim_mig *mig = &parent->gpu->mig[i];
        unsigned index = parent->mig_count;

        if (!cap_usable(mig->gi_cap) || !cap_usable(mig->ci_cap))
            continue;
        devices[index] = (struct sim_device){.gpu = parent->gpu, .mig = mig, .parent = parent, .index = index};
        parent->mig_count++;
    }
}

void sim_enumerate(void)
{
    sim_device_count = 0;
    for (unsigned i = 0; i < sim_host.gpu_count; i++) {
        struct sim_device *device = &sim_devices[sim_device_count];

        if (!gpu_usable(&sim_host.gpus[i]))
            continue;
        *device = (struct sim_device){.gpu = &sim_host.gpus[i], .index = sim_device_count};
        enumerate_mig(device, mig_devices[sim_device_count]);
        sim_device_count++;
    }
}

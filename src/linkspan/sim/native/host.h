/* The simulated GPU host, as `linkspan sim create` describes it to the simulated libraries.
 *
 * The description is a record of fixed size in each library's data, found by its magic and filled in by
 * linkspan/sim/record.py: so a container that gets nothing but the driver's files gets the description too.
 * Change a struct here and its layout there together; `size` makes a mismatch an error of `sim create`.
 * All text is NUL-terminated. Only uint32_t and char arrays of a multiple of four bytes: no padding.
 */
#ifndef LINKSPAN_SIM_HOST_H
#define LINKSPAN_SIM_HOST_H

#include <stdint.h>

#define SIM_MAGIC "linkspan simulated GPU host v1"
#define SIM_MARKER ".linkspan-sim.json"
#define SIM_MAX_GPUS 64
#define SIM_MAX_MIG 7 /* the most instances that any GPU with MIG can be cut into */

struct sim_mig {
    char uuid[48];
    char profile[32];           /* as in the device's name: 1g.10gb */
    uint32_t gi, ci;            /* GPU instance, compute instance in it */
    uint32_t gi_cap, ci_cap;    /* minors of the two nodes below /dev/nvidia-caps that open it */
    uint32_t memory_mib;
    uint32_t multiprocessors;
    uint32_t slices;
};

struct sim_gpu {
    char uuid[48];
    char name[96];
    uint32_t minor;                         /* of /dev/nvidiaN */
    uint32_t domain, bus;                   /* PCI; device and function are 0 */
    uint32_t pci_device, pci_subsystem;     /* device id in the upper half, vendor id in the lower */
    uint32_t memory_mib, used_mib;
    uint32_t cc_major, cc_minor;            /* CUDA compute capability */
    uint32_t architecture, brand;           /* nvmlDeviceArchitecture_t, nvmlBrandType_t */
    uint32_t multiprocessors;
    uint32_t power_limit_w;
    uint32_t mig_capable, mig_enabled, mig_count;
    uint32_t lost;                          /* fell off the bus: NVML_ERROR_GPU_IS_LOST */
    struct sim_mig mig[SIM_MAX_MIG];
};

struct sim_host {
    char magic[32];
    uint32_t size;                  /* sizeof(struct sim_host), for the writer to check */
    uint32_t gpu_count;
    uint32_t cuda_version;          /* 12040 is CUDA 12.4 */
    uint32_t uvm_major;             /* of /dev/nvidia-uvm */
    uint32_t caps_major;            /* of /dev/nvidia-caps/nvidia-capN */
    uint32_t mismatched;            /* the kernel module is of another version than the libraries */
    uint32_t wsl;                   /* GPUs are behind /dev/dxg, without nodes of their own */
    char driver_version[32];
    char root[1024];                /* where `sim create` put the host's root */
    struct sim_gpu gpus[SIM_MAX_GPUS];
};

/* A GPU, or a MIG device of one, that is visible where this process runs. */
struct sim_device {
    const struct sim_gpu *gpu;
    const struct sim_mig *mig;      /* NULL for a whole GPU */
    struct sim_device *parent;      /* NULL for a whole GPU */
    struct sim_device *migs;        /* the visible MIG devices of a whole GPU */
    unsigned index;                 /* among the visible GPUs, or among the visible MIG devices of the parent */
    unsigned mig_count;
};

#define SIM_HIDDEN __attribute__((visibility("hidden")))

extern SIM_HIDDEN struct sim_host sim_host;
extern SIM_HIDDEN struct sim_device sim_devices[SIM_MAX_GPUS];
extern SIM_HIDDEN unsigned sim_device_count;

/* Whether the kernel module answers: its control node is there (/dev/dxg under WSL). */
SIM_HIDDEN int sim_driver_loaded(void);

/* Whether /dev/NAME is a character device of this major and minor that the device cgroup lets this process open. */
SIM_HIDDEN int sim_node_usable(const char *name, unsigned major, unsigned minor);

/* Look at /dev and fill sim_devices, in the order of the PCI bus. */
SIM_HIDDEN void sim_enumerate(void);

#endif

/* The simulated libcuda.so.1: enough for a program to say truthfully how many devices CUDA shows it.
 *
 * cuInit fails as the real one does without /dev/nvidia-uvm (999, unknown error), and with a kernel module of another
 * version (803). As on a real host a process uses one MIG device at most, and none of the GPUs that are cut into some.
 */
#include "host.h"

#include <stddef.h>
#include <string.h>

#define CUDA_API __attribute__((visibility("default")))

typedef enum {
    CUDA_SUCCESS = 0,
    CUDA_ERROR_INVALID_VALUE = 1,
    CUDA_ERROR_NOT_INITIALIZED = 3,
    CUDA_ERROR_NO_DEVICE = 100,
    CUDA_ERROR_INVALID_DEVICE = 101,
    CUDA_ERROR_NOT_SUPPORTED = 801,
    CUDA_ERROR_SYSTEM_DRIVER_MISMATCH = 803,
    CUDA_ERROR_UNKNOWN = 999,
} CUresult;

typedef struct {
    unsigned char bytes[16];
} CUuuid;

enum { /* CUdevice_attribute */
    MAX_THREADS_PER_BLOCK = 1,
    WARP_SIZE = 10,
    MULTIPROCESSOR_COUNT = 16,
    PCI_BUS_ID = 33,
    PCI_DEVICE_ID = 34,
    PCI_DOMAIN_ID = 50,
    COMPUTE_CAPABILITY_MAJOR = 75,
    COMPUTE_CAPABILITY_MINOR = 76,
};

static const struct sim_device *usable[SIM_MAX_GPUS];
static int usable_count = -1; /* -1: cuInit has not succeeded */

static void choose(void)
{
    const struct sim_device *mig = NULL;

    usable_count = 0;
    for (unsigned i = 0; i < sim_device_count; i++) {
        const struct sim_device *device = &sim_devices[i];

        if (device->gpu->lost)
            continue;
        if (!device->gpu->mig_enabled)
            usable[usable_count++] = device;
        else if (!mig && device->mig_count)
            mig = &device->migs[0];
    }
    if (!usable_count && mig)
        usable[usable_count++] = mig;
}

static const struct sim_device *at(int ordinal)
{
    return ordinal >= 0 && ordinal < usable_count ? usable[ordinal] : NULL;
}

CUDA_API CUresult cuInit(unsigned flags)
{
    if (flags)
        return CUDA_ERROR_INVALID_VALUE;
    if (!sim_driver_loaded())
        return CUDA_ERROR_NO_DEVICE;
    if (sim_host.mismatched)
        return CUDA_ERROR_SYSTEM_DRIVER_MISMATCH;
    if (!sim_host.wsl && !sim_node_usable("nvidia-uvm", sim_host.uvm_major, 0))
        return CUDA_ERROR_UNKNOWN;
    sim_enumerate();
    choose();
    return usable_count ? CUDA_SUCCESS : CUDA_ERROR_NO_DEVICE;
}

CUDA_API CUresult cuDriverGetVersion(int *version)
{
    if (!version)
        return CUDA_ERROR_INVALID_VALUE;
    *version = (int)sim_host.cuda_version;
    return CUDA_SUCCESS;
}

CUDA_API CUresult cuDeviceGetCount(int *count)
{
    if (usable_count < 0)
        return CUDA_ERROR_NOT_INITIALIZED;
    if (!count)
        return CUDA_ERROR_INVALID_VALUE;
    *count = usable_count;
    return CUDA_SUCCESS;
}

CUDA_API CUresult cuDeviceGet(int *device, int ordinal)
{
    if (usable_count < 0)
        return CUDA_ERROR_NOT_INITIALIZED;
    if (!device || !at(ordinal))
        return CUDA_ERROR_INVALID_DEVICE;
    *device = ordinal;
    return CUDA_SUCCESS;
}

CUDA_API CUresult cuDeviceGetName(char *name, int length, int device)
{
    if (!at(device))
        return CUDA_ERROR_INVALID_DEVICE;
    if (!name || length <= 0)
        return CUDA_ERROR_INVALID_VALUE;
    strncpy(name, at(device)->gpu->name, (size_t)length - 1);
    name[length - 1] = '\0';
    return CUDA_SUCCESS;
}

static int hex_digit(char c)
{
    return c <= '9' ? c - '0' : (c | 0x20) - 'a' + 10;
}

/* The 16 bytes behind the prefix of GPU-01000100-0000-0000-0000-000000000000. */
static CUuuid parse_uuid(const char *text)
{
    CUuuid uuid = {{0}};
    unsigned digits = 0;

    for (const char *c = text + strlen("GPU-"); *c && digits < 32; c++)
        if (*c != '-') {
            uuid.bytes[digits / 2] |= (unsigned char)(hex_digit(*c) << (digits % 2 ? 0 : 4));
            digits++;
        }
    return uuid;
}

CUDA_API CUresult cuDeviceGetUuid(CUuuid *uuid, int device)
{
    if (!at(device))
        return CUDA_ERROR_INVALID_DEVICE;
    *uuid = parse_uuid(at(device)->gpu->uuid);
    return CUDA_SUCCESS;
}

/* As the first, but of a MIG device it gives that one's own and not its GPU's. */
CUDA_API CUresult cuDeviceGetUuid_v2(CUuuid *uuid, int device)
{
    const struct sim_device *found = at(device);

    if (!found)
        return CUDA_ERROR_INVALID_DEVICE;
    *uuid = parse_uuid(found->mig ? found->mig->uuid : found->gpu->uuid);
    return CUDA_SUCCESS;
}

CUDA_API CUresult cuDeviceTotalMem_v2(size_t *bytes, int device)
{
    const struct sim_device *found = at(device);

    if (!found)
        return CUDA_ERROR_INVALID_DEVICE;
    *bytes = (size_t)(found->mig ? found->mig->memory_mib : found->gpu->memory_mib) << 20;
    return CUDA_SUCCESS;
}

CUDA_API CUresult cuDeviceGetAttribute(int *value, int attribute, int device)
{
    const struct sim_device *found = at(device);

    if (!found)
        return CUDA_ERROR_INVALID_DEVICE;
    switch (attribute) {
    case MAX_THREADS_PER_BLOCK: *value = 1024; break;
    case WARP_SIZE: *value = 32; break;
    case MULTIPROCESSOR_COUNT:
        *value = (int)(found->mig ? found->mig->multiprocessors : found->gpu->multiprocessors);
        break;
    case PCI_BUS_ID: *value = (int)found->gpu->bus; break;
    case PCI_DEVICE_ID: *value = 0; break;
    case PCI_DOMAIN_ID: *value = (int)found->gpu->domain; break;
    case COMPUTE_CAPABILITY_MAJOR: *value = (int)found->gpu->cc_major; break;
    case COMPUTE_CAPABILITY_MINOR: *value = (int)found->gpu->cc_minor; break;
    default: return CUDA_ERROR_NOT_SUPPORTED;
    }
    return CUDA_SUCCESS;
}

/* The part of NVML's binary interface that the simulated library answers; names as in NVIDIA's documentation.
 * https://docs.nvidia.com/deploy/nvml-api/
 */
#ifndef LINKSPAN_SIM_NVML_H
#define LINKSPAN_SIM_NVML_H

#include "host.h"

#define NVML_API __attribute__((visibility("default")))

typedef enum {
    NVML_SUCCESS = 0,
    NVML_ERROR_UNINITIALIZED = 1,
    NVML_ERROR_INVALID_ARGUMENT = 2,
    NVML_ERROR_NOT_SUPPORTED = 3,
    NVML_ERROR_NOT_FOUND = 6,
    NVML_ERROR_INSUFFICIENT_SIZE = 7,
    NVML_ERROR_DRIVER_NOT_LOADED = 9,
    NVML_ERROR_TIMEOUT = 10,
    NVML_ERROR_FUNCTION_NOT_FOUND = 13,
    NVML_ERROR_GPU_IS_LOST = 15,
    NVML_ERROR_LIB_RM_VERSION_MISMATCH = 18,
    NVML_ERROR_UNKNOWN = 999,
} nvmlReturn_t;

typedef struct sim_device *nvmlDevice_t;

typedef struct {
    char busIdLegacy[16];
    unsigned domain, bus, device, pciDeviceId, pciSubSystemId;
    char busId[32];
} nvmlPciInfo_t;

typedef struct { /* nvmlDeviceGetPciInfo and _v2: older, and shorter by the long bus id */
    char busId[16];
    unsigned domain, bus, device, pciDeviceId, pciSubSystemId, reserved[4];
} nvmlPciInfo_v2_t;

typedef struct {
    unsigned version, domain, bus, device, pciDeviceId, pciSubSystemId, baseClass, subClass;
    char busId[32];
} nvmlPciInfoExt_t;

typedef struct {
    unsigned long long total, free, used;
} nvmlMemory_t;

typedef struct {
    unsigned version;
    unsigned long long total, reserved, free, used;
} nvmlMemory_v2_t;

typedef nvmlMemory_t nvmlBAR1Memory_t; /* the same three numbers under other names */

typedef struct {
    unsigned gpu, memory;
} nvmlUtilization_t;

typedef struct {
    unsigned multiprocessorCount, sharedCopyEngineCount, sharedDecoderCount, sharedEncoderCount, sharedJpegCount,
        sharedOfaCount, gpuInstanceSliceCount, computeInstanceSliceCount;
    unsigned long long memorySizeMB;
} nvmlDeviceAttributes_t;

/* What a function does first with its handle: NVML_SUCCESS, or why it cannot go on. */
SIM_HIDDEN nvmlReturn_t nvml_check(nvmlDevice_t device);
SIM_HIDDEN nvmlReturn_t nvml_check_gpu(nvmlDevice_t device); /* the same; refuses MIG devices */
SIM_HIDDEN int nvml_is_device(const void *handle);

/* Where a GPU is on the PCI bus; the kernel knows that of a lost one, too. */
SIM_HIDDEN void nvml_pci(const struct sim_gpu *gpu, nvmlPciInfo_t *pci);

/* Copy text into a caller's buffer, or say that it does not fit. */
SIM_HIDDEN nvmlReturn_t nvml_text(const char *text, char *buffer, unsigned length);

#endif

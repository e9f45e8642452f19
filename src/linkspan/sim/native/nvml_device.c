/* The simulated libnvidia-ml.so.1: what a device is, and the MIG devices it is cut into. */
#include "nvml.h"

#include <stdio.h>
#include <string.h>

#define MIB (1024ULL * 1024)
#define PCI_CLASS_DISPLAY 3
#define PCI_SUBCLASS_3D 2

/* Define NAME(device, TYPE *): write VALUE of a whole GPU. */
#define GPU_VALUE(NAME, TYPE, VALUE)                                                                                   \
    NVML_API nvmlReturn_t NAME(nvmlDevice_t device, TYPE *value)                                                       \
    {                                                                                                                  \
        nvmlReturn_t checked = nvml_check_gpu(device);                                                                 \
                                                                                                                       \
        if (checked == NVML_SUCCESS && !value)                                                                         \
            return NVML_ERROR_INVALID_ARGUMENT;                                                                        \
        if (checked == NVML_SUCCESS)                                                                                   \
            *value = (VALUE);                                                                                          \
        return checked;                                                                                                \
    }

GPU_VALUE(nvmlDeviceGetMinorNumber, unsigned, device->gpu->minor)
GPU_VALUE(nvmlDeviceGetBrand, unsigned, device->gpu->brand)
GPU_VALUE(nvmlDeviceGetArchitecture, unsigned, device->gpu->architecture)
GPU_VALUE(nvmlDeviceGetMaxMigDeviceCount, unsigned, device->gpu->mig_capable ? SIM_MAX_MIG : 0)

/* What nvidia-smi shows of an idle GPU in its table. */
GPU_VALUE(nvmlDeviceGetPerformanceState, unsigned, 0)
GPU_VALUE(nvmlDeviceGetPowerState, unsigned, 0)
GPU_VALUE(nvmlDeviceGetPowerUsage, unsigned, device->gpu->power_limit_w * 100) /* mW: a tenth of the limit */
GPU_VALUE(nvmlDeviceGetEnforcedPowerLimit, unsigned, device->gpu->power_limit_w * 1000)
GPU_VALUE(nvmlDeviceGetPowerManagementLimit, unsigned, device->gpu->power_limit_w * 1000)
GPU_VALUE(nvmlDeviceGetPersistenceMode, unsigned, 1)
GPU_VALUE(nvmlDeviceGetComputeMode, unsigned, 0)
GPU_VALUE(nvmlDeviceGetDisplayActive, unsigned, 0)
GPU_VALUE(nvmlDeviceGetDisplayMode, unsigned, 0)
GPU_VALUE(nvmlDeviceGetVirtualizationMode, unsigned, 0)
GPU_VALUE(nvmlDeviceGetUtilizationRates, nvmlUtilization_t, ((nvmlUtilization_t){0, 0}))

NVML_API nvmlReturn_t nvmlDeviceGetIndex(nvmlDevice_t device, unsigned *index)
{
    nvmlReturn_t checked = nvml_check(device);

    if (checked == NVML_SUCCESS)
        *index = device->index;
    return checked;
}

NVML_API nvmlReturn_t nvmlDeviceGetUUID(nvmlDevice_t device, char *uuid, unsigned length)
{
    nvmlReturn_t checked = nvml_check(device);

    if (checked != NVML_SUCCESS)
        return checked;
    return nvml_text(device->mig ? device->mig->uuid : device->gpu->uuid, uuid, length);
}

NVML_API nvmlReturn_t nvmlDeviceGetName(nvmlDevice_t device, char *name, unsigned length)
{
    char text[sizeof device->gpu->name + sizeof device->mig->profile + 8];
    nvmlReturn_t checked = nvml_check(device);

    if (checked != NVML_SUCCESS)
        return checked;
    if (!device->mig)
        return nvml_text(device->gpu->name, name, length);
    snprintf(text, sizeof text, "%s MIG %s", device->gpu->name, device->mig->profile);
    return nvml_text(text, name, length);
}

NVML_API nvmlReturn_t nvmlDeviceGetCudaComputeCapability(nvmlDevice_t device, int *major, int *minor)
{
    nvmlReturn_t checked = nvml_check(device);

    if (checked == NVML_SUCCESS) {
        *major = (int)device->gpu->cc_major;
        *minor = (int)device->gpu->cc_minor;
    }
    return checked;
}

/* PCI: the domain has eight digits in the long form of a bus id, four in the old one. */

void nvml_pci(const struct sim_gpu *gpu, nvmlPciInfo_t *pci)
{
    *pci = (nvmlPciInfo_t){.domain = gpu->domain, .bus = gpu->bus};
    pci->pciDeviceId = gpu->pci_device;
    pci->pciSubSystemId = gpu->pci_subsystem;
    snprintf(pci->busIdLegacy, sizeof pci->busIdLegacy, "%04X:%02X:00.0", gpu->domain & 0xffff, gpu->bus & 0xff);
    snprintf(pci->busId, sizeof pci->busId, "%08X:%02X:00.0", gpu->domain, gpu->bus & 0xff);
}

NVML_API nvmlReturn_t nvmlDeviceGetPciInfo_v3(nvmlDevice_t device, nvmlPciInfo_t *pci)
{
    nvmlReturn_t checked = nvml_check_gpu(device);

    if (checked == NVML_SUCCESS)
        nvml_pci(device->gpu, pci);
    return checked;
}

NVML_API nvmlReturn_t nvmlDeviceGetPciInfo_v2(nvmlDevice_t device, nvmlPciInfo_v2_t *pci)
{
    nvmlPciInfo_t full;
    nvmlReturn_t found = nvmlDeviceGetPciInfo_v3(device, &full);

    if (found != NVML_SUCCESS)
        return found;
    *pci = (nvmlPciInfo_v2_t){.domain = full.domain, .bus = full.bus, .pciDeviceId = full.pciDeviceId};
    pci->pciSubSystemId = full.pciSubSystemId;
    memcpy(pci->busId, full.busIdLegacy, sizeof pci->busId);
    return NVML_SUCCESS;
}

NVML_API nvmlReturn_t nvmlDeviceGetPciInfo(nvmlDevice_t device, nvmlPciInfo_v2_t *pci)
{
    return nvmlDeviceGetPciInfo_v2(device, pci);
}

NVML_API nvmlReturn_t nvmlDeviceGetPciInfoExt(nvmlDevice_t device, nvmlPciInfoExt_t *pci)
{
    nvmlPciInfo_t full;
    nvmlReturn_t found = nvmlDeviceGetPciInfo_v3(device, &full);

    if (found != NVML_SUCCESS)
        return found;
    pci->domain = full.domain;
    pci->bus = full.bus;
    pci->device = 0;
    pci->pciDeviceId = full.pciDeviceId;
    pci->pciSubSystemId = full.pciSubSystemId;
    pci->baseClass = PCI_CLASS_DISPLAY;
    pci->subClass = PCI_SUBCLASS_3D;
    memcpy(pci->busId, full.busId, sizeof pci->busId);
    return NVML_SUCCESS;
}

/* Memory, in bytes. */

NVML_API nvmlReturn_t nvmlDeviceGetMemoryInfo(nvmlDevice_t device, nvmlMemory_t *memory)
{
    nvmlReturn_t checked = nvml_check(device);

    if (checked != NVML_SUCCESS)
        return checked;
    memory->total = (device->mig ? device->mig->memory_mib : device->gpu->memory_mib) * MIB;
    memory->used = device->gpu->used_mib * MIB;
    memory->free = memory->total - memory->used;
    return NVML_SUCCESS;
}

NVML_API nvmlReturn_t nvmlDeviceGetMemoryInfo_v2(nvmlDevice_t device, nvmlMemory_v2_t *memory)
{
    nvmlMemory_t plain;
    nvmlReturn_t found = nvmlDeviceGetMemoryInfo(device, &plain);

    if (found != NVML_SUCCESS)
        return found;
    memory->total = plain.total;
    memory->free = plain.free;
    memory->used = plain.used;
    memory->reserved = 0;
    return NVML_SUCCESS;
}

NVML_API nvmlReturn_t nvmlDeviceGetBAR1MemoryInfo(nvmlDevice_t device, nvmlBAR1Memory_t *bar1)
{
    return nvmlDeviceGetMemoryInfo(device, bar1);
}

NVML_API nvmlReturn_t nvmlDeviceGetTemperature(nvmlDevice_t device, unsigned sensor, unsigned *celsius)
{
    nvmlReturn_t checked = nvml_check_gpu(device);

    (void)sensor;
    if (checked == NVML_SUCCESS)
        *celsius = 30;
    return checked;
}

NVML_API nvmlReturn_t nvmlDeviceGetEccMode(nvmlDevice_t device, unsigned *current, unsigned *pending)
{
    nvmlReturn_t checked = nvml_check_gpu(device);

    if (checked == NVML_SUCCESS)
        *current = *pending = 1;
    return checked;
}

NVML_API nvmlReturn_t nvmlDeviceGetTotalEccErrors(nvmlDevice_t device, unsigned type, unsigned counter,
                                                  unsigned long long *errors)
{
    nvmlReturn_t checked = nvml_check(device);

    (void)type;
    (void)counter;
    if (checked == NVML_SUCCESS)
        *errors = 0;
    return checked;
}

NVML_API nvmlReturn_t nvmlDeviceGetMemoryErrorCounter(nvmlDevice_t device, unsigned type, unsigned counter,
                                                      unsigned location, unsigned long long *errors)
{
    (void)location;
    return nvmlDeviceGetTotalEccErrors(device, type, counter, errors);
}

NVML_API nvmlReturn_t nvmlDeviceGetFanSpeed(nvmlDevice_t device, unsigned *percent)
{
    nvmlReturn_t checked = nvml_check_gpu(device);

    (void)percent; /* all simulated models are cooled by their host */
    return checked == NVML_SUCCESS ? NVML_ERROR_NOT_SUPPORTED : checked;
}

NVML_API nvmlReturn_t nvmlDeviceValidateInforom(nvmlDevice_t device)
{
    return nvml_check_gpu(device);
}

/* MIG. */

NVML_API nvmlReturn_t nvmlDeviceGetMigMode(nvmlDevice_t device, unsigned *current, unsigned *pending)
{
    nvmlReturn_t checked = nvml_check_gpu(device);

    if (checked != NVML_SUCCESS)
        return checked;
    if (!device->gpu->mig_capable)
        return NVML_ERROR_NOT_SUPPORTED;
    *current = *pending = device->gpu->mig_enabled;
    return NVML_SUCCESS;
}

NVML_API nvmlReturn_t nvmlDeviceIsMigDeviceHandle(nvmlDevice_t device, unsigned *is_mig)
{
    nvmlReturn_t checked = nvml_check(device);

    if (checked == NVML_SUCCESS)
        *is_mig = device->mig != NULL;
    return checked;
}

NVML_API nvmlReturn_t nvmlDeviceGetMigDeviceHandleByIndex(nvmlDevice_t device, unsigned index, nvmlDevice_t *mig)
{
    nvmlReturn_t checked = nvml_check_gpu(device);

    if (checked != NVML_SUCCESS)
        return checked;
    if (!device->gpu->mig_capable)
        return NVML_ERROR_NOT_SUPPORTED;
    if (index >= device->mig_count)
        return NVML_ERROR_NOT_FOUND;
    *mig = &device->migs[index];
    return NVML_SUCCESS;
}

static nvmlReturn_t check_mig(nvmlDevice_t device)
{
    nvmlReturn_t checked = nvml_check(device);

    return checked == NVML_SUCCESS && !device->mig ? NVML_ERROR_INVALID_ARGUMENT : checked;
}

NVML_API nvmlReturn_t nvmlDeviceGetDeviceHandleFromMigDeviceHandle(nvmlDevice_t mig, nvmlDevice_t *device)
{
    nvmlReturn_t checked = check_mig(mig);

    if (checked == NVML_SUCCESS)
        *device = mig->parent;
    return checked;
}

NVML_API nvmlReturn_t nvmlDeviceGetGpuInstanceId(nvmlDevice_t device, unsigned *id)
{
    nvmlReturn_t checked = check_mig(device);

    if (checked == NVML_SUCCESS)
        *id = device->mig->gi;
    return checked;
}

NVML_API nvmlReturn_t nvmlDeviceGetComputeInstanceId(nvmlDevice_t device, unsigned *id)
{
    nvmlReturn_t checked = check_mig(device);

    if (checked == NVML_SUCCESS)
        *id = device->mig->ci;
    return checked;
}

NVML_API nvmlReturn_t nvmlDeviceGetAttributes_v2(nvmlDevice_t device, nvmlDeviceAttributes_t *attributes)
{
    nvmlReturn_t checked = check_mig(device);

    if (checked != NVML_SUCCESS)
        return checked;
    const struct sim_mig *mig = device->mig;
    *attributes = (nvmlDeviceAttributes_t){.multiprocessorCount = mig->multiprocessors};
    attributes->gpuInstanceSliceCount = attributes->computeInstanceSliceCount = mig->slices;
    attributes->sharedCopyEngineCount = mig->slices; /* one each, by the MIG User Guide */
    attributes->memorySizeMB = mig->memory_mib;
    return NVML_SUCCESS;
}

NVML_API nvmlReturn_t nvmlDeviceGetAttributes(nvmlDevice_t device, nvmlDeviceAttributes_t *attributes)
{
    return nvmlDeviceGetAttributes_v2(device, attributes);
}

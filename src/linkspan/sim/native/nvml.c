/* The simulated libnvidia-ml.so.1: the library itself, and how devices are found. */
#include "nvml.h"

#include <stdio.h>
#include <string.h>

static unsigned users; /* nvmlInit calls without their nvmlShutdown */

nvmlReturn_t nvml_text(const char *text, char *buffer, unsigned length)
{
    if (!buffer)
        return NVML_ERROR_INVALID_ARGUMENT;
    if (strlen(text) >= length)
        return NVML_ERROR_INSUFFICIENT_SIZE;
    strcpy(buffer, text);
    return NVML_SUCCESS;
}

int nvml_is_device(const void *handle)
{
    for (unsigned i = 0; i < sim_device_count; i++) {
        const struct sim_device *gpu = &sim_devices[i];

        if (handle == gpu)
            return 1;
        for (unsigned m = 0; m < gpu->mig_count; m++)
            if (handle == &gpu->migs[m])
                return 1;
    }
    return 0;
}

nvmlReturn_t nvml_check(nvmlDevice_t device)
{
    if (!users)
        return NVML_ERROR_UNINITIALIZED;
    if (!nvml_is_device(device))
        return NVML_ERROR_INVALID_ARGUMENT;
    return device->gpu->lost ? NVML_ERROR_GPU_IS_LOST : NVML_SUCCESS;
}

nvmlReturn_t nvml_check_gpu(nvmlDevice_t device)
{
    nvmlReturn_t checked = nvml_check(device);

    return checked == NVML_SUCCESS && device->mig ? NVML_ERROR_INVALID_ARGUMENT : checked;
}

/* Start and end. */

NVML_API nvmlReturn_t nvmlInitWithFlags(unsigned flags)
{
    (void)flags;
    if (!sim_driver_loaded())
        return NVML_ERROR_DRIVER_NOT_LOADED;
    if (sim_host.mismatched)
        return NVML_ERROR_LIB_RM_VERSION_MISMATCH;
    if (!users)
        sim_enumerate();
    users++;
    return NVML_SUCCESS;
}

NVML_API nvmlReturn_t nvmlInit_v2(void)
{
    return nvmlInitWithFlags(0);
}

NVML_API nvmlReturn_t nvmlInit(void)
{
    return nvmlInitWithFlags(0);
}

NVML_API nvmlReturn_t nvmlShutdown(void)
{
    if (!users)
        return NVML_ERROR_UNINITIALIZED;
    users--;
    return NVML_SUCCESS;
}

NVML_API const char *nvmlErrorString(nvmlReturn_t result)
{
    switch (result) {
    case NVML_SUCCESS: return "Success";
    case NVML_ERROR_UNINITIALIZED: return "Uninitialized";
    case NVML_ERROR_INVALID_ARGUMENT: return "Invalid Argument";
    case NVML_ERROR_NOT_SUPPORTED: return "Not Supported";
    case NVML_ERROR_NOT_FOUND: return "Not Found";
    case NVML_ERROR_INSUFFICIENT_SIZE: return "Insufficient Size";
    case NVML_ERROR_DRIVER_NOT_LOADED: return "Driver Not Loaded";
    case NVML_ERROR_TIMEOUT: return "Timeout";
    case NVML_ERROR_FUNCTION_NOT_FOUND: return "Function Not Found";
    case NVML_ERROR_GPU_IS_LOST: return "GPU is lost";
    case NVML_ERROR_LIB_RM_VERSION_MISMATCH: return "Driver/library version mismatch";
    case NVML_ERROR_UNKNOWN: break;
    }
    return "Unknown Error";
}

/* The system. */

NVML_API nvmlReturn_t nvmlSystemGetDriverVersion(char *version, unsigned length)
{
    return users ? nvml_text(sim_host.driver_version, version, length) : NVML_ERROR_UNINITIALIZED;
}

NVML_API nvmlReturn_t nvmlSystemGetNVMLVersion(char *version, unsigned length)
{
    char text[sizeof sim_host.driver_version + 16];

    snprintf(text, sizeof text, "%u.%s", sim_host.cuda_version / 1000, sim_host.driver_version);
    return nvml_text(text, version, length);
}

NVML_API nvmlReturn_t nvmlSystemGetCudaDriverVersion_v2(int *version)
{
    if (!version)
        return NVML_ERROR_INVALID_ARGUMENT;
    *version = (int)sim_host.cuda_version;
    return NVML_SUCCESS;
}

NVML_API nvmlReturn_t nvmlSystemGetCudaDriverVersion(int *version)
{
    return nvmlSystemGetCudaDriverVersion_v2(version);
}

/* Finding devices. */

NVML_API nvmlReturn_t nvmlDeviceGetCount_v2(unsigned *count)
{
    if (!users)
        return NVML_ERROR_UNINITIALIZED;
    if (!count)
        return NVML_ERROR_INVALID_ARGUMENT;
    *count = sim_device_count;
    return NVML_SUCCESS;
}

NVML_API nvmlReturn_t nvmlDeviceGetCount(unsigned *count)
{
    return nvmlDeviceGetCount_v2(count);
}

static nvmlReturn_t hand_out(nvmlDevice_t found, nvmlDevice_t *device)
{
    if (!device)
        return NVML_ERROR_INVALID_ARGUMENT;
    if (found->gpu->lost)
        return NVML_ERROR_GPU_IS_LOST;
    *device = found;
    return NVML_SUCCESS;
}

NVML_API nvmlReturn_t nvmlDeviceGetHandleByIndex_v2(unsigned index, nvmlDevice_t *device)
{
    if (!users)
        return NVML_ERROR_UNINITIALIZED;
    return index < sim_device_count ? hand_out(&sim_devices[index], device) : NVML_ERROR_INVALID_ARGUMENT;
}

NVML_API nvmlReturn_t nvmlDeviceGetHandleByIndex(unsigned index, nvmlDevice_t *device)
{
    return nvmlDeviceGetHandleByIndex_v2(index, device);
}

static nvmlDevice_t find_mig(nvmlDevice_t gpu, const char *uuid)
{
    for (unsigned m = 0; m < gpu->mig_count; m++)
        if (strcmp(gpu->migs[m].mig->uuid, uuid) == 0)
            return &gpu->migs[m];
    return NULL;
}

NVML_API nvmlReturn_t nvmlDeviceGetHandleByUUID(const char *uuid, nvmlDevice_t *device)
{
    if (!users)
        return NVML_ERROR_UNINITIALIZED;
    if (!uuid)
        return NVML_ERROR_INVALID_ARGUMENT;
    for (unsigned i = 0; i < sim_device_count; i++) {
        nvmlDevice_t gpu = &sim_devices[i];
        nvmlDevice_t found = strcmp(gpu->gpu->uuid, uuid) == 0 ? gpu : find_mig(gpu, uuid);

        if (found)
            return hand_out(found, device);
    }
    return NVML_ERROR_NOT_FOUND;
}

/* The hexadecimal number at *text, which moves on behind it; -1 where there is none or it does not end at `end`. */
static long hex_until(const char **text, char end)
{
    long value = 0;
    const char *start = *text;

    for (;; (*text)++) {
        char c = **text | 0x20;

        if (c >= '0' && c <= '9')
            value = value << 4 | (c - '0');
        else if (c >= 'a' && c <= 'f')
            value = value << 4 | (c - 'a' + 10);
        else
            break;
    }
    return *text > start && *text - start <= 8 && *(*text)++ == end ? value : -1;
}

NVML_API nvmlReturn_t nvmlDeviceGetHandleByPciBusId_v2(const char *bus_id, nvmlDevice_t *device)
{
    long domain, bus;

    if (!users)
        return NVML_ERROR_UNINITIALIZED;
    if (!bus_id || (domain = hex_until(&bus_id, ':')) < 0 || (bus = hex_until(&bus_id, ':')) < 0)
        return NVML_ERROR_INVALID_ARGUMENT;
    for (unsigned i = 0; i < sim_device_count; i++)
        if (sim_devices[i].gpu->domain == domain && sim_devices[i].gpu->bus == bus)
            return hand_out(&sim_devices[i], device);
    return NVML_ERROR_NOT_FOUND;
}

NVML_API nvmlReturn_t nvmlDeviceGetHandleByPciBusId(const char *bus_id, nvmlDevice_t *device)
{
    return nvmlDeviceGetHandleByPciBusId_v2(bus_id, device);
}

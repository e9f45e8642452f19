/* The simulated libnvidia-ml.so.1: what NVIDIA's own nvidia-smi asks beyond the documented interface. */
#include "nvml.h"

#include <string.h>

#define TABLE_ENTRIES 256
#define FIRST_PAGE 4096 /* no pointer is below it */

/* 6c3efec4-8fc9-4e6c-a327-ee696e12f7c4, its first three parts little-endian as in a GUID's memory. */
static const unsigned char smi_table_id[16] = {0xc4, 0xfe, 0x3e, 0x6c, 0xc9, 0x8f, 0x6c, 0x4e,
                                               0xa3, 0x27, 0xee, 0x69, 0x6e, 0x12, 0xf7, 0xc4};

/* Serves for every entry of the table. Two uses matter, found by trial with 535 and 550. With a device, the second
 * argument is the counter of a list (processes, mostly): zero keeps nvidia-smi from showing as many empty rows as it had
 * room for. With an index, it is where the PCI address goes that a lost GPU is called by. Success always, since some of
 * nvidia-smi's views stop at any error. */
static nvmlReturn_t undocumented(uintptr_t which, void *answer)
{
    if ((uintptr_t)answer <= FIRST_PAGE)
        return NVML_SUCCESS;
    if (nvml_is_device((const void *)which))
        *(unsigned *)answer = 0;
    else if (which < sim_device_count)
        nvml_pci(sim_devices[which].gpu, answer);
    return NVML_SUCCESS;
}

NVML_API nvmlReturn_t nvmlInternalGetExportTable(const void **table, const void *id)
{
    static const void *entries[TABLE_ENTRIES];

    if (!table || !id)
        return NVML_ERROR_INVALID_ARGUMENT;
    if (memcmp(id, smi_table_id, sizeof smi_table_id) != 0)
        return NVML_ERROR_NOT_FOUND;
    entries[0] = (const void *)sizeof entries; /* the first word is the size in bytes */
    for (unsigned i = 1; i < TABLE_ENTRIES; i++)
        entries[i] = (const void *)undocumented;
    *table = entries;
    return NVML_SUCCESS;
}

/* Event sets: no event ever comes. */

NVML_API nvmlReturn_t nvmlEventSetCreate(void **set)
{
    static int only;

    *set = &only;
    return NVML_SUCCESS;
}

NVML_API nvmlReturn_t nvmlEventSetFree(void *set)
{
    (void)set;
    return NVML_SUCCESS;
}

NVML_API nvmlReturn_t nvmlEventSetWait_v2(void *set, void *event, unsigned timeout_ms)
{
    (void)set;
    (void)event;
    (void)timeout_ms;
    return NVML_ERROR_TIMEOUT;
}

/* Nothing runs on a simulated GPU. */

static nvmlReturn_t no_processes(nvmlDevice_t device, unsigned *count)
{
    nvmlReturn_t checked = nvml_check(device);

    if (checked == NVML_SUCCESS)
        *count = 0;
    return checked;
}

NVML_API nvmlReturn_t nvmlDeviceGetComputeRunningProcesses_v3(nvmlDevice_t device, unsigned *count, void *processes)
{
    (void)processes;
    return no_processes(device, count);
}

NVML_API nvmlReturn_t nvmlDeviceGetGraphicsRunningProcesses_v3(nvmlDevice_t device, unsigned *count, void *processes)
{
    (void)processes;
    return no_processes(device, count);
}

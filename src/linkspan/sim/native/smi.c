/* A small nvidia-smi for simulated hosts: the list, the table and the query, as NVIDIA's prints them.
 *
 * Like the real one it finds libnvidia-ml.so.1 by dlopen, so that it shows whether the container's loader does.
 * Messages and exit codes are those of the real one (the exit code is NVML's error).
 */
#include "nvml.h"

#include <dlfcn.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#define EXIT_USAGE 2
#define EXIT_NO_DEVICES 6
#define EXIT_NO_LIBRARY 12

static nvmlReturn_t (*init)(void);
static const char *(*error_string)(nvmlReturn_t);
static nvmlReturn_t (*driver_version)(char *, unsigned);
static nvmlReturn_t (*cuda_version)(int *);
static nvmlReturn_t (*count)(unsigned *);
static nvmlReturn_t (*by_index)(unsigned, nvmlDevice_t *);
static nvmlReturn_t (*get_name)(nvmlDevice_t, char *, unsigned);
static nvmlReturn_t (*get_uuid)(nvmlDevice_t, char *, unsigned);
static nvmlReturn_t (*get_pci)(nvmlDevice_t, nvmlPciInfo_t *);
static nvmlReturn_t (*get_memory)(nvmlDevice_t, nvmlMemory_t *);
static nvmlReturn_t (*get_capability)(nvmlDevice_t, int *, int *);
static nvmlReturn_t (*get_mig_mode)(nvmlDevice_t, unsigned *, unsigned *);
static nvmlReturn_t (*get_mig)(nvmlDevice_t, unsigned, nvmlDevice_t *);

static const struct {
    const char *symbol;
    void *function;
} needed[] = {
    {"nvmlInit_v2", &init},
    {"nvmlErrorString", &error_string},
    {"nvmlSystemGetDriverVersion", &driver_version},
    {"nvmlSystemGetCudaDriverVersion_v2", &cuda_version},
    {"nvmlDeviceGetCount_v2", &count},
    {"nvmlDeviceGetHandleByIndex_v2", &by_index},
    {"nvmlDeviceGetName", &get_name},
    {"nvmlDeviceGetUUID", &get_uuid},
    {"nvmlDeviceGetPciInfo_v3", &get_pci},
    {"nvmlDeviceGetMemoryInfo", &get_memory},
    {"nvmlDeviceGetCudaComputeCapability", &get_capability},
    {"nvmlDeviceGetMigMode", &get_mig_mode},
    {"nvmlDeviceGetMigDeviceHandleByIndex", &get_mig},
};

#define LENGTH(array) (sizeof(array) / sizeof *(array))

static int load(void)
{
    void *library = dlopen("libnvidia-ml.so.1", RTLD_NOW);

    for (unsigned i = 0; library && i < LENGTH(needed); i++) {
        void *found = dlsym(library, needed[i].symbol);

        if (!found)
            return 0;
        memcpy(needed[i].function, &found, sizeof found);
    }
    return library != NULL;
}

/* One thing that --query-gpu prints. */

struct row {
    unsigned index;
    char uuid[96], name[96], bus_id[32], memory[32], capability[16], driver[80], mig[16];
};

static nvmlReturn_t read_row(unsigned index, struct row *row)
{
    nvmlDevice_t device;
    nvmlPciInfo_t pci;
    nvmlMemory_t memory;
    int major, minor;
    unsigned current, pending;
    nvmlReturn_t found = by_index(index, &device);

    if (found != NVML_SUCCESS)
        return found;
    row->index = index;
    if ((found = get_uuid(device, row->uuid, sizeof row->uuid)) || (found = get_name(device, row->name, sizeof row->name)) ||
        (found = get_pci(device, &pci)) || (found = get_memory(device, &memory)) ||
        (found = get_capability(device, &major, &minor)) || (found = driver_version(row->driver, sizeof row->driver)))
        return found;
    strcpy(row->bus_id, pci.busId);
    snprintf(row->memory, sizeof row->memory, "%llu", memory.total >> 20);
    snprintf(row->capability, sizeof row->capability, "%d.%d", major, minor);
    if (get_mig_mode(device, &current, &pending) != NVML_SUCCESS)
        strcpy(row->mig, "[N/A]");
    else
        strcpy(row->mig, current ? "Enabled" : "Disabled");
    return NVML_SUCCESS;
}

static int lost(unsigned index, nvmlReturn_t why)
{
    printf("Unable to determine the device handle for GPU%u: %s\n", index, error_string(why));
    return why;
}

/* nvidia-smi -L */

static void list_mig(nvmlDevice_t device)
{
    nvmlDevice_t mig;
    char name[128], uuid[96];

    for (unsigned i = 0; get_mig(device, i, &mig) == NVML_SUCCESS; i++) {
        get_name(mig, name, sizeof name);
        get_uuid(mig, uuid, sizeof uuid);
        printf("  %-15s Device %2u: (UUID: %s)\n", strstr(name, "MIG "), i, uuid);
    }
}

static int list(unsigned gpus)
{
    int failed = 0;

    for (unsigned i = 0; i < gpus; i++) {
        nvmlDevice_t device;
        char name[96], uuid[96];
        nvmlReturn_t found = by_index(i, &device);

        if (found != NVML_SUCCESS) {
            failed = lost(i, found);
            continue;
        }
        get_name(device, name, sizeof name);
        get_uuid(device, uuid, sizeof uuid);
        printf("GPU %u: %s (UUID: %s)\n", i, name, uuid);
        list_mig(device);
    }
    return failed;
}

/* nvidia-smi: a plain table, narrower than NVIDIA's since an idle simulation has no temperature worth a column. */

#define RULE "+-----+----------------------------------+------------------+-------------+----------+\n"

static int table(unsigned gpus)
{
    char driver[80];
    int cuda = 0, failed = 0;

    driver_version(driver, sizeof driver);
    cuda_version(&cuda);
    printf("NVIDIA-SMI (linkspan, simulated)   Driver Version: %s   CUDA Version: %d.%d\n" RULE, driver, cuda / 1000,
           cuda % 1000 / 10);
    printf("| GPU | Name                             | Bus-Id           |      Memory | MIG      |\n" RULE);
    for (unsigned i = 0; i < gpus; i++) {
        struct row row;
        nvmlReturn_t found = read_row(i, &row);

        if (found != NVML_SUCCESS)
            failed = lost(i, found);
        else
            printf("| %3u | %-32s | %-16s | %7s MiB | %-8s |\n", i, row.name, row.bus_id, row.memory, row.mig);
    }
    printf(RULE);
    return failed;
}

/* nvidia-smi --query-gpu=... --format=csv */

static const struct field {
    const char *name, *unit;
    size_t offset; /* of the text in a row; 0, where the number is, stands for the index */
} fields[] = {
    {"index", "", 0},
    {"uuid", "", offsetof(struct row, uuid)},
    {"gpu_uuid", "", offsetof(struct row, uuid)},
    {"name", "", offsetof(struct row, name)},
    {"gpu_name", "", offsetof(struct row, name)},
    {"pci.bus_id", "", offsetof(struct row, bus_id)},
    {"gpu_bus_id", "", offsetof(struct row, bus_id)},
    {"memory.total", "MiB", offsetof(struct row, memory)},
    {"compute_cap", "", offsetof(struct row, capability)},
    {"driver_version", "", offsetof(struct row, driver)},
    {"mig.mode.current", "", offsetof(struct row, mig)},
};

static const struct field *find_field(const char *name, size_t length)
{
    for (unsigned i = 0; i < LENGTH(fields); i++)
        if (strlen(fields[i].name) == length && memcmp(fields[i].name, name, length) == 0)
            return &fields[i];
    return NULL;
}

/* Split the comma list into fields; 0, with a message, at an unknown name. */
static unsigned parse_fields(const char *list, const struct field **chosen, unsigned room)
{
    unsigned n = 0;

    for (const char *end; n < room; list = end + 1) {
        size_t length = strcspn(list, ",");

        end = list + length;
        if (!(chosen[n++] = find_field(list, length))) {
            printf("Field \"%.*s\" is not a valid field to query.\n", (int)length, list);
            return 0;
        }
        if (!*end)
            return n;
    }
    printf("Too many fields to query.\n");
    return 0;
}

static void print_header(const struct field **chosen, unsigned n, int units)
{
    for (unsigned i = 0; i < n; i++)
        printf("%s%s%s%s%s", i ? ", " : "", chosen[i]->name, units && *chosen[i]->unit ? " [" : "",
               units ? chosen[i]->unit : "", units && *chosen[i]->unit ? "]" : "");
    printf("\n");
}

static void print_row(const struct row *row, const struct field **chosen, unsigned n, int units)
{
    for (unsigned i = 0; i < n; i++) {
        printf("%s", i ? ", " : "");
        if (chosen[i]->offset)
            printf("%s", (const char *)row + chosen[i]->offset);
        else
            printf("%u", row->index);
        if (units && *chosen[i]->unit)
            printf(" %s", chosen[i]->unit);
    }
    printf("\n");
}

static int query(unsigned gpus, const char *list, const char *format)
{
    const struct field *chosen[32];
    unsigned n = parse_fields(list, chosen, LENGTH(chosen));
    int units = !strstr(format, "nounits"), failed = 0;

    if (!n)
        return EXIT_USAGE;
    if (!strstr(format, "noheader"))
        print_header(chosen, n, units);
    for (unsigned i = 0; i < gpus; i++) {
        struct row row;
        nvmlReturn_t found = read_row(i, &row);

        if (found != NVML_SUCCESS)
            failed = lost(i, found);
        else
            print_row(&row, chosen, n, units);
    }
    return failed;
}

static int failed_to_start(nvmlReturn_t why)
{
    if (why == NVML_ERROR_DRIVER_NOT_LOADED)
        printf("NVIDIA-SMI has failed because it couldn't communicate with the NVIDIA driver. Make sure that the latest "
               "NVIDIA driver is installed and running.\n");
    else
        printf("Failed to initialize NVML: %s\n", error_string(why));
    return why;
}

static const char *value_of(const char *argument, const char *option)
{
    size_t length = strlen(option);

    return strncmp(argument, option, length) == 0 ? argument + length : NULL;
}

int main(int argc, char **argv)
{
    const char *wanted = NULL, *format = NULL;
    int only_list = 0;
    unsigned gpus = 0;
    nvmlReturn_t started;

    for (int i = 1; i < argc; i++) {
        if (strcmp(argv[i], "-L") == 0 || strcmp(argv[i], "--list-gpus") == 0)
            only_list = 1;
        else if (value_of(argv[i], "--query-gpu="))
            wanted = value_of(argv[i], "--query-gpu=");
        else if (value_of(argv[i], "--format=csv"))
            format = value_of(argv[i], "--format=csv");
        else {
            printf("usage: nvidia-smi [-L | --query-gpu=FIELD,... --format=csv[,noheader][,nounits]]\n");
            return strcmp(argv[i], "-h") && strcmp(argv[i], "--help") ? EXIT_USAGE : 0;
        }
    }
    if (!wanted != !format) {
        printf("--query-gpu and --format=csv go together.\n");
        return EXIT_USAGE;
    }
    if (!load()) {
        printf("NVIDIA-SMI couldn't find libnvidia-ml.so library in your system. Please make sure that the NVIDIA Display "
               "Driver is properly installed and present in your system.\n");
        return EXIT_NO_LIBRARY;
    }
    if ((started = init()) != NVML_SUCCESS)
        return failed_to_start(started);
    count(&gpus);
    if (!gpus) {
        printf("No devices were found\n");
        return EXIT_NO_DEVICES;
    }
    if (wanted)
        return query(gpus, wanted, format);
    return only_list ? list(gpus) : table(gpus);
}

/* Opens each library that is named, as a program in a container does, and says where it was found. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <link.h>
#include <stdio.h>

int main(int argc, char **argv)
{
    int failed = 0;
    for (int i = 1; i < argc; i++) {
        void *library = dlopen(argv[i], RTLD_LAZY);
        struct link_map *map;
        if (library && !dlinfo(library, RTLD_DI_LINKMAP, &map))
            printf("%s %s\n", argv[i], map->l_name);
        else
            failed = 1, printf("%s %s\n", argv[i], dlerror());
    }
    return failed;
}

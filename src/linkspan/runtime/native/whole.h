/* Files and links that are put in place in one step: whoever looks sees the old one or the new one (kernel/files.py). */
#ifndef LINKSPAN_WHOLE_H
#define LINKSPAN_WHOLE_H

#include "text.h"

/* Both replace what stands at a name in a folder; false where that is not possible, and then nothing is left behind. */
bool whole_file(int folder, const char *name, struct text data, mode_t mode);
bool whole_link(int folder, const char *name, const char *target);

#endif

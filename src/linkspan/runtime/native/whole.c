#define _GNU_SOURCE
#include "whole.h"
#include <fcntl.h>
#include <stdio.h>
#include <sys/random.h>
#include <unistd.h>

/* A name that nobody can have put there before us, as kernel/paths.py makes them. */
static bool temporary_name(char name[64], const char *final)
{
	uint64_t number;
	if (getrandom(&number, sizeof number, 0) != sizeof number)
		return false;
	snprintf(name, 64, ".%.40s.%016jx", final, (uintmax_t)number);
	return true;
}

static bool move_into_place(int folder, const char *temporary, const char *name, bool made)
{
	if (made && renameat(folder, temporary, folder, name) == 0)
		return true;
	unlinkat(folder, temporary, 0);
	return false;
}

static bool fill(int file, struct text data, mode_t mode)
{
	bool good = file >= 0 && fchmod(file, mode) == 0;
	while (good && data.length) {
		ssize_t done = write(file, data.at, data.length);
		good = done > 0;
		data = good ? (struct text){data.at + done, data.length - (size_t)done} : data;
	}
	return (file < 0 || close(file) == 0) && good;
}

bool whole_file(int folder, const char *name, struct text data, mode_t mode)
{
	char temporary[64];
	if (!temporary_name(temporary, name))
		return false;
	int file = openat(folder, temporary, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, mode);
	return move_into_place(folder, temporary, name, fill(file, data, mode));
}

bool whole_link(int folder, const char *name, const char *target)
{
	char temporary[64];
	return temporary_name(temporary, name) &&
	       move_into_place(folder, temporary, name, symlinkat(target, folder, temporary) == 0);
}

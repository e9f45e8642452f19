#define _GNU_SOURCE
#include "scope.h"
#include "whole.h"
#include <dirent.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#define FOLDER "/run/systemd/transient"
#define DROP_IN "50-linkspan.conf"
#define HEAD "# The devices of a container's GPUs, which its engine does not know of; by linkspan.\n[Scope]\n"
#define SCOPE ".scope"
#define OF_DROP_INS ".d"
#define POLICY "DevicePolicy="
#define ID_SIGNS "0123456789abcdef"
#define PLAIN "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_.:"
enum { ID_LENGTH = 64, UNIT_LIMIT = 1 << 20, OPEN_FOLDER = O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC };

/* A scope of a container whose name ends with its random id, as all engines name them: no other one will ever have it. */
static bool is_unit(const char *name)
{
	size_t length = strlen(name), end = strlen(SCOPE);
	if (length > NAME_MAX || length < 2 + ID_LENGTH + end || strcmp(name + length - end, SCOPE))
		return false;
	const char *id = name + length - end - ID_LENGTH;
	return strspn(id, ID_SIGNS) == ID_LENGTH && id[-1] == '-' && strspn(name, PLAIN) == length;
}

/* The unit that a cgroup is of, by the path that the kernel has for it; NULL where it is none, or below no slice. */
static const char *unit_of(int cgroup, char path[PATH_MAX])
{
	char link[64];
	snprintf(link, sizeof link, "/proc/self/fd/%d", cgroup);
	ssize_t length = readlink(link, path, PATH_MAX - 1);
	path[length < 0 ? 0 : length] = 0;
	char *slash = strrchr(path, '/');
	return slash && text_ends(text_between(path, slash), ".slice") && is_unit(slash + 1) ? slash + 1 : NULL;
}

static bool exists(int folder, const char *name)
{
	return faccessat(folder, name, F_OK, 0) == 0;
}

/* What one of a unit's files says of its policy; what was known before where it says nothing. */
static bool policy_in(const char *path, bool confines)
{
	struct text text;
	struct stat status;
	if (!read_file(path, UNIT_LIMIT, false, &text, &status))
		return confines;
	for (const char *at = text.at; at && *at; at = strchr(at, '\n'), at = at ? at + 1 : NULL) {
		at += strspn(at, " \t");
		if (strncmp(at, POLICY, strlen(POLICY)))
			continue;
		const char *value = at + strlen(POLICY);
		struct text policy = {value, strcspn(value, " \t\r\n")};
		confines = text_is(policy, "strict") || text_is(policy, "closed");
	}
	return confines;
}

/* Where all devices may be opened, as in a privileged container, the first one that is allowed would close the others. */
static bool confines_devices(const char *unit)
{
	char path[sizeof FOLDER + NAME_MAX + 64];
	snprintf(path, sizeof path, FOLDER "/%s", unit);
	bool confines = policy_in(path, false);
	snprintf(path, sizeof path, FOLDER "/%s" OF_DROP_INS "/50-DevicePolicy.conf", unit);
	return policy_in(path, confines);
}

/* A drop-in that was not finished, since its hook was killed, is left to Python. */
static void prune(int transient, DIR *units)
{
	char unit[NAME_MAX + 1];
	for (struct dirent *entry; (entry = readdir(units));) {
		struct text name = text_of(entry->d_name);
		if (!text_ends(name, SCOPE OF_DROP_INS))
			continue;
		snprintf(unit, sizeof unit, "%.*s", (int)(name.length - strlen(OF_DROP_INS)), name.at);
		int folder = is_unit(unit) && !exists(transient, unit) ? openat(transient, entry->d_name, OPEN_FOLDER) : -1;
		if (folder < 0)
			continue;
		unlinkat(folder, DROP_IN, 0);
		close(folder);
		unlinkat(transient, entry->d_name, AT_REMOVEDIR); /* not where somebody else's drop-in is */
	}
}

/* By number, as runc names devices for systemd, which before version 240 needs a path that is there: else by the node's. */
static void put_device(struct buffer *text, const struct device_rule *rule)
{
	char number[64], letters[ACCESS_ROOM];
	struct stat found;
	const char *path = number;
	snprintf(number, sizeof number, "/dev/%s/%u:%u", rule->type == 'b' ? "block" : "char", rule->major, rule->minor);
	if (*rule->node && access(number, F_OK) && !stat(rule->node, &found) && found.st_rdev == makedev(rule->major, rule->minor))
		path = rule->node;
	for (const char *const *part = (const char *const[]){"DeviceAllow=", path, " ", access_letters(rule->access, letters), "\n", NULL};
	     *part; part++)
		buffer_put(text, *part);
}

static void write_drop_in(int transient, const char *unit, struct text text)
{
	char name[NAME_MAX + sizeof OF_DROP_INS];
	snprintf(name, sizeof name, "%s" OF_DROP_INS, unit);
	bool is_new = mkdirat(transient, name, 0755) == 0;
	int folder = openat(transient, name, OPEN_FOLDER);
	if (folder < 0)
		return;
	if (is_new)
		fchmod(folder, 0755); /* whatever the umask */
	whole_file(folder, DROP_IN, text, 0644);
	close(folder);
}

void scope_leave(int cgroup, const struct device_rule *rules, int count)
{
	char path[PATH_MAX];
	struct buffer text = {0};
	const char *unit = unit_of(cgroup, path);
	DIR *units = unit && confines_devices(unit) ? opendir(FOLDER) : NULL;
	if (!units)
		return;
	prune(dirfd(units), units);
	buffer_put(&text, HEAD);
	for (int i = 0; i < count; i++)
		put_device(&text, &rules[i]);
	if (!text.failed)
		write_drop_in(dirfd(units), unit, buffer_text(&text));
	closedir(units);
}

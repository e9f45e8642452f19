#define _GNU_SOURCE
#include "cgroup.h"
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

enum { MAX_PROGRAMS = 64, MAX_INSTRUCTIONS = 1 << 16, FIELDS = 16 };

/* Takes the text up to a character off the front of another one; false where nothing is left. */
static bool take_until(struct text *text, char sign, struct text *part)
{
	if (!text->length)
		return false;
	const char *end = memchr(text->at, sign, text->length);
	*part = text_between(text->at, end ? end : text->at + text->length);
	size_t used = part->length + (end != NULL);
	*text = (struct text){text->at + used, text->length - used};
	return true;
}

static bool has_word(struct text list, const char *word)
{
	for (struct text one; take_until(&list, ',', &one);)
		if (text_is(one, word))
			return true;
	return false;
}

/* The process's path in the hierarchy of this version; false where it is in none. */
static bool path_in_hierarchy(struct text cgroup, int version, struct text *path)
{
	for (struct text line; take_until(&cgroup, '\n', &line);) {
		struct text number, controllers;
		if (!take_until(&line, ':', &number) || !take_until(&line, ':', &controllers))
			continue;
		*path = line;
		if (version == 1 ? has_word(controllers, "devices") : text_is(number, "0") && !controllers.length)
			return true;
	}
	return false;
}

/* Root and place of a mount of a cgroup hierarchy of this version; false for any other line of mountinfo. */
static bool is_hierarchy(struct text line, int version, struct text *root, struct text *place)
{
	struct text fields[FIELDS], options = {"", 0};
	int count = 0, dash = 0;
	while (count < FIELDS && take_until(&line, ' ', &fields[count]))
		count++;
	for (int i = 6; i < count && !dash; i++)
		dash = text_is(fields[i], "-") ? i : 0;
	if (!dash || dash + 3 >= count)
		return false;
	options = fields[dash + 3];
	*root = fields[3];
	*place = fields[4];
	return version == 1 ? text_is(fields[dash + 1], "cgroup") && has_word(options, "devices")
			    : text_is(fields[dash + 1], "cgroup2");
}

/* Opens the folder of a cgroup below one mount of its hierarchy; -1 where that does not show it, or is covered. */
static int open_below(struct text root, struct text place, struct text path, const char *mark)
{
	char name[PATH_MAX];
	size_t top = text_is(root, "/") ? 0 : root.length;
	if (text_contains(path, "/..") || text_contains(place, "\\") || path.length < top || memcmp(path.at, root.at, top))
		return -1;
	if (path.length > top && path.at[top] != '/')
		return -1;
	int length = snprintf(name, sizeof name, "%.*s%.*s", (int)place.length, place.at, (int)(path.length - top), path.at + top);
	int folder = length < (int)sizeof name ? open(name, O_RDONLY | O_DIRECTORY | O_CLOEXEC) : -1;
	if (folder >= 0 && faccessat(folder, mark, F_OK, 0) == 0)
		return folder;
	if (folder >= 0)
		close(folder);
	return -1;
}

static int open_version(struct text cgroup, struct text mounts, int version)
{
	struct text path, root, place;
	int found = -1;
	if (!path_in_hierarchy(cgroup, version, &path))
		return -1;
	for (struct text line; take_until(&mounts, '\n', &line);) {
		if (!is_hierarchy(line, version, &root, &place))
			continue;
		int folder = open_below(root, place, path, version == 1 ? "devices.allow" : "cgroup.procs");
		if (folder >= 0 && found >= 0)
			close(found);
		found = folder >= 0 ? folder : found; /* the last one stands before others */
	}
	return found;
}

int cgroup_open(int process, int *version)
{
	struct text cgroup = proc_read_at(process, "cgroup"), mounts = proc_read("/proc/self/mountinfo");
	int folder = -1;
	for (*version = 1; *version <= 2; ++*version)
		if ((folder = open_version(cgroup, mounts, *version)) >= 0)
			break;
	return folder;
}

/* Version 1: one line a device. */

const char *access_letters(uint32_t access, char letters[ACCESS_ROOM])
{
	snprintf(letters, ACCESS_ROOM, "%s%s%s", access & 2 ? "r" : "", access & 4 ? "w" : "", access & 1 ? "m" : "");
	return letters;
}

static bool write_rule(int file, const struct device_rule *rule)
{
	char line[64], letters[ACCESS_ROOM];
	int length = snprintf(line, sizeof line, "%c %u:%u %s", rule->type, rule->major, rule->minor,
			      access_letters(rule->access, letters));
	return write(file, line, (size_t)length) == length;
}

static bool allow_by_file(int cgroup, const struct device_rule *rules, int count)
{
	int file = openat(cgroup, "devices.allow", O_WRONLY | O_CLOEXEC);
	bool good = file >= 0;
	for (int i = 0; i < count && good; i++)
		good = write_rule(file, &rules[i]);
	if (file >= 0)
		close(file);
	return good;
}

/* Version 2: each program that is there is replaced by one that says yes to these devices before it. See linux/bpf.h. */

struct instruction {
	uint8_t code, registers; /* source in the upper half */
	int16_t offset;
	int32_t number;
};
enum { LOAD_WORD = 0x61, AND = 0x57, SHIFT_RIGHT = 0x77, SET = 0xb7, COPY = 0xbf, UNLESS_EQUAL = 0x55, EXIT = 0x95 };
enum { CONTEXT = 1, TYPE, WANTED, MAJOR, MINOR, SCRATCH };
enum { PROG_LOAD = 5, PROG_ATTACH = 8, PROG_BY_ID = 13, PROG_INFO = 15, PROG_QUERY = 16 };
enum { ATTACH_DEVICE = 6, PROGRAM_DEVICE = 15, ALLOW_MULTI = 2, REPLACE = 4, EFFECTIVE = 1, ALL_ACCESS = 7 };

/* The attributes of each call, as far as they are used; the kernel takes what is behind them for zero. */
struct query {
	uint32_t target, type, flags, attached;
	uint64_t ids;
	uint32_t count, unused; /* what is behind the last one has to be zero, too */
};
struct info_call {
	uint32_t program, length;
	uint64_t info;
};
struct info {
	uint32_t type, id;
	uint8_t tag[8];
	uint32_t jited_length, length;
	uint64_t jited, instructions;
};
struct load {
	uint32_t type, count;
	uint64_t instructions, license;
};
struct attachment {
	uint32_t target, program, type, flags, replaced;
};

static int bpf(int command, void *attributes, size_t size)
{
	return (int)syscall(SYS_bpf, command, attributes, (unsigned)size);
}

static struct instruction *put(struct instruction *at, int code, int to, int from, int offset, uint32_t number)
{
	*at = (struct instruction){(uint8_t)code, (uint8_t)(from << 4 | to), (int16_t)offset, (int32_t)number};
	return at + 1;
}

/* Yes, if all fits; each test that fails jumps over the rest. */
static struct instruction *put_rule(struct instruction *at, const struct device_rule *rule)
{
	uint32_t refused = ALL_ACCESS & ~rule->access;
	if (refused) {
		at = put(at, COPY, SCRATCH, WANTED, 0, 0);
		at = put(at, AND, SCRATCH, 0, 0, refused);
		at = put(at, UNLESS_EQUAL, SCRATCH, 0, 5, 0);
	}
	at = put(at, UNLESS_EQUAL, TYPE, 0, 4, rule->type == 'b' ? 1 : 2);
	at = put(at, UNLESS_EQUAL, MAJOR, 0, 3, rule->major);
	at = put(at, UNLESS_EQUAL, MINOR, 0, 2, rule->minor);
	at = put(at, SET, 0, 0, 0, 1);
	return put(at, EXIT, 0, 0, 0, 0);
}

static struct instruction *put_rules(struct instruction *at, const struct device_rule *rules, int count)
{
	at = put(at, LOAD_WORD, TYPE, CONTEXT, 0, 0);
	at = put(at, COPY, WANTED, TYPE, 0, 0);
	at = put(at, AND, TYPE, 0, 0, 0xffff);
	at = put(at, SHIFT_RIGHT, WANTED, 0, 0, 16);
	at = put(at, LOAD_WORD, MAJOR, CONTEXT, 4, 0);
	at = put(at, LOAD_WORD, MINOR, CONTEXT, 8, 0);
	for (int i = 0; i < count; i++)
		at = put_rule(at, &rules[i]);
	return at;
}

static bool ask_info(int program, struct info *info)
{
	struct info_call call = {(uint32_t)program, sizeof *info, (uintptr_t)info};
	return bpf(PROG_INFO, &call, sizeof call) == 0;
}

/* A program that has the rules in front of what another one has; -1 where the kernel refuses. */
static int load_extended(int old, const struct device_rule *rules, int count)
{
	struct info info = {0};
	if (!ask_info(old, &info) || info.length > MAX_INSTRUCTIONS * sizeof(struct instruction))
		return -1;
	size_t room = (size_t)(6 + 8 * count) * sizeof(struct instruction) + info.length;
	struct instruction *code = calloc(1, room), *end = code ? put_rules(code, rules, count) : NULL;
	uint32_t length = info.length;
	info = (struct info){.length = length, .instructions = (uintptr_t)end};
	if (!code || !ask_info(old, &info) || info.length != length)
		return -1;
	struct load load = {PROGRAM_DEVICE, (uint32_t)(end - code) + length / (uint32_t)sizeof *code, (uintptr_t)code,
			    (uintptr_t) "Apache-2.0"};
	return bpf(PROG_LOAD, &load, sizeof load);
}

static bool extend_program(int cgroup, uint32_t flags, uint32_t id, const struct device_rule *rules, int count)
{
	int old = bpf(PROG_BY_ID, &id, sizeof id), new = old < 0 ? -1 : load_extended(old, rules, count);
	bool multi = flags & ALLOW_MULTI;
	struct attachment call = {(uint32_t)cgroup, (uint32_t)new, ATTACH_DEVICE, multi ? flags | REPLACE : flags, multi ? (uint32_t)old : 0};
	bool done = new >= 0 && bpf(PROG_ATTACH, &call, sizeof call) == 0;
	if (old >= 0)
		close(old);
	if (new >= 0)
		close(new);
	return done;
}

/* True where no cgroup above confines devices either: those are not this container's to change. */
static bool is_free(int cgroup)
{
	struct query query = {.target = (uint32_t)cgroup, .type = ATTACH_DEVICE, .flags = EFFECTIVE};
	return bpf(PROG_QUERY, &query, sizeof query) == 0 && !query.count;
}

static bool allow_by_programs(int cgroup, const struct device_rule *rules, int count)
{
	uint32_t ids[MAX_PROGRAMS];
	struct query query = {.target = (uint32_t)cgroup, .type = ATTACH_DEVICE, .ids = (uintptr_t)ids, .count = MAX_PROGRAMS};
	if (bpf(PROG_QUERY, &query, sizeof query))
		return false;
	if (!query.count)
		return is_free(cgroup);
	for (uint32_t i = 0; i < query.count; i++)
		if (!extend_program(cgroup, query.attached, ids[i], rules, count))
			return false;
	return true;
}

bool cgroup_allow(int cgroup, int version, const struct device_rule *rules, int count)
{
	return version == 1 ? allow_by_file(cgroup, rules, count) : allow_by_programs(cgroup, rules, count);
}

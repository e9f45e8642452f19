/* The hook, warm: the same work as Python's (runtime/hook.py), where that has done it in a root like this one. */
#define _GNU_SOURCE
#include "start.h"
#include "below.h"
#include "json.h"
#include "mask.h"
#include "state.h"
#include <fcntl.h>
#include <limits.h>
#include <linux/magic.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/statfs.h>
#include <sys/statvfs.h>
#include <unistd.h>

/* A descriptor of the container's root; crun names it in the state, for others it stands in the bundle's config.json. */
static int open_container(struct text input)
{
	char path[PATH_MAX];
	struct json state, config;
	if (!json_scan(&state, input))
		return -1;
	char *bundle = json_string_member(&state, 0, "bundle"), *root = json_string_member(&state, 0, "root");
	if (!bundle || !*bundle || (!root && json_member(&state, 0, "root")))
		return -1;
	if (root && *root)
		return snprintf(path, sizeof path, "%s/%s", *root == '/' ? "" : bundle, root) < (int)sizeof path ? root_open(path) : -1;
	return bundle_config(bundle, &config) && bundle_root(bundle, &config, path) ? root_open(path) : -1;
}

/* The work as one text (formats/hookargs.py): what records of the hook are for. */
static bool read_arguments(int argc, char **argv, struct text *work, bool *masks)
{
	struct buffer buffer = {0};
	buffer_put(&buffer, "hook");
	*masks = false;
	if (argc < 2 || strcmp(argv[1], "create-container"))
		return false;
	for (int i = 2; i < argc; i++) {
		if (!strcmp(argv[i], "--mask-params")) {
			*masks = true;
			continue;
		}
		buffer_put(&buffer, "\n");
		buffer_put(&buffer, argv[i]);
	}
	*work = buffer_text(&buffer);
	return !buffer.failed;
}

static bool is_read_only(int root)
{
	struct statvfs status;
	return fstatvfs(root, &status) || status.f_flag & ST_RDONLY;
}

static bool prepare(const struct store *store, int root, struct text work)
{
	if (text_is(work, "hook"))
		return true; /* nothing but the mask */
	return !is_read_only(root) && below_prepare(store, root, work);
}

/* What is mounted at a descriptor is mounted just there. */
static bool is_mount(int place)
{
	struct statx found;
	return !statx(place, "", AT_EMPTY_PATH, STATX_BASIC_STATS, &found) && found.stx_attributes_mask & STATX_ATTR_MOUNT_ROOT &&
	       found.stx_attributes & STATX_ATTR_MOUNT_ROOT;
}

static bool has_proc(int root)
{
	struct statfs found;
	int proc = openat(root, "proc", O_PATH | O_NOFOLLOW | O_DIRECTORY | O_CLOEXEC);
	bool has = proc >= 0 && !fstatfs(proc, &found) && found.f_type == PROC_SUPER_MAGIC && is_mount(proc);
	if (proc >= 0)
		close(proc);
	return has;
}

/* The container's root by where we stand: runc starts us in it, once it has made its mounts (libcontainer, prepareRootfs).
 *
 * It is taken for that only where a runtime has mounted it, and a /proc in it, which no image can do. -1 where it has not. */
static int open_working_folder(void)
{
	int root = root_open(".");
	if (root >= 0 && is_mount(root) && has_proc(root))
		return root;
	if (root >= 0)
		close(root);
	return -1;
}

/* True where the state can be read now. runc writes it 5 ms later (its one processor, in Go's terms, is taken by the thread
 * that waits for us, until the scheduler notices), and those are half of what a start may take. */
static bool has_input(void)
{
	struct pollfd input = {.fd = 0, .events = POLLIN};
	return poll(&input, 1, 0) != 0;
}

void start_hook(const struct store *store, int argc, char **argv)
{
	struct text work;
	bool masks;
	if (!read_arguments(argc, argv, &work, &masks))
		return;
	int root = has_input() ? -1 : open_working_folder();
	struct text input = root < 0 ? state_read() : (struct text){NULL, 0};
	if (input.length)
		root = open_container(input);
	if (root >= 0 && prepare(store, root, work) && (!masks || !mask_is_needed() || mask_params(root)))
		_exit(0);
	if (input.length)
		state_put_back(input);
}

/* The prestart hook, warm: what Python carried into an earlier container is carried into this one (runtime/prestart.py). */
#define _GNU_SOURCE
#include "start.h"
#include "below.h"
#include "carry.h"
#include "cgroup.h"
#include "mask.h"
#include "procgpus.h"
#include "request.h"
#include "scope.h"
#include "settings.h"
#include "state.h"
#include <fcntl.h>
#include <limits.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct container {
	struct json config;
	char root[PATH_MAX]; /* on the host */
	int process;      /* its folder in /proc: whatever is asked of it later is asked of this process */
};

/* True where neither the process nor a mount has a word of a request; the hook's own entry has some. */
static bool asks_for_nothing(const struct settings *settings, const struct json *config)
{
	int process = json_member(config, 0, "process"), mounts = json_member(config, 0, "mounts");
	return process > 0 && mounts >= 0 && !settings_have_word(settings, json_text(config, process)) &&
	       (!mounts || !settings_have_word(settings, json_text(config, mounts)));
}

static int open_process(const struct json *state)
{
	char path[64];
	int pid = json_member(state, 0, "pid");
	struct text number = pid > 0 && json_is(state, pid, OTHER) ? json_text(state, pid) : (struct text){"", 0};
	if (!number.length || number.length > 10 || strspn(number.at, "0123456789") < number.length || *number.at == '0')
		return -1;
	snprintf(path, sizeof path, "/proc/%.*s", (int)number.length, number.at);
	return open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);
}

static bool read_container(struct container *container, struct text input)
{
	struct json state;
	char *bundle = json_scan(&state, input) ? json_string_member(&state, 0, "bundle") : NULL;
	if (!bundle || !bundle_config(bundle, &container->config) || !json_is(&container->config, 0, OBJECT))
		return false;
	container->process = open_process(&state);
	return container->process >= 0 && bundle_root(bundle, &container->config, container->root) && *container->root == '/';
}

static bool open_record(struct record *record, const struct store *store, const struct settings *settings, const struct json *config)
{
	struct settings without_annotations = *settings;
	struct buffer key = {0};
	without_annotations.prefix_count = 0;
	for (const char *const *part = (const char *const[]){"hook", settings->config, settings->stamp, NULL}; *part; part++) {
		buffer_put(&key, *part);
		buffer_put(&key, "\n");
	}
	if (!request_text(config, &without_annotations, &key))
		return false;
	return record_open(record, store, "carry", buffer_text(&key), buffer_text(&key)) && stamps_hold(record);
}

static bool same_folder(const struct stat *a, const struct stat *b)
{
	return a->st_dev == b->st_dev && a->st_ino == b->st_ino;
}

static int process_root(const struct container *container)
{
	return openat(container->process, "root", O_PATH | O_DIRECTORY | O_CLOEXEC);
}

static bool is_folder(int place, const char *path)
{
	struct stat found, wanted;
	return place >= 0 && !fstat(place, &found) && !stat(path, &wanted) && same_folder(&found, &wanted);
}

/* The container's root in the container's mounts, at the same path as here, below the same root. Both have to be the very folders
 * that they are for us: a process whose root is another one already is none that waits for its prestart hooks. */
static int open_root(const struct container *container)
{
	int top = process_root(container);
	int root = is_folder(top, "/") ? below_open(top, container->root) : -1;
	if (top >= 0)
		close(top);
	return is_folder(root, container->root) && !is_folder(root, "/") ? root : -1;
}

/* Where we come from, while we are in the container's mounts. */
static int home = -1, home_root = -1;

static bool stand(int namespace, int root)
{
	return setns(namespace, CLONE_NEWNS) == 0 && fchdir(root) == 0 && chroot(".") == 0;
}

static bool enter_mounts(const struct container *container)
{
	struct stat ours, theirs;
	int namespace = openat(container->process, "ns/mnt", O_RDONLY | O_CLOEXEC), root = process_root(container);
	int own = open("/proc/self/ns/mnt", O_RDONLY | O_CLOEXEC);
	home_root = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (namespace < 0 || root < 0 || own < 0 || home_root < 0 || fstat(namespace, &theirs) || fstat(own, &ours) ||
	    same_folder(&ours, &theirs))
		return false; /* nothing is changed yet */
	home = own;
	return stand(namespace, root);
}

/* Python is the host's, and so are its files. */
static void go_home(void)
{
	if (home >= 0 && !stand(home, home_root))
		_exit(1);
}

static struct device_rule *read_rules(struct record *record, int *count)
{
	*count = record_count(record);
	struct device_rule *rules = calloc((size_t)*count + 1, sizeof *rules);
	for (int i = 0; rules && i < *count; i++) {
		rules[i].type = *record_string(record);
		rules[i].major = (uint32_t)record_number(record);
		rules[i].minor = (uint32_t)record_number(record);
		rules[i].access = (uint32_t)record_number(record);
		rules[i].node = record_string(record);
	}
	return rules;
}

/* All that is of the host is taken hold of before the container's mounts are entered, and all that is compared in the container is
 * compared before anything is carried into it. */
static bool carry(const struct store *store, const struct container *container, struct record *record)
{
	int freight_count, rule_count, version;
	struct device_rule *rules = read_rules(record, &rule_count);
	struct text work = record_text(record);
	bool needs_mask = record_number(record) != 0 && mask_is_needed();
	struct shown shown = shown_read(record);
	struct freight *freight = carry_load(record, &freight_count);
	int cgroup = rule_count ? cgroup_open(container->process, &version) : -1, root = open_root(container);
	if (!rules || !freight || record->broken || (rule_count && cgroup < 0) || root < 0)
		return false;
	if (work.length && !below_prepare(store, root, work))
		return false;
	if (!carry_nodes(root, record) || record->broken)
		return false;
	if (rule_count)
		scope_leave(cgroup, rules, rule_count); /* systemd's files are the host's */
	if (!enter_mounts(container) || !carry_unload(root, freight, freight_count))
		return false;
	if ((needs_mask && !mask_params(root)) || !shown_apply(root, &shown))
		return false;
	return !rule_count || cgroup_allow(cgroup, version, rules, rule_count);
}

static bool is_done(const struct store *store, const struct settings *settings, struct text input)
{
	struct container container;
	struct record record;
	if (!input.length || !read_container(&container, input))
		return false;
	if (asks_for_nothing(settings, &container.config))
		return true;
	return !has_user_namespace(&container.config) && open_record(&record, store, settings, &container.config) &&
	       carry(store, &container, &record);
}

void start_prestart(const struct store *store, int argc, char **argv)
{
	static struct settings settings;
	if (argc != 2 || strcmp(argv[1], "prestart") || !settings_read(&settings, store->state))
		return;
	struct text input = state_read();
	if (is_done(store, &settings, input))
		_exit(0);
	go_home();
	if (input.length)
		state_put_back(input);
}

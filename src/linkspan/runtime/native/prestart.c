/* The prestart hook, warm: what Python carried into an earlier container is carried into this one (runtime/prestart.py). */
#define _GNU_SOURCE
#include "start.h"
#include "below.h"
#include "carry.h"
#include "cgroup.h"
#include "mask.h"
#include "request.h"
#include "settings.h"
#include "state.h"
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct container {
	struct json config;
	const char *root; /* on the host */
	int64_t pid;
};

/* True where neither the process nor a mount has a word of a request; the hook's own entry has some. */
static bool asks_for_nothing(const struct settings *settings, const struct json *config)
{
	int process = json_member(config, 0, "process"), mounts = json_member(config, 0, "mounts");
	return process > 0 && mounts >= 0 && !settings_have_word(settings, json_text(config, process)) &&
	       (!mounts || !settings_have_word(settings, json_text(config, mounts)));
}

static bool has_user_namespace(const struct json *config)
{
	int linux_ = json_member(config, 0, "linux"), namespaces = linux_ > 0 ? json_member(config, linux_, "namespaces") : -1;
	struct text spelled = namespaces > 0 ? json_text(config, namespaces) : (struct text){"", 0};
	return namespaces < 0 || text_contains(spelled, "\"user\"") || text_contains(spelled, "\\");
}

static const char *root_path(const struct json *config, const char *bundle)
{
	static char path[PATH_MAX];
	const char *name = json_string_member(config, json_member(config, 0, "root"), "path");
	if (!name || !*name)
		return NULL;
	int length = *name == '/' ? snprintf(path, sizeof path, "%s", name) : snprintf(path, sizeof path, "%s/%s", bundle, name);
	return length < (int)sizeof path && *path == '/' ? path : NULL;
}

static bool read_container(struct container *container, struct text input)
{
	struct json state;
	char *bundle = json_scan(&state, input) ? json_string_member(&state, 0, "bundle") : NULL;
	int pid = bundle ? json_member(&state, 0, "pid") : -1;
	if (pid <= 0 || !bundle_config(bundle, &container->config) || !json_is(&container->config, 0, OBJECT))
		return false;
	container->pid = strtoll(json_text(&state, pid).at, NULL, 10);
	container->root = root_path(&container->config, bundle);
	return container->root != NULL && container->pid > 0;
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

/* The container's root in the container's mounts: at the same path as here, or, once the runtime has changed it, the root of the
 * process. It has to be the folder that it is for us. */
static int open_root(const struct container *container)
{
	char path[PATH_MAX + 64];
	struct stat ours, found;
	int length = snprintf(path, sizeof path, "/proc/%" PRId64 "/root", container->pid);
	if (stat(container->root, &ours) || stat(path, &found))
		return -1;
	if (!same_folder(&ours, &found))
		snprintf(path + length, sizeof path - (size_t)length, "%s", container->root);
	int root = root_open(path);
	if (root >= 0 && fstat(root, &found) == 0 && same_folder(&ours, &found))
		return root;
	return -1;
}

static bool enter_mounts(int64_t pid)
{
	char path[64];
	snprintf(path, sizeof path, "/proc/%" PRId64 "/ns/mnt", pid);
	int namespace = open(path, O_RDONLY | O_CLOEXEC);
	bool done = namespace >= 0 && setns(namespace, CLONE_NEWNS) == 0;
	if (namespace >= 0)
		close(namespace);
	return done;
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
	bool masks = record_number(record) != 0;
	struct freight *freight = carry_load(record, &freight_count);
	int cgroup = rule_count ? cgroup_open(container->pid, &version) : -1, root = open_root(container);
	if (!rules || !freight || record->broken || (rule_count && cgroup < 0) || root < 0)
		return false;
	if (work.length && !below_prepare(store, root, work))
		return false;
	if (!carry_nodes(root, record) || record->broken || !enter_mounts(container->pid) || !carry_unload(root, freight, freight_count))
		return false;
	if (masks && mask_is_needed() && !mask_params(root))
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
	if (input.length)
		state_put_back(input);
}

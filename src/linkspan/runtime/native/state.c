#define _GNU_SOURCE
#include "state.h"
#include <stdio.h>
#include <sys/mman.h>
#include <unistd.h>

enum { STATE_LIMIT = 1 << 20, CONFIG_LIMIT = 1 << 24 };

struct text state_read(void)
{
	static char part[1 << 14];
	struct buffer buffer = {0};
	ssize_t got;
	while (buffer.length <= STATE_LIMIT && (got = read(0, part, sizeof part)) > 0)
		buffer_add(&buffer, (struct text){part, (size_t)got});
	return buffer_text(&buffer);
}

void state_put_back(struct text input)
{
	int copy = memfd_create("state", 0);
	if (copy >= 0 && write(copy, input.at, input.length) == (ssize_t)input.length && lseek(copy, 0, SEEK_SET) == 0)
		dup2(copy, 0);
}

bool bundle_config(const char *bundle, struct json *config)
{
	char path[PATH_MAX];
	struct text content;
	struct stat status;
	return snprintf(path, sizeof path, "%s/config.json", bundle) < (int)sizeof path &&
	       read_file(path, CONFIG_LIMIT, false, &content, &status) && json_scan(config, content);
}

bool bundle_root(const char *bundle, const struct json *config, char path[PATH_MAX])
{
	int root = json_member(config, 0, "root");
	char *name = root > 0 ? json_string_member(config, root, "path") : NULL;
	if (!name || !*name)
		return false;
	return snprintf(path, PATH_MAX, "%s%s%s", *name == '/' ? "" : bundle, *name == '/' ? "" : "/", name) < PATH_MAX;
}

bool has_user_namespace(const struct json *config)
{
	int linux_ = json_member(config, 0, "linux"), namespaces = linux_ > 0 ? json_member(config, linux_, "namespaces") : -1;
	struct text spelled = namespaces > 0 ? json_text(config, namespaces) : (struct text){"", 0};
	return namespaces < 0 || text_contains(spelled, "\"user\"") || text_contains(spelled, "\\");
}

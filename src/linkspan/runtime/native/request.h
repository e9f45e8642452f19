/* What of a config.json can be a request, as one text: the name under which ready-made edits are found.
 *
 * The same text is made by formats/record.py of the view that formats/oci.py takes. What a request means is not known here.
 */
#ifndef LINKSPAN_REQUEST_H
#define LINKSPAN_REQUEST_H

#include "json.h"

/* The names of variables, and the beginnings of annotations, that this installation looks at beside its own. */
struct words {
	char **env, **prefixes;
	int env_count, prefix_count;
};

/* False where Python has to look: a member of another type than the specification has, or an escape that could matter. */
bool request_text(const struct json *config, const struct words *words, struct buffer *text);

#endif

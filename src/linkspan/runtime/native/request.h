/* What of a config.json can be a request, as one text: the name under which ready-made edits are found.
 *
 * The same text is made by formats/record.py of the view that formats/oci.py takes. What a request means is not known here.
 */
#ifndef LINKSPAN_REQUEST_H
#define LINKSPAN_REQUEST_H

#include "json.h"
#include "settings.h"

/* False where Python has to look: a member of another type than the specification has, or an escape that could matter. */
bool request_text(const struct json *config, const struct settings *words, struct buffer *text);

#endif
